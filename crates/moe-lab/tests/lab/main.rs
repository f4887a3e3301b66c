//! Commands in, events out: what a reader who steers a training relies on.

mod adapters;
mod distilling;
mod mixed;
mod reshape;
mod saved;
mod trial;

use moe_trace::training::{
    AuxiliaryLoss, SnapshotId, TrainCommand, TrainEvent, TrainRequest, TrainSetting, TrainedRule, TrainedSizes,
    WeightedLoss,
};
use moe_trace::{CapacitySpec, MixerSpec, Overflow, RouterSpec, RoutingSpec, RunId};
use trial::{Trial, request};

#[test]
fn a_training_tells_what_it_sees_and_learns() {
    let mut trial = Trial::new();
    trial.start(TrainRequest { snapshot_every: 20, ..request(1) });
    trial.step(1, 60);
    let losses = trial.losses(1);
    assert!(losses[59] < losses[0] - 1.0, "{losses:?}");
    let Some(TrainEvent::Started { num_parameters, floor, .. }) = trial.told.first() else {
        panic!("it did not start")
    };
    assert!(*num_parameters > 8_000 && (2.0..2.5).contains(floor), "{num_parameters} parameters, floor {floor}");
    for step in trial.steps(1) {
        let layer = &step.layers[0];
        assert_eq!(layer.demand.iter().sum::<u32>(), 96);
        assert_eq!(layer.demand, layer.load);
        assert!(layer.gate_entropy.is_some_and(|entropy| (0.0..=1.3863).contains(&entropy)));
    }
    let snapshots = trial.snapshots();
    assert!(snapshots.iter().map(|snapshot| snapshot.num_steps).eq([0, 20, 40, 60]));
    assert!(snapshots.windows(2).all(|pair| pair[1].held_out < pair[0].held_out));
    let last = snapshots[3];
    assert_eq!(last.probe_tokens.concat(), b"abcdef");
    assert_eq!(last.probe_layers[0].gate_logits.as_ref().expect("logits").num_tokens(), 6);
    assert_eq!((last.gates[0].num_experts, last.gates[0].values.len()), (4, 64));
    assert!(last.kinds.iter().map(|kind| kind.name.as_str()).eq(["grammar 1", "grammar 2"]));
    let of_kinds = last.kinds.iter().map(|kind| kind.held_out).sum::<f32>() / 2.0;
    assert!((of_kinds - last.held_out).abs() < 1e-5);
    assert!((last.held_out / std::f32::consts::LN_2 - last.held_out_bits_per_byte).abs() < 1e-6);
    // It has learned the alphabet by now.
    assert!(last.sample.bytes().filter(|byte| byte.is_ascii_lowercase()).count() > 40, "{:?}", last.sample);
}

#[test]
fn a_snapshot_is_gone_back_to_exactly_and_a_fork_sees_the_same_batches() {
    let mut trial = Trial::new();
    trial.start(request(1));
    trial.step(1, 5);
    trial.obey(TrainCommand::Snapshot(RunId(1)));
    trial.step(1, 4);
    trial.obey(TrainCommand::Rewind { run: RunId(1), snapshot: SnapshotId(1) });
    trial.step(1, 4);
    trial.obey(TrainCommand::Fork { run: RunId(1), snapshot: SnapshotId(1), into: RunId(2) });
    trial.step(2, 4);
    let losses = trial.losses(1);
    assert_eq!(losses[5..9], losses[9..13]);
    assert_eq!(losses[5..9], trial.losses(2));
    assert!(trial.steps(2).map(|step| step.step).eq(5..9));
    // From the same state under another loss: the same first step, and then others.
    trial.obey(TrainCommand::Rewind { run: RunId(1), snapshot: SnapshotId(1) });
    let none = TrainSetting::Losses(Vec::new());
    trial.obey(TrainCommand::Change { run: RunId(1), setting: none.clone() });
    assert_eq!(trial.told.last(), Some(&TrainEvent::Changed { run: RunId(1), setting: none }));
    trial.step(1, 4);
    let changed = &trial.losses(1)[13..];
    assert_eq!(changed[0], losses[5]);
    assert_ne!(changed[3], losses[8]);
}

#[test]
fn a_fork_keeps_the_snapshots_of_its_parent_and_goes_on_with_other_numbers() {
    let mut trial = Trial::new();
    trial.start(request(1));
    for _ in 0..2 {
        trial.step(1, 3);
        trial.obey(TrainCommand::Snapshot(RunId(1)));
    }
    trial.obey(TrainCommand::Fork { run: RunId(1), snapshot: SnapshotId(2), into: RunId(2) });
    trial.step(2, 2);
    trial.obey(TrainCommand::Snapshot(RunId(2)));
    let newest = *trial.snapshots().last().expect("a snapshot");
    assert_eq!((newest.run, newest.snapshot, newest.num_steps), (RunId(2), SnapshotId(3), 8));
    trial.obey(TrainCommand::Rewind { run: RunId(2), snapshot: SnapshotId(1) });
    trial.step(2, 3);
    let (parent, fork) = (trial.losses(1), trial.losses(2));
    assert_eq!(fork[2..5], parent[3..6]);
    assert!(trial.steps(2).map(|step| step.step).eq([6, 7, 3, 4, 5]));
}

#[test]
fn going_back_tells_which_settings_came_back() {
    let mut trial = Trial::new();
    trial.start(request(1));
    let of = |run| move |setting| TrainEvent::Changed { run: RunId(run), setting };
    let settings = [TrainSetting::LearningRate(0.5), TrainSetting::Losses(Vec::new())];
    for setting in settings.clone() {
        trial.obey(TrainCommand::Change { run: RunId(1), setting });
    }
    trial.obey(TrainCommand::Snapshot(RunId(1)));
    let start = [TrainSetting::LearningRate(1e-2), TrainSetting::Losses(request(1).losses)];
    trial.told.clear();
    trial.obey(TrainCommand::Fork { run: RunId(1), snapshot: SnapshotId(0), into: RunId(2) });
    assert_eq!(trial.told[2..], start.clone().map(of(2)));
    trial.told.clear();
    trial.obey(TrainCommand::Rewind { run: RunId(2), snapshot: SnapshotId(1) });
    assert_eq!(trial.told[..2], settings.map(of(2)));
    trial.told.clear();
    trial.obey(TrainCommand::Rewind { run: RunId(1), snapshot: SnapshotId(1) });
    assert_eq!(trial.told, [TrainEvent::Resting { run: RunId(1), next_step: 0 }]);
}

#[test]
fn two_of_one_seed_take_turns_and_are_the_same() {
    let mut trial = Trial::new();
    trial.start(request(1));
    trial.start(request(2));
    for run in [1, 2] {
        trial.obey(TrainCommand::Step { run: RunId(run), num_steps: 3 });
    }
    trial.go_on();
    let turns = trial.told.iter().filter_map(|event| match event {
        TrainEvent::Step(step) => Some((step.run.0, step.step)),
        _ => None,
    });
    let turns: Vec<_> = turns.collect();
    assert!(turns.windows(2).all(|pair| pair[0].0 != pair[1].0), "{turns:?}");
    assert_eq!(trial.losses(1), trial.losses(2));
}

#[test]
fn whoever_is_full_turns_requests_away() {
    let capacity = CapacitySpec { factor: 0.5, ..CapacitySpec::default() };
    let rule = TrainedRule::Assigns(RoutingSpec { router: RouterSpec::Switch, overflow: Overflow::Drop(capacity) });
    let mut trial = Trial::new();
    trial.start(TrainRequest { rule, ..request(1) });
    trial.step(1, 1);
    let layer = &trial.steps(1).next().expect("a step").layers[0];
    // Three slots for each of four experts, in each of four sequences.
    assert!(layer.load.iter().all(|&load| load <= 12));
    let lost = layer.demand.iter().sum::<u32>() - layer.load.iter().sum::<u32>();
    assert!(lost >= 48 && layer.num_dropped_tokens == lost, "{layer:?}");
}

#[test]
fn what_cannot_be_trained_is_refused_in_words_and_changes_nothing() {
    let mut trial = Trial::new();
    let mut refused = |request: TrainRequest, expected: &str| {
        trial.obey(TrainCommand::Start(request));
        assert!(trial.refusal().contains(expected), "{}", trial.refusal());
        assert!(!trial.lab.is_busy());
    };
    let sizes = request(1).model;
    refused(TrainRequest { model: TrainedSizes { num_heads: 3, ..sizes }, ..request(1) }, "3 attention heads");
    refused(TrainRequest { model: TrainedSizes { d_expert: 30_000, ..sizes }, ..request(1) }, "parameters");
    refused(TrainRequest { num_sequences: 10_000, ..request(1) }, "10000 sequences");
    refused(TrainRequest { learning_rate: f32::NAN, ..request(1) }, "learning rate");
    refused(TrainRequest { rule: TrainedRule::Mixes(MixerSpec::Mov), ..request(1) }, "soft_moe:1, smear");
    let load = vec![WeightedLoss { loss: AuxiliaryLoss::Load, coefficient: 0.1 }];
    refused(TrainRequest { losses: load.clone(), ..request(1) }, "noisy_top_k");

    trial.start(request(1));
    trial.obey(TrainCommand::Change { run: RunId(1), setting: TrainSetting::Losses(load) });
    assert!(trial.refusal().contains("was not changed"));
    trial.obey(TrainCommand::Rewind { run: RunId(1), snapshot: SnapshotId(9) });
    assert!(trial.refusal().contains("Snapshot 9"));
    trial.obey(TrainCommand::Pause(RunId(7)));
    assert!(trial.refusal().contains("Number 7"));
    trial.step(1, 2);
    assert_eq!(trial.losses(1).len(), 2);
    trial.obey(TrainCommand::Stop(RunId(1)));
    trial.obey(TrainCommand::Resume(RunId(1)));
    assert!(trial.refusal().contains("Number 1"));
}

/// Is the largest expert's share of the demand, mean over the last ten of 150 steps, over half? Four seeds each.
#[test]
fn a_router_without_a_balance_loss_collapses_and_with_it_does_not() {
    let share_of_largest = |seed: u32, coefficient: f32| {
        let mut trial = Trial::new();
        let losses = vec![WeightedLoss { loss: AuxiliaryLoss::Balance, coefficient }];
        trial.start(TrainRequest { seed, losses, learning_rate: 3e-2, ..request(1) });
        trial.step(1, 150);
        let shares = trial.steps(1).skip(140).map(|step| {
            let demand = &step.layers[0].demand;
            f64::from(demand.iter().copied().max().unwrap_or(0)) / f64::from(demand.iter().sum::<u32>())
        });
        shares.sum::<f64>() / 10.0
    };
    let without: Vec<f64> = (1..=4).map(|seed| share_of_largest(seed, 0.0)).collect();
    let with: Vec<f64> = (1..=4).map(|seed| share_of_largest(seed, 0.05)).collect();
    let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len() as f64;
    assert!(mean(&without) > mean(&with) + 0.15, "largest shares without {without:?}, with {with:?}");
    assert!(mean(&with) < 0.5 && with.iter().all(|share| *share < 0.6), "{with:?}");
}
