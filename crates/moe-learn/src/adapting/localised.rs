//! LoRAMoE's localised balance loss (arXiv:2312.09979, eq. 6-8) on the tensor graph: adapters are of two kinds, so are
//! sequences, and what an adapter does for a sequence of its own kind counts more.
//!
//! [`moe_router::losses::localized_balance`] has it as plain numbers, and a test holds the two together. Of its two
//! forms this is the one of the released code, which does not depend on the number of tokens.

use burn::tensor::{Tensor, TensorData};

/// How much more an adapter counts for its own kind, and less for the other. Ours: the released script has 0, which makes
/// all adapters alike.
pub const DELTA: f32 = 0.1;

/// Mean over the layers, `[1]`. `shares`: of each layer, `[sequences, tokens, adapters]`. `kinds`: of each sequence, 0 or
/// 1. The first half of the adapters is of kind 0.
pub fn localised(shares: &[Tensor<3>], kinds: &[usize]) -> Tensor<1> {
    let of_layer = |shares: &Tensor<3>| {
        let [num_sequences, _, num_adapters] = shares.dims();
        let weight = |kind: usize, adapter: usize| match kind_of_adapter(adapter, num_adapters) == kind {
            true => 1.0 + DELTA,
            false => 1.0 - DELTA,
        };
        let weights: Vec<f32> =
            kinds.iter().flat_map(|&kind| (0..num_adapters).map(move |adapter| weight(kind, adapter))).collect();
        let weights = TensorData::new(weights, [num_sequences, num_adapters]);
        let importance: Tensor<2> = shares.clone().sum_dim(1).reshape([num_sequences, num_adapters]);
        let weighted = importance * Tensor::<2>::from_data(weights, &shares.device());
        let count = (num_sequences * num_adapters) as f64;
        let mean = weighted.clone().mean();
        let squares = (weighted - mean.clone().unsqueeze()).square().sum();
        squares / (count - 1.0).max(1.0) / (mean.square() + 1e-10)
    };
    let num_layers = shares.len() as f64;
    let sums: Vec<Tensor<1>> = shares.iter().map(of_layer).collect();
    Tensor::cat(sums, 0).sum() / num_layers
}

/// 0 for the first half, 1 for the rest.
fn kind_of_adapter(adapter: usize, num_adapters: usize) -> usize {
    usize::from(adapter >= num_adapters.div_ceil(2))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use burn::tensor::activation::softmax;
    use moe_router::losses::localized_balance;

    use super::*;

    #[test]
    fn it_is_what_the_router_computes() {
        let values: Vec<f32> = (0..48).map(|at| ((at * 7) % 11) as f32 / 4.0 - 1.0).collect();
        let logits: Tensor<3> = Tensor::from_data(TensorData::new(values, [4, 3, 4]), &Device::flex());
        let shares = softmax(logits, 2);
        let plain: Vec<f32> = shares.clone().into_data().try_to_vec().expect("f32");
        let importance: Vec<f32> = plain
            .chunks(12)
            .flat_map(|sequence| (0..4).map(|adapter| sequence.chunks(4).map(|row| row[adapter]).sum()))
            .collect();
        for kinds in [[0, 1, 0, 1], [0, 0, 0, 0]] {
            let expected = localized_balance(&importance, &[0, 0, 1, 1], &kinds, DELTA).code;
            let found = f64::from(localised(&[shares.clone(), shares.clone()], &kinds).into_scalar::<f32>());
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
        }
    }
}
