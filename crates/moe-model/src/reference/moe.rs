//! A Mixture-of-Experts layer on the tensor graph: gate, router, dispatch, experts, combine.
//!
//! Dispatch gathers the rows of kept tokens by expert, combine gathers the experts' rows by token and weighs them: each
//! expert works on the slots that are really taken.

use burn::tensor::{Tensor, TensorData};
use moe_router::Router;
use moe_trace::{GateLogits, Mixing, Routing};

use super::combine;
use super::plan::Plan;
use crate::read_back::{TensorError, read};
use crate::routing_inputs::RoutingInputs;
use crate::tensors::row_numbers;
use crate::weights::Block;

/// What a layer (first) sees of a sequence (second) besides gate logits.
pub type Inputs<'a> = dyn Fn(usize, usize) -> RoutingInputs + 'a;

/// What a layer decided.
#[derive(Debug)]
pub struct LayerOutcome {
    /// `[sequences, tokens, d_model]`: the tokens' states as the gate saw them, normed.
    pub hidden: Tensor<3>,
    /// The same shape: what the layer adds to them, shared experts included.
    pub output: Tensor<3>,
    /// `[sequences, tokens, experts]`, on the graph.
    pub gate_logits: Tensor<3>,
    /// The same numbers, read back: one matrix per sequence.
    pub gate_values: Vec<GateLogits>,
    /// One per sequence; none where the rule mixes.
    pub routings: Vec<Routing>,
    /// The same of a rule that mixes.
    pub mixings: Vec<Mixing>,
}

/// `x`: `[sequences, tokens, d_model]`, normed. Gives the layer's sum of expert outputs, shared ones included, without
/// the residual.
pub async fn layer(
    block: &Block,
    x: Tensor<3>,
    router: &Router,
    number: usize,
    inputs: &Inputs<'_>,
) -> Result<(Tensor<3>, LayerOutcome), TensorError> {
    let [num_sequences, num_tokens, d_model] = x.dims();
    let hidden = x.clone();
    let num_experts = router.num_experts();
    let mut gate_logits = block.gate.forward(x.clone());
    let values = read(gate_logits.clone()).await?;
    let bias = match &block.selection_bias {
        Some(bias) => read(bias.val()).await?,
        None => Vec::new(),
    };
    let mut gate_values = Vec::with_capacity(num_sequences);
    let mut routings = Vec::with_capacity(num_sequences);
    let inputs: Vec<RoutingInputs> = (0..num_sequences).map(|sequence| inputs(number, sequence)).collect();
    for (sequence, values) in values.chunks(num_tokens * num_experts).enumerate() {
        let logits = GateLogits::new(num_experts, values.to_vec())
            .map_err(|error| TensorError(format!("layer {number}, sequence {sequence}: {error}")))?;
        let changes = &inputs[sequence].changes;
        let logits = changes.bend(0, logits);
        let routing = router.try_route(&inputs[sequence].with(&logits).with_bias(&changes.bias(&bias)));
        routings.push(routing.map_err(|error| TensorError(format!("layer {number}, sequence {sequence}: {error}")))?);
        gate_values.push(logits);
    }

    let device = x.device();
    if inputs.iter().any(|inputs| !inputs.changes.is_empty()) {
        // Nobody trains on logits that a reader has bent.
        let values: Vec<f32> = gate_values.iter().flat_map(|logits| logits.values()).copied().collect();
        gate_logits = Tensor::from_data(TensorData::new(values, [num_sequences, num_tokens, num_experts]), &device);
    }
    let plan = Plan::new(&routings, num_experts);
    let computed =
        routings.iter().zip(&inputs).map(|(routing, inputs)| inputs.changes.computed_by(routing).into_owned());
    let computed = Plan::new(&computed.collect::<Vec<_>>(), num_experts);

    // [tokens and a row of zeros, d_model] -> [experts, slots, d_model] -> [slots and a row of zeros, d_model]
    let zeros = || Tensor::<2>::zeros([1, d_model], &device);
    let x = Tensor::cat(vec![x.reshape([num_sequences * num_tokens, d_model]), zeros()], 0);
    let taken =
        x.select(0, row_numbers(&computed.token_of_slot, &device)).reshape([num_experts, computed.slots, d_model]);
    let outputs = block.experts.forward(taken).reshape([num_experts * computed.slots, d_model]);
    let outputs = Tensor::cat(vec![outputs, zeros()], 0).select(0, row_numbers(&computed.slot_of_request, &device));

    let weights = combine::weights(router.spec().router, &gate_logits, &plan, &inputs, &routings);
    let weights = weights.reshape([num_sequences * num_tokens, plan.k, 1]);
    let y: Tensor<2> =
        (outputs.reshape([num_sequences * num_tokens, plan.k, d_model]) * weights).sum_dim(1).squeeze_dim(1);
    let mut y = y.reshape([num_sequences, num_tokens, d_model]);
    if let Some(shared) = &block.shared_experts {
        y = y + shared.forward(hidden.clone());
    }
    let output = y.clone();
    Ok((y, LayerOutcome { hidden, output, gate_logits, gate_values, routings, mixings: Vec::new() }))
}
