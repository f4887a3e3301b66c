//! Texts that come with the page are fetched when they are to be learned, knobs turn both trainings, and experts teach.

use moe_trace::RunId;
use moe_trace::training::{Distilling, KindText, Taught, TrainCommand, TrainEvent, TrainingText};
use web::run::training::Distilled;
use web::settings::experiment::TextName;
use web::state::lab::{Fetched, Wish};
use web::state::{Action, Effect, State};

use super::lab::{effects_of, page, step, told, trained, wish};

fn text(kind: &str) -> KindText {
    KindText { kind: kind.to_owned(), text: "one two three\n".repeat(40).into() }
}

fn asked(state: &mut State, action: Action) -> Vec<Effect> {
    let (next, effects) = state.apply(action);
    *state = next;
    effects
}

fn came(state: &mut State, fetched: Fetched) -> Vec<Effect> {
    asked(state, Action::LabTexts(fetched))
}

#[test]
fn a_text_is_fetched_once_and_then_both_start() {
    let mut state = page();
    assert_eq!(wish(&mut state, Wish::Text(TextName::Json)), []);
    let start = |state: &mut State| asked(state, Action::Lab(Wish::Start));
    assert_eq!(start(&mut state), [Effect::FetchTexts(vec!["json"])]);
    assert!(state.lab().is_fetching && state.lab().trainings.is_none());
    let effects = came(&mut state, Ok(vec![text("json")]));
    let [Effect::Train(TrainCommand::Start(first)), Effect::Train(TrainCommand::Start(second))] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(first.text, TrainingText::Shipped { texts: vec![text("json")] });
    assert_eq!(first.text, second.text);
    assert!(!state.lab().is_fetching && state.lab().is_running());
    // What is here is not fetched again; of all kinds only the others are.
    assert_eq!(wish(&mut state, Wish::Start).len(), 4);
    wish(&mut state, Wish::Text(TextName::Kinds));
    let missing = vec!["prose", "speech", "spanish", "rust", "arithmetic"];
    assert_eq!(start(&mut state), [Effect::FetchTexts(missing)]);
    // Who chooses something else meanwhile starts nothing.
    assert_eq!(wish(&mut state, Wish::Text(TextName::Json)), []);
    assert_eq!(came(&mut state, Ok(vec![text("prose")])), []);
    assert!(state.lab().trainings.is_none());
}

#[test]
fn a_text_that_cannot_be_had_is_said() {
    let mut state = page();
    wish(&mut state, Wish::Text(TextName::Prose));
    asked(&mut state, Action::Lab(Wish::Start));
    assert_eq!(came(&mut state, Err("prose.txt was answered with status 404.".to_owned())), []);
    let problem = state.lab().problem.as_ref().expect("it is said");
    assert!(problem.why.contains("prose.txt"), "{problem}");
    assert!(!state.lab().is_fetching);
    // The next try asks again.
    let again = asked(&mut state, Action::Lab(Wish::Start));
    assert_eq!(again, [Effect::FetchTexts(vec!["prose"])]);
    assert_eq!(state.lab().problem, None);
}

#[test]
fn a_knob_ends_what_was_under_way_and_turns_both() {
    let mut state = trained();
    // The third is the number of experts.
    let knob = Wish::Knob { at: 2, value: 4 };
    assert_eq!(wish(&mut state, knob.clone()), [TrainCommand::Stop(RunId(1)), TrainCommand::Stop(RunId(2))]);
    let commands = wish(&mut state, Wish::Start);
    let of = |command: &TrainCommand| match command {
        TrainCommand::Start(request) => request.model.num_experts,
        other => panic!("{other:?}"),
    };
    assert_eq!([of(&commands[0]), of(&commands[1])], [4, 4]);
    assert_eq!(state.lab().experiment.text(), "collapse experts=4");
    assert_eq!(wish(&mut state, knob), [], "it is so already");
    wish(&mut state, Wish::UsualKnobs);
    assert_eq!(state.lab().experiment.text(), "collapse");
}

#[test]
fn experts_teach_one_side_and_what_it_cost_is_kept() {
    let mut state = trained();
    told(&mut state, TrainEvent::Resting { run: RunId(1), next_step: 3 });
    told(&mut state, TrainEvent::Resting { run: RunId(2), next_step: 3 });
    let plan = Distilling { layer_steps: 50, text_steps: 100 };
    assert_eq!(wish(&mut state, Wish::DistilExperts(1)), [TrainCommand::Distil { run: RunId(2), plan }]);
    assert!(state.lab().is_running());
    let second = |state: &State| state.lab().trainings.as_ref().expect("there are trainings")[1].clone();
    let mut taught = |at: u32, taught: Taught| {
        let TrainEvent::Step(mut of) = step(2, at, 1.0) else { panic!("a step") };
        of.taught = Some(taught);
        told(&mut state, TrainEvent::Step(of));
        second(&state).taught()
    };
    assert_eq!(taught(3, Taught::Layers(vec![0.25, 0.75])).map(|(_, far)| far), Some(0.5));
    assert_eq!(taught(4, Taught::Divergence(0.125)).map(|(_, far)| far), Some(0.125));
    told(&mut state, step(2, 5, 1.0));
    assert_eq!(second(&state).taught(), None);
    let held_out = [2.0, 3.0, 2.25];
    assert_eq!(effects_of(&mut state, TrainEvent::Distilled { run: RunId(2), held_out }), []);
    assert_eq!(second(&state).distilled, Some(Distilled { after_steps: 6, held_out }));
}
