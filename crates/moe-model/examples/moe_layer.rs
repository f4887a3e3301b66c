//! Start here: a Mixture-of-Experts layer from tokens to output, in plain burn. Top-2, and nobody is turned away
//! (Mixtral, arXiv:2401.04088, section 2.1). `cargo test -p moe-model --example moe_layer` holds it to the reference.

use burn::tensor::activation::{silu, softmax};
use burn::tensor::{IndexingUpdateOp, Tensor};

/// A SwiGLU feed-forward.
struct Expert {
    w_gate: Tensor<2>, // [d_model, d_expert]
    w_up: Tensor<2>,   // [d_model, d_expert]
    w_down: Tensor<2>, // [d_expert, d_model]
}

struct MoeLayer {
    gate: Tensor<2>, // [d_model, experts]
    experts: Vec<Expert>,
    k: usize,
}

impl Expert {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = silu(x.clone().matmul(self.w_gate.clone())) * x.matmul(self.w_up.clone());
        hidden.matmul(self.w_down.clone())
    }
}

impl MoeLayer {
    /// `[tokens, d_model]` in and out.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let gate_logits = x.clone().matmul(self.gate.clone()); // [tokens, experts]
        let (chosen_logits, chosen) = gate_logits.topk_with_indices(self.k, 1); // [tokens, k]
        let weights = softmax(chosen_logits, 1);
        let mut y = Tensor::zeros(x.dims(), &x.device());
        for (number, expert) in self.experts.iter().enumerate() {
            let asked = chosen.clone().equal_elem(number as i64); // [tokens, k]
            let weight = (weights.clone() * asked.clone().float()).sum_dim(1); // [tokens, 1]
            let tokens = asked.nonzero().swap_remove(0);
            if tokens.dims()[0] > 0 {
                let output = expert.forward(x.clone().select(0, tokens.clone())) * weight.select(0, tokens.clone());
                y = y.select_assign(0, tokens, output, IndexingUpdateOp::Add);
            }
        }
        y
    }
}

/// The layer of a model's block, which keeps its experts in one tensor.
fn layer_of(block: &moe_model::weights::Block) -> MoeLayer {
    let moe_model::forms::experts::Experts { w_gate, w_up, w_down } = &block.experts;
    let [num_experts, _, _] = w_gate.val().dims();
    let expert = |at: usize| {
        let [w_gate, w_up, w_down] = [w_gate, w_up, w_down].map(|all| all.val().narrow(0, at, 1).squeeze_dim(0));
        Expert { w_gate, w_up, w_down }
    };
    MoeLayer { gate: block.gate.columns().val(), experts: (0..num_experts).map(expert).collect(), k: 2 }
}

fn main() {
    let device = moe_model::Device::flex();
    let weights = moe_model::Weights::random(&moe_model::ModelConfig::tiny(), 1, &device);
    let layer = layer_of(&weights.blocks[0]);
    let tokens = weights.embedding.val().narrow(0, 0, 5);
    println!("five tokens of {} experts, two each: {}", layer.experts.len(), layer.forward(tokens));
}

#[cfg(test)]
mod tests {
    use moe_model::{Device, ModelConfig, Router, RoutingInputs, Weights, reference};
    use moe_trace::{Policy, RoutingSpec};

    #[test]
    fn it_is_the_layer_of_the_reference() {
        let weights = Weights::random(&ModelConfig::tiny(), 1, &Device::flex());
        let router = Router::new(RoutingSpec::with_policy(2, Policy::Dropless, 1.0), 4).expect("top-2 of 4");
        let inputs = |_, _| RoutingInputs::default();
        // The whole vocabulary, as if each token had variance 1.
        let x = weights.embedding.val() * 50.0;
        for block in &weights.blocks {
            let expected = reference::layer(block, x.clone().unsqueeze(), &router, 0, &inputs);
            let (expected, _) = pollster::block_on(expected).expect("the reference runs");
            let expected: Vec<f32> = expected.into_data().try_to_vec().expect("numbers are f32");
            let found = super::layer_of(block).forward(x.clone());
            let found: Vec<f32> = found.into_data().try_to_vec().expect("numbers are f32");
            assert!(expected.iter().any(|value| value.abs() > 0.01), "nothing is compared");
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{a} is not {b}");
            }
            assert_eq!(found.len(), expected.len());
        }
    }
}
