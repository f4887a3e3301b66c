//! Noisy top-k gating (Shazeer et al. 2017, arXiv:1701.06538, section 2.1, eq. 3-5): learned noise decides which experts
//! are tried.
//!
//! `H = x W_g + ε ⊙ σ`, `σ = softplus(x W_noise) + δ`, `ε ~ N(0, 1)`; top-k of `H`, then softmax over the `k` chosen
//! values. Both weight matrices start at zero, so that at first chance alone spreads the load. Causal.
//! Training adds noise, inference does not: route the clean logits with [`Weighting::SoftmaxAfter`] then.
//! `δ` is 0 in the paper and 0.01 in tensor2tensor; 0.01 keeps the load estimate differentiable, hence our default.
//! The loss that makes use of the noise is [`crate::losses::load_probs`].
//!
//! V-MoE (arXiv:2106.05974, section 2) has no learned noise: `σ = 1/E` for all, softmax over all experts before the
//! selection, weights not renormalised. That is [`noisy_logits`] with a constant and [`Weighting::Raw`].
//!
//! Token 0 of the [running example](crate::example). Expert 1 draws an unlucky -2.5001, is worth 0.65 - 2.5001 · 0.5859 =
//! -0.8149 and still comes second, but with 0.0670 where it would have had 0.2315.
//!
//! ```
//! use moe_router::example::{assert_close, experts, weights};
//! use moe_router::token_choice::noisy_top_k;
//! use moe_trace::GateLogits;
//!
//! let clean = GateLogits::new(4, vec![1.85, 0.65, -1.05, -0.60]).expect("one row of four");
//! let std = noisy_top_k::noise_std(&[0.35, -0.25, 0.20, 0.10], noisy_top_k::DEFAULT_DELTA); // softplus, then 0.01
//! assert_close(&std, &[0.8934, 0.5859, 0.8081, 0.7544]);
//! let noisy = noisy_top_k::noisy_logits(&clean, &std, &[-0.0343, -2.5001, 0.0877, -2.0271]);
//! assert_close(noisy.row(0), &[1.8194, -0.8149, -0.9791, -2.1293]);
//! assert_eq!(experts(&noisy_top_k::requests(&noisy, 2)), [0, 1]);
//! assert_close(&weights(&noisy_top_k::requests(&noisy, 2)), &[0.9330, 0.0670]); // in training
//! assert_close(&weights(&noisy_top_k::requests(&clean, 2)), &[0.7685, 0.2315]); // at inference
//! ```

use moe_trace::{GateLogits, RouterSpec, Weighting};

use crate::gate::computed_logits;
use crate::input::whole;
use crate::limits;
use crate::request::Request;
use crate::rule::{
    Argument, Assigns, Besides, Chance, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, own,
};
use crate::token_choice::top_k;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "noisy",
    title: "Noisy top-k",
    one_line: "Top-k of logits plus normal noise, softmax over the chosen.",
    family: Family::TokenChoice,
    paper: "Shazeer et al. 2017, arXiv:1701.06538",
    equation: Some("section 2.1, eq. 3-5"),
    needs: "normal draws; learned deviations where there are any",
    trained_with: "k of 2 or more, learned noise, importance and load losses 0.1",
    at_inference: "no noise: top_k:K,softmax_after",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::K, Argument::number("std")],
            example: "noisy:k=2,std=1",
            read: |given| Some(RouterSpec::Noisy { k: given.count("k")?, std: given.number("std")? }),
            print: own!(RouterSpec::Noisy { k, std } => vec![("k", k.into()), ("std", std.into())]),
        },
        check: own!(RouterSpec::Noisy { k, std }, num_experts => {
            limits::choices(k, num_experts)?;
            limits::positive("The deviation of the noise", std, "a finite number above 0, such as 1")
        }),
        facts: own!(RouterSpec::Noisy { k, .. } => Facts {
            reads: GateReads::OtherSoftmax,
            requests: Requests::Exactly(k),
            chance: Chance::Noise,
            besides: Besides::LearnedNoise,
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::Noisy { k, std }, group => {
            let normals = whole(group.input.normals, group.num_tokens() * group.num_experts(), 0.0);
            let std = whole(group.input.noise_std, normals.len(), std);
            let noisy = noisy_logits(group.gate_logits(), &std, &normals);
            group.admit_by(&noisy, &requests(&noisy, k as usize))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "H = z + ε · σ, w = softmax(TopK(H)), ε ~ N(0, 1)",
    text: "The gate's logits are shaken before the best are chosen, so that experts which are nearly as good get \
           tokens to learn from. The amount of noise is learned, and the load loss measures how likely each expert \
           would be chosen if the noise were drawn again. In inference there is no noise.",
};

/// tensor2tensor's least standard deviation.
pub const DEFAULT_DELTA: f32 = 1e-2;

/// `softplus(raw) + delta`, `[tokens, experts]`: standard deviations from the noise layer's output.
pub fn noise_std(raw: &[f32], delta: f32) -> Vec<f32> {
    // ln(1 + e^z) without overflow: max(z, 0) + ln(1 + e^-|z|).
    let softplus = |z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p();
    raw.iter().map(|&z| (softplus(f64::from(z)) + f64::from(delta)) as f32).collect()
}

/// `z + normals ⊙ std`, all `[tokens, experts]`. The draws must be finite.
pub fn noisy_logits(gate_logits: &GateLogits, std: &[f32], normals: &[f32]) -> GateLogits {
    let noise = std.iter().zip(normals).map(|(&std, &normal)| f64::from(std) * f64::from(normal));
    let noisy = gate_logits.values().iter().zip(noise).map(|(&logit, noise)| f64::from(logit) + noise);
    computed_logits(gate_logits.num_experts(), noisy)
}

/// `k` requests per token, selected on the noisy logits and weighted by softmax over them.
pub fn requests(noisy_logits: &GateLogits, k: usize) -> Vec<Request> {
    top_k::requests(noisy_logits, k, Weighting::SoftmaxAfter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_deviations_are_positive_at_any_size() {
        let check = |raw: f32, expected: f32| assert!((noise_std(&[raw], 0.0)[0] - expected).abs() < 1e-4);
        check(0.0, std::f32::consts::LN_2);
        check(0.35, 0.8834);
        check(100.0, 100.0);
        check(-100.0, 0.0);
        check(f32::MAX, f32::MAX);
    }
}
