//! A training outlives its lab: as bytes, from which another one goes on.

use moe_trace::training::{SnapshotId, TrainCommand, TrainEvent, TrainRequest, TrainSetting, TrainingText};
use moe_trace::{Bytes, RunId};

use crate::trial::{Trial, request};

/// Opens in a lab of its own.
fn opened(saved: Bytes, run: u32) -> Trial {
    let mut trial = Trial::new();
    trial.obey(TrainCommand::Open { run: RunId(run), saved });
    trial
}

#[test]
fn a_training_goes_on_in_another_lab_bit_for_bit() {
    let mut trial = Trial::new();
    let request = TrainRequest { bias_step: 0.01, snapshot_every: 5, ..request(1) };
    trial.start(request.clone());
    trial.obey(TrainCommand::Change { run: RunId(1), setting: TrainSetting::LearningRate(2e-2) });
    trial.step(1, 12);
    // Saved with every snapshot: before the first step, after five and after ten.
    assert!(trial.saved.iter().map(|(run, step, _)| (run.0, *step)).eq([(1, 0), (1, 5), (1, 10)]));
    let mut other = opened(trial.saved[1].2.clone(), 7);
    let expected = TrainRequest { run: RunId(7), learning_rate: 2e-2, ..request };
    let [TrainEvent::Started { .. }, TrainEvent::Opened { run, request, next_step }, TrainEvent::Snapshot(snapshot)] =
        &other.told[..]
    else {
        panic!("{:?}", other.told)
    };
    assert_eq!((*run, request, *next_step), (RunId(7), &expected, 5));
    // A number that the snapshots of before did not have.
    assert_eq!((snapshot.snapshot, snapshot.num_steps), (SnapshotId(2), 5));
    assert_eq!(snapshot.held_out, trial.snapshots()[1].held_out);
    assert!(other.lab.is_busy(), "it goes on by itself");
    other.step(7, 7);
    assert_eq!(other.losses(7), trial.losses(1)[5..]);
    assert!(other.steps(7).map(|step| step.step).eq(5..12));
    // And that one is saved as the first was.
    let of = |trial: &Trial, step| trial.saved.iter().find(|(_, at, _)| *at == step).map(|(_, _, bytes)| bytes.len());
    assert_eq!(of(&other, 10), of(&trial, 10));
    // Where it rests after going back or being copied, it is saved too.
    trial.obey(TrainCommand::Rewind { run: RunId(1), snapshot: SnapshotId(1) });
    trial.obey(TrainCommand::Fork { run: RunId(1), snapshot: SnapshotId(2), into: RunId(2) });
    assert!(trial.saved[3..].iter().map(|(run, step, _)| (run.0, *step)).eq([(1, 5), (2, 10)]));
    let mut third = opened(trial.saved[3].2.clone(), 1);
    third.step(1, 2);
    assert_eq!(third.losses(1), trial.losses(1)[5..7]);
}

#[test]
fn the_readers_own_text_is_saved_with_it() {
    let mut trial = Trial::new();
    let text = TrainingText::Own { text: "It is a truth universally acknowledged. ".repeat(20) };
    trial.start(TrainRequest { text, ..request(1) });
    trial.step(1, 2);
    let mut other = opened(trial.saved[0].2.clone(), 1);
    other.step(1, 2);
    assert_eq!(other.losses(1), trial.losses(1));
}

#[test]
fn another_file_is_refused_in_words() {
    let mut trial = Trial::new();
    trial.start(request(1));
    trial.step(1, 1);
    let file = trial.saved[0].2.to_vec();
    let mut refused = |bytes: Vec<u8>, expected: &str| {
        trial.obey(TrainCommand::Open { run: RunId(2), saved: bytes.into() });
        let refusal = trial.refusal();
        assert!(refusal.contains("was not opened") && refusal.contains(expected), "{refusal}");
    };
    refused(b"hello".to_vec(), "no file of a training");
    refused(file[..file.len() - 4].to_vec(), "only a part of one");
    // A change of the header that keeps its length.
    let with = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = file.windows(from.len()).position(|part| part == from.as_bytes()).expect("it is in the header");
        let mut file = file.clone();
        file[at..at + to.len()].copy_from_slice(to.as_bytes());
        file
    };
    refused(with("moe-playground training", "moe-playground trainers"), "no file of a training");
    refused(with("num_snapshots", "num_snapshotz"), "another version");
    refused(with(r#"\"d_expert\":16"#, r#"\"d_expert\":17"#), "the model needs [4, 16, 17]");
    refused(with(r#"\"num_heads\":2"#, r#"\"num_heads\":3"#), "3 attention heads");
    // What was there goes on.
    trial.step(1, 1);
    assert_eq!(trial.losses(1).len(), 2);
}
