//! Dense to sparse and back: what a model says does not change where its feed-forward becomes experts, and what merging
//! costs is measured.

use moe_trace::training::{
    NewExperts, SnapshotId, TrainCommand, TrainEvent, TrainRequest, TrainedRule, TrainedSizes, Upcycling,
};
use moe_trace::{Overflow, RouterSpec, RoutingSpec, RunId, Weighting};

use crate::trial::{Trial, request};

fn dropless(router: RouterSpec) -> TrainedRule {
    TrainedRule::Assigns(RoutingSpec { router, overflow: Overflow::Dropless })
}

/// Top-k with weights that sum to 1.
fn experts(num_experts: u32, k: u32, noise: f32) -> NewExperts {
    NewExperts { num_experts, noise, rule: dropless(RouterSpec::TopK { k, weighting: Weighting::Norm }) }
}

fn dense(run: u32) -> TrainRequest {
    let request = request(run);
    let model = TrainedSizes { num_experts: 1, ..request.model };
    TrainRequest { model, rule: dropless(RouterSpec::Dense), losses: Vec::new(), ..request }
}

/// What was told of the last change: held-out loss before and after.
fn cost(trial: &Trial) -> [f32; 2] {
    let held_out = trial.told.iter().rev().find_map(|event| match event {
        TrainEvent::Reshaped { held_out, .. } => *held_out,
        _ => None,
    });
    held_out.expect("it was changed")
}

#[test]
fn the_loss_does_not_jump_where_a_feed_forward_becomes_experts() {
    let mut trial = Trial::new();
    trial.start(dense(1));
    trial.step(1, 12);
    trial.obey(TrainCommand::Snapshot(RunId(1)));
    for k in [1, 2, 4] {
        let into = 10 + k;
        trial.obey(TrainCommand::Fork { run: RunId(1), snapshot: SnapshotId(1), into: RunId(into) });
        trial.obey(TrainCommand::Upcycle { run: RunId(into), experts: experts(4, k, 0.0) });
        let [before, after] = cost(&trial);
        assert!((before - after).abs() < 1e-5, "top-{k}: held-out {before} became {after}");
        let snapshot = *trial.snapshots().last().expect("a snapshot");
        assert_eq!((snapshot.run, snapshot.held_out, &snapshot.spread[..]), (RunId(into), after, &[0.0][..]));
        trial.step(into, 6);
    }
    trial.step(1, 6);
    let dense = trial.losses(1)[12];
    for k in [1, 2, 4] {
        let sparse = trial.losses(10 + k);
        assert!((sparse[0] - dense).abs() < 1e-5, "top-{k}: the step's loss {dense} is {}", sparse[0]);
        // Where not all copies see all tokens, they part.
        trial.obey(TrainCommand::Snapshot(RunId(10 + k)));
        let spread = trial.snapshots().last().expect("a snapshot").spread[0];
        assert!(spread > 1e-3, "top-{k}: {spread}");
    }
}

#[test]
fn noise_sets_copies_apart_at_once() {
    let mut trial = Trial::new();
    trial.start(dense(1));
    trial.step(1, 3);
    trial.obey(TrainCommand::Upcycle { run: RunId(1), experts: experts(4, 2, 0.1) });
    let spread = trial.snapshots().last().expect("a snapshot").spread[0];
    // Of deviation 0.1, of which the mean of four takes a quarter of the variance: 0.1 · sqrt(3/4) over sqrt(1.01).
    assert!((spread - 0.0862).abs() < 5e-3, "{spread}");
    let [before, after] = cost(&trial);
    assert!(before != after && (before - after).abs() < 0.1, "{before} became {after}");
}

#[test]
fn merging_copies_costs_nothing_and_merging_experts_is_measured() {
    let mut trial = Trial::new();
    trial.start(dense(1));
    trial.step(1, 10);
    trial.obey(TrainCommand::Upcycle { run: RunId(1), experts: experts(4, 2, 0.0) });
    trial.obey(TrainCommand::Merge(RunId(1)));
    let [before, after] = cost(&trial);
    assert!((before - after).abs() < 1e-5, "{before} became {after}");
    // Experts that have learned apart lose by it.
    let mut trial = Trial::new();
    trial.start(TrainRequest { learning_rate: 3e-2, ..request(1) });
    trial.step(1, 200);
    trial.obey(TrainCommand::Merge(RunId(1)));
    let [before, after] = cost(&trial);
    assert!(after > before + 0.01, "{before} became {after}");
    let merged = trial.told.iter().rev().find_map(|event| match event {
        TrainEvent::Reshaped { request, num_parameters, .. } => Some((request.clone(), *num_parameters)),
        _ => None,
    });
    let (merged, num_parameters) = merged.expect("it was merged");
    assert_eq!((merged.model.num_experts, merged.rule), (1, dropless(RouterSpec::Dense)));
    let TrainEvent::Started { num_parameters: sparse, .. } = trial.told[0] else { panic!("{:?}", trial.told[0]) };
    // Three of four experts, and of the gate's columns.
    assert_eq!(sparse - num_parameters, 3 * (3 * 16 * 16 + 16));
    // It learns on, and back at its first snapshot it has its experts again.
    trial.step(1, 2);
    assert_eq!(trial.steps(1).last().expect("a step").layers[0].demand.len(), 1);
    trial.obey(TrainCommand::Rewind { run: RunId(1), snapshot: SnapshotId(0) });
    let restored = trial.told.iter().rev().find_map(|event| match event {
        TrainEvent::Reshaped { request, held_out: None, .. } => Some(request.model.num_experts),
        _ => None,
    });
    assert_eq!(restored, Some(4));
    trial.step(1, 1);
    let losses = trial.losses(1);
    assert_eq!(losses[202], losses[0]);
}

#[test]
fn a_planned_change_comes_when_it_is_due_and_outlives_the_worker() {
    let mut trial = Trial::new();
    let planned = Upcycling { after_steps: 6, experts: experts(4, 2, 0.0) };
    trial.start(TrainRequest { upcycling: Some(planned), snapshot_every: 3, ..dense(1) });
    trial.step(1, 9);
    let experts = |trial: &Trial| trial.steps(1).map(|step| step.layers[0].demand.len()).collect::<Vec<_>>();
    assert_eq!(experts(&trial), [1, 1, 1, 1, 1, 1, 4, 4, 4]);
    // One snapshot there, of the state behind the change.
    assert!(trial.snapshots().iter().map(|snapshot| snapshot.num_steps).eq([0, 3, 6, 9]));
    for at in [1, 2] {
        let (_, next_step, saved) = trial.saved[at].clone();
        let mut other = Trial::new();
        other.obey(TrainCommand::Open { run: RunId(1), saved });
        other.step(1, 9 - next_step);
        assert_eq!(other.losses(1), trial.losses(1)[next_step as usize..]);
    }
}

#[test]
fn what_cannot_be_made_is_refused_in_words() {
    let mut trial = Trial::new();
    trial.start(dense(1));
    let mut refused = |command: TrainCommand, expected: &str| {
        trial.obey(command);
        assert!(trial.refusal().contains(expected), "{}", trial.refusal());
    };
    refused(TrainCommand::Merge(RunId(1)), "has one expert");
    let make = |experts| TrainCommand::Upcycle { run: RunId(1), experts };
    refused(make(experts(1, 1, 0.0)), "1 is no number of experts");
    refused(make(experts(4, 5, 0.0)), "not changed");
    refused(make(experts(4, 2, f32::NAN)), "noise is NaN");
    refused(make(experts(30_000, 2, 0.0)), "not changed");
    let planned = Upcycling { after_steps: 3, experts: experts(4, 5, 0.0) };
    refused(TrainCommand::Start(TrainRequest { upcycling: Some(planned), ..dense(2) }), "5");
    trial.obey(make(experts(4, 2, 0.0)));
    trial.obey(make(experts(4, 2, 0.0)));
    assert!(trial.refusal().contains("4 experts already"));
}
