//! The files of the page's model for whoever reads them beside the engine: the training lab. Hashes are checked there.

use moe_trace::RunId;
use moe_trace::adapting::ModelFiles;
use serde::Deserialize;
use yew::Callback;

use crate::browser::{address, fetch};
use crate::effects::Report;
use crate::settings::attributes::Config;
use crate::state::Action;

/// Of a manifest, what else must be fetched.
#[derive(Deserialize)]
struct Names {
    weights: Name,
    tokenizer: Name,
}

#[derive(Deserialize)]
struct Name {
    file: String,
}

/// Fetches the files of the model that the attributes name now, for this run.
pub fn fetch(run: RunId, config: &Config, report: &Callback<Report>) {
    let (url, report) = (config.manifest_url.clone(), report.clone());
    wasm_bindgen_futures::spawn_local(async move {
        let files = files(&url).await;
        report.emit(Report::Act(Action::ModelCame { run, files }));
    });
}

async fn files(url: &str) -> Result<ModelFiles, String> {
    let manifest = fetch::text(url).await?;
    let names: Names = fetch::parse(&manifest)?;
    let weights = fetch::bytes(&address::resolve(&names.weights.file, url)).await?.into();
    let tokenizer = fetch::bytes(&address::resolve(&names.tokenizer.file, url)).await?.into();
    Ok(ModelFiles { manifest: manifest.into_bytes().into(), weights, tokenizer })
}
