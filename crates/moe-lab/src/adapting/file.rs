//! Adapters as a small file, to keep, share and open again: a safetensors file of their numbers, and as its one text the
//! recipe, the steps that were done, and which model they belong to. The texts that they learned from are not in it.

use moe_learn::adapting::{AdapterLearner, load, numbers};
use moe_model::checkpoint::CheckpointError;
use moe_model::checkpoint::exact::Exact;
use moe_model::{Device, TensorError};
use moe_trace::UserError;
use moe_trace::adapting::AdapterRecipe;
use serde::{Deserialize, Serialize};

use super::model::Base;
use super::{not_opened, request};
use crate::request::MOST_STEPS;

/// What such a file calls itself.
const KIND: &str = "moe-playground adapters";

/// What the file's text says, as JSON.
#[derive(Serialize, Deserialize)]
struct About {
    /// Name of the model that they stand beside, for people.
    model: String,
    /// Of its weights' file.
    model_sha256: String,
    recipe: AdapterRecipe,
    num_steps: u32,
}

/// The adapters as they are, after so many steps.
pub async fn bytes(
    learner: &AdapterLearner,
    recipe: AdapterRecipe,
    base: &Base,
    num_steps: u32,
) -> Result<Vec<u8>, TensorError> {
    let failed = |error: &dyn std::fmt::Display| TensorError(error.to_string());
    let about = About { model: base.name.clone(), model_sha256: base.sha256.clone(), recipe, num_steps };
    let about = serde_json::to_string(&about).map_err(|error| failed(&error))?;
    let tensors = numbers(&learner.adapters).await?;
    Exact { tensors, about }.to_bytes(KIND).map_err(|error| failed(&error))
}

/// The adapters of a file, if they belong to this model: with their recipe, and the steps that they had learned. The
/// optimiser begins anew.
pub fn open(bytes: &[u8], base: &Base, device: &Device) -> Result<(AdapterLearner, AdapterRecipe, u32), UserError> {
    let Exact { tensors, about } = Exact::from_bytes(bytes, KIND).map_err(|error| match error {
        CheckpointError::Unreadable(_) | CheckpointError::Other { .. } => {
            not_opened("This is no file of adapters, or only a part of one.", "Choose a file that was saved here.")
                .with_details(error)
        }
        _ => damaged(&error),
    })?;
    let about: About = serde_json::from_str(&about).map_err(|error| {
        let why = "It was saved by another version of this page.";
        not_opened(why, "Choose a file that this version saved.").with_details(error)
    })?;
    if about.model_sha256 != base.sha256 {
        let why = format!(
            "These adapters stand beside the model \"{}\" with weights {}…; this is \"{}\" with weights {}….",
            beginning(&about.model, 64),
            beginning(&about.model_sha256, 8),
            base.name,
            beginning(&base.sha256, 8)
        );
        return Err(not_opened(why, "Choose the model that they were trained with."));
    }
    if about.num_steps > MOST_STEPS {
        let why = format!("It tells of {} steps; there may be at most {MOST_STEPS}.", about.num_steps);
        return Err(not_opened(why, "Choose another file."));
    }
    let said = |error: UserError| UserError { what: not_opened("", "").what, ..error };
    let mut learner = request::learner(&about.recipe, base, device).map_err(said)?;
    learner.adapters = load(learner.adapters, &tensors).map_err(|error| damaged(&error))?;
    Ok((learner, about.recipe, about.num_steps))
}

/// So many letters of a text, at most.
fn beginning(text: &str, letters: usize) -> String {
    text.chars().take(letters).collect()
}

fn damaged(error: &CheckpointError) -> UserError {
    not_opened(format!("The file does not fit what it says of itself: {error}."), "Choose another file.")
}

#[cfg(test)]
mod tests {
    use moe_fuzz::{Dice, tensors, trial_of_much_work};
    use moe_learn::adapting::Frozen;
    use moe_model::{ModelConfig, Router, Tokenizer, Weights};
    use moe_trace::{MixerSpec, RoutingSpec};

    use super::*;

    const TOKENIZER: &[u8] = include_bytes!("../../../../www/site/models/default/tokenizer.json");

    /// A small frozen model. Its tokenizer is another's, and reads nothing here.
    fn base(device: &Device) -> Base {
        let config = ModelConfig::tiny();
        let router = Router::new(RoutingSpec::default(), config.num_experts).expect("top-2 of four");
        let weights = Weights::random(&config, 3, &device.clone().autodiff());
        let tokenizer = Tokenizer::from_json(TOKENIZER).expect("the shipped tokenizer");
        let frozen = Frozen::new(config, router, weights, device.clone());
        Base { frozen, tokenizer, name: "tiny".to_owned(), sha256: "5e".repeat(32) }
    }

    /// A file of adapters of this rule, after so many steps.
    fn file(rule: MixerSpec, num_steps: u32, device: &Device) -> Vec<u8> {
        let (base, num_tokens) = (base(device), 24);
        let recipe = AdapterRecipe {
            rule,
            num_adapters: 4,
            rank: 2,
            alpha: 16.0,
            num_sequences: 2,
            num_tokens,
            learning_rate: 1e-2,
            balance: 0.0,
            seed: 1,
        };
        let learner = request::learner(&recipe, &base, device).expect("small ones");
        pollster::block_on(bytes(&learner, recipe, &base, num_steps)).expect("they can be saved")
    }

    #[test]
    fn fuzz_adapters() {
        let device = Device::flex();
        for rule in [MixerSpec::Molora { k: None }, MixerSpec::Mov] {
            let file = file(rule, 3, &device);
            assert!(open(&file, &base(&device), &device).is_ok());
            let make = |dice: &mut Dice| tensors::spoilt(&file, dice);
            trial_of_much_work("adapters", 100, make, |file| {
                // One for each, whatever thread it is on.
                let base = base(&device);
                let Ok((learner, recipe, num_steps)) = open(file, &base, &device) else { return false };
                // What is taken can be saved again.
                pollster::block_on(bytes(&learner, recipe, &base, num_steps)).is_ok()
            });
        }
    }

    /// After so many, the next one would have no number.
    #[test]
    fn more_steps_than_can_be_counted_are_refused() {
        let device = Device::flex();
        let file = file(MixerSpec::Mov, u32::MAX, &device);
        let error = open(&file, &base(&device), &device).err().expect("too many");
        assert_eq!(error.why, "It tells of 4294967295 steps; there may be at most 1000000000.");
    }
}
