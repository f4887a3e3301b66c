//! What the native benchmarks share: the shipped model, requests to it, and the time of their steps.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use moe_engine::{Arithmetic, Engine, Manifest, device};
use moe_trace::{Event, RoutingGroup, RunId, RunRequest, Sampling, StepTrace};

/// The ways in which the CPU computes, and what the rows of a table call them.
pub fn arithmetics() -> [(&'static str, Arithmetic); 2] {
    [("", Arithmetic::Int8), (", f32", Arithmetic::F32(device::cpu()))]
}

/// The repository's root.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");

/// The shipped default model on the CPU.
pub fn engine(arithmetic: &Arithmetic) -> Engine {
    engine_of("default", arithmetic)
}

/// A shipped model on the CPU.
pub fn engine_of(model: &str, arithmetic: &Arithmetic) -> Engine {
    let folder = PathBuf::from(ROOT).join("www/site/models").join(model);
    let read = |name: &str| fs::read(folder.join(name)).expect("the shipped model is in the repository");
    let manifest = Manifest::from_json(&read("manifest.json")).expect("the shipped manifest is valid");
    let (weights, tokenizer) = (read(&manifest.weights.file), read(&manifest.tokenizer.file));
    pollster::block_on(Engine::load(&manifest, &weights, &tokenizer, arithmetic)).expect("the shipped model loads")
}

/// A greedy continuation with the trained routing.
pub fn request(engine: &Engine, prompt: &str, max_new_tokens: u32, group: RoutingGroup) -> RunRequest {
    RunRequest {
        run: RunId(0),
        prompt: prompt.to_owned(),
        companions: Vec::new(),
        max_new_tokens,
        sampling: Sampling::Greedy,
        routing: engine.info().trained_routing,
        group,
        seed: 7,
        interventions: Vec::new(),
    }
}

/// The first step of a run; nothing where the request is refused.
pub fn first_step(engine: &mut Engine, request: &RunRequest) -> Option<StepTrace> {
    let mut first = None;
    let emit = |event| {
        if let (Event::Step { trace, .. }, None) = (event, &first) {
            first = Some(trace.expand(None).expect("the engine sends whole steps"));
        }
    };
    pollster::block_on(engine.run(request, || 0.0, emit, async || false)).ok()?;
    first
}

/// Runs a request to its end; gives how long its text was at each step, in tokens, and how long each step took.
pub fn steps(engine: &mut Engine, request: &RunRequest) -> Vec<(usize, Duration)> {
    let start = Instant::now();
    let mut steps: Vec<(usize, Duration)> = Vec::new();
    let emit = |event| {
        let Event::Step { trace, elapsed_ms } = event else { return };
        let step = trace.expand(None).expect("the engine sends whole steps");
        let num_tokens = step.first_position() as usize + step.tokens.len();
        steps.push((num_tokens, Duration::from_secs_f64(f64::from(elapsed_ms) / 1e3)));
    };
    let clock_ms = || start.elapsed().as_secs_f64() * 1e3;
    pollster::block_on(engine.run(request, clock_ms, emit, async || false)).expect("the run ends well");
    steps
}

/// Of a text, as many words from the front as make at most so many tokens.
pub fn beginning(engine: &mut Engine, text: &str, num_tokens: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut count = words.len();
    loop {
        let prompt = words[..count].join(" ");
        let request = request(engine, &prompt, 0, RoutingGroup::ThisText);
        let found = steps(engine, &request).last().map_or(0, |(found, _)| *found);
        if found <= num_tokens {
            return prompt;
        }
        count = (count * num_tokens / found).min(count - 1);
    }
}
