//! A Mixture-of-Experts layer on the tensor graph: gate, router, dispatch, experts, combine.
//!
//! Dispatch gathers the rows of kept tokens by expert, combine gathers the experts' rows by token and weighs them: each
//! expert works on the slots that are really taken.

use burn::tensor::activation::silu;
use burn::tensor::{DType, Int, Tensor, TensorData};
use moe_router::Router;
use moe_trace::{GateLogits, Routing};

use super::{TensorError, combine, gate, matmul_shared};
use crate::config::ModelConfig;
use crate::fused::read;
use crate::routing_inputs::RoutingInputs;
use crate::weights::Block;

/// What a layer (first) sees of a sequence (second) besides gate logits.
pub type Inputs<'a> = dyn Fn(usize, usize) -> RoutingInputs + 'a;

/// What a layer decided.
#[derive(Debug)]
pub struct LayerOutcome {
    /// `[sequences, tokens, d_model]`: the tokens' states as the gate saw them, normed.
    pub hidden: Tensor<3>,
    /// `[sequences, tokens, experts]`, on the graph.
    pub gate_logits: Tensor<3>,
    /// The same numbers, read back: one matrix per sequence.
    pub gate_values: Vec<GateLogits>,
    /// One per sequence.
    pub routings: Vec<Routing>,
}

/// `x`: `[sequences, tokens, d_model]`, normed. Gives the layer's sum of expert outputs, shared ones included, without
/// the residual.
pub async fn forward(
    block: &Block,
    config: &ModelConfig,
    x: Tensor<3>,
    router: &Router,
    layer: usize,
    inputs: &Inputs<'_>,
) -> Result<(Tensor<3>, LayerOutcome), TensorError> {
    let [num_sequences, num_tokens, d_model] = x.dims();
    let hidden = x.clone();
    let gate_logits = gate::logits(block, x.clone());
    let values = read(gate_logits.clone()).await?;
    let bias = match &block.gate_bias {
        Some(bias) => read(bias.val()).await?,
        None => Vec::new(),
    };
    let mut gate_values = Vec::with_capacity(num_sequences);
    let mut routings = Vec::with_capacity(num_sequences);
    let inputs: Vec<RoutingInputs> = (0..num_sequences).map(|sequence| inputs(layer, sequence)).collect();
    for (sequence, values) in values.chunks(num_tokens * config.num_experts).enumerate() {
        let logits = GateLogits::new(config.num_experts, values.to_vec())
            .map_err(|error| TensorError(format!("layer {layer}, sequence {sequence}: {error}")))?;
        let routing = router.try_route(&inputs[sequence].with(&logits).with_bias(&bias));
        routings.push(routing.map_err(|error| TensorError(format!("layer {layer}, sequence {sequence}: {error}")))?);
        gate_values.push(logits);
    }

    let plan = Plan::new(&routings, config.num_experts);
    let device = x.device();
    let rows = |indices: &[i32]| -> Tensor<1, Int> {
        Tensor::from_data(TensorData::new(indices.to_vec(), [indices.len()]), (&device, DType::I32))
    };
    let num_slots = plan.token_of_slot.len();

    // [tokens and a row of zeros, d_model] -> [experts, slots, d_model] -> [slots and a row of zeros, d_model]
    let zeros = || Tensor::<2>::zeros([1, d_model], &device);
    let x = Tensor::cat(vec![x.reshape([num_sequences * num_tokens, d_model]), zeros()], 0);
    let taken = x.select(0, rows(&plan.token_of_slot)).reshape([config.num_experts, plan.slots, d_model]);
    let inner = silu(taken.clone().matmul(block.w_gate.val())) * taken.matmul(block.w_up.val());
    let outputs = inner.matmul(block.w_down.val()).reshape([num_slots, d_model]);
    let outputs = Tensor::cat(vec![outputs, zeros()], 0).select(0, rows(&plan.slot_of_request));

    let weights = combine::weights(router.spec().router, &gate_logits, &plan, &inputs, &routings);
    let weights = weights.reshape([num_sequences * num_tokens, plan.k, 1]);
    let y: Tensor<2> =
        (outputs.reshape([num_sequences * num_tokens, plan.k, d_model]) * weights).sum_dim(1).squeeze_dim(1);
    let mut y = y.reshape([num_sequences, num_tokens, d_model]);
    if let Some(shared) = &block.shared {
        let inner = silu(matmul_shared(hidden.clone(), shared.w_gate.val()));
        let inner = inner * matmul_shared(hidden.clone(), shared.w_up.val());
        y = y + matmul_shared(inner, shared.w_down.val());
    }
    Ok((y, LayerOutcome { hidden, gate_logits, gate_values, routings }))
}

/// A routing as indices of rows, all sequences together. What holds nothing points to a row of zeros behind the others.
pub(super) struct Plan {
    /// Requests per token: the largest number any token made.
    pub k: usize,
    /// Slots per expert, all sequences together: the largest number any expert filled.
    slots: usize,
    /// `[experts · slots]`
    token_of_slot: Vec<i32>,
    /// `[sequences · tokens · k]`
    slot_of_request: Vec<i32>,
    /// `[sequences · tokens · k]`; -1 where a token made fewer requests.
    pub experts: Vec<i32>,
    /// `[sequences · tokens · k]`, 1 where a request was kept.
    pub kept: Vec<f32>,
}

impl Plan {
    fn new(routings: &[Routing], num_experts: usize) -> Plan {
        let all = || routings.iter().flat_map(|routing| &routing.assignments);
        let k = all().map(|a| a.rank as usize + 1).max().unwrap_or(1);
        let mut load = vec![0; num_experts];
        for a in all().filter(|a| a.fate.is_kept()) {
            load[a.expert.index()] += 1;
        }
        let slots = load.iter().copied().max().unwrap_or(0).max(1);
        let num_tokens = routings.first().map_or(0, |routing| routing.num_tokens as usize);
        let (all_tokens, all_slots) = (routings.len() * num_tokens, num_experts * slots);
        let mut plan = Plan {
            k,
            slots,
            token_of_slot: vec![all_tokens as i32; all_slots],
            slot_of_request: vec![all_slots as i32; all_tokens * k],
            experts: vec![-1; all_tokens * k],
            kept: vec![0.0; all_tokens * k],
        };
        let mut filled = vec![0; num_experts];
        for (sequence, routing) in routings.iter().enumerate() {
            for a in &routing.assignments {
                let token = sequence * num_tokens + a.token as usize;
                let request = token * k + a.rank as usize;
                plan.experts[request] = a.expert.0 as i32;
                if a.fate.is_kept() {
                    let slot = a.expert.index() * slots + filled[a.expert.index()];
                    filled[a.expert.index()] += 1;
                    plan.slot_of_request[request] = slot as i32;
                    plan.token_of_slot[slot] = token as i32;
                    plan.kept[request] = 1.0;
                }
            }
        }
        plan
    }

    /// The router's own weights, `[sequences · tokens · k]`; 0 where a token made fewer requests.
    pub fn router_weights(&self, routings: &[Routing]) -> Vec<f32> {
        let mut weights = vec![0.0; self.experts.len()];
        for (sequence, routing) in routings.iter().enumerate() {
            for a in &routing.assignments {
                let token = sequence * routing.num_tokens as usize + a.token as usize;
                weights[token * self.k + a.rank as usize] = a.weight;
            }
        }
        weights
    }
}
