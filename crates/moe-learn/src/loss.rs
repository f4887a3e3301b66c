//! What training minimises, on the tensor graph.

use burn::tensor::activation::{log_softmax, sigmoid, softmax};
use burn::tensor::{Int, Tensor, TensorData};
use moe_model::reference::Forward;
use moe_router::Router;
use moe_router::losses::is_choice;
use moe_router::rule::GateReads;

/// The parts of the loss, unscaled, `[1]` each.
pub struct Losses {
    /// Nats per token.
    pub cross_entropy: Tensor<1>,
    /// Mean over layers and sequences of `E · Σ f_e P_e`, f the shares of all choices and P the mean
    /// probabilities: 1 at perfect balance (Switch's loss for any number of choices).
    pub balance: Tensor<1>,
    /// Mean over layers and tokens of the squared logsumexp of the gate logits (ST-MoE, arXiv:2202.08906, eq. 5).
    pub z: Tensor<1>,
}

/// `targets`: `[sequences, tokens]`.
pub fn losses(forward: &Forward, targets: Tensor<2, Int>, router: &Router) -> Losses {
    let device = forward.logits.device();
    let [num_sequences, _, _] = forward.logits.dims();
    let num_layers = forward.layers.len() as f64;
    let num_experts = router.num_experts();
    let mut balance = Tensor::<1>::zeros([1], &device);
    let mut z = Tensor::<1>::zeros([1], &device);
    for layer in &forward.layers {
        let mut demand = vec![0.0f32; num_sequences * num_experts];
        for (sequence, routing) in layer.routings.iter().enumerate() {
            // Shares of all choices, as `moe_router::losses::per_choice` counts them.
            let choices = || routing.assignments.iter().filter(|a| is_choice(a.fate));
            let share = 1.0 / choices().count().max(1) as f32;
            for a in choices() {
                demand[sequence * num_experts + a.expert.index()] += share;
            }
        }
        let demand = Tensor::<3>::from_data(TensorData::new(demand, [num_sequences, 1, num_experts]), &device);
        let mean_probs = probabilities(router.facts().reads, layer.gate_logits.clone()).mean_dim(1);
        let scale = num_experts as f64 / num_sequences as f64;
        balance = balance + (demand * mean_probs).sum() * (scale / num_layers);

        let largest = layer.gate_logits.clone().detach().max_dim(2);
        let log_sum = (layer.gate_logits.clone() - largest.clone()).exp().sum_dim(2).log() + largest;
        z = z + log_sum.square().mean() / num_layers;
    }
    Losses { cross_entropy: cross_entropy(forward.logits.clone(), targets).mean(), balance, z }
}

/// What the balance loss evens out, as [`GateReads::shares`] computes it off the graph: the softmax; for sigmoid gates,
/// sigmoids over their sum (DeepSeek-V3, arXiv:2412.19437, eq. 18-20).
fn probabilities(reads: GateReads, gate_logits: Tensor<3>) -> Tensor<3> {
    match reads {
        GateReads::Sigmoid => {
            let scores = sigmoid(gate_logits);
            scores.clone() / scores.sum_dim(2)
        }
        _ => softmax(gate_logits, 2),
    }
}

/// Nats of each token's successor, `[sequences, tokens]`.
pub fn cross_entropy(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<2> {
    let chosen: Tensor<2> = log_softmax(logits, 2).gather(2, targets.unsqueeze_dim(2)).squeeze_dim(2);
    -chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use moe_model::reference::LayerOutcome;
    use moe_router::{RouterInput, gate_probs, losses};
    use moe_trace::{GateLogits, RoutingSpec};

    #[test]
    fn on_the_graph_they_are_what_the_router_computes() {
        // Two sequences of three tokens: groups of their own, whose balance losses are averaged.
        let values: Vec<f32> = (0..24).map(|at| ((at * 7) % 11) as f32 / 4.0 - 1.0).collect();
        let of_sequence = |values: &[f32]| GateLogits::new(4, values.to_vec()).expect("three tokens, four experts");
        let gates: Vec<GateLogits> = values.chunks(12).map(of_sequence).collect();
        let router = Router::new(RoutingSpec::default(), 4).expect("top-2 of 4");
        let routings: Vec<_> = gates.iter().map(|logits| router.route(&RouterInput::new(logits))).collect();
        let device = Device::flex();
        let layer = LayerOutcome {
            hidden: Tensor::zeros([2, 3, 2], &device),
            gate_logits: Tensor::from_data(TensorData::new(values, [2, 3, 4]), &device),
            gate_values: gates.clone(),
            routings: routings.clone(),
        };
        let forward = Forward { logits: Tensor::zeros([2, 3, 3], &device), layers: vec![layer] };
        let targets = Tensor::<2, Int>::from_data(TensorData::new(vec![1i32; 6], [2, 3]), &device);
        let found = losses(&forward, targets, &router);
        let close = |found: Tensor<1>, expected: f64| {
            let found = f64::from(found.into_scalar::<f32>());
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        };
        let mean = |of: &dyn Fn(usize) -> f64| (of(0) + of(1)) / 2.0;
        let balance = |at: usize| losses::per_choice(&gate_probs(&gates[at]), &routings[at]);
        assert!((balance(0) - balance(1)).abs() > 1e-3);
        close(found.balance, mean(&balance));
        close(found.z, mean(&|at| losses::z_loss(&gates[at], &[])));
        close(found.cross_entropy, 3.0f64.ln());
    }
}
