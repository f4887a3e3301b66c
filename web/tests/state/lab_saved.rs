//! Trainings that outlive their worker: lost, offered, resumed; as files, and from files.

use moe_trace::training::{SnapshotId, TrainCommand, TrainEvent, TrainRequest};
use moe_trace::{Bytes, RunId, UserError};
use web::state::lab::{ChosenFile, Wish};
use web::state::{Effect, State};

use super::lab::{effects_of, losses, page, snapshot, step, told, trained, wish};

/// What a run was saved as, told apart by run and step.
fn bytes(run: u32, next_step: u32) -> Bytes {
    vec![run as u8, next_step as u8].into()
}

fn saved(run: u32, next_step: u32) -> TrainEvent {
    TrainEvent::Saved { run: RunId(run), next_step, saved: bytes(run, next_step) }
}

fn error() -> UserError {
    UserError::new("The training stopped.", "It met a bug.", "Start it again.")
}

/// After three steps, of which the first run was saved at each and the second at two.
fn saved_once() -> State {
    let mut state = trained();
    for (run, at) in [(1, 0), (2, 0), (1, 2), (2, 2), (1, 3)] {
        told(&mut state, saved(run, at));
    }
    state
}

fn lost(mut state: State) -> State {
    assert_eq!(effects_of(&mut state, TrainEvent::Lost(error())), [Effect::EndTrainer]);
    state
}

/// What a trainer tells of a run that it opened.
fn opened(state: &mut State, run: u32, next_step: u32, request: TrainRequest) -> Vec<Effect> {
    told(state, TrainEvent::Started { run: RunId(run), num_parameters: 9, floor: 2.5 });
    told(
        state,
        TrainEvent::Opened { run: RunId(run), request: TrainRequest { run: RunId(run), ..request }, next_step },
    );
    told(state, snapshot(run, 2, next_step));
    effects_of(state, saved(run, next_step))
}

fn request_of(state: &State, side: usize) -> TrainRequest {
    state.lab().trainings.as_ref().expect("there are trainings")[side].request.clone()
}

#[test]
fn a_lost_worker_is_replaced_and_both_go_on_from_the_same_step() {
    let mut state = lost(saved_once());
    assert_eq!(state.lab().problem, Some(error()));
    assert_eq!(state.lab().offers(), Some([2, 2]));
    assert!(!state.lab().is_running() && !state.lab().can_rewind());
    assert_eq!(losses(state.lab(), 0), [3.0, 2.0, 1.0], "what was told is still there");
    // Nobody is there to obey.
    assert_eq!(wish(&mut state, Wish::Resume), []);
    assert_eq!(wish(&mut state, Wish::Fork), []);
    let open = |run, of| TrainCommand::Open { run: RunId(run), saved: bytes(of, 2) };
    assert_eq!(wish(&mut state, Wish::Revive), [open(3, 1), open(4, 2)]);
    assert_eq!(state.lab().problem, None);
    let requests = [0, 1].map(|side| request_of(&state, side));
    let [first, second] = requests.clone();
    assert_eq!(opened(&mut state, 3, 2, first), []);
    assert!(state.lab().is_lost, "one alone compares nothing");
    assert_eq!(opened(&mut state, 4, 2, second), []);
    assert!(!state.lab().is_lost && state.lab().opening.is_none() && state.lab().is_running());
    for side in [0, 1] {
        assert_eq!(losses(state.lab(), side), [3.0, 2.0], "what came later is computed again");
        let expected = TrainRequest { run: RunId(3 + side as u32), ..requests[side].clone() };
        assert_eq!(request_of(&state, side), expected);
    }
    told(&mut state, step(3, 2, 0.5));
    assert_eq!(losses(state.lab(), 0), [3.0, 2.0, 0.5]);
    // Of the snapshots before, none is in this worker.
    let kept = |state: &State| state.lab().trainings.as_ref().expect("trainings")[0].kept.clone();
    assert_eq!(kept(&state), [SnapshotId(2)]);
}

#[test]
fn a_replacement_that_fails_leaves_the_offer() {
    let mut state = lost(saved_once());
    wish(&mut state, Wish::Revive);
    let failed = TrainEvent::Failed { run: RunId(3), error: error(), fatal: false };
    let stop = |run| Effect::Train(TrainCommand::Stop(RunId(run)));
    assert_eq!(effects_of(&mut state, failed), [stop(3), stop(4), Effect::EndTrainer]);
    assert_eq!((state.lab().offers(), &state.lab().problem), (Some([2, 2]), &Some(error())));
    wish(&mut state, Wish::Revive);
    assert_eq!(effects_of(&mut state, TrainEvent::Lost(error())), [Effect::EndTrainer]);
    assert_eq!(state.lab().offers(), Some([2, 2]));
    // Whoever does not want it begins anew, and nobody is told to stop.
    assert!(matches!(wish(&mut state, Wish::Start)[..], [TrainCommand::Start(_), TrainCommand::Start(_)]));
    assert!(!state.lab().is_lost && state.lab().offers().is_none());
}

#[test]
fn what_is_kept_of_the_past_is_bounded() {
    let mut state = saved_once();
    let saved_at = |state: &State, side: usize| {
        let trainings = state.lab().trainings.as_ref().expect("trainings");
        trainings[side].saved.iter().map(|saved| saved.next_step).collect::<Vec<_>>()
    };
    assert_eq!((saved_at(&state, 0), saved_at(&state, 1)), (vec![2, 3], vec![2]));
    told(&mut state, saved(2, 3));
    assert_eq!((saved_at(&state, 0), saved_at(&state, 1)), (vec![3], vec![3]));
    // A copy that is behind never meets the first; of each the newest counts.
    wish(&mut state, Wish::Look(Some(0)));
    wish(&mut state, Wish::Fork);
    told(&mut state, TrainEvent::Resting { run: RunId(3), next_step: 0 });
    told(&mut state, saved(3, 0));
    for at in [4, 5, 6, 7] {
        told(&mut state, saved(1, at));
    }
    assert_eq!((saved_at(&state, 0), saved_at(&state, 1)), (vec![6, 7], vec![0]));
    assert_eq!(lost(state).lab().offers(), Some([7, 0]));
}

#[test]
fn a_training_that_was_never_saved_is_lost() {
    let mut state = lost(trained());
    assert!(state.lab().trainings.is_none() && state.lab().offers().is_none());
    assert_eq!(wish(&mut state, Wish::Revive), []);
}

#[test]
fn a_side_is_kept_as_a_file() {
    let mut state = saved_once();
    let (next, effects) = state.apply(web::state::Action::Lab(Wish::Save(0)));
    state = next;
    let name = "collapse-a-step-3.safetensors".to_owned();
    assert_eq!(effects, [Effect::KeepFile { name, bytes: bytes(1, 3) }]);
    // Where there is nothing to keep, nothing happens.
    wish(&mut state, Wish::Stop);
    assert_eq!(state.apply(web::state::Action::Lab(Wish::Save(0))).1, []);
}

fn file(name: &str) -> ChosenFile {
    ChosenFile { name: name.to_owned(), bytes: Some(name.as_bytes().to_vec().into()) }
}

#[test]
fn files_take_the_place_of_what_is_there_once_they_are_read() {
    let mut state = trained();
    let request = request_of(&state, 1);
    let open = |run, name: &str| TrainCommand::Open { run: RunId(run), saved: name.as_bytes().to_vec().into() };
    assert_eq!(wish(&mut state, Wish::Open(vec![file("x"), file("y")])), [open(3, "x"), open(4, "y")]);
    assert_eq!(opened(&mut state, 3, 50, request.clone()), []);
    assert_eq!(losses(state.lab(), 0), [3.0, 2.0, 1.0], "those that were there go on");
    let stop = |run| Effect::Train(TrainCommand::Stop(RunId(run)));
    assert_eq!(opened(&mut state, 4, 50, request.clone()), [stop(1), stop(2)]);
    assert_eq!(state.lab().sides(), ["x", "y"]);
    assert!(state.lab().is_opened());
    told(&mut state, step(3, 50, 0.25));
    assert_eq!(losses(state.lab(), 0), [0.25]);
    let training = &state.lab().trainings.as_ref().expect("trainings")[0];
    assert_eq!((training.num_steps(), &training.request.losses), (51, &request.losses));
    // One file is both, also where nothing was trained before.
    let mut state = page();
    assert_eq!(wish(&mut state, Wish::Open(vec![file("z")])), [open(1, "z"), open(2, "z")]);
    assert_eq!(opened(&mut state, 1, 7, request.clone()), []);
    assert_eq!(opened(&mut state, 2, 7, request), []);
    assert_eq!(state.lab().sides(), ["z", "z"]);
}

#[test]
fn a_foreign_file_is_refused_and_nothing_is_lost() {
    let mut state = trained();
    wish(&mut state, Wish::Open(vec![file("x")]));
    let failed = TrainEvent::Failed { run: RunId(3), error: error(), fatal: false };
    let stop = |run| Effect::Train(TrainCommand::Stop(RunId(run)));
    assert_eq!(effects_of(&mut state, failed), [stop(3), stop(4)]);
    assert_eq!(state.lab().problem, Some(error()));
    assert_eq!(losses(state.lab(), 0), [3.0, 2.0, 1.0]);
    let why = |state: &State| state.lab().problem.as_ref().map(|problem| problem.why.clone()).unwrap_or_default();
    assert_eq!(wish(&mut state, Wish::Open(vec![file("x"), file("y"), file("z")])), []);
    assert!(why(&state).starts_with("3 files were chosen"));
    assert_eq!(wish(&mut state, Wish::Open(vec![ChosenFile { bytes: None, ..file("film.mp4") }])), []);
    assert!(why(&state).starts_with("film.mp4 could not be read, or is larger than 64 MB"));
    assert_eq!(wish(&mut state, Wish::Open(Vec::new())), []);
}
