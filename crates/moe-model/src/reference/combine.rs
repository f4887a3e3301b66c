//! The weights of all requests on the tensor graph, so that the gate has a gradient under every rule that weighs by it.
//!
//! The router has chosen; here its weights are computed again from the gate. Every rule is a score of each expert
//! (softmax, sigmoid, …, of the logits or of what the rule makes of them) and what becomes of the chosen scores.

use burn::tensor::activation::{relu, sigmoid, softmax};
use burn::tensor::{DType, Int, Tensor, TensorData};
use moe_trace::{Normalise, RouterSpec, Routing, Weighting};

use super::plan::Plan;
use crate::routing_inputs::RoutingInputs;
use crate::tensors::one_hot;

/// What becomes of the chosen scores.
enum Combine {
    /// They are the weights, but for a factor.
    AsTheyAre(f32),
    /// They are divided by their sum over the token's requests, and multiplied by a factor.
    OverSum(f32),
    /// Divided by their sum over the requests that were kept.
    OverKept,
    /// Divided by their p-norm.
    OverNorm(f32),
}

/// Smaller than any score that matters, and keeps a token without requests from dividing by zero.
const TINY: f32 = 1e-20;

/// `[sequences, tokens, k]`; 0 where a token made fewer requests.
///
/// `gate_logits`: `[sequences, tokens, experts]`. `inputs` and `routings`: one per sequence.
pub fn weights(
    rule: RouterSpec,
    gate_logits: &Tensor<3>,
    plan: &Plan,
    inputs: &[RoutingInputs],
    routings: &[Routing],
) -> Tensor<3> {
    let [num_sequences, num_tokens, num_experts] = gate_logits.dims();
    let device = gate_logits.device();
    let shape = [num_sequences, num_tokens, plan.k];
    let constant = |values: &[f32]| Tensor::<3>::from_data(TensorData::new(values.to_vec(), shape), &device);
    let experts = TensorData::new(plan.experts.clone(), [num_sequences, num_tokens * plan.k]);
    let experts: Tensor<2, Int> = Tensor::from_data(experts, (&device, DType::I32));
    let chosen: Tensor<4> = one_hot(experts, num_experts).reshape([num_sequences, num_tokens, plan.k, num_experts]);

    let Some((scores, combine)) = score(rule, gate_logits, &chosen, inputs) else {
        return constant(&plan.router_weights(routings));
    };
    let scores: Tensor<4> = scores.unsqueeze_dim(2);
    let scores: Tensor<3> = (chosen * scores).sum_dim(3).squeeze_dim(3);
    let over = |norm: Tensor<3>| scores.clone() / norm;
    match combine {
        Combine::AsTheyAre(factor) => scores * factor,
        Combine::OverSum(factor) => over(scores.clone().sum_dim(2) + TINY) * factor,
        Combine::OverKept => over((scores.clone() * constant(&plan.kept)).sum_dim(2) + f32::EPSILON),
        Combine::OverNorm(p) => {
            // Relative to the largest, or a high power of all of them would be zero.
            let largest = scores.clone().detach().max_dim(2);
            let relative = scores.clone() / largest.clone();
            over(relative.powf_scalar(p).sum_dim(2).powf_scalar(1.0 / p) * largest)
        }
    }
}

/// A score of every expert, `[sequences, tokens, experts]`; `None` where the gate has no say in the weights.
///
/// `chosen`: `[sequences, tokens, k, experts]`, 1 where a request went.
fn score(
    rule: RouterSpec,
    gate_logits: &Tensor<3>,
    chosen: &Tensor<4>,
    inputs: &[RoutingInputs],
) -> Option<(Tensor<3>, Combine)> {
    let z = || gate_logits.clone();
    let dims = gate_logits.dims();
    let [num_sequences, num_tokens, num_experts] = dims;
    let draws = |of: fn(&RoutingInputs) -> &[f32]| {
        // What was not drawn counts as 0.
        let of_sequence =
            |inputs| of(inputs).iter().copied().chain(std::iter::repeat(0.0)).take(num_tokens * num_experts);
        let values: Vec<f32> = inputs.iter().flat_map(of_sequence).collect();
        Tensor::<3>::from_data(TensorData::new(values, dims), &gate_logits.device())
    };
    let probs = || softmax(z(), 2);
    Some(match rule {
        RouterSpec::Dense
        | RouterSpec::Switch
        | RouterSpec::TopK { weighting: Weighting::Raw, .. }
        | RouterSpec::TopP { .. }
        | RouterSpec::ExpertChoice { .. }
        | RouterSpec::NoTokenLeftBehind { .. } => (probs(), Combine::AsTheyAre(1.0)),
        RouterSpec::TopK { weighting: Weighting::Norm | Weighting::SoftmaxAfter, .. }
        | RouterSpec::StrictlyBalanced { .. }
        | RouterSpec::Gshard { normalise: Normalise::BeforeDrop, .. } => (probs(), Combine::OverSum(1.0)),
        RouterSpec::TopK { weighting: Weighting::PNorm { p }, .. } => (probs(), Combine::OverNorm(p)),
        RouterSpec::Gshard { normalise: Normalise::AfterDrop, .. } => (probs(), Combine::OverKept),
        RouterSpec::Noisy { std, .. } => {
            (softmax(z() + draws(|inputs| &inputs.normals) * std, 2), Combine::OverSum(1.0))
        }
        RouterSpec::LogitNorm { lambda, .. } => {
            let centred = z() - z().mean_dim(2);
            let spread = (centred.clone().square().mean_dim(2) + TINY).sqrt();
            (softmax(centred / spread * lambda, 2), Combine::OverSum(1.0))
        }
        RouterSpec::DenseToSparse { temperature, .. } => {
            (softmax((z() + draws(|inputs| &inputs.gumbels)) / temperature, 2), Combine::AsTheyAre(1.0))
        }
        RouterSpec::Deepseek { scale, .. } => (sigmoid(z()), Combine::OverSum(scale)),
        RouterSpec::DeepseekV2 { scale, .. } => (probs(), Combine::AsTheyAre(scale)),
        RouterSpec::Relu => (relu(z()), Combine::AsTheyAre(1.0)),
        RouterSpec::NullExperts { nulls, .. } => {
            // A null expert computes nothing, so its share goes to the true ones.
            let is_true: Vec<f32> =
                (0..num_experts).map(|expert| f32::from(u8::from(expert < num_experts - nulls as usize))).collect();
            let is_true = Tensor::<1>::from_data(TensorData::new(is_true, [num_experts]), &gate_logits.device());
            (probs() * is_true.unsqueeze(), Combine::OverSum(1.0))
        }
        RouterSpec::Hierarchical { groups, .. } => {
            (hierarchical(z(), chosen, groups as usize), Combine::AsTheyAre(1.0))
        }
        RouterSpec::Prototypes { count } => {
            let count = count as usize;
            let by_prototype = z().reshape([num_sequences, num_tokens, count, num_experts / count]);
            (softmax(by_prototype, 3).reshape(dims), Combine::AsTheyAre(1.0))
        }
        RouterSpec::PerSequence { .. } => (softmax(z().mean_dim(1), 2).expand(dims), Combine::OverSum(1.0)),
        RouterSpec::Sinkhorn { k: 1, .. } | RouterSpec::Base { .. } => (sigmoid(z()), Combine::AsTheyAre(1.0)),
        RouterSpec::Sinkhorn { .. } => (probs(), Combine::AsTheyAre(1.0)),
        RouterSpec::TopAny { .. } | RouterSpec::Hash { .. } | RouterSpec::BalancedHash | RouterSpec::Random => {
            return None;
        }
    })
}

/// Softmax over the chosen groups, by the mean of each, times softmax over the chosen experts of a group.
fn hierarchical(z: Tensor<3>, chosen: &Tensor<4>, groups: usize) -> Tensor<3> {
    let dims = z.dims();
    let [num_sequences, num_tokens, num_experts] = dims;
    let in_groups = [num_sequences, num_tokens, groups, num_experts / groups];
    // What was not chosen is put so low that no exponential sees it.
    let among = |values: Tensor<4>, is_chosen: Tensor<4>| values + (is_chosen - 1.0) * 1e9;
    let is_chosen: Tensor<4> = chosen.clone().sum_dim(2).reshape(in_groups);
    let group_is_chosen = is_chosen.clone().max_dim(3);
    let z = z.reshape(in_groups);
    let of_groups = softmax(among(z.clone().mean_dim(3), group_is_chosen), 2);
    let within = softmax(among(z, is_chosen), 3);
    (within * of_groups).reshape(dims)
}
