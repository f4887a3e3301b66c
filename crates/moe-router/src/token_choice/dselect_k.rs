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
//! let gate = gate(&Codes { selectors: &selectors, mixture: &mixture, k: 2, num_experts: 4, gamma: 1.0 })?;
//! assert_close(&gate.bits, &[0.8656, 0.9314, 1.0, 0.4551]);
//! assert_close(&gate.selectors[..4], &[0.0092, 0.1251, 0.0594, 0.8062]);
//! assert_close(&gate.selectors[4..], &[0.0, 0.0, 0.5449, 0.4551]);
//! assert_close(&gate.mixture, &[0.7089, 0.2911]); // softmax(0.0, -0.89)
//! assert_close(&gate.weights, &[0.0065, 0.0887, 0.2007, 0.7040]); // 0.7089 · 0.8062 + 0.2911 · 0.4551 = 0.7040
//! # Ok::<(), moe_router::InputError>(())
//! ```

use crate::gate::{softmax, top_k};
use crate::input::{InputError, number, positive, shape};
use crate::request::Request;
use crate::rule::{Explained, Family, InRust, Kind, Rule, Run};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "dselect_k",
    title: "DSelect-k",
    one_line: "A differentiable gate with at most k non-zeros: selectors write experts' numbers in binary.",
    family: Family::TokenChoice,
    paper: "Hazimeh et al. 2021, arXiv:2106.03760",
    equation: Some("section 3"),
    needs: "selector codes of a gate trained for it",
    trained_with: "gamma 1",
    at_inference: "weights below 1e-6 are dropped",
    run: Run::InRust(InRust { kind: Kind::Scores, module: module_path!(), instead: "top_k:2", looks_ahead: false }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "w_e = Σ_{i ≤ k} softmax(a)_i · Π_bits step(c_{i,bit})",
    text: "Each of k selectors writes an expert's number in binary with smooth steps that training drives to 0 and \
           1. The gate ends up with at most k experts without ever ranking them, so its gradient is exact all \
           along.",
};

/// Inside logarithms and the penalty on unreachable codes.
const EPSILON: f64 = 1e-6;

/// Weights below it are dropped at inference.
pub const LEAST_WEIGHT: f64 = 1e-6;

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

impl Codes<'_> {
    /// Is everything finite and of its shape?
    pub fn check(&self) -> Result<(), InputError> {
        let finite = "a finite number";
        number("selector logit", self.selectors, f32::is_finite, finite)?;
        number("mixture logit", self.mixture, f32::is_finite, finite)?;
        positive("width of the smooth step", self.gamma, "a finite number above 0, such as 1")?;
        let at_least_one = "a whole number from 1 on";
        positive("number of experts", self.num_experts as f32, at_least_one)?;
        positive("number of selectors per token", self.k as f32, at_least_one)?;
        let num_tokens = self.mixture.len() / self.k;
        shape("mixture logits", self.mixture.len(), num_tokens * self.k)?;
        shape("selector logits", self.selectors.len(), num_tokens * self.k * num_bits(self.num_experts))
    }
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

/// Evaluates the gate for every token; or says what is not finite or of another shape.
pub fn gate(codes: &Codes) -> Result<Gate, InputError> {
    codes.check()?;
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
    Ok(Gate {
        entropy: selectors.iter().map(|share| -share * (share + EPSILON).ln()).sum(),
        unreachable: if is_whole { 0.0 } else { selectors.chunks(num_experts).map(reach).sum() },
        bits,
        selectors,
        mixture,
        weights,
    })
}

/// Inference: a request to every expert of at least [`LEAST_WEIGHT`], largest first; weights are left as they are.
///
/// `weights`: `[tokens, experts]`, of a [`Gate`].
pub fn requests(weights: &[f64], num_experts: usize) -> Vec<Request> {
    let mut requests = Vec::new();
    for (token, weights) in weights.chunks(num_experts).enumerate() {
        let experts = top_k(weights, num_experts).into_iter().filter(|&expert| weights[expert] >= LEAST_WEIGHT);
        requests.extend(
            experts
                .enumerate()
                .map(|(rank, expert)| Request::new(token, rank, expert, weights[expert], weights[expert])),
        );
    }
    requests
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
            let gate = gate(&codes).expect("finite");
            assert_eq!(gate.weights, expected);
            assert!(gate.unreachable.is_finite());
            // At inference only the expert that was written is asked, if there is one.
            let asked: Vec<u32> = requests(&gate.weights, 3).iter().map(|request| request.expert.0).collect();
            assert_eq!(asked, if expected[2] > 0.0 { vec![2] } else { vec![] });
        };
        check([5.0, -5.0], [0.0, 0.0, 1.0]);
        check([5.0, 5.0], [0.0, 0.0, 0.0]);
    }

    #[test]
    fn inference_asks_the_experts_with_a_weight_largest_first() {
        let requests = requests(&[0.25, 0.0, 0.75, 9e-7, 1e-6, 0.5, 0.0, 0.5], 4);
        let found: Vec<(u32, u32, u32)> = requests.iter().map(|r| (r.token, r.rank, r.expert.0)).collect();
        assert_eq!(found, [(0, 0, 2), (0, 1, 0), (1, 0, 1), (1, 1, 3), (1, 2, 0)]);
        assert_eq!(requests[1].weight, 0.25);
    }

    #[test]
    fn codes_that_are_none_are_named() {
        let fine = Codes { selectors: &[0.0; 8], mixture: &[0.0; 4], k: 2, num_experts: 4, gamma: 1.0 };
        assert_eq!(fine.check(), Ok(()));
        let check = |codes: Codes, message: &str| assert_eq!(gate(&codes).expect_err(message).to_string(), message);
        let (nan, infinite) = ([0.0, f32::NAN], [f32::INFINITY; 8]);
        check(Codes { mixture: &nan, ..fine }, "The mixture logit at index 1 is NaN; allowed: a finite number.");
        check(
            Codes { selectors: &infinite, ..fine },
            "The selector logit at index 0 is inf; allowed: a finite number.",
        );
        let no_width = "The width of the smooth step is 0; allowed: a finite number above 0, such as 1.";
        check(Codes { gamma: 0.0, ..fine }, no_width);
        check(Codes { k: 0, ..fine }, "The number of selectors per token is 0; allowed: a whole number from 1 on.");
        check(Codes { num_experts: 0, ..fine }, "The number of experts is 0; allowed: a whole number from 1 on.");
        check(Codes { mixture: &[0.0; 3], ..fine }, "There are 3 mixture logits; allowed: 2.");
        check(Codes { selectors: &[0.0; 7], ..fine }, "There are 7 selector logits; allowed: 8.");
        assert!(gate(&Codes { selectors: &[], mixture: &[], ..fine }).expect("no token").weights.is_empty());
    }
}
