//! Random routing: the baseline that a learned gate must beat.
//!
//! `e = floor(u · E)`, weight 1, a fresh draw per token. Causal. No gate and nothing to train; inference keeps one seed, so
//! that the same text is routed alike. ([`super::thor`] draws for a whole step instead.)
//!
//! Six draws and four experts: 0.6224 · 4 = 2.49 is expert 2, 0.8901 · 4 = 3.56 is expert 3.
//!
//! ```
//! use moe_router::example::experts;
//! use moe_router::token_choice::random;
//!
//! let requests = random::requests(&[0.6224, 0.8901, 0.2158, 0.1209, 0.6412, 0.8719], 4);
//! assert_eq!(experts(&requests), [2, 3, 0, 0, 2, 3]);
//! assert!(requests.iter().all(|request| request.weight == 1.0));
//! ```

use moe_trace::RouterSpec;

use crate::input::whole;
use crate::request::Request;
use crate::rule::{Assigns, Chance, Explained, Facts, Family, Form, GateReads, Rule, Run};

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "random",
    title: "Random",
    one_line: "Any expert, drawn anew for every token: the baseline a learned gate must beat.",
    family: Family::NotLearned,
    paper: "Zuo et al. 2022 (THOR), arXiv:2110.04260",
    equation: Some("code microsoft/Stochastic-Mixture-of-Experts: inference_level 0"),
    needs: "a uniform draw per token",
    trained_with: "no training: nothing is learned",
    at_inference: "the same, with one seed",
    run: Run::Assigns(Assigns {
        form: Form { arguments: &[], example: "random", read: |_| Some(RouterSpec::Random), print: |_| Vec::new() },
        check: |_, _| Ok(()),
        facts: |_| Facts {
            reads: GateReads::Nothing,
            gate_learns: false,
            chance: Chance::Everything,
            ..Facts::OF_SWITCH
        },
        assign: |_, group| {
            let uniforms = whole(group.input.uniforms, group.num_tokens(), 0.0);
            group.admit(&requests(&uniforms, group.num_experts()))
        },
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "e = ⌊u · E⌋, w = 1",
    text: "Chance alone decides, anew for every token. Loads are nearly even and nothing can be specialised: \
           whatever a learned gate achieves is to be compared with this.",
};

/// One request per token, weight 1. `uniforms`: `[tokens]`, draws in [0, 1).
pub fn requests(uniforms: &[f32], num_experts: usize) -> Vec<Request> {
    let experts = uniforms.iter().map(|&u| ((f64::from(u) * num_experts as f64) as usize).min(num_experts - 1));
    experts.enumerate().map(|(token, expert)| Request::new(token, 0, expert, 1.0, 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_spread_over_the_experts() {
        let experts = crate::example::experts(&requests(&[0.0, 0.2499, 0.25, 0.99999994, 1.0], 4));
        assert_eq!(experts, [0, 0, 1, 3, 3]);
    }
}
