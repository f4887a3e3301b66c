//! In a real browser worker: each shader computes what its twin computes, WebGPU and CPU both reproduce the recorded run
//! of the shipped model, both compute only as much of a text as is needed, and they agree on texts that share slots.
//! Products with 8-bit matrices have the bits that they have natively.
#![cfg(target_family = "wasm")]

mod golden;
mod gpu;
mod in_step;
#[path = "../../../moe-kernels/tests/packed.rs"]
mod packed;
mod text;
#[path = "../../../moe-kernels/tests/twins.rs"]
mod twins;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test::wasm_bindgen_test]
async fn every_shader_computes_what_its_twin_computes() {
    twins::compare(gpu::gpu().await).await;
}
