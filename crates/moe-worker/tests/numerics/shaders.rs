//! Shader = twin: the same operations on the same numbers, on WebGPU and on the CPU.

use burn::tensor::{Device, Int, Tensor, TensorData};
use moe_kernels::ops::{self, int_tensor};
use moe_kernels::params::{
    AttentionParams, ExpertParams, GateParams, LinearParams, LossParams, OrderParams, RecordParams, RowParams,
    SlotParams,
};
use moe_model::device;
use moe_router::draws::SplitMix64;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::gpu::gpu;

const T: usize = 13;
const D: usize = 24;
const E: usize = 8;
const K: usize = 2;

/// Seeded numbers as tensors on one device; asked for in the same order, they are the same on every device.
struct Inputs {
    random: SplitMix64,
    device: Device,
}

impl Inputs {
    fn normal<const R: usize>(&mut self, shape: [usize; R]) -> Tensor<R> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| self.random.normal() as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    /// Multiples of a quarter: products and sums are exact, so that ties are ties everywhere.
    fn quarters<const R: usize>(&mut self, shape: [usize; R]) -> Tensor<R> {
        let values: Vec<f32> =
            (0..shape.iter().product()).map(|_| (self.random.u64() % 9) as f32 * 0.25 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    fn ids(&mut self, len: usize, below: u64) -> Tensor<1, Int> {
        int_tensor((0..len).map(|_| (self.random.u64() % below) as i32).collect(), &self.device)
    }

    fn params(&self, words: Vec<i32>) -> Tensor<1, Int> {
        int_tensor(words, &self.device)
    }

    /// Routing rows with ties, some requests lost, and slots as `assign_slots` gives them.
    fn rows(&mut self, rank_major: bool, by_confidence: bool, random_second: bool) -> Tensor<2> {
        let (t, e, k) = (T as u32, E as u32, K as u32);
        let gate = GateParams { num_tokens: t, d_model: D as u32, num_experts: e, k, normalised: 1 };
        let (x, w) = (self.quarters([T, D]), self.quarters([D, E]));
        let rows = ops::gate_top_k(&x, &w, &self.params(gate.to_words()), K);
        let order = match by_confidence {
            false => self.params((0..T as i32).collect()),
            true => {
                let params = OrderParams { num_tokens: t, num_experts: e, k };
                ops::token_order(&rows, &self.params(params.to_words()))
            }
        };
        let draws: Vec<f32> = self.random.uniforms(T);
        let draws = Tensor::from_data(TensorData::new(draws, [T]), &self.device);
        let slots = SlotParams {
            num_tokens: t,
            num_experts: e,
            k,
            capacity: 3,
            rank_major: u32::from(rank_major),
            random_second: u32::from(random_second),
        };
        ops::assign_slots(&order, &draws, &self.params(slots.to_words()), rows, E)
    }
}

async fn numbers<const R: usize>(tensor: Tensor<R>) -> Vec<f32> {
    tensor.into_data_async().await.expect("numbers come back").try_to_vec().expect("numbers are f32")
}

/// Runs `compute` on both devices and compares.
async fn check<const R: usize>(name: &str, compute: impl AsyncFn(&mut Inputs) -> Tensor<R>) {
    let mut results = Vec::new();
    for device in [device::cpu(), gpu().await] {
        let mut inputs = Inputs { random: SplitMix64::new(42), device };
        results.push(numbers(compute(&mut inputs).await).await);
    }
    let [twin, shader] = results.as_slice() else { unreachable!("two devices") };
    assert_eq!(twin.len(), shader.len(), "{name}");
    for (at, (a, b)) in shader.iter().zip(twin).enumerate() {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{name}, number {at}: shader {a}, twin {b}");
    }
}

fn rows(num_tokens: usize, d_model: usize) -> Vec<i32> {
    RowParams { num_tokens: num_tokens as u32, d_model: d_model as u32 }.to_words()
}

fn experts() -> Vec<i32> {
    let (num_tokens, d_model, num_experts, k) = (T as u32, D as u32, E as u32, K as u32);
    ExpertParams { num_tokens, d_model, d_expert: 40, num_experts, k }.to_words()
}

#[wasm_bindgen_test]
async fn embed_norm_and_linear() {
    check("embed", async |inputs| {
        let (ids, table) = (inputs.ids(T, 50), inputs.normal([50, D]));
        ops::embed(&ids, &table, &inputs.params(rows(T, D)))
    })
    .await;
    check("rms_norm", async |inputs| {
        let (x, gain) = (inputs.normal([T, D]), inputs.normal([D]));
        ops::rms_norm(&x, &gain, &inputs.params(rows(T, D)))
    })
    .await;
    let linear = LinearParams { num_tokens: T as u32, d_in: D as u32, d_out: 37 }.to_words();
    check("linear", async |inputs| {
        let (x, weight) = (inputs.normal([T, D]), inputs.normal([D, 37]));
        ops::linear(&x, &weight, &inputs.params(linear.clone()))
    })
    .await;
    check("linear_add", async |inputs| {
        let (x, weight, residual) = (inputs.normal([T, D]), inputs.normal([D, 37]), inputs.normal([T, 37]));
        ops::linear_add(&x, &weight, &residual, &inputs.params(linear.clone()))
    })
    .await;
}

#[wasm_bindgen_test]
async fn rope_cache_and_attention() {
    let params = AttentionParams {
        num_tokens: T as u32,
        first_position: 5,
        max_tokens: 24,
        num_heads: 4,
        num_kv_heads: 2,
        d_head: 8,
    };
    for want_cache in [true, false] {
        check("rope_cache and attention", async |inputs| {
            let (qkv, angles, cache) = (inputs.normal([T, 64]), inputs.normal([24, 2, 4]), inputs.normal([2, 24, 16]));
            let params = inputs.params(params.to_words());
            let (cache, queries) = ops::rope_cache(qkv, &angles, &params, cache, 32);
            match want_cache {
                true => cache.reshape([24, 32]),
                false => ops::attention(queries, &cache, &params, 8),
            }
        })
        .await;
    }
}

#[wasm_bindgen_test]
async fn gate_order_and_slots() {
    for (rank_major, by_confidence, random_second) in
        [(false, false, false), (true, false, false), (true, true, false), (false, true, true), (false, false, true)]
    {
        check("gate_top_k, token_order and assign_slots", async |inputs| {
            inputs.rows(rank_major, by_confidence, random_second)
        })
        .await;
    }
}

#[wasm_bindgen_test]
async fn experts_up_and_down() {
    check("expert_up and expert_down", async |inputs| {
        let routing = inputs.rows(false, false, false);
        let (x, residual) = (inputs.normal([T, D]), inputs.normal([T, D]));
        let (w_gate, w_up) = (inputs.normal([E, D, 40]), inputs.normal([E, D, 40]));
        let w_down = inputs.normal([E, 40, D]) * 0.1;
        let params = inputs.params(experts());
        let hidden = ops::expert_up(&(x * 0.2), &routing, &w_gate, &w_up, &params, T * K);
        ops::expert_down(hidden, &routing, &w_down, &residual, &params)
    })
    .await;
}

#[wasm_bindgen_test]
async fn loss_and_record() {
    check("token_loss", async |inputs| {
        let (logits, targets) = (inputs.normal([T, 50]), inputs.ids(T, 50));
        let params = LossParams { num_tokens: T as u32, vocab_size: 50 };
        ops::token_loss(&logits, &targets, &inputs.params(params.to_words()))
    })
    .await;
    check("record", async |inputs| {
        let (source, record) = (inputs.normal([T, 10]), inputs.normal([60]));
        let params = RecordParams { source_offset: 100, record_offset: 7, len: 30 };
        ops::record(&source, &inputs.params(params.to_words()), record, 30)
    })
    .await;
}
