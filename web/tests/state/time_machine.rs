//! The routing time machine: one question to the engine, and its answer against plain counts.

use moe_trace::gate_history::NOBODY;
use moe_trace::{BackendChoice, Command, Event, GateHistory, RecordedHistory, RunId, UserError};
use web::run::moments::Moments;
use web::state::{Action, Effect};

use super::play::{Play, recorded};
use crate::fixture;

const STEPS: [u32; 4] = [0, 10, 400, 1000];

fn in_lab() -> Play {
    let mut play = Play::in_lab(BackendChoice::Auto);
    play.replay(&recorded());
    play.ready();
    play.answer_all(|request| super::play::executed(request).pop().expect("steps"));
    // The whole text is in sight.
    play.act(Action::StepTo(1000));
    play
}

/// The number and the text of the question that the last action posted.
fn asked(play: &Play) -> Option<(RunId, String)> {
    play.effects.iter().find_map(|effect| match effect {
        Effect::Post(Command::RouteThen { run, text }) => Some((*run, text.clone())),
        _ => None,
    })
}

/// Experts that drift towards their last ones, two a token.
fn history(play: &Play, run: RunId) -> GateHistory {
    let ids: Vec<u32> = play.scene().tokens.iter().map(|token| token.id.expect("the fixture has ids")).collect();
    let mut choices = Vec::new();
    for moment in 0..STEPS.len() {
        for layer in 0..fixture::NUM_LAYERS {
            for token in 0..ids.len() {
                let is_there = (token + layer) % 4 < moment + 1;
                let end = [token % fixture::NUM_EXPERTS, (token + 1) % fixture::NUM_EXPERTS].map(|it| it as u8);
                choices.extend(if is_there { end } else { [end[0], NOBODY] });
            }
        }
    }
    let saturation = (0..STEPS.len() * fixture::NUM_LAYERS).map(|at| at as f32 / 100.0).collect();
    GateHistory {
        run,
        steps: STEPS.to_vec(),
        ids,
        num_layers: fixture::NUM_LAYERS as u32,
        k: 2,
        choices: choices.into(),
        recorded: RecordedHistory { num_tokens: 768, saturation },
    }
}

#[test]
fn the_answer_is_counted_as_by_hand() {
    let mut play = in_lab();
    assert!(play.state.moments().is_none());
    play.act(Action::RouteThen);
    let (run, text) = asked(&play).expect("the engine has nothing else to do");
    let whole: String = play.scene().tokens.iter().map(|token| &*token.piece.text).collect();
    assert_eq!(text, whole);
    assert!(play.state.time_machine().waits() && play.state.owes_answer());
    play.hear(Event::RoutedThen(history(&play, run)));
    assert!(!play.state.time_machine().waits() && !play.state.owes_answer());

    let moments = play.state.moments().cloned().expect("it is of this text");
    let num_tokens = play.scene().tokens.len();
    assert_eq!(moments.num_tokens, num_tokens);
    for (layer, saturation) in moments.saturation.iter().enumerate() {
        for (moment, share) in saturation.iter().enumerate() {
            // All have their first expert; those that are there the second too.
            let there = (0..num_tokens).filter(|token| (token + layer) % 4 < moment + 1).count();
            assert!((share - (num_tokens + there) as f64 / (2 * num_tokens) as f64).abs() < 1e-12, "{layer} {moment}");
        }
    }
    assert_eq!((moments.share(1), moments.nearest(Moments::EARLY), moments.nearest(Moments::LATER)), (0.01, 1, 2));
    assert!((moments.recorded(2, 1) - (2 * fixture::NUM_LAYERS + 1) as f64 / 100.0).abs() < 1e-6);
    // It opens a hundredth of the training in; the reader goes elsewhere, and never beyond the end.
    assert_eq!(play.state.moment(), 1);
    assert_eq!(play.act(Action::SetMoment(3)).state.moment(), 3);
    assert_eq!(play.act(Action::SetMoment(70)).state.moment(), 3);
}

#[test]
fn a_text_that_goes_on_elsewhere_shares_its_beginning() {
    let mut play = in_lab();
    play.act(Action::RouteThen);
    let (run, _) = asked(&play).expect("posted");
    let mut other = history(&play, run);
    other.ids[5] += 1;
    play.hear(Event::RoutedThen(other.clone()));
    assert_eq!(play.state.moments().expect("five tokens are the same").num_tokens, 5);
    other.ids[0] += 1;
    play.act(Action::RouteThen);
    let (run, _) = asked(&play).expect("posted again");
    play.hear(Event::RoutedThen(GateHistory { run, ..other }));
    assert!(play.state.moments().is_none());
}

#[test]
fn the_readers_run_goes_first_and_stale_answers_are_nobodys() {
    let mut play = in_lab();
    play.act(Action::Run { prompt: Some("Another text".to_owned()) });
    let request = play.posted().expect("a run");
    play.act(Action::RouteThen);
    assert_eq!((asked(&play), play.state.time_machine().waits()), (None, true));
    play.execute(&request, 1);
    assert_eq!(asked(&play), None);
    play.hear(Event::Finished { run: request.run, reason: moe_trace::FinishReason::Length });
    let (run, _) = asked(&play).expect("now it is free");
    let answer = history(&play, run);
    play.hear(Event::RoutedThen(GateHistory { run: RunId(run.0 + 9), ..answer.clone() }));
    assert!(play.state.time_machine().waits() && play.state.moments().is_none());
    play.hear(Event::RoutedThen(answer));
    assert!(play.state.moments().is_some());
}

#[test]
fn a_refusal_is_told_in_the_panel_and_a_contradiction_is_one() {
    let mut play = in_lab();
    play.act(Action::RouteThen);
    let (run, _) = asked(&play).expect("posted");
    let error = UserError::new("The gates could not be tried.", "This model has no file of them.", "Choose default.");
    play.hear(Event::Failed { run: Some(run), error: error.clone(), fatal: false });
    assert_eq!(play.state.time_machine_failure(), Some(&error));
    assert!(play.state.notice().is_none() && play.state.moments().is_none());

    play.act(Action::RouteThen);
    let (run, _) = asked(&play).expect("asked again");
    let spoilt = GateHistory { k: 3, ..history(&play, run) };
    play.hear(Event::RoutedThen(spoilt));
    let why = play.state.time_machine_failure().map(|error| error.why.clone());
    assert_eq!(why.as_deref(), Some("The engine's answer contradicts itself."));
}
