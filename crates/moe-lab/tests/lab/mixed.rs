//! Rules that mix learn too: tokens blended into slots (Soft MoE), experts merged into one per sequence (SMEAR).

use moe_trace::training::{AuxiliaryLoss, TrainCommand, TrainRequest, TrainSetting, TrainedRule, WeightedLoss};
use moe_trace::{MixerSpec, RunId};

use crate::trial::{Trial, request};

fn mixing(rule: MixerSpec) -> TrainRequest {
    let losses = vec![WeightedLoss { loss: AuxiliaryLoss::Entropy, coefficient: 0.01 }];
    TrainRequest { rule: TrainedRule::Mixes(rule), losses, ..request(1) }
}

#[test]
fn they_learn_and_tell_shares_instead_of_requests() {
    for rule in [MixerSpec::SoftMoe { slots: 1 }, MixerSpec::Smear] {
        let mut trial = Trial::new();
        trial.start(mixing(rule));
        trial.step(1, 60);
        let losses = trial.losses(1);
        assert!(losses[0] - losses[59] > 2.0, "{rule:?}: {} became {}", losses[0], losses[59]);
        let layer = &trial.steps(1).last().expect("a step").layers[0];
        assert_eq!((layer.demand.iter().sum::<u32>(), layer.num_dropped_tokens), (0, 0));
        let shares = layer.shares.as_ref().expect("it mixes");
        assert!(shares.len() == 4 && (shares.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{rule:?}: {shares:?}");
        // A state of it is one like any other.
        trial.obey(TrainCommand::Snapshot(RunId(1)));
        let snapshot = *trial.snapshots().last().expect("a snapshot");
        assert!(snapshot.held_out < losses[0] && snapshot.probe_layers[0].decision.is_none());
        trial.step(1, 2);
        let mut other = Trial::new();
        other.obey(TrainCommand::Open { run: RunId(1), saved: trial.saved.last().expect("it was saved").2.clone() });
        other.step(1, 2);
        assert_eq!(other.losses(1), trial.losses(1)[60..]);
    }
}

#[test]
fn what_counts_requests_is_refused() {
    let mut trial = Trial::new();
    let mut refused = |request: TrainRequest, expected: &str| {
        trial.obey(TrainCommand::Start(request));
        assert!(trial.refusal().contains(expected), "{}", trial.refusal());
    };
    let balance = vec![WeightedLoss { loss: AuxiliaryLoss::Balance, coefficient: 0.01 }];
    refused(TrainRequest { losses: balance.clone(), ..mixing(MixerSpec::Smear) }, "a rule that mixes makes none");
    refused(TrainRequest { bias_step: 0.01, ..mixing(MixerSpec::Smear) }, "bias step of 0");
    refused(mixing(MixerSpec::SoftMoe { slots: 2 }), "2 slots for each expert");
    refused(mixing(MixerSpec::Meo { k: 2 }), "Choose soft_moe:1, smear");
    // From one to the other while it runs, with the loss that both know.
    trial.start(mixing(MixerSpec::Smear));
    trial.step(1, 1);
    let setting = TrainSetting::Rule(TrainedRule::Mixes(MixerSpec::SoftMoe { slots: 1 }));
    trial.obey(TrainCommand::Change { run: RunId(1), setting });
    trial.step(1, 1);
    trial.obey(TrainCommand::Change { run: RunId(1), setting: TrainSetting::Losses(balance) });
    assert!(trial.refusal().contains("was not changed"));
}
