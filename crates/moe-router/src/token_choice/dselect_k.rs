//! DSelect-k (Hazimeh et al. 2021, arXiv:2106.03760, section 3): a differentiable gate with at most `k` non-zeros, and no
//! selection anywhere.
//!
//! Each of `k` selectors writes an expert's number in binary, with a smooth step per bit; the gate is a softmax-weighted
//! mixture of the selectors. A regulariser drives the bits to 0 and 1, and with them the gate from dense to at most `k`
//! experts. Causal; at inference drop weights below 1e-6.
//! If `E` is no power of two, some codes name no expert; a second regulariser keeps selectors away from them.
//! Deviations: Google's penalty has no 1e-6 and is infinite for a selector saturated on an unreachable code; a PyTorch
//! port averages the entropy where Google and we sum it.
//!
//! One token, four experts, two selectors of two bits. The first selector says 1 with 0.8656, then 1 with 0.9314: expert 3
//! (binary 11) with 0.8656 · 0.9314 = 0.8062. The second is sure of its first bit only: expert 2 or 3.
//!
//! ```
//! use moe_router::example::assert_close;
//! use moe_router::token_choice::dselect_k::{Codes, gate};
//!
//! let (selectors, mixture) = ([0.27, 0.34, 0.66, -0.03], [0.0, -0.89]);
//! let gate = gate(&Codes { selectors: &selectors, mixture: &mixture, k: 2, num_experts: 4, gamma: 1.0 });
//! assert_close(&gate.bits, &[0.8656, 0.9314, 1.0, 0.4551]);
//! assert_close(&gate.selectors[..4], &[0.0092, 0.1251, 0.0594, 0.8062]);
//! assert_close(&gate.selectors[4..], &[0.0, 0.0, 0.5449, 0.4551]);
//! assert_close(&gate.mixture, &[0.7089, 0.2911]); // softmax(0.0, -0.89)
//! assert_close(&gate.weights, &[0.0065, 0.0887, 0.2007, 0.7040]); // 0.7089 · 0.8062 + 0.2911 · 0.4551 = 0.7040
//! ```

use crate::gate::softmax;

/// Inside logarithms and the penalty on unreachable codes.
const EPSILON: f64 = 1e-6;

/// What the two layers of the gate said, per token.
#[derive(Debug, Clone, Copy)]
pub struct Codes<'a> {
    /// `[tokens, k, bits]`: selector logits, the most significant bit first; `bits` as [`num_bits`] says.
    pub selectors: &'a [f32],
    /// `[tokens, k]`: logits of the mixture of selectors.
    pub mixture: &'a [f32],
    /// Selectors per token.
    pub k: usize,
    /// Experts there are.
    pub num_experts: usize,
    /// Width of the smooth step, 1 in the paper.
    pub gamma: f32,
}

/// The gate and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// `[tokens, k, bits]`: the bits after the smooth step, 0 to 1.
    pub bits: Vec<f64>,
    /// `[tokens, k, experts]`: each selector's distribution.
    pub selectors: Vec<f64>,
    /// `[tokens, k]`: weights of the selectors.
    pub mixture: Vec<f64>,
    /// `[tokens, experts]`: the gate. Sums to 1 if `E` is a power of two.
    pub weights: Vec<f64>,
    /// Regulariser: the selectors' entropies, summed over tokens and selectors.
    pub entropy: f64,
    /// Regulariser: `Σ 1 / (mass on experts)` over tokens and selectors; 0 if `E` is a power of two.
    pub unreachable: f64,
}

/// Bits of an expert's number: `ceil(log2 E)`, at least 1.
pub fn num_bits(num_experts: usize) -> usize {
    (num_experts.next_power_of_two().trailing_zeros() as usize).max(1)
}

/// 0 up to `-gamma / 2`, 1 from `gamma / 2` on, and between them a cubic with slope 0 at both ends.
pub fn smooth_step(x: f64, gamma: f64) -> f64 {
    if x <= -gamma / 2.0 {
        0.0
    } else if x >= gamma / 2.0 {
        1.0
    } else {
        -2.0 / gamma.powi(3) * x.powi(3) + 3.0 / (2.0 * gamma) * x + 0.5
    }
}

/// Evaluates the gate for every token.
pub fn gate(codes: &Codes) -> Gate {
    let (k, num_experts, num_bits) = (codes.k, codes.num_experts, num_bits(codes.num_experts));
    let bits: Vec<f64> =
        codes.selectors.iter().map(|&zeta| smooth_step(f64::from(zeta), f64::from(codes.gamma))).collect();
    let of_selector = |bits: &[f64], expert: usize| -> f64 {
        let is_set = |bit: usize| expert >> (num_bits - 1 - bit) & 1 == 1;
        bits.iter().enumerate().map(|(bit, &s)| if is_set(bit) { s } else { 1.0 - s }).product()
    };
    let selectors: Vec<f64> =
        bits.chunks(num_bits).flat_map(|bits| (0..num_experts).map(move |expert| of_selector(bits, expert))).collect();
    let mixture: Vec<f64> = codes.mixture.chunks(k).flat_map(softmax).collect();
    let mut weights = Vec::with_capacity(selectors.len() / k);
    for (of_token, mixture) in selectors.chunks(k * num_experts).zip(mixture.chunks(k)) {
        weights.extend((0..num_experts).map(|expert| {
            let shares = of_token.iter().skip(expert).step_by(num_experts);
            shares.zip(mixture).map(|(share, weight)| share * weight).sum::<f64>()
        }));
    }
    let reach = |selector: &[f64]| 1.0 / selector.iter().map(|share| share + EPSILON).sum::<f64>();
    let is_whole = num_experts == 1 << num_bits;
    Gate {
        entropy: selectors.iter().map(|share| -share * (share + EPSILON).ln()).sum(),
        unreachable: if is_whole { 0.0 } else { selectors.chunks(num_experts).map(reach).sum() },
        bits,
        selectors,
        mixture,
        weights,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_expert_numbers() {
        assert_eq!([1, 2, 3, 4, 5, 8, 9].map(num_bits), [1, 1, 2, 2, 3, 3, 4]);
    }

    #[test]
    fn saturated_bits_choose_one_expert_and_nothing_is_infinite() {
        // Binary 10 is expert 2. Binary 11 names nobody among three experts.
        let check = |selectors: [f32; 2], expected: [f64; 3]| {
            let codes = Codes { selectors: &selectors, mixture: &[0.3], k: 1, num_experts: 3, gamma: 1.0 };
            let gate = gate(&codes);
            assert_eq!(gate.weights, expected);
            assert!(gate.unreachable.is_finite());
        };
        check([5.0, -5.0], [0.0, 0.0, 1.0]);
        check([5.0, 5.0], [0.0, 0.0, 0.0]);
    }
}
