//! Load losses: what an expert's load *would* be on average over the noise, which, unlike a count, has a gradient.
//!
//! `P[t,e]` is the probability that expert `e` is among token `t`'s `k` when its noise is drawn again; the expected load
//! is its sum over tokens, the loss the [squared variation](crate::metrics::squared_variation) of that.
//! Shazeer et al. 2017 (arXiv:1701.06538, eq. 8-10) compares with the k-th largest of the *other* experts' noisy logits;
//! V-MoE (arXiv:2106.05974, app. A.2, eq. 6-8) with the k-th largest of all. Tutel's unbiased variance is left out.
//!
//! Token 0 of the [running example](crate::example) with the noise of
//! [`noisy_top_k`](crate::token_choice::noisy_top_k), top-2. Expert 0 is all but safe: it would have to fall below the
//! best outsider's -0.9791, and Φ((1.85 + 0.9791) / 0.8934) = 0.9992. Expert 3 is out this time, and in with 0.6121 if
//! it draws again.
//!
//! ```
//! use moe_router::{example::assert_close, losses};
//! use moe_trace::GateLogits;
//!
//! let row = |values: [f32; 4]| GateLogits::new(4, values.to_vec()).expect("one row of four");
//! let (clean, noisy) = (row([1.85, 0.65, -1.05, -0.60]), row([1.8194, -0.8149, -0.9791, -2.1293]));
//! let probs = losses::load_probs(&clean, &noisy, &[0.8934, 0.5859, 0.8081, 0.7544], 2);
//! assert_close(&probs, &[0.9992, 0.9973, 0.3856, 0.6121]);
//! // V-MoE with a deviation of 1 for all: the second best is at its own threshold -0.8149.
//! let probs = losses::load_probs_vmoe(&clean, &noisy, 1.0, 2);
//! assert_close(&probs, &[0.9962, 0.9285, 0.4071, 0.5851]);
//! assert_close(&losses::expected_load(&[0.9, 0.1, 0.8, 0.2], 2, &[]), &[1.7, 0.3]); // of two tokens
//! ```

use moe_trace::GateLogits;

use super::real_rows;
use crate::gate::top_k;

/// Shazeer's `P`, `[tokens, experts]`: `Φ((z - threshold) / std)`.
///
/// `std`: `[tokens, experts]`, not negative. Where it is 0 nothing is left to chance, and `P` is 1 for an expert among the
/// `k` and else 0; so it is with `k = 0`, where nobody is among them, and from `k = num_experts` on, where everybody is.
pub fn load_probs(clean: &GateLogits, noisy: &GateLogits, std: &[f32], k: usize) -> Vec<f64> {
    let num_experts = clean.num_experts();
    if k == 0 || k >= num_experts {
        return vec![if k == 0 { 0.0 } else { 1.0 }; clean.values().len()];
    }
    let mut probs = Vec::with_capacity(clean.values().len());
    for (token, (clean, noisy)) in clean.rows().zip(noisy.rows()).enumerate() {
        let best = top_k(noisy, k + 1);
        let (kth, next) = (noisy[best[k - 1]], noisy[best[k]]);
        for expert in 0..num_experts {
            // Whoever is in must stay above the best outsider; whoever is out must get above the last insider.
            let threshold = if noisy[expert] > next { next } else { kth };
            let (distance, std) =
                (f64::from(clean[expert]) - f64::from(threshold), f64::from(std[token * num_experts + expert]));
            let is_chosen = || best[..k].contains(&expert);
            probs.push(if std == 0.0 { f64::from(u8::from(is_chosen())) } else { normal_cdf(distance / std) });
        }
    }
    probs
}

/// V-MoE's `P`, `[tokens, experts]`: `1 - Φ((threshold - z) / sigma)`, one threshold per token, the same `sigma` for all.
/// With `sigma = 0` it is 1 for an expert among the `k` and else 0, and with `k = 0` it is 0. A `k` beyond the number of
/// experts counts as all of them.
pub fn load_probs_vmoe(clean: &GateLogits, noisy: &GateLogits, sigma: f32, k: usize) -> Vec<f64> {
    let mut probs = Vec::with_capacity(clean.values().len());
    for (clean, noisy) in clean.rows().zip(noisy.rows()) {
        let best = top_k(noisy, k);
        let Some(&last) = best.last() else {
            probs.extend(clean.iter().map(|_| 0.0));
            continue;
        };
        let threshold = f64::from(noisy[last]);
        probs.extend(clean.iter().enumerate().map(|(expert, &z)| match sigma {
            0.0 => f64::from(u8::from(best.contains(&expert))),
            _ => normal_cdf((f64::from(z) - threshold) / f64::from(sigma)),
        }));
    }
    probs
}

/// The expected load, `[experts]`: the sum of `P` over real tokens. `is_padding`: `[tokens]`, or empty for none.
pub fn expected_load(load_probs: &[f64], num_experts: usize, is_padding: &[bool]) -> Vec<f64> {
    let mut load = vec![0.0; num_experts];
    for probs in real_rows(load_probs.chunks(num_experts), is_padding) {
        for (load, p) in load.iter_mut().zip(probs) {
            *load += p;
        }
    }
    load
}

/// The standard normal distribution function, to about 1e-15.
pub fn normal_cdf(x: f64) -> f64 {
    // Beyond 8.3 deviations the tail is below f64's resolution at 1.
    if x.abs() > 8.3 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    // Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/(3·5) + …): all terms have the same sign, so nothing cancels.
    let (mut term, mut sum, mut n) = (x, x, 1.0);
    while term.abs() > 1e-17 * sum.abs() {
        n += 2.0;
        term *= x * x / n;
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_distribution_table() {
        let check = |x: f64, expected: f64| {
            assert!((normal_cdf(x) - expected).abs() < 1e-12, "{x}: {}", normal_cdf(x));
            assert!((normal_cdf(-x) - (1.0 - expected)).abs() < 1e-12);
        };
        check(0.0, 0.5);
        check(1.0, 0.841344746068543);
        check(1.96, 0.975002104851780);
        check(3.0, 0.998650101968370);
        check(6.0, 0.999999999013412);
        check(40.0, 1.0);
    }

    #[test]
    fn nothing_is_left_to_chance_when_everyone_is_asked() {
        let logits = GateLogits::new(2, vec![3.0, -3.0]).expect("one row");
        assert_eq!(load_probs(&logits, &logits, &[0.1, 0.1], 2), [1.0, 1.0]);
    }

    #[test]
    fn without_noise_it_is_a_count() {
        // Expert 2 ties with expert 1, which stands further left and is chosen.
        let logits = GateLogits::new(3, vec![2.0, 1.0, 1.0]).expect("one row");
        assert_eq!(load_probs(&logits, &logits, &[0.0; 3], 2), [1.0, 1.0, 0.0]);
        assert_eq!(load_probs_vmoe(&logits, &logits, 0.0, 2), [1.0, 1.0, 0.0]);
        // Of one expert alone; the others have noise.
        let probs = load_probs(&logits, &logits, &[0.0, 1.0, 1.0], 1);
        assert!(probs[0] == 1.0 && (probs[1] - 0.1587).abs() < 1e-4 && (probs[2] - 0.1587).abs() < 1e-4);
    }

    #[test]
    fn nobody_and_more_than_all() {
        let logits = GateLogits::new(2, vec![1.0, 0.0]).expect("one row");
        assert_eq!(load_probs(&logits, &logits, &[1.0, 1.0], 0), [0.0, 0.0]);
        assert_eq!(load_probs(&logits, &logits, &[1.0, 1.0], 3), [1.0, 1.0]);
        assert_eq!(load_probs_vmoe(&logits, &logits, 1.0, 0), [0.0, 0.0]);
        assert_eq!(load_probs_vmoe(&logits, &logits, 1.0, 3), load_probs_vmoe(&logits, &logits, 1.0, 2));
    }

    #[test]
    fn two_experts_by_hand() {
        // Expert 0 leads by 1 and the noise has deviation 1: in with Φ(1), and expert 1 with Φ(-1).
        let logits = GateLogits::new(2, vec![1.0, 0.0]).expect("one row");
        let probs = load_probs(&logits, &logits, &[1.0, 1.0], 1);
        assert!((probs[0] - 0.8413).abs() < 1e-4 && (probs[1] - 0.1587).abs() < 1e-4);
        // V-MoE's threshold is the winner's own logit: the winner is in with Φ(0).
        let probs = load_probs_vmoe(&logits, &logits, 1.0, 1);
        assert!((probs[0] - 0.5).abs() < 1e-9 && (probs[1] - 0.1587).abs() < 1e-4);
    }
}
