//! No token left behind (Fedus et al. 2021, arXiv:2101.03961, appendix B; mesh-TensorFlow's `_ntlb_gating`): a token
//! that was turned away tries its second choice, then its third.
//!
//! All tokens try their first choice in order of position, then those still unserved their second, and so on. At most
//! one expert per token, weighted by the probability of the expert that took it. Not causal: later first choices come
//! before earlier second ones. The same in training and inference, where a token that is generated alone always gets its
//! first choice. The authors found no gain from it.
//! mesh's own balance loss for this averages over the choices as well. Ours count first choices as records of rank 0,
//! while a record here has the rank that served its token: give them the routing of Switch on the same logits.
//!
//! The [running example](crate::example) with two slots per expert: four tokens want expert 0. Tokens 2 and 4 come too late
//! and try their second choices, experts 3 and 1, which have room. With one try they are lost.
//!
//! ```
//! use moe_router::{example, token_choice::no_token_left_behind};
//!
//! let kept = |tries| {
//!     let routing = no_token_left_behind::route(&example::gate_logits(), 2, tries);
//!     let choice_and_expert = |a: &moe_trace::Assignment| a.fate.is_kept().then_some((a.rank, a.expert.0));
//!     routing.assignments.iter().map(choice_and_expert).collect::<Vec<_>>()
//! };
//! assert_eq!(kept(4), [Some((0, 0)), Some((0, 0)), Some((1, 3)), Some((0, 2)), Some((1, 1)), Some((0, 3))]);
//! assert_eq!(kept(1), [Some((0, 0)), Some((0, 0)), None, Some((0, 2)), None, Some((0, 3))]);
//! ```

use moe_trace::{Assignment, Fate, GateLogits, RouterSpec, Routing};

use crate::gate::{softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Explained, Facts, Family, Form, Rule, Run, Slots, own};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "no_token_left_behind",
    title: "No token left behind",
    one_line: "Switch, but who is turned away tries the next best expert.",
    family: Family::TokenChoice,
    paper: "Fedus et al. 2021, arXiv:2101.03961",
    equation: Some("appendix B"),
    needs: "nothing",
    trained_with: "a few tries; no gain was found",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::count("tries").optional()],
            example: "no_token_left_behind:4",
            read: |given| Some(RouterSpec::NoTokenLeftBehind { tries: given.count("tries").unwrap_or(4) }),
            print: own!(RouterSpec::NoTokenLeftBehind { tries } => vec![("tries", tries.into())]),
        },
        check: own!(RouterSpec::NoTokenLeftBehind { tries }, _num_experts => {
            // More tries than experts are as good as all: the source takes the smaller number.
            limits::positive("The number of tries", tries as f32, "a whole number from 1 on, such as 4")
        }),
        facts: own!(RouterSpec::NoTokenLeftBehind { tries } => Facts {
            slots: Slots::OwnOrder { looks_ahead: tries > 1 },
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::NoTokenLeftBehind { tries }, group => {
            Routing { capacity: group.capacity, ..route(group.gate_logits(), group.slots(), tries as usize) }
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "e = first expert with room among the token's best",
    text: "Who is turned away asks its next best expert, until one has room or the tries are used up. First choices \
           of all tokens come before second ones. Its authors found that saving these tokens gains nothing \
           measurable.",
};

/// One record per token. Its rank says which choice took it; a token that failed `tries` times is lost at its first.
///
/// `capacity`: slots per expert. `tries`: 4 in mesh-TensorFlow; more than there are experts are as good as all.
pub fn route(gate_logits: &GateLogits, capacity: u32, tries: usize) -> Routing {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let choices: Vec<Vec<usize>> = gate_logits.rows().map(|logits| top_k(logits, tries.max(1))).collect();
    let mut taken = vec![0; num_experts];
    let mut served: Vec<Option<(usize, u32)>> = vec![None; num_tokens];
    for rank in 0..tries.min(num_experts) {
        for (served, choices) in served.iter_mut().zip(&choices) {
            let next_slot = &mut taken[choices[rank]];
            if served.is_none() && *next_slot < capacity {
                *served = Some((rank, *next_slot));
                *next_slot += 1;
            }
        }
    }
    let records = gate_logits.rows().zip(served).enumerate();
    let assignments: Vec<Assignment> = records
        .map(|(token, (logits, served))| {
            let (rank, fate) = served.map_or((0, Fate::Lost), |(rank, slot)| (rank, Fate::Kept { slot }));
            let expert = choices[token][rank];
            let p = softmax(logits)[expert];
            Request::new(token, rank, expert, p, p).met(fate)
        })
        .collect();
    let (num_tokens, num_experts) = (num_tokens as u32, num_experts as u32);
    Routing { num_tokens, num_experts, capacity: Some(capacity), assignments }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(capacity: u32, tries: usize, expected: &[&str; 6]) {
        let routing = route(&crate::example::gate_logits(), capacity, tries);
        let found: Vec<String> = routing
            .assignments
            .iter()
            .map(|a| format!("{}@{}{}", a.rank, a.expert, if a.fate.is_kept() { "" } else { " lost" }))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn who_failed_every_try_is_lost_at_the_first() {
        check(1, 4, &["0@0", "1@1", "0@0 lost", "0@2", "0@0 lost", "0@3"]);
    }
}
