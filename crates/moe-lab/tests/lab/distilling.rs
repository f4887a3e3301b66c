//! Experts distilled into one feed-forward: what they taught is measured, and it outlives the worker.

use moe_trace::RunId;
use moe_trace::training::{Distilling, SnapshotId, Taught, TrainCommand, TrainEvent, TrainRequest};

use crate::trial::{Trial, request};

const PLAN: Distilling = Distilling { layer_steps: 30, text_steps: 30 };

/// Experts that have learned apart.
fn trained(snapshot_every: u32) -> Trial {
    let mut trial = Trial::new();
    trial.start(TrainRequest { learning_rate: 3e-2, snapshot_every, ..request(1) });
    trial.step(1, 150);
    trial
}

fn cost(trial: &Trial) -> Option<[f32; 3]> {
    trial.told.iter().find_map(|event| match event {
        TrainEvent::Distilled { run: RunId(1), held_out } => Some(*held_out),
        _ => None,
    })
}

#[test]
fn the_one_feed_forward_wins_back_what_merging_lost() {
    let mut trial = trained(0);
    trial.obey(TrainCommand::Distil { run: RunId(1), plan: PLAN });
    assert!(trial.lab.is_busy(), "it begins by itself");
    trial.go_on();
    let [experts, mean, distilled] = cost(&trial).expect("all steps are done");
    assert!(mean > experts + 0.01, "merging alone: {experts} became {mean}");
    assert!(distilled < mean - 0.5 * (mean - experts), "{experts}, merged {mean}, distilled {distilled}");
    // It rests where it ended, with a snapshot of it.
    let snapshot = *trial.snapshots().last().expect("a snapshot");
    assert_eq!((snapshot.num_steps, snapshot.held_out), (210, distilled));
    let taught: Vec<_> = trial.steps(1).map(|step| step.taught.clone()).collect();
    assert!(taught[..150].iter().all(Option::is_none));
    let errors = |taught: &Option<Taught>| match taught {
        Some(Taught::Layers(errors)) => errors[0],
        other => panic!("{other:?}"),
    };
    assert!(errors(&taught[179]) < 0.7 * errors(&taught[150]), "{:?} became {:?}", taught[150], taught[179]);
    assert!(taught[180..].iter().all(|taught| matches!(taught, Some(Taught::Divergence(nats)) if *nats > 0.0)));
    // After that it learns from the text alone.
    trial.step(1, 1);
    assert_eq!(trial.steps(1).last().expect("a step").taught, None);
}

#[test]
fn a_teacher_outlives_the_worker_and_a_way_back() {
    let mut trial = trained(20);
    trial.obey(TrainCommand::Distil { run: RunId(1), plan: PLAN });
    trial.go_on();
    let losses = trial.losses(1);
    // While the layers learn, and while all learn.
    for step in [160, 200] {
        let (_, _, saved) = trial.saved.iter().find(|(_, at, _)| *at == step).expect("it was saved").clone();
        let mut other = Trial::new();
        other.obey(TrainCommand::Open { run: RunId(1), saved });
        other.step(1, 210 - step);
        assert_eq!(other.losses(1), losses[step as usize..]);
        assert_eq!(cost(&other), cost(&trial));
    }
    let at = trial.snapshots().iter().find(|snapshot| snapshot.num_steps == 160).expect("a snapshot").snapshot;
    trial.obey(TrainCommand::Rewind { run: RunId(1), snapshot: at });
    trial.step(1, 50);
    assert_eq!(trial.losses(1)[210..], losses[160..]);
    // Before all that there are experts again, and nobody teaches.
    trial.obey(TrainCommand::Rewind { run: RunId(1), snapshot: SnapshotId(0) });
    trial.step(1, 1);
    let last = trial.steps(1).last().expect("a step");
    assert_eq!((last.layers[0].demand.len(), &last.taught), (4, &None));
}

#[test]
fn what_cannot_be_distilled_is_refused_in_words() {
    let mut trial = trained(0);
    let mut refused = |layer_steps, text_steps, expected: &str| {
        trial.obey(TrainCommand::Distil { run: RunId(1), plan: Distilling { layer_steps, text_steps } });
        assert!(trial.refusal().contains(expected), "{}", trial.refusal());
    };
    refused(0, 0, "0 steps");
    refused(u32::MAX, 1, "steps of distilling");
    trial.obey(TrainCommand::Merge(RunId(1)));
    trial.obey(TrainCommand::Distil { run: RunId(1), plan: PLAN });
    assert!(trial.refusal().contains("has one expert"), "{}", trial.refusal());
    assert!(!trial.lab.is_busy());
}
