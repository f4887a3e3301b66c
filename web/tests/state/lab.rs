//! The training lab: what the reader asks for reaches the trainer, what it tells is taken up, and nothing else moves.

use moe_trace::experiment::new_experts;
use moe_trace::training::{
    KindOfText, SnapshotId, TrainCommand, TrainEvent, TrainSetting, TrainSnapshot, TrainStep, TrainedLayer,
};
use moe_trace::{LayerIdx, RunId, UserError};
use web::run::training::{Reshaped, told_apart};
use web::settings::attributes::Config;
use web::settings::experiment::ExperimentName;
use web::state::lab::{Lab, Wish};
use web::state::{Action, Effect, State};

/// A page at which nobody has done anything.
pub(super) fn page() -> State {
    State::new(Config::default(), Vec::new()).0
}

/// What the trainer is told after a wish.
pub(super) fn wish(state: &mut State, wish: Wish) -> Vec<TrainCommand> {
    let (next, effects) = state.apply(Action::Lab(wish));
    *state = next;
    let commands = effects.into_iter().map(|effect| match effect {
        Effect::Train(command) => command,
        other => panic!("the lab asks for {other:?}"),
    });
    commands.collect()
}

pub(super) fn told(state: &mut State, event: TrainEvent) {
    assert_eq!(effects_of(state, event), []);
}

pub(super) fn effects_of(state: &mut State, event: TrainEvent) -> Vec<Effect> {
    let (next, effects) = state.apply(Action::Trained(Box::new(event)));
    *state = next;
    effects
}

pub(super) fn step(run: u32, step: u32, next_token: f32) -> TrainEvent {
    let layer = |layer| TrainedLayer {
        layer: LayerIdx(layer),
        demand: vec![6, 2],
        load: vec![4, 2],
        num_dropped_tokens: 2,
        gate_entropy: Some(0.5),
        shares: None,
    };
    TrainEvent::Step(TrainStep {
        run: RunId(run),
        step,
        next_token,
        auxiliary: vec![1.0],
        gradient_norm: 1.0,
        tokens_per_second: 1024.0,
        layers: vec![layer(0), layer(1)],
        taught: None,
    })
}

pub(super) fn snapshot(run: u32, number: u32, num_steps: u32) -> TrainEvent {
    TrainEvent::Snapshot(TrainSnapshot {
        run: RunId(run),
        snapshot: SnapshotId(number),
        num_steps,
        held_out: 2.0,
        held_out_bits_per_byte: 2.885,
        kinds: vec![KindOfText { name: "a".to_owned(), held_out: 2.0, demand: vec![vec![1, 1]; 2] }],
        probe_tokens: vec![b"a".to_vec()],
        probe_layers: Vec::new(),
        gates: Vec::new(),
        spread: vec![0.5],
        sample: String::new(),
    })
}

/// Two trainings that have told three steps and two snapshots each.
pub(super) fn trained() -> State {
    let mut state = page();
    assert_eq!(wish(&mut state, Wish::Start).len(), 2);
    for run in [1, 2] {
        told(&mut state, TrainEvent::Started { run: RunId(run), num_parameters: 9, floor: 2.5 });
        told(&mut state, snapshot(run, 0, 0));
        for at in 0..3 {
            told(&mut state, step(run, at, 3.0 - at as f32));
        }
        told(&mut state, snapshot(run, 1, 3));
    }
    state
}

pub(super) fn losses(lab: &Lab, side: usize) -> Vec<f32> {
    let trainings = lab.trainings.as_ref().expect("there are trainings");
    trainings[side].steps.iter().map(|step| step.next_token).collect()
}

#[test]
fn two_trainings_of_one_seed_begin_and_are_steered_together() {
    let mut state = page();
    let commands = wish(&mut state, Wish::Start);
    let [TrainCommand::Start(first), TrainCommand::Start(second)] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((first.run, second.run), (RunId(1), RunId(2)));
    assert_eq!((first.seed, &first.text), (second.seed, &second.text));
    assert!(state.lab().is_running());
    assert_eq!(wish(&mut state, Wish::Pause), [TrainCommand::Pause(RunId(1)), TrainCommand::Pause(RunId(2))]);
    for run in [1, 2] {
        told(&mut state, TrainEvent::Resting { run: RunId(run), next_step: 0 });
    }
    assert!(!state.lab().is_running());
    let ten = |run| TrainCommand::Step { run: RunId(run), num_steps: 10 };
    assert_eq!(wish(&mut state, Wish::Step(10)), [ten(1), ten(2)]);
    assert!(state.lab().is_running());
    // Another experiment ends them.
    let ended = wish(&mut state, Wish::Experiment(ExperimentName::Room));
    assert_eq!(ended, [TrainCommand::Stop(RunId(1)), TrainCommand::Stop(RunId(2))]);
    assert!(state.lab().trainings.is_none());
    // What is still on its way from them is nobody's.
    let before = state.clone();
    told(&mut state, step(1, 0, 1.0));
    assert_eq!(before, state);
}

#[test]
fn what_was_told_can_be_read_off() {
    let state = trained();
    let training = &state.lab().trainings.as_ref().expect("there are trainings")[0];
    assert_eq!(losses(state.lab(), 0), [3.0, 2.0, 1.0]);
    assert_eq!(training.largest_share(), Some(0.75));
    assert_eq!(training.lost_share(), Some(0.25));
    assert_eq!(training.variation(), Some(0.5));
    assert_eq!(training.steps_per_second(), Some(2.0));
    assert_eq!(training.shares(0, 100), vec![vec![0.75, 0.25]; 3]);
    let curve = training.curve(2);
    assert_eq!(curve.iter().map(|stretch| (stretch.step, stretch.loss)).collect::<Vec<_>>(), [(0.5, 2.5), (2.0, 1.0)]);
    // Two kinds that never meet at an expert, and two that always do.
    assert!((told_apart(&[&[4, 0], &[0, 9]]).expect("two kinds") - 1.0).abs() < 1e-12);
    assert_eq!(told_apart(&[&[4, 4], &[2, 2]]), Some(0.0));
    assert_eq!(told_apart(&[&[4, 4]]), None);
    assert_eq!(told_apart(&[&[0, 0], &[2, 2]]), None);
}

#[test]
fn going_back_forgets_what_came_later() {
    let mut state = trained();
    wish(&mut state, Wish::Look(Some(0)));
    assert_eq!(state.lab().looks_at, Some(0));
    let back = |run| TrainCommand::Rewind { run: RunId(run), snapshot: SnapshotId(0) };
    assert_eq!(wish(&mut state, Wish::Rewind), [back(1), back(2)]);
    for run in [1, 2] {
        told(&mut state, TrainEvent::Resting { run: RunId(run), next_step: 0 });
    }
    assert!(losses(state.lab(), 0).is_empty());
    assert_eq!(state.lab().num_snapshots(), 1);
}

#[test]
fn a_state_that_made_way_is_seen_but_not_gone_back_to() {
    let mut state = trained();
    wish(&mut state, Wish::Look(Some(0)));
    assert!(state.lab().can_rewind());
    told(&mut state, TrainEvent::Forgotten { run: RunId(2), snapshot: SnapshotId(0) });
    assert!(!state.lab().can_rewind());
    assert_eq!(state.lab().num_snapshots(), 2);
    wish(&mut state, Wish::Look(None));
    assert!(state.lab().can_rewind());
}

#[test]
fn a_fork_replaces_the_second_by_a_copy_of_the_first() {
    let mut state = trained();
    let (run, snapshot) = (RunId(1), SnapshotId(1));
    let fork = TrainCommand::Fork { run, snapshot, into: RunId(3) };
    assert_eq!(wish(&mut state, Wish::Fork), [TrainCommand::Stop(RunId(2)), fork]);
    told(&mut state, TrainEvent::Resting { run: RunId(3), next_step: 3 });
    told(&mut state, step(3, 3, 0.5));
    assert_eq!(losses(state.lab(), 1), [3.0, 2.0, 1.0, 0.5]);
    assert_eq!(losses(state.lab(), 0), [3.0, 2.0, 1.0]);
    // Its states have the numbers of those it was copied from.
    wish(&mut state, Wish::Look(Some(0)));
    assert!(state.lab().can_rewind());
    let back = |run| TrainCommand::Rewind { run: RunId(run), snapshot: SnapshotId(0) };
    assert_eq!(wish(&mut state, Wish::Rewind), [back(1), back(3)]);
}

#[test]
fn a_coefficient_moves_one_side_and_counts_once_the_trainer_says_so() {
    let mut state = trained();
    let coefficient = |state: &State, side: usize| {
        state.lab().trainings.as_ref().expect("there are trainings")[side].request.losses[0].coefficient
    };
    let before = coefficient(&state, 1);
    let commands = wish(&mut state, Wish::Coefficient { side: 1, value: 0.5 });
    let [TrainCommand::Change { run: RunId(2), setting }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!(coefficient(&state, 1), before);
    told(&mut state, TrainEvent::Changed { run: RunId(2), setting: setting.clone() });
    assert!(matches!(setting, TrainSetting::Losses(_)));
    assert_eq!(coefficient(&state, 1), 0.5);
    assert_ne!(coefficient(&state, 0), 0.5);
}

#[test]
fn a_failure_is_said_and_what_was_learned_stays_where_it_can() {
    let error = UserError::new("It diverged.", "The loss is NaN.", "Go back.");
    let failed = |run, fatal| TrainEvent::Failed { run: RunId(run), error: error.clone(), fatal };
    let mut state = trained();
    told(&mut state, failed(1, false));
    assert_eq!(state.lab().problem.as_ref(), Some(&error));
    assert!(state.lab().trainings.is_some());
    told(&mut state, failed(9, true));
    assert!(state.lab().trainings.is_some(), "that one is not ours");
    let ended = [Effect::EndTrainer];
    assert_eq!(effects_of(&mut state, TrainEvent::Lost(error.clone())), ended);
    assert!(state.lab().trainings.is_none());
    // One of two that breaks takes the other along, which would compute for nobody.
    let mut state = trained();
    assert_eq!(effects_of(&mut state, failed(2, true)), ended);
    assert!(state.lab().trainings.is_none());
    // A request that was refused leaves nothing behind.
    let mut state = page();
    wish(&mut state, Wish::Start);
    assert_eq!(effects_of(&mut state, failed(1, false)), ended);
    assert!(state.lab().trainings.is_none());
    assert_eq!(state.lab().problem.as_ref(), Some(&error));
}

#[test]
fn experts_are_made_and_merged_of_one_side() {
    let mut state = trained();
    let experts = new_experts(0.1);
    let upcycle = TrainCommand::Upcycle { run: RunId(2), experts };
    assert_eq!(wish(&mut state, Wish::MakeExperts { side: 1, noise: 0.1 }), [upcycle]);
    let second = |state: &State| state.lab().trainings.as_ref().expect("there are trainings")[1].clone();
    let mut request = second(&state).request.clone();
    request.model.num_experts = 3;
    let held_out = Some([2.0, 2.25]);
    told(&mut state, TrainEvent::Reshaped { run: RunId(2), request: request.clone(), num_parameters: 99, held_out });
    let training = second(&state);
    assert_eq!((&training.request, training.num_parameters), (&request, 99));
    let expected = Reshaped { after_steps: 3, num_experts: 3, held_out: [2.0, 2.25] };
    assert_eq!(training.reshaped, Some(expected));
    // Whoever was not there got nothing.
    let TrainEvent::Step(mut more) = step(2, 3, 0.5) else { panic!("a step") };
    more.layers[0].demand = vec![1, 1, 2];
    told(&mut state, TrainEvent::Step(more));
    let shares = second(&state).shares(0, 100);
    assert_eq!((&shares[2], &shares[3]), (&vec![0.75, 0.25, 0.0], &vec![0.25, 0.25, 0.5]));
    // Back where there were two, nothing was made.
    let before = TrainEvent::Reshaped { run: RunId(2), request, num_parameters: 9, held_out: None };
    told(&mut state, before);
    assert_eq!(second(&state).reshaped, None);
    assert_eq!(wish(&mut state, Wish::MergeExperts(0)), [TrainCommand::Merge(RunId(1))]);
}

#[test]
fn a_rule_that_mixes_has_shares_in_place_of_requests() {
    let mut state = trained();
    for at in 3..13 {
        let TrainEvent::Step(mut mixed) = step(1, at, 0.5) else { panic!("a step") };
        for layer in &mut mixed.layers {
            (layer.demand, layer.load) = (vec![0, 0], vec![0, 0]);
            layer.shares = Some(vec![0.125, 0.875]);
        }
        told(&mut state, TrainEvent::Step(mixed));
    }
    let training = &state.lab().trainings.as_ref().expect("there are trainings")[0];
    assert_eq!(training.largest_share(), Some(0.875));
    assert_eq!((training.lost_share(), training.variation()), (None, None));
    assert_eq!(training.shares(0, 100)[12], [0.125, 0.875]);
}
