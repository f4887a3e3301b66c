//! The texts that the training lab learns, from beside the page.

use moe_trace::training::KindText;
use yew::Callback;

use crate::browser::{address, fetch};
use crate::effects::Report;
use crate::settings::attributes::Config;
use crate::state::Action;

/// Fetches the texts of these kinds, one after another; the first that cannot be had ends it.
pub fn fetch(kinds: Vec<&'static str>, config: &Config, report: &Callback<Report>) {
    let base = config.base_url.clone();
    let report = report.clone();
    wasm_bindgen_futures::spawn_local(async move {
        let mut texts = Ok(Vec::with_capacity(kinds.len()));
        for kind in kinds {
            let url = address::beside_assets(base.as_deref(), &format!("../texts/lab/{kind}.txt"));
            match (&mut texts, fetch::text(&url).await) {
                (Ok(texts), Ok(text)) => texts.push(KindText { kind: kind.to_owned(), text: text.into() }),
                (_, Err(why)) => {
                    texts = Err(why);
                    break;
                }
                (Err(_), Ok(_)) => break,
            }
        }
        report.emit(Report::Act(Action::LabTexts(texts)));
    });
}
