//! A Mixture-of-Experts layer on the tensor graph: gate, router, dispatch, experts, combine.
//!
//! Dispatch and combine are products with masks, as in GShard (arXiv:2006.16668, section 2.2): `[slots, tokens]` with
//! a 1 where a slot holds a token, and `[tokens, slots]` with the token's weight for that slot. Each expert then works
//! on the slots that are really taken, and every gradient is a matrix product.

use burn::tensor::activation::{silu, softmax};
use burn::tensor::{DType, Int, Tensor, TensorData};
use moe_router::{Router, RouterInput};
use moe_trace::{GateLogits, Normalise, RouterSpec, Routing, Weighting};

use super::{TensorError, matmul_shared, one_hot};
use crate::config::ModelConfig;
use crate::weights::Block;

/// Random numbers of a layer and sequence: one uniform draw per token.
pub type Draws<'a> = dyn Fn(usize, usize) -> Vec<f32> + 'a;

/// What a layer decided.
#[derive(Debug)]
pub struct LayerOutcome {
    /// `[sequences, tokens, experts]`, on the graph.
    pub gate_logits: Tensor<3>,
    /// The same numbers, read back: one matrix per sequence.
    pub gate_values: Vec<GateLogits>,
    /// One per sequence.
    pub routings: Vec<Routing>,
}

/// `x`: `[sequences, tokens, d_model]`, normed. Gives the layer's sum of expert outputs, without the residual.
pub async fn forward(
    block: &Block,
    config: &ModelConfig,
    x: Tensor<3>,
    router: &Router,
    layer: usize,
    draws: &Draws<'_>,
) -> Result<(Tensor<3>, LayerOutcome), TensorError> {
    let [num_sequences, num_tokens, d_model] = x.dims();
    let gate_logits = matmul_shared(x.clone(), block.gate.val());
    let values = gate_logits.clone().inner_values().await?;
    let mut gate_values = Vec::with_capacity(num_sequences);
    let mut routings = Vec::with_capacity(num_sequences);
    for (sequence, values) in values.chunks(num_tokens * config.num_experts).enumerate() {
        let logits = GateLogits::new(config.num_experts, values.to_vec())
            .map_err(|error| TensorError(format!("layer {layer}, sequence {sequence}: {error}")))?;
        let uniforms = draws(layer, sequence);
        routings.push(router.route(&RouterInput::new(&logits).with_uniforms(&uniforms)));
        gate_values.push(logits);
    }

    let plan = Plan::new(&routings, config.num_experts);
    let device = x.device();
    let indices = |values: Vec<i32>, width: usize| -> Tensor<2, Int> {
        Tensor::from_data(TensorData::new(values, [num_sequences, width]), (&device, DType::I32))
    };
    let num_slots = config.num_experts * plan.slots;

    // [sequences, slots, tokens] x [sequences, tokens, d_model] -> [experts, sequences · slots, d_model]
    let dispatch = one_hot(indices(plan.token_of_slot, num_slots), num_tokens);
    let per_expert = |x: Tensor<3>| -> Tensor<3> {
        x.reshape([num_sequences, config.num_experts, plan.slots, d_model]).swap_dims(0, 1).reshape([
            config.num_experts,
            num_sequences * plan.slots,
            d_model,
        ])
    };
    let taken = per_expert(dispatch.matmul(x));
    let hidden = silu(taken.clone().matmul(block.w_gate.val())) * taken.matmul(block.w_up.val());
    let outputs = hidden
        .matmul(block.w_down.val())
        .reshape([config.num_experts, num_sequences, plan.slots, d_model])
        .swap_dims(0, 1)
        .reshape([num_sequences, num_slots, d_model]);

    let weights = combine_weights(router.spec().router, &gate_logits, &plan.experts, &plan.kept, plan.k);
    let slot_of_request = indices(plan.slot_of_request, num_tokens * plan.k);
    let combine: Tensor<4> = one_hot(slot_of_request, num_slots).reshape([num_sequences, num_tokens, plan.k, num_slots]);
    let weights: Tensor<4> = weights.unsqueeze_dim(3);
    let combine: Tensor<3> = (combine * weights).sum_dim(2).squeeze_dim(2);
    let y = combine.matmul(outputs);
    Ok((y, LayerOutcome { gate_logits, gate_values, routings }))
}

/// A routing as indices for masks. An index of -1 matches nothing.
struct Plan {
    /// Requests per token: the largest number any token made.
    k: usize,
    /// Slots per expert: the largest number any expert filled.
    slots: usize,
    /// `[sequences, experts · slots]`
    token_of_slot: Vec<i32>,
    /// `[sequences, tokens · k]`, counted through all experts.
    slot_of_request: Vec<i32>,
    /// `[sequences, tokens · k]`; -1 where a token made fewer requests.
    experts: Vec<i32>,
    /// `[sequences, tokens · k]`, 1 where a request was kept.
    kept: Vec<f32>,
}

impl Plan {
    fn new(routings: &[Routing], num_experts: usize) -> Plan {
        let all = || routings.iter().flat_map(|routing| &routing.assignments);
        let k = all().map(|a| a.rank as usize + 1).max().unwrap_or(1);
        let slots = all().filter_map(|a| a.fate.slot()).map(|slot| slot as usize + 1).max().unwrap_or(1);
        let num_tokens = routings.first().map_or(0, |routing| routing.num_tokens as usize);
        let requests = routings.len() * num_tokens * k;
        let mut plan = Plan {
            k,
            slots,
            token_of_slot: vec![-1; routings.len() * num_experts * slots],
            slot_of_request: vec![-1; requests],
            experts: vec![-1; requests],
            kept: vec![0.0; requests],
        };
        for (sequence, routing) in routings.iter().enumerate() {
            for a in &routing.assignments {
                let request = (sequence * num_tokens + a.token as usize) * k + a.rank as usize;
                plan.experts[request] = a.expert.0 as i32;
                if let Some(slot) = a.fate.slot() {
                    let slot = a.expert.index() * slots + slot as usize;
                    plan.slot_of_request[request] = slot as i32;
                    plan.token_of_slot[sequence * num_experts * slots + slot] = a.token as i32;
                    plan.kept[request] = 1.0;
                }
            }
        }
        plan
    }
}

/// The weights of all requests on the graph, `[sequences, tokens, k]`. `experts` and `kept`: `[sequences, tokens · k]`.
fn combine_weights(rule: RouterSpec, gate_logits: &Tensor<3>, experts: &[i32], kept: &[f32], k: usize) -> Tensor<3> {
    let [num_sequences, num_tokens, num_experts] = gate_logits.dims();
    let device = gate_logits.device();
    let experts: Tensor<2, Int> =
        Tensor::from_data(TensorData::new(experts.to_vec(), [num_sequences, num_tokens * k]), (&device, DType::I32));
    let chosen: Tensor<4> = one_hot(experts, num_experts).reshape([num_sequences, num_tokens, k, num_experts]);
    let probs: Tensor<4> = softmax(gate_logits.clone(), 2).unsqueeze_dim(2);
    let probs: Tensor<3> = (chosen * probs).sum_dim(3).squeeze_dim(3);
    let over = |norm: Tensor<3>| probs.clone() / norm;
    match rule {
        RouterSpec::Dense | RouterSpec::Switch | RouterSpec::TopK { weighting: Weighting::Raw, .. } => probs,
        RouterSpec::TopK { weighting: Weighting::PNorm { p }, .. } => {
            over(probs.clone().powf_scalar(p).sum_dim(2).powf_scalar(1.0 / p))
        }
        RouterSpec::Gshard { normalise: Normalise::AfterDrop, .. } => {
            let kept = Tensor::from_data(TensorData::new(kept.to_vec(), [num_sequences, num_tokens, k]), &device);
            over((probs.clone() * kept).sum_dim(2) + f32::EPSILON)
        }
        RouterSpec::TopK { .. } | RouterSpec::Gshard { .. } => over(probs.clone().sum_dim(2)),
    }
}

/// Values of a tensor that may be on an autodiff graph.
trait InnerValues {
    async fn inner_values(self) -> Result<Vec<f32>, TensorError>;
}

impl InnerValues for Tensor<3> {
    async fn inner_values(self) -> Result<Vec<f32>, TensorError> {
        let data = self.into_data_async().await.map_err(|error| TensorError(format!("{error:?}")))?;
        data.to_vec().map_err(|error| TensorError(format!("{error:?}")))
    }
}
