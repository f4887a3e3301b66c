//! Dense gating (Jacobs et al. 1991; Jordan and Jacobs 1994; Eigen et al. 2013): every expert serves every token,
//! weighted by the whole softmax.
//!
//! `y_t = Σ_e p[t,e] · FFN_e(x_t)` with `p = softmax(z)`. Causal. The same in training and inference.
//! There is no choice, hence no capacity and no drop: a spec's capacity is ignored. What this costs is the point of
//! all the other rules: `E` expert evaluations per token instead of `k`.
//! Ours: records are ranked by descending probability, so that rank 0 means "first choice" as everywhere else.
//!
//! Token 5 of the [running example](crate::example) prefers expert 3, and asks all four:
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::dense;
//!
//! let requests = dense::requests(&example::gate_logits());
//! assert_eq!(requests.len(), 24); // six tokens, four requests each
//! assert_eq!(experts(&requests[20..]), [3, 2, 0, 1]);
//! assert_close(&weights(&requests[20..]), &[0.5358, 0.2178, 0.1932, 0.0532]);
//! ```

use moe_trace::{GateLogits, RouterSpec};

use crate::gate::{softmax, top_k};
use crate::request::Request;
use crate::rule::{Assigns, Explained, Facts, Family, Form, Requests, Rule, Run, Slots};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "dense",
    title: "Dense",
    one_line: "Every expert serves every token, weighted by the whole softmax.",
    family: Family::Dense,
    paper: "Jacobs et al. 1991; Jordan and Jacobs 1994; Eigen et al. 2013",
    equation: Some("eq. 1-2 of the survey by Cai et al. 2024"),
    needs: "nothing",
    trained_with: "all experts",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form { arguments: &[], example: "dense", read: |_| Some(RouterSpec::Dense), print: |_| Vec::new() },
        check: |_, _| Ok(()),
        facts: |_| Facts { requests: Requests::Everyone, slots: Slots::ForEveryone, ..Facts::OF_SWITCH },
        assign: |_, group| group.admit(&requests(group.gate_logits())),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "y = Σ_e p_e · FFN_e(x), p = softmax(z)",
    text: "Every expert computes and the gate only says how much each counts. Nothing is chosen, so nothing can be \
           full and the gate's gradient is exact; the price is E expert evaluations for every token, which is what \
           all the other rules avoid.",
};

/// Every expert for every token, by descending gate probability: `tokens · experts` requests.
pub fn requests(gate_logits: &GateLogits) -> Vec<Request> {
    let mut requests = Vec::with_capacity(gate_logits.values().len());
    for (token, logits) in gate_logits.rows().enumerate() {
        let probs = softmax(logits);
        for (rank, expert) in top_k(logits, logits.len()).into_iter().enumerate() {
            requests.push(Request::new(token, rank, expert, probs[expert], probs[expert]));
        }
    }
    requests
}
