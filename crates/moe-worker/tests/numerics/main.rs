//! In a real browser worker: each shader computes what its twin computes, and WebGPU and CPU both reproduce the
//! recorded run of the shipped model.
#![cfg(target_family = "wasm")]

mod golden;
mod gpu;
mod shaders;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
