//! The sentences of another language: from beside the element, once for all figures of the document.

use yew::Callback;

use crate::browser::{address, fetch};
use crate::effects::Report;
use crate::settings::attributes::Config;
use crate::state::Action;
use crate::words::tongue::{self, Catalogue, Language};

/// Fetches the catalogue, unless another figure has brought it already.
pub fn learn(language: Language, config: &Config, report: &Callback<Report>) {
    let url = address::beside_assets(config.base_url.as_deref(), &format!("../words/{}.json", language.code()));
    let report = report.clone();
    wasm_bindgen_futures::spawn_local(async move {
        let read = match tongue::knows(language) {
            true => Ok(()),
            false => catalogue(&url).await.map(|catalogue| tongue::learn(language, catalogue)),
        };
        report.emit(Report::Act(Action::Learned { language, read }));
    });
}

async fn catalogue(url: &str) -> Result<Catalogue, String> {
    let text = fetch::text(url).await?;
    fetch::parse(&text).map_err(|why| format!("The file of its sentences cannot be read: {why}"))
}
