//! The menu of models says of each how long it was trained, so that models of unlike budgets are not taken for alike.

use moe_trace::{BackendInfo, Event, ModelEntry, ModelInfo, Rung};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::models::Menu;
use web::state::{Action, State};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

fn entry(name: &str, training_tokens: Option<u32>) -> ModelEntry {
    ModelEntry {
        name: name.to_owned(),
        title: format!("the model {name}"),
        folder: name.to_owned(),
        download_bytes: 3_800_000,
        num_parameters: 3_000_000,
        num_active_parameters: 1_000_000,
        num_experts: 8,
        training_tokens,
        rule: "top_k:2".to_owned(),
    }
}

#[test]
fn budgets_stand_in_the_menu_and_behind_the_chip() {
    let page = html::<Page>(|| {
        let entries = vec![entry("long", Some(9_830_400)), entry("short", Some(983_040)), entry("unknown", None)];
        let menu = Menu::new(entries, |address| format!("https://host/models/{address}")).expect("three models");
        let model = ModelInfo { training_tokens: Some(9_830_400), ..fixture::model() };
        let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: "asked for".to_owned() };
        let actions = [Action::MenuRead(menu), Action::Engine(Event::Ready { model, backend })];
        let state = State::new(Config::default(), Vec::new()).0;
        let state = actions.into_iter().fold(state, |state, action| state.apply(action).0);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    });
    let (chip, menu) = page.split_once("the model long").expect("a menu");
    assert!(chip.contains("trained on 9.83 M tokens; weights "), "{chip}");
    let (long, rest) = menu.split_once("the model short").expect("a second model");
    let (short, unknown) = rest.split_once("the model unknown").expect("a third model");
    let unknown = unknown.split("</li>").next().unwrap_or_default();
    assert!(long.contains(" · trained on 9.83 M tokens"), "{long}");
    assert!(short.contains(" · trained on 983 k tokens"), "{short}");
    assert!(!unknown.contains("trained on"), "{unknown}");
}
