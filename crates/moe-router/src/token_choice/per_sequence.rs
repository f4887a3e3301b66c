//! Sentence-level routing (Kudugunta et al. 2021, arXiv:2110.03742): one decision for all tokens of a sequence.
//!
//! The mean of a sequence's hidden states goes through the gate once, and all its tokens follow. For a linear gate the
//! mean may as well be taken of the logits, which is what happens here. Not causal in a decoder: the mean has seen the end
//! of the sentence. Mask it to the prompt, or use Lory's shift. The rule is the same in training and inference, where a
//! decoder has no more than the mean of its prompt; train with balance losses over sequences, not tokens.
//! One row per task instead of one per sequence: [`super::per_task`].
//!
//! The [running example](crate::example) as two sequences of three tokens: token 2 would have asked experts 0 and 3, and
//! follows its sequence to 0 and 1.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::per_sequence;
//! use moe_trace::Weighting;
//!
//! let sequence_of = [0, 0, 0, 1, 1, 1];
//! let means = per_sequence::mean_logits(&example::gate_logits(), &sequence_of, 2);
//! assert_close(means.row(0), &[1.5967, 0.5700, -0.5433, -0.1733]); // (1.85 + 1.50 + 1.44) / 3 = 1.5967
//! assert_close(means.row(1), &[0.3233, 0.0367, 0.0233, 0.1533]);
//! let requests = per_sequence::requests(&means, &sequence_of, 2, Weighting::SoftmaxAfter);
//! assert_eq!(experts(&requests), [0, 1, 0, 1, 0, 1, 0, 3, 0, 3, 0, 3]);
//! assert_close(&weights(&requests[4..8]), &[0.7363, 0.2637, 0.5424, 0.4576]); // tokens 2 and 3
//! ```

use moe_trace::{GateLogits, RouterSpec, Weighting};

use crate::gate::computed_logits;
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Besides, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, own};
use crate::token_choice::top_k;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "per_sequence",
    title: "Sentence-level",
    one_line: "All tokens of a sequence follow one decision, from its mean.",
    family: Family::TokenChoice,
    paper: "Kudugunta et al. 2021, arXiv:2110.03742",
    equation: Some("section 4.1 of the survey by Cai et al. 2024"),
    needs: "sequence ids where there is more than one",
    trained_with: "k = 2",
    at_inference: "in a decoder the mean of the prompt",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::K],
            example: "per_sequence:2",
            read: |given| Some(RouterSpec::PerSequence { k: given.count("k")? }),
            print: own!(RouterSpec::PerSequence { k } => vec![("k", k.into())]),
        },
        check: own!(RouterSpec::PerSequence { k }, num_experts => limits::choices(k, num_experts)),
        facts: own!(RouterSpec::PerSequence { k } => Facts {
            reads: GateReads::WholeText,
            requests: Requests::Exactly(k),
            looks_ahead: true,
            besides: Besides::Sequences,
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::PerSequence { k }, group => {
            let (sequence_of, num_sequences) = group.input.sequences();
            let means = mean_logits(group.gate_logits(), &sequence_of, num_sequences);
            group.admit(&requests(&means, &sequence_of, k as usize, Weighting::Norm))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "z = W · mean_t(x_t), then top-k for all tokens",
    text: "One decision for a whole sentence, from the mean of its hidden states. All its tokens follow it, so a \
           sentence needs few experts; but the mean has seen the end of the sentence, which a model that writes \
           does not know.",
};

/// Mean logits of every sequence, `[sequences, experts]`; zeros for one without tokens.
///
/// `gate_logits`: `[tokens, experts]`. `sequence_of`: `[tokens]`, which of `num_sequences` a token belongs to.
pub fn mean_logits(gate_logits: &GateLogits, sequence_of: &[usize], num_sequences: usize) -> GateLogits {
    let num_experts = gate_logits.num_experts();
    let mut sums = vec![0.0; num_sequences * num_experts];
    let mut lengths = vec![0_usize; num_sequences];
    for (logits, &sequence) in gate_logits.rows().zip(sequence_of) {
        lengths[sequence] += 1;
        for (sum, &logit) in sums[sequence * num_experts..].iter_mut().zip(logits) {
            *sum += f64::from(logit);
        }
    }
    let means = sums.chunks(num_experts).zip(lengths);
    let means = means.flat_map(|(sums, length)| sums.iter().map(move |sum| sum / length.max(1) as f64));
    computed_logits(num_experts, means)
}

/// `k` requests per token, the same for all tokens of a sequence.
///
/// `mean_logits`: `[sequences, experts]`. `sequence_of`: `[tokens]`.
pub fn requests(mean_logits: &GateLogits, sequence_of: &[usize], k: usize, weighting: Weighting) -> Vec<Request> {
    let decisions = top_k::requests(mean_logits, k, weighting);
    let decision_of = |&sequence: &usize| decisions[sequence * k..(sequence + 1) * k].iter();
    let tokens = sequence_of.iter().map(decision_of).enumerate();
    tokens.flat_map(|(token, decision)| decision.map(move |&r| Request { token: token as u32, ..r })).collect()
}
