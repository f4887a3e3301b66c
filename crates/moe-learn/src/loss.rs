//! What training minimises first of all: how surprised the model is by the next token.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// Nats of each token's successor, `[sequences, tokens]`. `logits`: `[sequences, tokens, vocabulary]`.
pub fn cross_entropy(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<2> {
    let chosen: Tensor<2> = log_softmax(logits, 2).gather(2, targets.unsqueeze_dim(2)).squeeze_dim(2);
    -chosen
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn knowing_nothing_of_three_tokens_costs_ln_3() {
        let device = Device::flex();
        let targets = Tensor::<2, Int>::from_data(TensorData::new(vec![1i32; 6], [2, 3]), &device);
        let found = cross_entropy(Tensor::zeros([2, 3, 3], &device), targets).mean().into_scalar::<f32>();
        assert!((found - 3.0f32.ln()).abs() < 1e-6, "{found}");
    }
}
