//! Texts that run from right to left, or would turn others round: wherever the page names a token, what stands around it
//! keeps its order.

use moe_trace::{BackendChoice, BackendInfo, Event, ModelEntry, ModelInfo, RoutingGroup, RoutingSpec, Rung, UserError};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::settings::models::Menu;
use web::state::{Action, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

const TURNING: [char; 11] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}',
    '\u{2067}', '\u{feff}',
];

const NAME: &str = "דגם";

/// The page at this depth with this token selected, and every panel's table.
fn drawn(depth: Depth, token: usize) -> String {
    html::<Page>(move || {
        let mut texts = vec!["שלום".to_owned(), "a\u{5d0}".to_owned(), "مرحبا".to_owned(), "86".to_owned()];
        texts.extend(TURNING.map(|turning| format!("{turning}86")));
        let tokens: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
        let request = fixture::request(RoutingSpec::default(), RoutingGroup::ThisText, 2);
        let mut file = fixture::trace(3, &tokens, tokens.len() - 2, request);
        file.header.model.as_mut().expect("a model of ours").name = NAME.to_owned();
        let began = replay::began(file.header).expect("a run of ours");
        let actions = [began].into_iter().chain(file.steps.into_iter().map(replay::step));
        let last = [replay::finished(), Action::StepTo(2), Action::Select { token, layer: None, expert: None }];
        let config = Config { backend: BackendChoice::Recorded, depth, ..Config::default() };
        let state = State::new(config, Vec::new()).0;
        let state = actions.chain(last).fold(state, |state, action| state.apply(action).0);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    })
}

/// Nothing in the page turns what is around it, and letters that run from right to left are isolated.
fn check(html: &str, what: &str) {
    assert_eq!(html.find(TURNING), None, "{what}: a character that turns others is in the page");
    for (at, letter) in html.char_indices().filter(|(_, c)| ('\u{590}'..'\u{700}').contains(c)) {
        let before = &html[..at];
        let open = before.rfind(['>', '"']).expect("some markup");
        let is_isolated = before[open..].contains('\u{2068}');
        // An element of its own takes the direction of its text.
        let tag = before[..open].rfind('<').map_or("", |tag| &before[tag..open]);
        let is_alone = before[open..].starts_with('>') && (tag.contains("dir=\"auto\"") || tag.starts_with("<bdi"));
        let around: String = before.chars().rev().take(90).collect::<Vec<_>>().into_iter().rev().collect();
        assert!(is_isolated || is_alone, "{what}: {letter} stands in {around:?}");
    }
}

#[test]
fn no_token_turns_what_is_around_it() {
    for depth in [Depth::Story, Depth::Inspect, Depth::Lab] {
        for token in 0..15 {
            check(&drawn(depth, token), &format!("{depth:?}, token {token}"));
        }
    }
}

/// What a notice says of a model is in its advice too.
#[test]
fn no_name_turns_the_notice_round() {
    let html = html::<Page>(|| {
        let model = ModelInfo { name: NAME.to_owned(), ..fixture::model() };
        let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: "asked for".to_owned() };
        let error = UserError::new("The model could not be fetched.", "Nothing came back.", "Try again.");
        let other = ModelEntry {
            name: "other".to_owned(),
            title: "another model".to_owned(),
            folder: "other".to_owned(),
            download_bytes: 3_800_000,
            num_parameters: 3_000_000,
            num_active_parameters: 1_000_000,
            num_experts: 8,
            training_tokens: None,
            rule: "top_k:2".to_owned(),
        };
        let url = |address: &str| format!("https://host/{address}");
        let manifest_url = url("other/manifest.json");
        let actions = [
            Action::MenuRead(Menu::new(vec![other], url).expect("a model")),
            Action::Engine(Event::Ready { model, backend }),
            Action::ChooseModel { manifest_url },
            Action::NextEngine(Event::Failed { run: None, error, fatal: false }),
        ];
        let state = State::new(Config::default(), Vec::new()).0;
        let state = actions.into_iter().fold(state, |state, action| state.apply(action).0);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    });
    assert!(html.contains(&format!("\u{2068}The model {NAME} goes on running")), "{html}");
    check(&html, "the notice");
}
