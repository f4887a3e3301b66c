//! The same seed gives the same losses natively and in a browser's worker: both run this file, against numbers that were
//! recorded natively.
//!
//! They agree to [`TOLERANCE`] and not to the bit: sums are taken in another order by wider registers, and so are
//! exponentials.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use moe_lab::{Lab, device};
use moe_trace::adapting::{AdaptRequest, Adaptation, AdapterRecipe, ModelFiles};
use moe_trace::experiment::{PROBE, Preset, grammars};
use moe_trace::training::{NewExperts, TrainCommand, TrainEvent, TrainRequest, Upcycling};
use moe_trace::{MixerSpec, RunId};

/// Nats a byte; the third digit behind the point.
const TOLERANCE: f32 = 1e-3;

/// A training, its side, and the losses of its steps, with tabs between.
const RECORDED: &str = include_str!("recorded/losses.tsv");

/// Adapters beside the shipped model, by their rule: the losses of their steps.
const ADAPTERS: &str = include_str!("recorded/adapters.tsv");

const STEPS: u32 = 6;

const MODEL: [&[u8]; 3] = [
    include_bytes!("../../../www/site/models/default/manifest.json"),
    include_bytes!("../../../www/site/models/default/weights.safetensors"),
    include_bytes!("../../../www/site/models/default/tokenizer.json"),
];

/// On the CPU nothing is waited for.
fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU never waits"),
    }
}

/// Of an experiment, its first training (0) or its second.
fn losses(name: &str, side: usize) -> Vec<f32> {
    let preset = Preset::of_name(name).expect("an experiment");
    let [first, second] = preset.requests([RunId(1), RunId(1)], 1, &grammars(), PROBE);
    let request = if side == 0 { first } else { second };
    // Experts are made while one looks.
    let soon = |planned: Upcycling| Upcycling { after_steps: 3, experts: NewExperts { noise: 0.1, ..planned.experts } };
    let upcycling = request.upcycling.map(soon);
    let mut lab = Lab::new(device::cpu());
    let mut losses = Vec::new();
    let mut tell = |event| match event {
        TrainEvent::Step(step) => losses.push(step.next_token),
        TrainEvent::Failed { error, .. } => panic!("{error}"),
        _ => {}
    };
    now(async {
        lab.obey(TrainCommand::Start(TrainRequest { snapshot_every: 0, upcycling, ..request }), &mut tell).await;
        lab.obey(TrainCommand::Step { run: RunId(1), num_steps: STEPS }, &mut tell).await;
        while lab.is_busy() {
            lab.advance(&|| 0.0, &mut tell).await;
        }
    });
    losses
}

#[cfg_attr(not(target_family = "wasm"), test)]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn the_losses_are_those_that_were_recorded() {
    let mut num_trainings = 0;
    for line in RECORDED.lines() {
        let mut fields = line.split('\t');
        let (name, side) = (fields.next().expect("a name"), fields.next().expect("a side"));
        let recorded: Vec<f32> = fields.map(|field| field.parse().expect("a loss")).collect();
        let found = losses(name, side.parse().expect("0 or 1"));
        let text = found.iter().map(|loss| format!("\t{loss:.4}")).collect::<String>();
        let agree = found.iter().zip(&recorded).all(|(found, recorded)| (found - recorded).abs() <= TOLERANCE);
        assert!(agree && found.len() == STEPS as usize && recorded.len() == found.len(), "found {name}\t{side}{text}");
        num_trainings += 1;
    }
    assert_eq!(num_trainings, 5);
}

fn adapter_losses(rule: &str) -> Vec<f32> {
    let [manifest, weights, tokenizer] = MODEL.map(|file| file.to_vec().into());
    let rule = match rule {
        "molora" => MixerSpec::Molora { k: None },
        "mov" => MixerSpec::Mov,
        "loramoe" => MixerSpec::Loramoe,
        other => panic!("{other} adapts nothing"),
    };
    let is_balanced = rule == MixerSpec::Loramoe;
    let text = |word: &str| (0..40).map(|line| format!("{word} {line} zorbles quindled {line} flimmows. ")).collect();
    let recipe = AdapterRecipe {
        rule,
        num_adapters: 4,
        rank: 2,
        alpha: 16.0,
        num_sequences: 2,
        num_tokens: 16,
        learning_rate: 1e-2,
        balance: if is_balanced { 0.1 } else { 0.0 },
        seed: 1,
    };
    let request = AdaptRequest {
        run: RunId(1),
        recipe,
        text: text("Verily"),
        remembered: if is_balanced { text("Thirdly") } else { String::new() },
        probe: "zorbles".to_owned(),
        look_every: 0,
    };
    let model = ModelFiles { manifest, weights, tokenizer };
    let mut lab = Lab::new(device::cpu());
    let mut losses = Vec::new();
    let mut tell = |event| match event {
        TrainEvent::AdaptStep(step) => losses.push(step.next_token),
        TrainEvent::Failed { error, .. } => panic!("{error}"),
        _ => {}
    };
    now(async {
        lab.obey(TrainCommand::Adapt(Box::new(Adaptation { request, model, adapters: None })), &mut tell).await;
        lab.obey(TrainCommand::Step { run: RunId(1), num_steps: STEPS }, &mut tell).await;
        while lab.is_busy() {
            lab.advance(&|| 0.0, &mut tell).await;
        }
    });
    losses
}

#[cfg_attr(not(target_family = "wasm"), test)]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn the_losses_of_adapters_are_those_that_were_recorded() {
    let mut agree = Vec::new();
    let mut found_lines = String::new();
    for line in ADAPTERS.lines() {
        let (rule, recorded) = line.split_once('\t').expect("a rule and its losses");
        let recorded: Vec<f32> = recorded.split('\t').map(|field| field.parse().expect("a loss")).collect();
        let found = adapter_losses(rule);
        let is_near = |(found, recorded): (&f32, &f32)| (found - recorded).abs() <= TOLERANCE;
        agree.push(found.len() == recorded.len() && found.iter().zip(&recorded).all(is_near));
        let text = found.iter().map(|loss| format!("\t{loss:.4}")).collect::<String>();
        found_lines += &format!("{rule}{text}\n");
    }
    assert_eq!(agree, [true; 3], "found:\n{found_lines}");
}
