//! Adapters beside the shipped model: what a reader who adapts it to a text relies on.

use moe_trace::adapting::{AdaptLook, AdaptRequest, AdaptStart, AdaptStep, Adaptation, AdapterRecipe, ModelFiles};
use moe_trace::training::{TrainCommand, TrainEvent, TrainRequest, TrainSetting};
use moe_trace::{Bytes, MixerSpec, RunId};

use crate::trial::{Trial, request};

const MANIFEST: &[u8] = include_bytes!("../../../../www/site/models/default/manifest.json");
const WEIGHTS: &[u8] = include_bytes!("../../../../www/site/models/default/weights.safetensors");
const TOKENIZER: &[u8] = include_bytes!("../../../../www/site/models/default/tokenizer.json");

fn bytes(bytes: &[u8]) -> Bytes {
    bytes.to_vec().into()
}

fn model() -> ModelFiles {
    ModelFiles { manifest: bytes(MANIFEST), weights: bytes(WEIGHTS), tokenizer: bytes(TOKENIZER) }
}

/// A text of one manner, which the model has never seen.
fn text(beginning: &str) -> String {
    (0..60).map(|line| format!("{beginning} {line} zorbles quindled the flimmow, and {line} more did not. ")).collect()
}

fn recipe(rule: MixerSpec) -> AdapterRecipe {
    AdapterRecipe {
        rule,
        num_adapters: 4,
        rank: 2,
        alpha: 16.0,
        num_sequences: 2,
        num_tokens: 24,
        learning_rate: 1e-2,
        balance: 0.0,
        seed: 1,
    }
}

fn adapt(run: u32, rule: MixerSpec) -> Adaptation {
    let request = AdaptRequest {
        run: RunId(run),
        recipe: recipe(rule),
        text: text("Verily"),
        remembered: String::new(),
        probe: "zorbles quindled".to_owned(),
        look_every: 0,
    };
    Adaptation { request, model: model(), adapters: None }
}

const MOLORA: MixerSpec = MixerSpec::Molora { k: None };

/// A lab in which adapters were begun and rest before their first step.
fn begun(adaptation: Adaptation) -> Trial {
    let mut trial = Trial::new();
    let run = adaptation.request.run;
    trial.obey(TrainCommand::Adapt(Box::new(adaptation)));
    trial.obey(TrainCommand::Pause(run));
    trial
}

fn start(trial: &Trial) -> &AdaptStart {
    let start = trial.told.iter().rev().find_map(|event| match event {
        TrainEvent::Adapting(start) => Some(start),
        _ => None,
    });
    start.unwrap_or_else(|| panic!("they did not begin: {:?}", trial.told))
}

fn looks(trial: &Trial) -> Vec<&AdaptLook> {
    let looks = trial.told.iter().filter_map(|event| match event {
        TrainEvent::Adapted(look) => Some(look),
        _ => None,
    });
    looks.collect()
}

fn steps(trial: &Trial) -> Vec<&AdaptStep> {
    let steps = trial.told.iter().filter_map(|event| match event {
        TrainEvent::AdaptStep(step) => Some(step),
        _ => None,
    });
    steps.collect()
}

fn losses(trial: &Trial) -> Vec<f32> {
    steps(trial).iter().map(|step| step.next_token).collect()
}

#[test]
fn adapters_lower_the_loss_of_held_out_text() {
    for (rule, num_trained) in [(MOLORA, 4 * 4 * (128 + 1 + 2 * 2 * 128)), (MixerSpec::Mov, 4 * 4 * (128 + 1 + 128))] {
        let mut trial = begun(adapt(1, rule));
        let start = start(&trial);
        assert_eq!((start.num_trained, start.num_frozen, start.next_step), (num_trained, 3_478_656, 0));
        assert_eq!(start.model, "default");
        trial.step(1, 12);
        let looks = looks(&trial);
        let [first, last] = looks[..] else { panic!("one look before the first step, one where they rest") };
        assert_eq!((first.num_steps, last.num_steps), (0, 12));
        // Adapters that have learned nothing change nothing, to the last bit.
        assert_eq!(first.held_out[0].before, first.held_out[0].after);
        assert_eq!(last.held_out[0].before, first.held_out[0].before);
        assert!(last.held_out[0].after < last.held_out[0].before - 0.1, "{rule:?}: {:?}", last.held_out);
        assert_eq!(last.probe_tokens.concat(), b"zorbles quindled");
        assert_eq!(last.probe_shares.len(), 4);
        for shares in last.probe_shares.iter().flat_map(|layer| layer.chunks(4)) {
            assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{shares:?}");
        }
        for step in steps(&trial) {
            assert_eq!((step.shares.len(), step.shares[0].len(), step.balance), (4, 4, None));
        }
    }
}

#[test]
fn adapters_are_kept_as_a_small_file_and_opened_bit_for_bit() {
    for rule in [MOLORA, MixerSpec::Mov] {
        let mut trial = begun(adapt(1, rule));
        trial.step(1, 3);
        let kept = looks(&trial)[1].clone();
        let num_trained = start(&trial).num_trained as usize;
        assert!(kept.saved.len() < 4 * num_trained + 6_000, "{} bytes", kept.saved.len());
        let contains = |word: &str| kept.saved.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!contains("Verily"), "the reader's text is not shared");
        // Another recipe is asked for; that of the file counts.
        let asked = adapt(5, MixerSpec::Loramoe);
        let mut other = begun(Adaptation { adapters: Some(kept.saved.clone()), ..asked });
        assert_eq!((start(&other).recipe, start(&other).next_step), (recipe(rule), 3));
        let opened = looks(&other)[0];
        assert_eq!((opened.num_steps, &opened.held_out), (3, &kept.held_out));
        assert_eq!(opened.probe_shares, kept.probe_shares);
        assert_eq!(opened.saved, kept.saved);
        other.step(5, 2);
        assert!(steps(&other).iter().map(|step| step.step).eq([3, 4]));
        assert_ne!(looks(&other)[1].saved, kept.saved);
    }
}

#[test]
fn what_does_not_fit_is_refused_in_words_and_what_was_there_goes_on() {
    let mut trial = begun(adapt(1, MOLORA));
    trial.step(1, 1);
    let saved = looks(&trial)[1].saved.clone();
    let mut check = |change: &dyn Fn(&mut Adaptation), why: &str| {
        let mut adaptation = adapt(9, MOLORA);
        change(&mut adaptation);
        trial.obey(TrainCommand::Adapt(Box::new(adaptation)));
        let refusal = trial.refusal();
        assert!(refusal.contains(why), "{refusal}");
        assert!(!trial.lab.is_busy());
    };
    check(&|of| of.request.text = "too short".to_owned(), "its last tenth is held out: 0 tokens");
    check(&|of| of.request.recipe.num_adapters = 1, "1 adapters of rank 2 are asked for");
    check(&|of| of.request.recipe.rank = 33, "4 adapters of rank 33");
    check(&|of| of.request.recipe.num_tokens = 257, "a sequence 2 to 256");
    check(&|of| of.request.recipe.num_sequences = 50, "a step has 1 to 1024 tokens");
    check(&|of| of.request.recipe.learning_rate = f32::NAN, "The learning rate is NaN");
    check(&|of| of.request.recipe.rule = MixerSpec::Smear, "Choose molora, mov or loramoe");
    check(&|of| of.request.recipe.balance = 0.5, "two kinds of text, and there is one");
    let damage = |of: &mut Adaptation| {
        let mut weights = WEIGHTS.to_vec();
        weights[2_000_000] ^= 1;
        of.model.weights = weights.into();
    };
    check(&damage, "weights.safetensors is not the file that its manifest names");
    check(&|of| of.model.manifest = bytes(b"{}"), "The model's files cannot be used");
    check(&|of| of.adapters = Some(bytes(b"Dear reader")), "This is no file of adapters");
    check(&|of| of.adapters = Some(bytes(&saved[..saved.len() - 1])), "This is no file of adapters");
    // Of another model: its hash, as it stands in the file, with one digit changed.
    let other_model = |of: &mut Adaptation| {
        let mut file = saved.to_vec();
        let word = b"model_sha256";
        let at = file.windows(word.len()).position(|window| window == word).expect("it names the hash");
        let digit = at + word.len() + br#"\":\""#.len();
        file[digit] = if file[digit] == b'0' { b'1' } else { b'0' };
        of.adapters = Some(file.into());
    };
    check(&other_model, "These adapters stand beside the model \"default\" with weights");
    // Those that were there go on.
    trial.step(1, 1);
    assert_eq!(steps(&trial).len(), 2);
}

#[test]
fn probe_and_learning_rate_change_while_they_learn_and_nothing_else_does() {
    let mut trial = begun(adapt(1, MOLORA));
    let change = |setting| TrainCommand::Change { run: RunId(1), setting };
    trial.obey(change(TrainSetting::Probe("flimmow".to_owned())));
    assert_eq!(looks(&trial).last().expect("a look").probe_tokens.concat(), b"flimmow");
    trial.obey(change(TrainSetting::Probe(String::new())));
    assert!(looks(&trial).last().expect("a look").probe_tokens.is_empty());
    trial.obey(change(TrainSetting::LearningRate(1e-3)));
    trial.obey(change(TrainSetting::NumSequences(4)));
    assert!(trial.refusal().contains("only the learning rate and the probe"));
    trial.obey(TrainCommand::Merge(RunId(1)));
    assert!(trial.refusal().contains("no snapshots"));
    trial.obey(TrainCommand::Stop(RunId(1)));
    assert!(matches!(trial.told.last(), Some(TrainEvent::Stopped { run: RunId(1) })));
    trial.obey(TrainCommand::Resume(RunId(1)));
    assert!(trial.refusal().contains("Number 1 has ended"));
}

#[test]
fn two_kinds_of_text_are_balanced_and_both_are_measured() {
    let balanced = |balance| {
        let mut adaptation = adapt(1, MixerSpec::Loramoe);
        adaptation.request.remembered = text("Thirdly");
        adaptation.request.recipe.balance = balance;
        let mut trial = begun(adaptation);
        trial.step(1, 3);
        trial
    };
    let (with, without) = (balanced(1.0), balanced(0.0));
    assert!(steps(&with).iter().all(|step| step.balance.is_some_and(|balance| balance > 0.0)));
    assert!(steps(&without).iter().all(|step| step.balance.is_none()));
    assert_eq!(losses(&with)[0], losses(&without)[0]);
    assert_ne!(losses(&with)[2], losses(&without)[2]);
    assert_eq!(looks(&with)[1].held_out.len(), 2);
}

#[test]
fn adapters_and_trainings_take_turns() {
    let mut trial = begun(adapt(1, MOLORA));
    trial.start(TrainRequest { run: RunId(2), ..request(2) });
    trial.obey(TrainCommand::Step { run: RunId(1), num_steps: 2 });
    trial.obey(TrainCommand::Step { run: RunId(2), num_steps: 3 });
    trial.told.clear();
    trial.go_on();
    let turns = trial.told.iter().filter_map(|event| match event {
        TrainEvent::AdaptStep(_) => Some(1),
        TrainEvent::Step(_) => Some(2),
        _ => None,
    });
    assert!(turns.eq([1, 2, 1, 2, 2]));
}
