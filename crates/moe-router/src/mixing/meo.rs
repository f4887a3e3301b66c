//! MEO (He et al. 2023, arXiv:2310.09832): the `k` best experts merged into one per sequence.
//!
//! As [`smear`](super::smear), but with softmax over the `k` largest mean logits only: fewer experts to merge, and the
//! others stay out of it. Not causal in a decoder, for the mean has seen the end. The same in training and inference.
//! Left out: MEO's token-level attention. Known to us from the survey's description only.
//!
//! The mean logits of the first three tokens of the [running example](crate::example): the best two are experts 0 and 1,
//! and exp(1.5967) / (exp(1.5967) + exp(0.5700)) = 0.7363.
//!
//! ```
//! use moe_router::{example::assert_close, mixing::meo};
//!
//! let mean_logits = [1.5967, 0.5700, -0.5433, -0.1733];
//! assert_close(&meo::shares(&mean_logits, 2), &[0.7363, 0.2637, 0.0, 0.0]);
//! assert_close(&meo::shares(&mean_logits, 4), &[0.6075, 0.2176, 0.0715, 0.1035]); // all of them: SMEAR
//! ```

use moe_trace::MixerSpec;

use crate::gate::{softmax, top_k};
use crate::limits;
use crate::rule::{Argument, Explained, Family, Form, Mixes, Rule, Run, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "meo",
    title: "MEO",
    one_line: "The same of the k best experts only.",
    family: Family::ExpertMerging,
    paper: "He et al. 2023, arXiv:2310.09832",
    equation: None,
    needs: "sequence ids where there is more than one",
    trained_with: "the k best of all experts",
    at_inference: "the same",
    run: Run::Mixes(Mixes {
        form: Form {
            arguments: &[Argument::K],
            example: "meo:2",
            read: |given| Some(MixerSpec::Meo { k: given.count("k")? }),
            print: own!(MixerSpec::Meo { k } => vec![("k", k.into())]),
        },
        check: own!(MixerSpec::Meo { k }, num_columns => limits::choices(k, num_columns)),
        looks_ahead: true,
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "θ = Σ_{e ∈ TopK} r_e · θ_e, r = softmax(TopK(mean_t(z_t)))",
    text: "Like SMEAR, with only the k best experts merged: fewer weights to add up, and the others stay out of it.",
};

/// Softmax over the `k` largest logits; 0 for the others. All of them: the softmax. `[experts]`.
pub fn shares(logits: &[f32], k: usize) -> Vec<f64> {
    let chosen = top_k(logits, k);
    let weights = softmax(&chosen.iter().map(|&expert| logits[expert]).collect::<Vec<f32>>());
    let mut of_all = vec![0.0; logits.len()];
    chosen.into_iter().zip(weights).for_each(|(expert, weight)| of_all[expert] = weight);
    of_all
}
