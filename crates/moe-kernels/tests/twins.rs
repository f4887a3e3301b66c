//! Shader = twin: the same operations on the same numbers, on a GPU and on the CPU. A row per kernel.
//!
//! In a browser these are tests of moe-worker, on WebGPU. Natively `cargo xtask test gpu` runs them on lavapipe.

use burn::tensor::{Device, Int, Tensor, TensorData};
use moe_kernels::device;
use moe_kernels::ops::{self, int_tensor};
use moe_kernels::params::{
    AloneParams, AttentionParams, ExpertParams, GateParams, HeadParams, LinearParams, LossParams, OrderParams,
    QkvParams, RecordParams, RowParams, SlotParams,
};
use moe_router::draws::SplitMix64;

const T: usize = 13;
const D: usize = 24;
const E: usize = 8;
const K: usize = 2;
const D_EXPERT: usize = 40;
const LINEAR: LinearParams = LinearParams { num_tokens: T as u32, d_in: D as u32, d_out: 37 };
const ROW: RowParams = RowParams { num_tokens: T as u32, d_model: D as u32 };
const ATTENTION: AttentionParams = AttentionParams {
    num_tokens: T as u32,
    first_position: 5,
    max_tokens: 24,
    num_heads: 4,
    num_kv_heads: 2,
    d_head: 8,
};
const EXPERTS: ExpertParams = ExpertParams {
    num_tokens: T as u32,
    d_model: D as u32,
    d_expert: D_EXPERT as u32,
    num_experts: E as u32,
    k: K as u32,
};

/// What a kernel of this name computes of seeded inputs: one tensor for each way to run it.
fn compute(kernel: &str, inputs: &mut Inputs) -> Vec<Tensor<1>> {
    match kernel {
        "embed" => {
            let (ids, table) = (inputs.ids(T, 50), inputs.normal([50, D]));
            vec![flat(ops::embed(&ids, &table, ROW))]
        }
        "rms_norm" => {
            let (x, gain) = (inputs.normal([T, D]), inputs.normal([D]));
            vec![flat(ops::rms_norm(&x, &gain, ROW))]
        }
        "linear" => {
            let (x, weight) = (inputs.normal([T, D]), inputs.normal([D, 37]));
            vec![flat(ops::linear(&x, &weight, LINEAR))]
        }
        "linear_add" => {
            let (x, weight, residual) = (inputs.normal([T, D]), inputs.normal([D, 37]), inputs.normal([T, 37]));
            vec![flat(ops::linear_add(&x, &weight, &residual, LINEAR))]
        }
        "rope_cache" => {
            let (cache, queries) = inputs.cache_and_queries();
            vec![flat(cache), flat(queries)]
        }
        "project_qkv" => {
            let (x, gain, weight) = (inputs.normal([T, D]), inputs.normal([D]), inputs.normal([D, 64]) * 0.2);
            let (angles, cache) = (inputs.normal([24, 2, 4]), inputs.normal([2, 24, 16]));
            let params = QkvParams::new(ATTENTION, D as u32);
            let (cache, queries) = ops::project_qkv(&x, &gain, &weight, &angles, params, cache, 32);
            vec![flat(cache), flat(queries)]
        }
        "attention" => {
            let (cache, queries) = inputs.cache_and_queries();
            let short = ops::attention(&queries, &cache, ATTENTION, 8);
            // Beyond what a workgroup looks at at once, twice; and the widest heads.
            let far = AttentionParams { first_position: 120, max_tokens: 140, d_head: 64, ..ATTENTION };
            let (queries, cache) = (inputs.normal([T, 4 * 64]), inputs.normal([2, 140, 2 * 64]));
            vec![flat(short), flat(ops::attention(&queries, &cache, far, 64))]
        }
        "gate_top_k" => [0, 1].map(|normalised| flat(inputs.chosen(normalised))).to_vec(),
        "token_order" => {
            let rows = inputs.chosen(1);
            vec![inputs.order(&rows).float()]
        }
        "assign_slots" => {
            let ways = [
                (false, false, false),
                (true, false, false),
                (true, true, false),
                (false, true, true),
                (false, false, true),
            ];
            ways.map(|(rank_major, by_confidence, random_second)| {
                flat(inputs.rows(rank_major, by_confidence, random_second))
            })
            .into_iter()
            .chain([flat(inputs.later_rows())])
            .collect()
        }
        "route_alone" => {
            let ways = [(0, u32::MAX, 0), (1, 3, 0), (1, 3, 1)];
            let run = |(normalised, capacity, random_second)| inputs.alone(normalised, capacity, random_second);
            ways.map(run).into_iter().flatten().collect()
        }
        "expert_up" => vec![flat(inputs.rows_and_hidden().1)],
        "expert_down" => {
            let (routing, hidden) = inputs.rows_and_hidden();
            let (w_down, residual) = (inputs.normal([E, D_EXPERT, D]) * 0.1, inputs.normal([T, D]));
            vec![flat(ops::expert_down(&hidden, &routing, &w_down, &residual, EXPERTS))]
        }
        "head" => {
            let (x, gain, weight) = (inputs.normal([T, D]), inputs.normal([D]), inputs.normal([D, 50]));
            let params = HeadParams { num_tokens: T as u32, d_model: D as u32, vocab_size: 50, record_offset: 9 };
            vec![ops::head(&x, &gain, &weight, params, inputs.normal([9 + T * 50 + 3]))]
        }
        "token_loss" => {
            let (logits, targets) = (inputs.normal([T, 50]), inputs.ids(T, 50));
            let params = LossParams { num_tokens: T as u32, vocab_size: 50 };
            vec![ops::token_loss(&logits, &targets, params)]
        }
        "record" => {
            let (source, record) = (inputs.normal([T, 10]), inputs.normal([60]));
            let params = RecordParams { source_offset: 100, record_offset: 7, len: 30 };
            vec![ops::record(&source, params, record, 30)]
        }
        other => panic!("{other} is not compared with its twin; give it a row here"),
    }
}

/// Every kernel on a GPU and on the CPU.
pub async fn compare(gpu: Device) {
    for kernel in ops::ALL {
        let mut results = Vec::new();
        for device in [device::cpu(), gpu.clone()] {
            let mut inputs = Inputs { random: SplitMix64::new(42), device };
            let mut numbers = Vec::new();
            for tensor in compute(kernel.name, &mut inputs) {
                let data = tensor.into_data_async().await.expect("numbers come back");
                numbers.extend(data.try_to_vec::<f32>().expect("numbers are f32"));
            }
            results.push(numbers);
        }
        let [twin, shader] = results.as_slice() else { unreachable!("two devices") };
        assert_eq!(twin.len(), shader.len(), "{}", kernel.name);
        for (at, (a, b)) in shader.iter().zip(twin).enumerate() {
            let close = (a - b).abs() <= 1e-5 * b.abs().max(1.0);
            assert!(close, "{}, number {at}: shader {a}, twin {b}", kernel.name);
        }
    }
}

#[cfg(not(target_family = "wasm"))]
#[test]
#[ignore = "needs a graphics adapter; `cargo xtask test gpu` runs it on lavapipe"]
fn every_shader_computes_what_its_twin_computes() {
    pollster::block_on(async {
        let gpu = device::gpu().await.expect("there is a graphics adapter");
        println!("on {}", gpu.name);
        compare(gpu.device).await;
    });
}

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

    fn ints(&self, values: Vec<i32>) -> Tensor<1, Int> {
        int_tensor(values, &self.device)
    }

    /// A cache that a pass has written into, and the pass's queries.
    fn cache_and_queries(&mut self) -> (Tensor<3>, Tensor<2>) {
        let (qkv, angles, cache) = (self.normal([T, 64]), self.normal([24, 2, 4]), self.normal([2, 24, 16]));
        ops::rope_cache(&qkv, &angles, ATTENTION, cache, 32)
    }

    /// Routing rows with ties, without slots yet.
    fn chosen(&mut self, normalised: u32) -> Tensor<2> {
        let (x, gate) = (self.quarters([T, D]), self.quarters([D, E]));
        let params =
            GateParams { num_tokens: T as u32, d_model: D as u32, num_experts: E as u32, k: K as u32, normalised };
        ops::gate_top_k(&x, &gate, params, K)
    }

    fn order(&self, rows: &Tensor<2>) -> Tensor<1, Int> {
        let params = OrderParams { num_tokens: T as u32, num_experts: E as u32, k: K as u32 };
        ops::token_order(rows, params)
    }

    /// Routing rows with ties, some requests lost, and slots as `assign_slots` gives them.
    fn rows(&mut self, rank_major: bool, by_confidence: bool, random_second: bool) -> Tensor<2> {
        let rows = self.chosen(1);
        let order = match by_confidence {
            false => self.ints((0..T as i32).collect()),
            true => self.order(&rows),
        };
        let draws: Vec<f32> = self.random.uniforms(T);
        let draws = Tensor::from_data(TensorData::new(draws, [T]), &self.device);
        let slots = SlotParams {
            num_tokens: T as u32,
            num_experts: E as u32,
            k: K as u32,
            capacity: 3,
            rank_major: u32::from(rank_major),
            random_second: u32::from(random_second),
            taken_offset: 0,
        };
        ops::assign_slots(&order, &draws, &self.ints(vec![0; E]), slots, rows, E)
    }

    /// Routing rows of tokens that follow others, which have taken slots, in the second of two layers.
    fn later_rows(&mut self) -> Tensor<2> {
        let rows = self.chosen(1);
        let order = self.ints((0..T as i32).collect());
        let draws = Tensor::zeros([T], &self.device);
        let taken = self.ints((0..2 * E as i32).map(|at| at % 5).collect());
        let slots = SlotParams {
            num_tokens: T as u32,
            num_experts: E as u32,
            k: K as u32,
            capacity: 5,
            rank_major: 0,
            random_second: 0,
            taken_offset: E as u32,
        };
        ops::assign_slots(&order, &draws, &taken, slots, rows, E)
    }

    /// What `route_alone` gives of tokens that come after others in the second of two layers: the record, the normed rows and
    /// the routing rows. After a norm sums are not exact, so ties are between equal columns of the gate.
    fn alone(&mut self, normalised: u32, capacity: u32, random_second: u32) -> Vec<Tensor<1>> {
        let (x, gain, half) = (self.normal([T, D]), self.normal([D]), self.normal([D, E / 2]));
        let gate = Tensor::cat(vec![half.clone(), half], 1);
        let draws: Vec<f32> = self.random.uniforms(T);
        let draws = Tensor::from_data(TensorData::new(draws, [T]), &self.device);
        let taken = self.ints((0..2 * E as i32).map(|at| at % 5).collect());
        let params = AloneParams {
            num_tokens: T as u32,
            d_model: D as u32,
            num_experts: E as u32,
            k: K as u32,
            normalised,
            capacity,
            random_second,
            taken_offset: E as u32,
            record_offset: 11,
        };
        let record = self.normal([11 + T * (E + 4 * K) + 5]);
        let (record, normed, routing) = ops::route_alone(&x, &gain, &gate, &draws, &taken, params, record, K);
        vec![record, flat(normed), flat(routing)]
    }

    /// Routing rows, and the hidden values of their requests.
    fn rows_and_hidden(&mut self) -> (Tensor<2>, Tensor<2>) {
        let routing = self.rows(false, false, false);
        let x = self.normal([T, D]) * 0.2;
        let (w_gate, w_up) = (self.normal([E, D, D_EXPERT]), self.normal([E, D, D_EXPERT]));
        let hidden = ops::expert_up(&x, &routing, &w_gate, &w_up, EXPERTS, T * K);
        (routing, hidden)
    }
}

fn flat<const R: usize>(tensor: Tensor<R>) -> Tensor<1> {
    let len: usize = tensor.dims().iter().product();
    tensor.reshape([len])
}
