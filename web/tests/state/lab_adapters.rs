//! Adapters beside the page's model: what the reader asks for, what the worker tells, what is lost with it.

use moe_trace::adapting::{AdaptLook, AdaptStart, AdaptStep, Adaptation, BeforeAndAfter, ModelFiles};
use moe_trace::training::{TrainCommand, TrainEvent, TrainSetting};
use moe_trace::{Bytes, MixerSpec, RunId, UserError};
use web::state::lab::{AdapterWish, Adapters, ChosenFile, Wish};
use web::state::{Action, Effect, State};

use super::lab::{effects_of, page, told};

fn wish(state: &mut State, wish: AdapterWish) -> Vec<Effect> {
    let (next, effects) = state.apply(Action::Lab(Wish::Adapt(wish)));
    *state = next;
    effects
}

fn files() -> ModelFiles {
    let bytes = |byte: u8| Bytes::from(vec![byte]);
    ModelFiles { manifest: bytes(1), weights: bytes(2), tokenizer: bytes(3) }
}

fn model_came(state: &mut State, run: u32, files: Result<ModelFiles, String>) -> Vec<Effect> {
    let (next, effects) = state.apply(Action::ModelCame { run: RunId(run), files });
    *state = next;
    effects
}

fn adapters(state: &State) -> &Adapters {
    &state.lab().adapters
}

/// The run that waits for the model's files.
fn fetched(effects: &[Effect]) -> u32 {
    match effects {
        [Effect::FetchModel(run)] => run.0,
        other => panic!("{other:?}"),
    }
}

fn asked(effects: &[Effect]) -> &Adaptation {
    match effects {
        [Effect::Train(TrainCommand::Adapt(adaptation))] => adaptation,
        other => panic!("{other:?}"),
    }
}

fn look(run: u32, num_steps: u32) -> TrainEvent {
    TrainEvent::Adapted(AdaptLook {
        run: RunId(run),
        num_steps,
        held_out: vec![BeforeAndAfter { before: 3.0, after: 2.0 }],
        probe_tokens: vec![b"a".to_vec()],
        probe_shares: vec![vec![0.4, 0.6]],
        saved: vec![run as u8, num_steps as u8].into(),
    })
}

fn step(run: u32, step: u32) -> TrainEvent {
    let (run, shares) = (RunId(run), vec![vec![0.5, 0.5]]);
    let (next_token, gradient_norm, tokens_per_second) = (2.5, 1.0, 100.0);
    TrainEvent::AdaptStep(AdaptStep { run, step, next_token, balance: None, gradient_norm, tokens_per_second, shares })
}

fn begin(state: &mut State, run: u32) {
    let recipe = adapters(state).recipe;
    let (model, num_trained, num_frozen) = ("default".to_owned(), 10, 1000);
    let run_id = RunId(run);
    told(state, TrainEvent::Adapting(AdaptStart { run: run_id, recipe, model, num_trained, num_frozen, next_step: 0 }));
    told(state, look(run, 0));
}

/// Adapters that have learned one step, and their run.
fn learning() -> (State, u32) {
    let mut state = page();
    state = state.apply(Action::Lab(Wish::OwnText("Verily.".to_owned()))).0;
    let run = fetched(&wish(&mut state, AdapterWish::Start));
    model_came(&mut state, run, Ok(files()));
    begin(&mut state, run);
    told(&mut state, step(run, 0));
    (state, run)
}

fn error() -> UserError {
    UserError::new("The training stopped.", "It met a bug.", "Start it again.")
}

#[test]
fn the_model_is_fetched_and_the_worker_gets_it_with_the_text() {
    let mut state = page();
    state = state.apply(Action::Lab(Wish::OwnText("Verily.".to_owned()))).0;
    wish(&mut state, AdapterWish::Rule(MixerSpec::Loramoe));
    wish(&mut state, AdapterWish::Remembered("Thirdly.".to_owned()));
    let run = fetched(&wish(&mut state, AdapterWish::Start));
    // Files for another run are not for these.
    assert_eq!(model_came(&mut state, run + 1, Ok(files())), []);
    let effects = model_came(&mut state, run, Ok(files()));
    let Adaptation { request, model, adapters: opened } = asked(&effects);
    assert_eq!((&request.text[..], &request.remembered[..], &request.probe[..]), ("Verily.", "Thirdly.", "Verily."));
    assert!(request.recipe.rule == MixerSpec::Loramoe && request.recipe.balance > 0.0);
    assert_eq!((model, opened), (&files(), &None));
    assert!(adapters(&state).current.is_none() && adapters(&state).coming.is_some());
    begin(&mut state, run);
    assert!(adapters(&state).coming.is_none() && adapters(&state).is_running());
}

#[test]
fn a_model_that_cannot_be_fetched_is_said_and_what_was_there_stays() {
    let (mut state, run) = learning();
    let next = fetched(&wish(&mut state, AdapterWish::Start));
    assert_eq!(model_came(&mut state, next, Err("Nothing came back.".to_owned())), []);
    assert_eq!(adapters(&state).problem.as_ref().map(|problem| &problem.why[..]), Some("Nothing came back."));
    assert_eq!(adapters(&state).current.as_ref().map(|current| current.run()), Some(RunId(run)));
    told(&mut state, step(run, 1));
    assert_eq!(adapters(&state).current.as_ref().map(|current| current.num_steps()), Some(2));
}

#[test]
fn they_are_steered_by_their_run() {
    let (mut state, run) = learning();
    let run = RunId(run);
    assert_eq!(wish(&mut state, AdapterWish::Pause), [Effect::Train(TrainCommand::Pause(run))]);
    told(&mut state, TrainEvent::Resting { run, next_step: 1 });
    assert!(!adapters(&state).is_running());
    let ten = Effect::Train(TrainCommand::Step { run, num_steps: 10 });
    assert_eq!(wish(&mut state, AdapterWish::Step(10)), [ten]);
    assert!(adapters(&state).is_running());
    let setting = TrainSetting::Probe("else".to_owned());
    let change = Effect::Train(TrainCommand::Change { run, setting: setting.clone() });
    assert_eq!(wish(&mut state, AdapterWish::Probe("else".to_owned())), [change]);
    told(&mut state, TrainEvent::Changed { run, setting });
    assert_eq!(adapters(&state).current.as_ref().map(|current| &current.request.probe[..]), Some("else"));
    let saved = Bytes::from(vec![run.0 as u8, 0]);
    let file = Effect::KeepFile { name: "adapters-step-0.safetensors".to_owned(), bytes: saved };
    assert_eq!(wish(&mut state, AdapterWish::Save), [file]);
    assert_eq!(wish(&mut state, AdapterWish::Stop), [Effect::Train(TrainCommand::Stop(run))]);
    assert!(adapters(&state).is_idle());
    // What is still told of them moves nothing.
    let before = state.lab().clone();
    told(&mut state, step(run.0, 1));
    told(&mut state, look(run.0, 1));
    assert_eq!(*state.lab(), before);
}

#[test]
fn a_file_is_opened_in_their_place_and_a_bad_one_leaves_them() {
    let (mut state, run) = learning();
    let file = |bytes: Option<Bytes>| ChosenFile { name: "mine".to_owned(), bytes };
    assert_eq!(wish(&mut state, AdapterWish::Open(file(None))), []);
    assert!(adapters(&state).problem.is_some());
    let bytes: Bytes = vec![7].into();
    let next = fetched(&wish(&mut state, AdapterWish::Open(file(Some(bytes.clone())))));
    let effects = model_came(&mut state, next, Ok(files()));
    assert_eq!(asked(&effects).adapters, Some(bytes.clone()));
    told(&mut state, TrainEvent::Failed { run: RunId(next), error: error(), fatal: false });
    assert_eq!(adapters(&state).problem, Some(error()));
    assert_eq!(adapters(&state).current.as_ref().map(|current| current.run()), Some(RunId(run)));
    let again = fetched(&wish(&mut state, AdapterWish::Open(file(Some(bytes)))));
    model_came(&mut state, again, Ok(files()));
    told(&mut state, TrainEvent::Stopped { run: RunId(run) });
    begin(&mut state, again);
    assert_eq!(adapters(&state).current.as_ref().and_then(|current| current.name.clone()), Some("mine".to_owned()));
}

#[test]
fn of_a_lost_worker_the_newest_look_is_taken_up_in_another() {
    let (mut state, run) = learning();
    told(&mut state, look(run, 1));
    assert_eq!(effects_of(&mut state, TrainEvent::Lost(error())), [Effect::EndTrainer]);
    assert_eq!((&adapters(&state).problem, &state.lab().problem), (&Some(error()), &None), "the matter is theirs");
    assert!(adapters(&state).is_lost && !adapters(&state).is_running());
    assert_eq!(wish(&mut state, AdapterWish::Resume), [], "nobody is there to obey");
    let next = fetched(&wish(&mut state, AdapterWish::Revive));
    let effects = model_came(&mut state, next, Ok(files()));
    assert_eq!(asked(&effects).adapters, Some(vec![run as u8, 1].into()));
    assert_eq!(asked(&effects).request.text, "Verily.");
    begin(&mut state, next);
    assert!(!adapters(&state).is_lost && adapters(&state).is_running());
}

#[test]
fn a_training_that_fails_leaves_the_worker_to_the_adapters() {
    let (mut state, _) = learning();
    state = state.apply(Action::Lab(Wish::Start)).0;
    let runs = state.lab().trainings.as_ref().expect("two trainings").clone().map(|of| of.request.run);
    let failed = TrainEvent::Failed { run: runs[0], error: error(), fatal: false };
    let stop = runs.map(|run| Effect::Train(TrainCommand::Stop(run)));
    assert_eq!(effects_of(&mut state, failed), stop);
    assert!(adapters(&state).is_running() && state.lab().trainings.is_none());
}
