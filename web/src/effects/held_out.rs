//! The held-out text beside the page, fetched when somebody asks for it.

use yew::Callback;

use crate::browser::{address, fetch};
use crate::effects::Report;
use crate::run::held_out::HeldOut;
use crate::settings::attributes::Config;
use crate::state::Action;

pub fn fetch(config: &Config, report: &Callback<Report>) {
    let url = address::beside_assets(config.base_url.as_deref(), "../texts/held-out.txt");
    let report = report.clone();
    wasm_bindgen_futures::spawn_local(async move {
        let read = match fetch::text(&url).await {
            Ok(file) => {
                HeldOut::read(&file).map_err(|why| say!("{name} cannot be used. {why}", name = "held-out.txt", why))
            }
            Err(why) => Err(why),
        };
        report.emit(Report::Act(Action::HeldOutCame(read)));
    });
}
