//! From gate logits to probabilities and choices: softmax, log-sum-exp, top-k.
//!
//! Inputs are f32, sums are f64: routing compares scores, and a rounding error that would vanish in an average can
//! here send a token to another expert. Every exponential subtracts the row's maximum first, so logits of any finite
//! size are safe. On a tie the lower index wins everywhere; `torch.topk` promises nothing of the kind, `jax` does.
//!
//! Token 0 of the [running example](crate::example): what its logits become, and who wins a tie.
//!
//! ```
//! use moe_router::example::assert_close;
//! use moe_router::gate::{log_sum_exp, sigmoid, softmax, top_k};
//!
//! let logits = [1.85_f32, 0.65, -1.05, -0.60];
//! assert_close(&softmax(&logits), &[0.6932, 0.2088, 0.0381, 0.0598]);
//! assert_close(&[log_sum_exp(&logits)], &[2.2164]); // ln(exp(1.85) + …); exp(1.85 - 2.2164) = 0.6932 again
//! assert_close(&[sigmoid(1.85)], &[0.8641]); // each expert by itself
//! assert_eq!(top_k(&[0.5, 0.9, 0.5], 2), [1, 0]); // a tie: the lower index
//! ```

use std::cmp::Ordering;

use moe_trace::GateLogits;

/// Softmax of one row of logits, `[experts]`: `exp(z - max z)` over its sum. The logits need not be from a gate.
pub fn softmax<T: Copy + Into<f64>>(logits: &[T]) -> Vec<f64> {
    let largest = logits.iter().map(|&z| z.into()).fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = logits.iter().map(|&z| (z.into() - largest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|exponential| exponential / sum).collect()
}

/// Softmax over the experts for every token, `[tokens, experts]`, row-major.
pub fn gate_probs(gate_logits: &GateLogits) -> Vec<f32> {
    gate_logits.rows().flat_map(softmax).map(|p| p as f32).collect()
}

/// `ln Σ exp(z)` of one row of logits, `[experts]`.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&z| (f64::from(z) - largest).exp()).sum();
    largest + sum.ln()
}

/// `1 / (1 + exp(-z))`.
pub fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Gate logits computed from others, `[tokens, experts]`. Values too large for f32 become the largest there is. That no
/// value is NaN is for the rules to see to, at their rim.
pub(crate) fn computed_logits(num_experts: usize, values: impl IntoIterator<Item = f64>) -> GateLogits {
    let (least, most) = (f64::from(f32::MIN), f64::from(f32::MAX));
    let values = values.into_iter().map(|value| value.clamp(least, most) as f32).collect();
    GateLogits::new(num_experts, values).expect("whole rows of numbers, made finite by the clamp")
}

/// Larger first, and what is not a number last: an order of all values, in which 0 and -0 are equal.
pub(crate) fn descending<T: PartialOrd>(a: &T, b: &T) -> Ordering {
    let is_nan = |value: &T| value.partial_cmp(value).is_none();
    b.partial_cmp(a).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}

/// The indices of so many things in the order of `compare`; equal ones keep theirs. Whatever is sorted here is sorted
/// through this: for each kind of thing of its own the standard library's sort would be compiled anew.
pub fn sorted(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|&a, &b| compare(a, b));
    order
}

/// Indices by descending key; equal keys keep their order.
pub(crate) fn by_descending_key(keys: &[f32]) -> Vec<usize> {
    sorted(keys.len(), &|a, b| descending(&keys[a], &keys[b]))
}

/// Indices of the `k` largest values, largest first; equal values by lower index, NaN last. Fewer than `k` values give all.
///
/// Rules select on logits rather than probabilities: the order is the same, but softmax may turn two different small
/// logits into the same probability.
pub fn top_k<T: PartialOrd>(values: &[T], k: usize) -> Vec<usize> {
    if k > 32 && values.len() > 64 {
        // Insertion would move too much; a stable sort keeps equal values in order too.
        let mut order = sorted(values.len(), &|a, b| descending(&values[a], &values[b]));
        order.truncate(k);
        return order;
    }
    let mut best: Vec<usize> = Vec::with_capacity(k.min(values.len()) + 1);
    for (idx, value) in values.iter().enumerate() {
        // Strictly before: an equal value further left keeps its place.
        let is_before = |other: &usize| descending(value, &values[*other]) == Ordering::Less;
        let place = best.iter().position(is_before).unwrap_or(best.len());
        if place < k {
            best.insert(place, idx);
            best.truncate(k);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_softmax(logits: &[f32], expected: &[f64]) {
        let probs = softmax(logits);
        for (p, want) in probs.iter().zip(expected) {
            assert!((p - want).abs() < 5e-5, "{probs:?} should be {expected:?}");
        }
        assert_eq!(probs.len(), expected.len());
    }

    #[test]
    fn softmax_of_the_running_example_and_of_extremes() {
        check_softmax(&[1.85, 0.65, -1.05, -0.60], &[0.6932, 0.2088, 0.0381, 0.0598]);
        check_softmax(&[7.0, 7.0], &[0.5, 0.5]);
        check_softmax(&[f32::MAX, -f32::MAX], &[1.0, 0.0]);
        check_softmax(&[-3.0e38, -3.0e38, -3.0e38], &[1.0 / 3.0; 3]);
        check_softmax(&[0.3], &[1.0]);
    }

    #[test]
    fn log_sum_exp_is_the_logarithm_of_the_sum() {
        let check = |logits: &[f32], expected: f64| assert!((log_sum_exp(logits) - expected).abs() < 1e-4);
        check(&[1.85, 0.65, -1.05, -0.60], 2.2164);
        check(&[0.0, 0.0], 2.0_f64.ln());
        check(&[88.0, 88.0], 88.0 + 2.0_f64.ln());
    }

    #[test]
    fn larger_first_and_on_a_tie_the_lower_index() {
        let check = |values: &[f32], k: usize, expected: &[usize]| assert_eq!(top_k(values, k), expected);
        check(&[0.1, 0.4, 0.2], 2, &[1, 2]);
        check(&[1.0, 1.0, 1.0], 2, &[0, 1]);
        check(&[0.0, 1.0, 1.0, 2.0], 3, &[3, 1, 2]);
        check(&[0.0, -0.0], 1, &[0]);
        check(&[-0.0, 0.0], 2, &[0, 1]);
        // What is not a number comes last, wherever it stands.
        check(&[f32::NAN, 1.0, f32::NAN, f32::NEG_INFINITY, 2.0], 5, &[4, 1, 3, 0, 2]);
        check(&[-1.0e30, -f32::MAX], 5, &[0, 1]);
        check(&[1.0], 0, &[]);
        // Many of many are sorted instead of inserted: the same order, ties included.
        let values: Vec<f32> = (0..100).map(|at| (at * 37 % 10) as f32).collect();
        assert_eq!(top_k(&values, 33)[..32], top_k(&values, 32));
        let mut values = values;
        values[..40].fill(f32::NAN);
        assert_eq!(top_k(&values, 33)[..32], top_k(&values, 32));
        assert_eq!(top_k(&values, 100)[60..], (0..40).collect::<Vec<usize>>());
    }
}
