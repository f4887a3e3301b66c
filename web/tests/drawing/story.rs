//! The story says what the run says: the numbers of its sentences are those of the routing.

use moe_trace::RoutingSpec;
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::state::{Action, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

fn drawn(actions: impl FnOnce() -> Vec<Action> + Send + 'static) -> String {
    html::<Page>(move || {
        let config = Config { depth: Depth::Story, ..Config::default() };
        let file = fixture::trace_of_rule(RoutingSpec::default(), 8, 4);
        let began = replay::began(file.header).expect("a run of ours");
        let steps = file.steps.into_iter().map(replay::step);
        let all = [began].into_iter().chain(steps).chain([replay::finished()]).chain(actions());
        let state = all.fold(State::new(config, Vec::new()).0, |state, action| state.apply(action).0);
        PageProps { state: Shared::new(state), dispatch: Callback::noop() }
    })
}

#[test]
fn the_story_stands_alone_with_one_picture_and_one_control() {
    let page = drawn(Vec::new);
    assert_eq!(page.matches("<section ").count(), 1, "one panel");
    assert!(page.contains("A Mixture of Experts is a neural network"), "{page}");
    assert!(page.contains("This model has 4 layers of 8 experts, and each token is sent to 2 of them."), "{page}");
    assert!(page.contains("Type your own words"), "{page}");
    assert!(!page.contains("class=\"tabs\"") && !page.contains("generation"), "{page}");
    // The prompt comes after the story, for keys and ears too.
    assert!(page.find("panel-story").unwrap_or_default() < page.find("own-words").unwrap_or_default());
}

#[test]
fn a_token_that_was_turned_away_can_be_let_in() {
    let page = drawn(|| vec![Action::Move(web::state::Motion::NextDrop)]);
    assert!(page.contains(" is turned away: this expert adds nothing to it."), "{page}");
    assert_eq!(page.matches("Let it in: ").count(), 1, "{page}");
}
