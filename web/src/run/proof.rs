//! A recorded decision taken again on this page: the same router on the recorded gate logits, both results side by side.

use std::borrow::Cow;

use moe_router::rule::{Besides, GateReads};
use moe_router::{Router, RouterInput, rules};
use moe_trace::{Assignment, GateLogits, Overflow, Priority, TokenId};

use crate::run::scene::Scene;

/// Weights may differ by so much, relative to the larger of 1 and the weight: the kernels' own tests hold them to it.
pub const TOLERANCE: f32 = 1e-5;

/// The same decision twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// A request by rank, as recorded and as computed again; one of them is `None` where the other has no counterpart.
    pub requests: Vec<(Option<Assignment>, Option<Assignment>)>,
    /// Slots per expert, as recorded and as computed again.
    pub capacity: (Option<u32>, Option<u32>),
    /// The largest difference of two weights.
    pub difference: f32,
    /// Same experts, ranks, slots and fates, and weights within the tolerance?
    pub holds: bool,
    /// Was a selection bias, which the rule may have learned, taken for 0?
    pub without_bias: bool,
}

/// Why a decision cannot be taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAgain {
    NoGateLogits,
    Chance,
    Bias,
    Frequencies,
    TokenIds,
    Spec,
}

impl NotAgain {
    pub fn why(self) -> Cow<'static, str> {
        match self {
            NotAgain::NoGateLogits => say!("The gate logits were not recorded, so the decision cannot be taken again."),
            NotAgain::Chance => {
                say!(
                    "Chance has a say in this rule, and the draws are not in the trace: it cannot be taken again from it."
                )
            }
            NotAgain::Bias => {
                say!(
                    "A selection bias that the model has learned takes part, and this trace does not hold it: the choice \
                 cannot be taken again from it."
                )
            }
            NotAgain::Frequencies => {
                say!("The rule looks at how frequent each token is in the training text, which no trace holds.")
            }
            NotAgain::TokenIds => say!("The rule looks at the tokens' ids, and this trace does not have them all."),
            NotAgain::Spec => say!("The rule cannot be run on so many experts."),
        }
    }
}

/// Routes the group of a token again and compares what becomes of the token.
pub fn again(scene: &Scene, layer: usize, token: usize) -> Result<Comparison, NotAgain> {
    let recording = &scene.recording;
    let group = scene.groups[scene.tokens[token].group];
    let step = &recording.steps[group.step];
    let traced = step.layers.get(layer).ok_or(NotAgain::NoGateLogits)?;
    let recorded = traced.routing().ok_or(NotAgain::NoGateLogits)?;
    let spec = recording.request.routing;
    let facts = rules::facts(&spec.router);
    let by_lot = matches!(spec.overflow, Overflow::Drop(slots)
        if matches!(slots.priority, Priority::Random | Priority::RandomPerExpert));
    if facts.chance.draws_live() || by_lot {
        return Err(NotAgain::Chance);
    }
    if facts.besides == Besides::TokenFrequencies {
        return Err(NotAgain::Frequencies);
    }
    let ids: Option<Vec<TokenId>> = step.tokens.iter().map(|token| token.id).collect();
    if facts.besides == Besides::TokenIds && ids.is_none() {
        return Err(NotAgain::TokenIds);
    }
    let num_experts = recorded.num_experts as usize;
    // A rule that reads no gate is given one that says nothing.
    let silent = || GateLogits::new(num_experts, vec![0.0; num_experts * step.tokens.len()]).ok();
    let logits = match facts.reads {
        GateReads::Nothing => silent(),
        _ => traced.gate_logits.clone(),
    };
    let logits = logits.filter(|logits| logits.num_tokens() == group.num_tokens).ok_or(NotAgain::NoGateLogits)?;
    let router = Router::new(spec, num_experts).map_err(|_| NotAgain::Spec)?;
    let bias = traced.selection_bias.as_deref().unwrap_or_default();
    let ids = ids.unwrap_or_default();
    let input = RouterInput::new(&logits).with_token_ids(&ids).with_bias(bias);
    let again = router.try_route(&input).map_err(|_| NotAgain::Spec)?;

    let at = (token - group.first) as u32;
    let (before, after) = (recorded.of_token(at), again.of_token(at));
    let pair = |rank: usize| (before.get(rank).copied(), after.get(rank).copied());
    let requests: Vec<_> = (0..before.len().max(after.len())).map(pair).collect();
    let difference_of = |pair: &(Option<Assignment>, Option<Assignment>)| match pair {
        (Some(before), Some(after)) => (before.weight - after.weight).abs(),
        _ => 0.0,
    };
    let difference = requests.iter().map(difference_of).fold(0.0, f32::max);
    let is_same = |pair: &(Option<Assignment>, Option<Assignment>)| match pair {
        (Some(before), Some(after)) => {
            let decided = |of: &Assignment| (of.expert, of.rank, of.fate);
            decided(before) == decided(after)
                && (before.weight - after.weight).abs() <= TOLERANCE * before.weight.abs().max(1.0)
        }
        _ => false,
    };
    let holds = requests.iter().all(is_same) && recorded.capacity == again.capacity;
    let without_bias = facts.besides == Besides::LearnedBias && bias.is_empty();
    if without_bias && !holds {
        return Err(NotAgain::Bias);
    }
    Ok(Comparison { requests, capacity: (recorded.capacity, again.capacity), difference, holds, without_bias })
}
