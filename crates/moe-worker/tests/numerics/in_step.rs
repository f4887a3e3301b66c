//! Texts that share capacity, on WebGPU and on the CPU: the same steps of the shipped model, with somebody turned away.

use moe_engine::{Arithmetic, Engine, Manifest, device};
use moe_trace::{Event, Fate, Policy, RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling, StepTrace};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::golden::{MANIFEST, TOKENIZER, TOLERANCE, WEIGHTS};
use crate::gpu::gpu;

async fn run(arithmetic: Arithmetic) -> Vec<StepTrace> {
    let manifest = Manifest::from_json(MANIFEST).expect("a manifest");
    let mut engine = Engine::load(&manifest, WEIGHTS, TOKENIZER, &arithmetic).await.expect("the shipped model loads");
    let request = RunRequest {
        run: RunId(1),
        prompt: "The cat sat on the mat".to_owned(),
        companions: vec!["The cat sat on the mat, and".to_owned(), "12 + 30 =".to_owned()],
        max_new_tokens: 4,
        sampling: Sampling::Greedy,
        routing: RoutingSpec::with_policy(2, Policy::Drop, 0.5),
        group: RoutingGroup::Batch,
        seed: 7,
        interventions: Vec::new(),
    };
    let mut steps: Vec<StepTrace> = Vec::new();
    let emit = |event| {
        if let Event::Step { trace, .. } = event {
            steps.push(trace.expand(None).expect("steps of a batch are whole"));
        }
    };
    engine.run(&request, || 0.0, emit, async || false).await.expect("the run ends well");
    steps
}

#[wasm_bindgen_test]
async fn texts_in_step_are_the_same_on_both() {
    let (on_the_gpu, on_the_cpu) = (run(Arithmetic::F32(gpu().await)).await, run(Arithmetic::F32(device::cpu())).await);
    assert_eq!(on_the_gpu.len(), on_the_cpu.len());
    for (gpu, cpu) in on_the_gpu.iter().zip(&on_the_cpu) {
        assert_eq!(gpu.difference(cpu, TOLERANCE), None);
    }
    let routings = on_the_gpu.iter().flat_map(|step| &step.layers).filter_map(|layer| layer.routing());
    assert!(routings.flat_map(|routing| &routing.assignments).any(|request| request.fate == Fate::Lost));
}
