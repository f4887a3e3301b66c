//! One decision for many tokens: sentence-level and task-level routing (Kudugunta et al. 2021, arXiv:2110.03742).
//!
//! Sentence level: the mean of a sequence's hidden states goes through the gate once, and all its tokens follow. For a
//! linear gate the mean may as well be taken of the logits, which is what happens here. Not causal in a decoder: the
//! mean has seen the end of the sentence. Mask it to the prompt, or use Lory's shift.
//! Task level: a learned row of logits per task (language pair, domain). Causal, and at inference only the chosen
//! experts need to be loaded. Either way, train with balance losses over sequences or tasks, not tokens.

use moe_trace::{GateLogits, Weighting};

use crate::gate::computed_logits;
use crate::request::Request;
use crate::token_choice::top_k;

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

/// `k` requests per token, the same for all tokens that share a row of `shared_logits`.
///
/// `shared_logits`: `[sequences or tasks, experts]`. `row_of`: `[tokens]`.
pub fn requests(shared_logits: &GateLogits, row_of: &[usize], k: usize, weighting: Weighting) -> Vec<Request> {
    let decisions = top_k::requests(shared_logits, k, weighting);
    let decision_of = |&row: &usize| decisions[row * k..(row + 1) * k].iter();
    let tokens = row_of.iter().map(decision_of).enumerate();
    tokens.flat_map(|(token, decision)| decision.map(move |&r| Request { token: token as u32, ..r })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tokens_follow_their_sequence() {
        let gate_logits = crate::test_support::running_example();
        let sequence_of = [0, 0, 0, 1, 1, 1];
        let means = mean_logits(&gate_logits, &sequence_of, 2);
        for (found, expected) in means.row(0).iter().zip([1.5967, 0.5700, -0.5433, -0.1733]) {
            assert!((found - expected).abs() < 1e-4);
        }
        let requests = requests(&means, &sequence_of, 2, Weighting::SoftmaxAfter);
        let experts: Vec<u32> = requests.iter().map(|request| request.expert.0).collect();
        assert_eq!(experts, [0, 1, 0, 1, 0, 1, 0, 3, 0, 3, 0, 3]);
        assert_eq!(requests[11].token, 5);
    }
}
