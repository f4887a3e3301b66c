//! Strictly balanced gating (Shazeer et al. 2017, arXiv:1701.06538, appendix F): the first expert choice.
//!
//! Training: each expert keeps the `m = k T / E` tokens with the largest gate probability; a token's weights are its
//! probabilities over those that kept it, normalised. A token that nobody keeps is passed on by the residual alone. Not
//! causal. Inference: a learned threshold per expert, [`super::expert_threshold`], which is.
//!
//! With k = 2 every expert keeps 2 · 6 / 4 = 3 tokens of the [running example](crate::example). Token 3 is kept by three
//! experts, and its weights are `p` over 0.3635 + 0.4529 + 0.1324; the most confident one, token 4, is kept by one.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::group_choice::strictly_balanced;
//!
//! let gate_logits = example::gate_logits();
//! let mask = strictly_balanced::batch_mask(&gate_logits, 3);
//! let requests = strictly_balanced::requests(&gate_logits, &mask);
//! let of_tokens: Vec<Vec<u32>> = requests.chunk_by(|a, b| a.token == b.token).map(experts).collect();
//! assert_eq!(of_tokens, [vec![0, 1], vec![0, 1], vec![3, 2], vec![2, 1, 3], vec![0], vec![3, 2]]);
//! assert_close(&weights(&requests[6..10]), &[0.4773, 0.3831, 0.1395, 1.0]); // of tokens 3 and 4
//! ```

use moe_trace::{GateLogits, RouterSpec};

use crate::gate::{gate_probs, softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, Requests, Rule, Run, Slots, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "strictly_balanced",
    title: "Strictly balanced",
    one_line: "Every expert keeps its best tokens; weights are normalised over those that keep a token.",
    family: Family::ExpertChoice,
    paper: "Shazeer et al. 2017, arXiv:1701.06538",
    equation: Some("appendix F"),
    needs: "nothing",
    trained_with: "every expert keeps k T / E tokens",
    at_inference: "a learned threshold per expert: expert_threshold",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::K],
            example: "strictly_balanced:2",
            read: |given| Some(RouterSpec::StrictlyBalanced { k: given.count("k")? }),
            print: own!(RouterSpec::StrictlyBalanced { k } => vec![("k", k.into())]),
        },
        check: own!(RouterSpec::StrictlyBalanced { k }, num_experts => limits::choices(k, num_experts)),
        facts: own!(RouterSpec::StrictlyBalanced { k } => Facts {
            requests: Requests::AnyNumber,
            slots: Slots::Filled { average: k as f32 },
            looks_ahead: true,
            ..Facts::OF_SWITCH
        }),
        assign: |_, group| {
            let mask = batch_mask(group.gate_logits(), group.slots() as usize);
            group.admit(&requests(group.gate_logits(), &mask))
        },
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "expert e keeps the {k · T}/{E} tokens with the largest p_{t,e}, w over those that keep it",
    text: "The first rule in which experts choose: each keeps its best tokens, and a token's weights are shared \
           among the experts that kept it. Thresholds learned beside it stand in at inference, where the other \
           tokens are not known.",
};

/// Training: which tokens each expert keeps, `[tokens, experts]`. `per_expert`: `m`; ties go to the earlier token.
pub fn batch_mask(gate_logits: &GateLogits, per_expert: usize) -> Vec<bool> {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let probs = gate_probs(gate_logits);
    let mut mask = vec![false; probs.len()];
    for expert in 0..num_experts {
        let of_expert: Vec<f32> = (0..num_tokens).map(|token| probs[token * num_experts + expert]).collect();
        for token in top_k(&of_expert, per_expert) {
            mask[token * num_experts + expert] = true;
        }
    }
    mask
}

/// Requests to the experts that keep a token, most probable first. `mask`: `[tokens, experts]`.
pub fn requests(gate_logits: &GateLogits, mask: &[bool]) -> Vec<Request> {
    let num_experts = gate_logits.num_experts();
    let mut requests = Vec::new();
    for (token, (logits, mask)) in gate_logits.rows().zip(mask.chunks(num_experts)).enumerate() {
        let probs = softmax(logits);
        let kept: Vec<usize> = top_k(logits, num_experts).into_iter().filter(|&expert| mask[expert]).collect();
        // Softmax over the keepers alone is the same as dividing by their sum, which might underflow to 0.
        let weights = softmax(&kept.iter().map(|&expert| logits[expert]).collect::<Vec<f32>>());
        for (rank, (&expert, weight)) in kept.iter().zip(weights).enumerate() {
            requests.push(Request::new(token, rank, expert, weight, probs[expert]));
        }
    }
    requests
}
