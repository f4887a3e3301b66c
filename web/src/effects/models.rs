//! The list of models that a site offers. A site without one has no menu.

use moe_trace::ModelEntry;
use yew::Callback;

use crate::browser::{address, fetch};
use crate::effects::Report;
use crate::settings::attributes::Config;
use crate::settings::models::Menu;
use crate::state::Action;

pub struct ModelList {
    report: Callback<Report>,
    was_asked_for: bool,
}

impl ModelList {
    pub fn new(report: Callback<Report>) -> ModelList {
        ModelList { report, was_asked_for: false }
    }

    /// Once, and only where a model can be loaded.
    pub fn fetch(&mut self, config: &Config) {
        if std::mem::replace(&mut self.was_asked_for, true) {
            return;
        }
        let url = address::beside_assets(config.base_url.as_deref(), "../models/index.json");
        let report = self.report.clone();
        wasm_bindgen_futures::spawn_local(async move {
            if let Some(menu) = menu(url).await {
                report.emit(Report::Act(Action::MenuRead(menu)));
            }
        });
    }
}

/// The menu of the list at `url`, if it is there and can be read. What is wrong with it goes to the console: nobody asked
/// for a menu.
async fn menu(url: String) -> Option<Menu> {
    let text = fetch::text(&url).await.ok()?;
    let entries = fetch::parse::<Vec<ModelEntry>>(&text);
    let menu = entries.and_then(|entries| Menu::new(entries, |address| address::resolve(address, &url)));
    let warn = |why| web_sys::console::warn_1(&format!("moe-playground: {url} is not a list of models: {why}").into());
    menu.map_err(warn).ok()
}
