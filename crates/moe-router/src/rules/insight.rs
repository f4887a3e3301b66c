//! What some rules go by besides a token's own row of the gate: prices, a level above the experts, a mean that decides for
//! everybody. For pictures of the rule; the rule itself needs no more than its spec.

use moe_trace::{BaseSolver, GateLogits, RouterSpec, SinkhornChoice};

use crate::gate::softmax;
use crate::group_choice::{best_assignment, sinkhorn};
use crate::token_choice::{hierarchical, per_sequence};

/// Of one group of tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum Insight {
    /// `[experts]`, in logits, 0 or more: what a slot at each expert costs. Tokens go where their logit less the price is
    /// largest.
    Prices(Vec<f64>),
    /// Experts stand in groups of this size, one after the other, and a first gate chooses among those.
    Groups {
        /// Experts in a group.
        size: usize,
        /// `[tokens, groups]`: probabilities of the first gate.
        shares: Vec<f64>,
    },
    /// `[experts]`: the probabilities that decide for all tokens together.
    OneDecision(Vec<f64>),
}

/// `None` where a token's own row is all there is. `spec` can run with these logits.
pub fn insight(spec: &RouterSpec, gate_logits: &GateLogits) -> Option<Insight> {
    match *spec {
        RouterSpec::Base { solver: BaseSolver::Auction | BaseSolver::Exact } => {
            Some(Insight::Prices(best_assignment::priced(gate_logits).prices))
        }
        RouterSpec::Sinkhorn { choice: SinkhornChoice::Balanced, .. } => {
            Some(Insight::Prices(sinkhorn::plan(gate_logits).prices))
        }
        RouterSpec::Hierarchical { groups, .. } => {
            let of_groups = hierarchical::group_means(gate_logits, groups as usize);
            let size = gate_logits.num_experts() / of_groups.num_experts();
            Some(Insight::Groups { size, shares: of_groups.rows().flat_map(softmax).collect() })
        }
        RouterSpec::PerSequence { .. } => {
            let mean = per_sequence::mean_logits(gate_logits, &vec![0; gate_logits.num_tokens()], 1);
            Some(Insight::OneDecision(mean.rows().flat_map(softmax).collect()))
        }
        _ => None,
    }
}
