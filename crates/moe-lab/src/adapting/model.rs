//! The frozen model, from the files of its folder: each is what its manifest says, or it is refused.

use moe_learn::adapting::Frozen;
use moe_model::manifest::{FileEntry, sha256_hex};
use moe_model::{Device, Manifest, Router, Tokenizer, checkpoint};
use moe_trace::adapting::ModelFiles;
use moe_trace::{RouterSpec, UserError};

use super::not_begun;

/// Parameters of a model that is frozen here, at most: as f32 they are 16 MB, and a step's states are many times that.
const MOST_PARAMETERS: usize = 4_000_000;

/// A model that is not trained, and how it reads text.
pub struct Base {
    pub frozen: Frozen,
    pub tokenizer: Tokenizer,
    pub name: String,
    /// Of the weights' file: adapters fit this model and no other.
    pub sha256: String,
}

impl Base {
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Base, UserError> {
        let manifest = Manifest::from_json(&files.manifest).map_err(|error| unfit(&error))?;
        check(&manifest.weights, &files.weights)?;
        check(&manifest.tokenizer, &files.tokenizer)?;
        let Manifest { name, architecture, config, trained_routing, weights, .. } = manifest;
        if trained_routing.router == RouterSpec::BalancedHash {
            return Err(not_begun("This model routes by how frequent each token is.", "Choose another model."));
        }
        let found = config.num_parameters();
        if found > MOST_PARAMETERS {
            let why = format!("The model has {found} parameters; here at most {MOST_PARAMETERS} are frozen.");
            return Err(not_begun(why, "Choose a smaller model."));
        }
        let tokenizer = Tokenizer::from_json(&files.tokenizer).map_err(|error| unfit(&error))?;
        if tokenizer.vocab_size() != config.vocab_size || config.vocab_size > usize::from(u16::MAX) {
            let (found, expected) = (tokenizer.vocab_size(), config.vocab_size);
            let why = format!("The tokenizer knows {found} tokens and the model {expected}.");
            return Err(not_begun(why, "Choose another model."));
        }
        let on_graph = device.clone().autodiff();
        let read = checkpoint::from_bytes(&files.weights, architecture, &config, &on_graph);
        let router = Router::new(trained_routing, config.num_experts).map_err(|error| unfit(&error))?;
        let frozen = Frozen::new(config, router, read.map_err(|error| unfit(&error))?, device.clone());
        Ok(Base { frozen, tokenizer, name, sha256: weights.sha256 })
    }

    /// Its tokens; their bytes joined are the text.
    pub fn tokens(&self, text: &str) -> Vec<u16> {
        self.tokenizer.encode(text).into_iter().map(|id| id as u16).collect()
    }
}

/// Did the file arrive as it was sent?
fn check(entry: &FileEntry, bytes: &[u8]) -> Result<(), UserError> {
    if bytes.len() == entry.bytes as usize && sha256_hex(bytes) == entry.sha256 {
        return Ok(());
    }
    let why = format!("{} is not the file that its manifest names.", entry.file);
    Err(not_begun(why, "Reload the page; if that does not help, the site has a damaged file."))
}

fn unfit(error: &dyn std::fmt::Display) -> UserError {
    not_begun("The model's files cannot be used.", "Choose another model.").with_details(error)
}
