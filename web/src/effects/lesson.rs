//! A lesson: fetched when it is opened, and read by the reader that `cargo xtask lesson check` uses.

use yew::Callback;

use crate::browser::{address, fetch};
use crate::effects::Report;
use crate::run::shared::Shared;
use crate::settings::attributes::Config;
use crate::settings::lesson::{Lesson, unopened, unusable};
use crate::settings::models;
use crate::state::Action;
use crate::state::course::Turn;

/// Fetches the lesson of this name beside the page, or at this address. Of several that were asked for the last counts.
pub fn fetch(name: String, config: &Config, report: &Callback<Report>) {
    let url = match models::is_plain_name(&name) {
        true => address::beside_assets(config.base_url.as_deref(), &format!("../lessons/{name}.json")),
        false => address::resolve(&name, &address::document_base()),
    };
    let report = report.clone();
    wasm_bindgen_futures::spawn_local(async move {
        let read = match fetch::text(&url).await {
            Ok(text) => Lesson::read(&text).map(Shared::new).map_err(|mistakes| unusable(&name, &mistakes)),
            Err(why) => Err(unopened(&name, why)),
        };
        report.emit(Report::Act(Action::Lesson(Turn::Came { name, read })));
    });
}
