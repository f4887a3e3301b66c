//! Expert prototyping (M6-T, Yang et al. 2021, arXiv:2105.15082): several small top-1 routers side by side.
//!
//! Experts are split into equal groups of neighbours ("prototypes"); each has a softmax of its own and takes its best
//! expert. Cheaper than top-k, whose rounds wait for each other. Causal; the same in training and inference. For the
//! capacity `k` is the number of prototypes. Rank is the prototype's index, not an order of preference.
//!
//! Two prototypes of the [running example](crate::example), experts 0 and 1, and experts 2 and 3. Each half elects its own,
//! with a softmax of its own: exp(1.85) / (exp(1.85) + exp(0.65)) = 0.7685 for token 0.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::prototypes;
//!
//! let requests = prototypes::requests(&example::gate_logits(), 2);
//! assert_eq!(experts(&requests), [0, 3, 0, 2, 0, 3, 1, 2, 0, 3, 0, 3]);
//! assert_close(&weights(&requests[..4]), &[0.7685, 0.6106, 0.5842, 0.5300]); // tokens 0 and 1
//! ```

use moe_trace::{GateLogits, RouterSpec};

use crate::gate::{softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "prototypes",
    title: "Expert prototyping",
    one_line: "The best expert of each of several groups, each with a softmax of its own.",
    family: Family::TokenChoice,
    paper: "Yang et al. 2021 (M6-T), arXiv:2105.15082",
    equation: None,
    needs: "nothing",
    trained_with: "as many slots as top-k with as many choices",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::count("count")],
            example: "prototypes:2",
            read: |given| Some(RouterSpec::Prototypes { count: given.count("count")? }),
            print: own!(RouterSpec::Prototypes { count } => vec![("count", count.into())]),
        },
        check: own!(RouterSpec::Prototypes { count }, num_experts => limits::equal_groups(count, num_experts)),
        facts: own!(RouterSpec::Prototypes { count } => Facts {
            reads: GateReads::OtherSoftmax,
            requests: Requests::Exactly(count),
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::Prototypes { count }, group => {
            group.admit(&requests(group.gate_logits(), count as usize))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "y = Σ_{i ≤ k} p_{i,e*} · FFN_{i,e*}(x), each group by its own softmax",
    text: "Experts are split into k groups, each with a gate of its own that chooses one. The k choices are \
           independent and can be made at once, where the rounds of top-k wait for each other; two good experts of \
           one group exclude each other.",
};

/// One request per token and prototype. `num_prototypes` divides the number of experts.
pub fn requests(gate_logits: &GateLogits, num_prototypes: usize) -> Vec<Request> {
    let size = gate_logits.num_experts() / num_prototypes;
    let mut requests = Vec::with_capacity(gate_logits.num_tokens() * num_prototypes);
    for (token, logits) in gate_logits.rows().enumerate() {
        for (prototype, of_prototype) in logits.chunks(size).enumerate() {
            let probs = softmax(of_prototype);
            let best = top_k(of_prototype, 1)[0];
            requests.push(Request::new(token, prototype, prototype * size + best, probs[best], probs[best]));
        }
    }
    requests
}
