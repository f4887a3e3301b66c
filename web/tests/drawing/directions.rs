//! Texts that run from right to left, or would turn others round: wherever the page names a token, what stands around it
//! keeps its order.

use moe_trace::{BackendChoice, RoutingGroup, RoutingSpec};
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::state::{Action, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

const TURNING: [char; 11] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}',
    '\u{2067}', '\u{feff}',
];

/// The page with this token selected, and every panel's table.
fn drawn(token: usize) -> String {
    html::<Page>(move || {
        let mut texts = vec!["שלום".to_owned(), "a\u{5d0}".to_owned(), "مرحبا".to_owned(), "86".to_owned()];
        texts.extend(TURNING.map(|turning| format!("{turning}86")));
        let tokens: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
        let request = fixture::request(RoutingSpec::default(), RoutingGroup::ThisText, 2);
        let mut file = fixture::trace(3, &tokens, tokens.len() - 2, request);
        file.header.model.as_mut().expect("a model of ours").name = "דגם".to_owned();
        let began = replay::began(file.header).expect("a run of ours");
        let actions = [began].into_iter().chain(file.steps.into_iter().map(replay::step));
        let last = [replay::finished(), Action::StepTo(2), Action::Select { token, layer: None, expert: None }];
        let config = Config { backend: BackendChoice::Recorded, ..Config::default() };
        let state = State::new(config, Vec::new()).0;
        let state = actions.chain(last).fold(state, |state, action| state.apply(action).0);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    })
}

#[test]
fn no_token_turns_what_is_around_it() {
    for token in 0..15 {
        let html = drawn(token);
        assert_eq!(html.find(TURNING), None, "token {token}: a character that turns others is in the page");
        for (at, letter) in html.char_indices().filter(|(_, c)| ('\u{590}'..'\u{700}').contains(c)) {
            let before = &html[..at];
            let open = before.rfind(['>', '"']).expect("some markup");
            let is_isolated = before[open..].contains('\u{2068}');
            // An element of its own takes the direction of its text.
            let tag = before[..open].rfind('<').map_or("", |tag| &before[tag..open]);
            let is_alone = before[open..].starts_with('>') && tag.contains("dir=\"auto\"");
            let around: String = before.chars().rev().take(90).collect::<Vec<_>>().into_iter().rev().collect();
            assert!(is_isolated || is_alone, "token {token}: {letter} stands in {around:?}");
        }
    }
}
