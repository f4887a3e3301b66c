//! The recorded run that the site shows first is what the shipped model computes, on WebGPU and on the CPU; and each of
//! its steps, of which only a part is computed, is what the whole text gives.

use moe_engine::{Arithmetic, Engine, Extent, Manifest, device};
use moe_trace::{Event, StepTrace, TraceFile};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::gpu::gpu;

pub const MANIFEST: &[u8] = include_bytes!("../../../../www/site/models/default/manifest.json");
pub const WEIGHTS: &[u8] = include_bytes!("../../../../www/site/models/default/weights.safetensors");
pub const TOKENIZER: &[u8] = include_bytes!("../../../../www/site/models/default/tokenizer.json");
const RECORDED: &str = include_str!("../../../../www/site/traces/default.jsonl");

/// Of numbers, after a dozen steps through a whole model; decisions are compared exactly.
pub const TOLERANCE: f32 = 1e-3;

/// `whole`: how far a step may be from that of the whole text, computed in the same way.
async fn check(arithmetic: Arithmetic, whole: f32) {
    let recorded = TraceFile::from_lines(RECORDED, serde_json::from_str, serde_json::from_str).expect("a trace file");
    let manifest = Manifest::from_json(MANIFEST).expect("a manifest");
    let mut engine = Engine::load(&manifest, WEIGHTS, TOKENIZER, &arithmetic).await.expect("the shipped model loads");
    engine.set_extent(Extent::Compared { tolerance: whole });
    assert_eq!(Some(engine.info()), recorded.header.model.as_ref(), "the trace was recorded from another model");
    let request = recorded.header.request.as_ref().expect("a run of ours");
    let mut steps: Vec<StepTrace> = Vec::new();
    let emit = |event| {
        if let Event::Step { trace, .. } = event {
            let step = trace.expand(steps.last()).expect("each step follows the one before");
            steps.push(step);
        }
    };
    engine.run(request, || 0.0, emit, async || false).await.expect("the run ends well");
    assert_eq!(steps.len(), recorded.steps.len());
    for (live, recorded) in steps.iter().zip(&recorded.steps) {
        assert_eq!(live.difference(recorded, TOLERANCE), None);
    }
}

#[wasm_bindgen_test]
async fn on_the_cpu_in_f32() {
    check(Arithmetic::F32(device::cpu()), 0.0).await;
}

#[wasm_bindgen_test]
async fn on_the_cpu_with_8_bit_matrices() {
    check(Arithmetic::Int8, 0.0).await;
}

#[wasm_bindgen_test]
async fn on_webgpu() {
    check(Arithmetic::F32(gpu().await), 1e-5).await;
}
