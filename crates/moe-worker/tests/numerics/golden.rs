//! The recorded run that the site shows first is what the shipped model computes, on WebGPU and on the CPU.

use moe_engine::{Engine, Manifest};
use moe_model::{Device, device};
use moe_trace::{Event, StepTrace, TraceFile};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::gpu::gpu;

const MANIFEST: &[u8] = include_bytes!("../../../../www/site/models/default/manifest.json");
const WEIGHTS: &[u8] = include_bytes!("../../../../www/site/models/default/weights.safetensors");
const TOKENIZER: &[u8] = include_bytes!("../../../../www/site/models/default/tokenizer.json");
const RECORDED: &str = include_str!("../../../../www/site/traces/default.jsonl");

async fn check(device: Device) {
    let recorded = TraceFile::from_lines(RECORDED, serde_json::from_str, serde_json::from_str).expect("a trace file");
    let manifest = Manifest::from_json(MANIFEST).expect("a manifest");
    let mut engine = Engine::load(&manifest, WEIGHTS, TOKENIZER, &device).await.expect("the shipped model loads");
    assert_eq!(*engine.info(), recorded.header.model, "the trace was recorded from another model");
    let mut steps = Vec::new();
    let emit = |event| {
        if let Event::Step { trace, .. } = event {
            steps.push(trace);
        }
    };
    engine.run(&recorded.header.request, || 0.0, emit, async || false).await.expect("the run ends well");
    assert_eq!(steps.len(), recorded.steps.len());
    for (live, recorded) in steps.iter().zip(&recorded.steps) {
        same(live, recorded);
    }
}

/// Tokens, experts, slots and fates exactly; numbers to 1e-3, after twelve steps through an 8-bit model.
fn same(live: &StepTrace, recorded: &StepTrace) {
    let close = |a: f32, b: f32| assert!((a - b).abs() <= 1e-3 * b.abs().max(1.0), "step {}: {a} {b}", live.step);
    assert_eq!(live.tokens.len(), recorded.tokens.len());
    for (a, b) in live.tokens.iter().zip(&recorded.tokens) {
        assert_eq!((a.id, &a.bytes, a.loss.is_some()), (b.id, &b.bytes, b.loss.is_some()), "step {}", live.step);
        close(a.loss.unwrap_or(0.0), b.loss.unwrap_or(0.0));
    }
    for (a, b) in live.layers.iter().zip(&recorded.layers) {
        assert_eq!(a.routing.capacity, b.routing.capacity);
        assert_eq!(a.routing.assignments.len(), b.routing.assignments.len());
        for (a, b) in a.routing.assignments.iter().zip(&b.routing.assignments) {
            assert_eq!((a.token, a.rank, a.expert, a.fate), (b.token, b.rank, b.expert, b.fate), "step {}", live.step);
            close(a.weight, b.weight);
        }
        for (a, b) in a.gate_logits.values().iter().zip(b.gate_logits.values()) {
            close(*a, *b);
        }
    }
    assert_eq!(live.next.chosen.as_ref().map(|c| c.id), recorded.next.chosen.as_ref().map(|c| c.id));
    for (a, b) in live.next.candidates.iter().zip(&recorded.next.candidates) {
        close(a.probability, b.probability);
    }
}

#[wasm_bindgen_test]
async fn on_the_cpu() {
    check(device::cpu()).await;
}

#[wasm_bindgen_test]
async fn on_webgpu() {
    check(gpu().await).await;
}
