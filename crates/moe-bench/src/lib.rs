//! What the native benchmarks share: the shipped model, and requests to it.

use std::fs;
use std::path::PathBuf;

use moe_engine::{Engine, Manifest, device};
use moe_trace::{Event, RoutingGroup, RunId, RunRequest, Sampling};

/// The shipped model on the CPU.
pub fn engine() -> Engine {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../www/site/models/default"));
    let read = |name: &str| fs::read(folder.join(name)).expect("the shipped model is in the repository");
    let manifest = Manifest::from_json(&read("manifest.json")).expect("the shipped manifest is valid");
    let (weights, tokenizer) = (read(&manifest.weights.file), read(&manifest.tokenizer.file));
    pollster::block_on(Engine::load(&manifest, &weights, &tokenizer, &device::cpu())).expect("the shipped model loads")
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

/// Runs a request to its end; gives the number of steps.
pub fn run(engine: &mut Engine, request: &RunRequest) -> usize {
    let mut steps = 0;
    let emit = |event| steps += usize::from(matches!(event, Event::Step { .. }));
    pollster::block_on(engine.run(request, || 0.0, emit, async || false)).expect("the run ends well");
    steps
}
