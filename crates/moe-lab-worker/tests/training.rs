//! In a real browser worker, compiled like what is shipped: trainings of the lab have the losses that they have natively.
#![cfg(target_family = "wasm")]

#[path = "../../moe-lab/tests/parity.rs"]
mod parity;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
