//! One checked entry to all rules that assign: a spec becomes a [`Router`] once, and a router turns gate logits into a
//! routing.

use std::collections::BTreeMap;

use moe_trace::{
    BaseSolver, GateLogits, Normalise, Overflow, RouterSpec, Routing, RoutingSpec, SinkhornChoice, TokenId, Weighting,
};

use crate::capacity::capacity;
use crate::check;
use crate::dispatch::admit;
use crate::group_choice::{auction, best_assignment, expert_choice, sinkhorn, strictly_balanced};
use crate::input::{InputError, RouterInput};
use crate::overflow::no_token_left_behind;
use crate::padding::RealTokens;
use crate::spec_error::SpecError;
use crate::token_choice::deepseek::{self, DeepSeek};
use crate::token_choice::{
    dense, dense_to_sparse, gshard, hash, hierarchical, logit_norm, noisy_top_k, null_experts, per_sequence,
    prototypes, random, relu, switch, top_any, top_k, top_p,
};

/// A routing spec, checked against the number of experts it will meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Router {
    spec: RoutingSpec,
    num_experts: usize,
}

impl Router {
    /// Checks `spec` for layers of `num_experts` experts.
    pub fn new(spec: RoutingSpec, num_experts: usize) -> Result<Router, SpecError> {
        check::rule(spec.router, num_experts)?;
        check::overflow(spec.overflow)?;
        Ok(Router { spec, num_experts })
    }

    /// Routes one group of tokens. Cannot fail where [`RouterInput::check`] finds nothing and the logits are of as many
    /// experts as this router was made for: anything else is the caller's bug, and panics with the message that
    /// [`try_route`](Router::try_route) returns.
    pub fn route(&self, input: &RouterInput) -> Routing {
        self.route_with_capacity(input, self.capacity(input.num_real_tokens()))
    }

    /// Routes with a given number of slots per expert, instead of the one that follows from the number of tokens: to
    /// route a prefix as part of a longer text. Where nobody is ever turned away, by the rule or by
    /// [`Overflow::Dropless`], it is ignored. Panics as [`route`](Router::route) does.
    pub fn route_with_capacity(&self, input: &RouterInput, capacity: Option<u32>) -> Routing {
        match self.checked(input) {
            Ok(()) => self.route_checked(input, capacity),
            Err(error) => panic!("{error}"),
        }
    }

    /// Routes one group of tokens whose draws, ids or learned numbers come from outside; NaN and infinities are refused.
    pub fn try_route(&self, input: &RouterInput) -> Result<Routing, InputError> {
        self.checked(input)?;
        Ok(self.route_checked(input, self.capacity(input.num_real_tokens())))
    }

    fn checked(&self, input: &RouterInput) -> Result<(), InputError> {
        let found = input.gate_logits.num_experts();
        if found != self.num_experts {
            return Err(InputError::Experts { checked: self.num_experts, found });
        }
        if let (RouterSpec::Hierarchical { groups, .. }, Some(of_groups)) = (self.spec.router, input.group_logits) {
            let (groups, found) = (groups as usize, of_groups.num_experts());
            if found != groups {
                return Err(InputError::Groups { groups, found });
            }
        }
        input.check()
    }

    fn route_checked(&self, input: &RouterInput, capacity: Option<u32>) -> Routing {
        let capacity = if self.fills_experts() || self.can_drop() { capacity } else { None };
        if input.is_padding.contains(&true) {
            let real = RealTokens::of(input);
            return real.with_padding(self.assign(&real.input(), capacity));
        }
        self.assign(input, capacity)
    }

    /// Every rule, on tokens that are all real.
    fn assign(&self, input: &RouterInput, capacity: Option<u32>) -> Routing {
        let RouterInput { gate_logits, uniforms, gumbels, .. } = *input;
        let (num_tokens, num_experts) = (gate_logits.num_tokens(), self.num_experts);
        let admit_by =
            |logits: &GateLogits, requests: &[_]| admit(requests, logits, input.lots, self.spec.overflow, capacity);
        let requests = match self.spec.router {
            RouterSpec::Dense => dense::requests(gate_logits),
            RouterSpec::Switch => switch::requests(gate_logits),
            RouterSpec::TopK { k, weighting } => top_k::requests(gate_logits, k as usize, weighting),
            RouterSpec::Gshard { second, normalise } => {
                gshard::requests(gate_logits, second, normalise, uniforms, gumbels)
            }
            RouterSpec::Noisy { k, std } => {
                let normals = padded(input.normals, num_tokens * num_experts, 0.0);
                let std = padded(input.noise_std, normals.len(), std);
                let noisy = noisy_top_k::noisy_logits(gate_logits, &std, &normals);
                return admit_by(&noisy, &noisy_top_k::requests(&noisy, k as usize));
            }
            RouterSpec::LogitNorm { k, lambda } => {
                let normalised = logit_norm::normalised(gate_logits, lambda);
                return admit_by(&normalised, &top_k::requests(&normalised, k as usize, Weighting::Norm));
            }
            RouterSpec::DenseToSparse { temperature, threshold } => {
                dense_to_sparse::requests(gate_logits, gumbels, temperature, threshold)
            }
            RouterSpec::Deepseek { k, groups, kept, scale } => {
                deepseek::requests(gate_logits, &DeepSeek::v3(k, groups, kept, scale), input.bias)
            }
            RouterSpec::DeepseekV2 { k, groups, kept, scale } => {
                deepseek::requests(gate_logits, &DeepSeek::v2(k, groups, kept, scale), &[])
            }
            RouterSpec::TopP { threshold } => top_p::requests(gate_logits, threshold),
            RouterSpec::Relu => relu::requests(gate_logits),
            RouterSpec::TopAny { threshold } => {
                top_any::requests(gate_logits, &padded(input.thresholds, num_experts, threshold), 1.0)
            }
            RouterSpec::NullExperts { k, nulls } => {
                null_experts::requests(gate_logits, num_experts - nulls as usize, k as usize)
            }
            RouterSpec::Hierarchical { groups, k_groups, k_within } => {
                let (k_groups, k_within) = (k_groups as usize, k_within as usize);
                match input.group_logits {
                    Some(of_groups) => hierarchical::requests(of_groups, gate_logits, k_groups, k_within),
                    None => {
                        let means = hierarchical::group_means(gate_logits, groups as usize);
                        hierarchical::requests(&means, gate_logits, k_groups, k_within)
                    }
                }
            }
            RouterSpec::Prototypes { count } => prototypes::requests(gate_logits, count as usize),
            RouterSpec::PerSequence { k } => {
                let (sequence_of, num_sequences) = sequences(input);
                let means = per_sequence::mean_logits(gate_logits, &sequence_of, num_sequences);
                per_sequence::requests(&means, &sequence_of, k as usize, Weighting::Norm)
            }
            RouterSpec::Hash { seed } => {
                hash::requests(&padded(input.token_ids, num_tokens, TokenId(0)), seed, num_experts)
            }
            RouterSpec::BalancedHash => {
                let table = hash::balanced_table(input.token_frequencies, num_experts);
                hash::table_requests(&padded(input.token_ids, num_tokens, TokenId(0)), &table, num_experts)
            }
            RouterSpec::Random => random::requests(&padded(uniforms, num_tokens, 0.0), num_experts),
            RouterSpec::ExpertChoice { .. } => {
                return expert_choice::route(gate_logits, capacity.unwrap_or(num_tokens as u32) as usize);
            }
            RouterSpec::StrictlyBalanced { .. } => {
                let mask = strictly_balanced::batch_mask(gate_logits, capacity.unwrap_or(num_tokens as u32) as usize);
                strictly_balanced::requests(gate_logits, &mask)
            }
            RouterSpec::Sinkhorn { k, choice: SinkhornChoice::Balanced } => sinkhorn::requests(gate_logits, k as usize),
            RouterSpec::Sinkhorn { k, choice: SinkhornChoice::Greedy } => {
                sinkhorn::greedy_requests(gate_logits, k as usize)
            }
            RouterSpec::Base { solver } => {
                let experts = match solver {
                    BaseSolver::Auction => auction::balanced(gate_logits),
                    BaseSolver::Exact => best_assignment::best_assignment(gate_logits),
                    BaseSolver::Greedy => auction::greedy(gate_logits),
                };
                auction::requests(gate_logits, &experts)
            }
            RouterSpec::NoTokenLeftBehind { tries } => {
                // As many slots as tokens are as good as no limit.
                let slots = capacity.unwrap_or(num_tokens as u32);
                return Routing { capacity, ..no_token_left_behind::route(gate_logits, slots, tries as usize) };
            }
        };
        let mut routing = admit_by(gate_logits, &requests);
        if let RouterSpec::Gshard { normalise: Normalise::AfterDrop, .. } = self.spec.router {
            gshard::renormalise_kept(&mut routing.assignments);
        }
        routing
    }

    /// The spec this router was made from.
    pub fn spec(&self) -> &RoutingSpec {
        &self.spec
    }

    /// Experts of the layers this router was made for.
    pub fn num_experts(&self) -> usize {
        self.num_experts
    }

    /// Experts a token asks, as counted in the capacity formula.
    pub fn k(&self) -> usize {
        self.spec.router.k(self.num_experts)
    }

    /// Do experts take their tokens, as many as there are slots?
    fn fills_experts(&self) -> bool {
        matches!(self.spec.router, RouterSpec::ExpertChoice { .. } | RouterSpec::StrictlyBalanced { .. })
    }

    /// May a token be turned away?
    fn can_drop(&self) -> bool {
        self.spec.router.can_overflow() && self.spec.overflow != Overflow::Dropless
    }

    /// Slots per expert for a group of `num_tokens` tokens (padding not counted); `None` where nobody is ever turned
    /// away. Rules that fill the experts themselves have as many slots as they fill, whatever the overflow policy.
    pub fn capacity(&self, num_tokens: usize) -> Option<u32> {
        let share = |average| expert_choice::tokens_per_expert(average, num_tokens, self.num_experts) as u32;
        match (self.spec.router, self.spec.overflow) {
            (RouterSpec::ExpertChoice { average }, _) => Some(share(average)),
            (RouterSpec::StrictlyBalanced { k }, _) => Some(share(k as f32)),
            (_, Overflow::Drop(slots)) if self.can_drop() => {
                Some(capacity(&slots, num_tokens, self.k(), self.num_experts))
            }
            // Every token has a seat at every expert; there is nothing to share out.
            _ => None,
        }
    }
}

/// The first `length` values; what is missing counts as `missing`.
fn padded<T: Copy>(values: &[T], length: usize, missing: T) -> Vec<T> {
    values.iter().copied().chain(std::iter::repeat(missing)).take(length).collect()
}

/// Sequences counted from 0 in the order in which they begin, `[tokens]`, and their number.
pub(crate) fn sequences(input: &RouterInput) -> (Vec<usize>, usize) {
    if input.sequence_ids.is_empty() {
        return (vec![0; input.gate_logits.num_tokens()], 1);
    }
    let mut known = BTreeMap::new();
    let of_tokens = input.sequence_ids.iter().map(|id| {
        let next = known.len();
        *known.entry(id).or_insert(next)
    });
    let of_tokens = of_tokens.collect();
    (of_tokens, known.len())
}
