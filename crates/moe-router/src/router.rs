//! One checked entry to all rules that assign: a spec becomes a [`Router`] once, and a router turns gate logits into a
//! routing.

use moe_trace::{Overflow, Routing, RoutingSpec};

use crate::capacity::{self, ByFormula};
use crate::group_choice::expert_choice::tokens_per_expert;
use crate::input::{InputError, RouterInput};
use crate::limits;
use crate::padding::RealTokens;
use crate::rule::{Besides, Facts, Group, Slots};
use crate::rules;
use crate::spec_error::SpecError;

/// A routing spec, checked against the number of experts it will meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Router {
    spec: RoutingSpec,
    num_experts: usize,
}

impl Router {
    /// Checks `spec` for layers of `num_experts` experts.
    pub fn new(spec: RoutingSpec, num_experts: usize) -> Result<Router, SpecError> {
        limits::at_least_one(num_experts)?;
        (rules::assigns(&spec.router).check)(&spec.router, num_experts)?;
        if let Overflow::Drop(slots) = spec.overflow {
            capacity::check(&slots)?;
        }
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
        if let (Besides::GroupLogits { groups }, Some(of_groups)) = (self.facts().besides, input.group_logits) {
            let (groups, found) = (groups as usize, of_groups.num_experts());
            if found != groups {
                return Err(InputError::Groups { groups, found });
            }
        }
        input.check()
    }

    fn route_checked(&self, input: &RouterInput, capacity: Option<u32>) -> Routing {
        let capacity = if self.facts().fills_experts() || self.can_drop() { capacity } else { None };
        if input.is_padding.contains(&true) {
            let real = RealTokens::of(input);
            return real.with_padding(self.assign(real.input(), capacity));
        }
        self.assign(*input, capacity)
    }

    /// Every rule, on tokens that are all real.
    fn assign(&self, input: RouterInput, capacity: Option<u32>) -> Routing {
        let group = Group { input, overflow: self.spec.overflow, capacity };
        (rules::assigns(&self.spec.router).assign)(&self.spec.router, &group)
    }

    /// The spec this router was made from.
    pub fn spec(&self) -> &RoutingSpec {
        &self.spec
    }

    /// Experts of the layers this router was made for.
    pub fn num_experts(&self) -> usize {
        self.num_experts
    }

    /// What must be known of this router's rule.
    pub fn facts(&self) -> Facts {
        rules::facts(&self.spec.router)
    }

    /// The text of this router's rule: `top_k:2`.
    pub fn rule_text(&self) -> String {
        rules::router_text(&self.spec.router)
    }

    /// Experts a token asks, as counted in the capacity formula.
    pub fn k(&self) -> usize {
        self.facts().k(self.num_experts)
    }

    /// May a token be turned away?
    fn can_drop(&self) -> bool {
        self.facts().may_overflow() && self.spec.overflow != Overflow::Dropless
    }

    /// Slots per expert for a group of `num_tokens` tokens (padding not counted); `None` where nobody is ever turned
    /// away. Rules that fill the experts themselves have as many slots as they fill, whatever the overflow policy.
    pub fn capacity(&self, num_tokens: usize) -> Option<u32> {
        match self.facts().slots {
            Slots::Filled { average } => Some(tokens_per_expert(average, num_tokens, self.num_experts) as u32),
            // Where every token has a seat at every expert there is nothing to share out.
            Slots::BySpec | Slots::OwnOrder { .. } | Slots::ForEveryone => {
                self.capacity_formula(num_tokens).map(|formula| formula.slots)
            }
        }
    }

    /// How the spec's capacity comes about for so many tokens; `None` where it plays no part.
    pub fn capacity_formula(&self, num_tokens: usize) -> Option<ByFormula> {
        match self.spec.overflow {
            Overflow::Drop(slots) if self.facts().may_overflow() => {
                Some(capacity::by_formula(&slots, num_tokens, self.k(), self.num_experts))
            }
            Overflow::Drop(_) | Overflow::Dropless => None,
        }
    }
}
