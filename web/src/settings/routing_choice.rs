//! The routing that a reader asks for: as the model was trained, or one of her own. A control shows one side of it and
//! changes that side alone.

use moe_trace::{Overflow, Policy, Priority, RouterSpec, RoutingSpec, SecondExpert};

/// `trained`, wherever it is asked for, is the routing of the model in question.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum RoutingChoice {
    /// Exactly what the model was trained with, whatever that is.
    #[default]
    AsTrained,
    /// Another rule, or another overflow policy; the capacity factor is a number beside it.
    Own(RoutingSpec),
}

impl RoutingChoice {
    /// What stands for this routing: a capacity factor makes no other one.
    pub fn of(spec: RoutingSpec, trained: &RoutingSpec) -> RoutingChoice {
        if spec.is_same_rule(trained) { RoutingChoice::AsTrained } else { RoutingChoice::Own(spec) }
    }

    pub fn spec(&self, trained: &RoutingSpec) -> RoutingSpec {
        match self {
            RoutingChoice::AsTrained => *trained,
            RoutingChoice::Own(spec) => *spec,
        }
    }

    /// Another rule under the same overflow policy.
    pub fn with_rule(&self, router: RouterSpec, trained: &RoutingSpec) -> RoutingChoice {
        RoutingChoice::of(RoutingSpec { router, ..self.spec(trained) }, trained)
    }

    /// The rule that asks the `k` best experts: the trained one, if it does. `None` goes back to the trained rule.
    pub fn with_k(&self, asked: Option<u32>, trained: &RoutingSpec) -> RoutingChoice {
        let router = match asked {
            Some(asked) if k(trained) != Some(asked) || is_pair(trained) => {
                RoutingSpec::with_policy(asked.max(1), Policy::Drop, 1.0).router
            }
            _ => trained.router,
        };
        self.with_rule(router, trained)
    }

    /// Another overflow policy: the trained one verbatim, if it has that name. `None` goes back to the trained policy.
    ///
    /// GShard's random second expert is a rule in the guise of a policy: it comes and goes with its rule.
    pub fn with_policy(&self, asked: Option<Policy>, trained: &RoutingSpec) -> RoutingChoice {
        let now = self.spec(trained);
        let asked = asked.or(policy(trained));
        let named = RoutingSpec::with_policy(2, asked.unwrap_or_default(), 1.0);
        let wants_pair = asked == Some(Policy::RandomSecond);
        let router = match (wants_pair, is_pair(&now), is_pair(trained)) {
            (true, _, true) | (false, true, false) => trained.router,
            (true, _, false) | (false, true, true) => named.router,
            (false, false, _) => now.router,
        };
        let overflow = if asked == policy(trained) { trained.overflow } else { named.overflow };
        RoutingChoice::of(RoutingSpec { router, overflow }, trained)
    }
}

/// The experts a token asks by top-k; `None` where the rule is another one.
pub fn k(spec: &RoutingSpec) -> Option<u32> {
    match spec.router {
        RouterSpec::Switch => Some(1),
        RouterSpec::TopK { k, .. } => Some(k),
        _ if is_pair(spec) => Some(2),
        _ => None,
    }
}

/// The word for what happens when an expert is full; `None` where there is none.
pub fn policy(spec: &RoutingSpec) -> Option<Policy> {
    match spec.overflow {
        Overflow::Dropless => Some(Policy::Dropless),
        Overflow::Drop(slots) => match slots.priority {
            Priority::Position if is_pair(spec) => Some(Policy::RandomSecond),
            Priority::Position => Some(Policy::Drop),
            Priority::BprMax | Priority::BprSum => Some(Policy::Bpr),
            Priority::Random | Priority::RandomPerExpert | Priority::Probability => None,
        },
    }
}

/// Is it GShard's second expert by lot, which the menu of policies names?
pub fn is_pair(spec: &RoutingSpec) -> bool {
    let by_position = matches!(spec.overflow, Overflow::Drop(slots) if slots.priority == Priority::Position);
    by_position && matches!(spec.router, RouterSpec::Gshard { second: SecondExpert::Proportional, .. })
}

#[cfg(test)]
mod tests {
    use moe_trace::{CapacitySpec, Weighting};

    use super::*;

    const TOP_2: RouterSpec = RouterSpec::TopK { k: 2, weighting: Weighting::Norm };

    fn trained(router: RouterSpec) -> RoutingSpec {
        RoutingSpec { router, ..RoutingSpec::default() }
    }

    #[test]
    fn what_has_the_trained_form_is_the_trained_routing() {
        let switch = trained(RouterSpec::Switch);
        let choice = RoutingChoice::AsTrained.with_k(Some(3), &switch);
        assert_eq!(choice, RoutingChoice::Own(RoutingSpec::with_policy(3, Policy::Drop, 1.25)));
        assert_eq!(choice.with_k(Some(1), &switch), RoutingChoice::AsTrained, "Switch, not top-1");
        assert_eq!(choice.with_k(None, &switch), RoutingChoice::AsTrained);
        assert_eq!(choice.with_rule(RouterSpec::Switch, &switch), RoutingChoice::AsTrained);
    }

    #[test]
    fn a_policy_leaves_the_rule_alone_unless_it_is_one() {
        let check = |of: RouterSpec, now: RouterSpec, asked: Policy, expected: RouterSpec| {
            let choice = RoutingChoice::of(trained(now), &trained(of)).with_policy(Some(asked), &trained(of));
            let spec = choice.spec(&trained(of));
            assert_eq!((spec.router, policy(&spec)), (expected, Some(asked)));
        };
        let pair = RoutingSpec::with_policy(2, Policy::RandomSecond, 1.25).router;
        let hash = RouterSpec::Hash { seed: 1 };
        for asked in [Policy::Drop, Policy::Bpr, Policy::Dropless] {
            check(TOP_2, hash, asked, hash);
            check(hash, pair, asked, hash);
            check(pair, pair, asked, TOP_2);
        }
        for of in [TOP_2, hash, pair] {
            check(of, of, Policy::RandomSecond, pair);
        }
    }

    #[test]
    fn a_policy_without_a_name_is_kept_until_another_is_asked_for() {
        let overflow = Overflow::Drop(CapacitySpec { priority: Priority::Probability, ..CapacitySpec::default() });
        let trained = RoutingSpec { router: TOP_2, overflow };
        assert_eq!(policy(&trained), None);
        let changed = RoutingChoice::AsTrained.with_policy(Some(Policy::Bpr), &trained);
        assert_eq!(policy(&changed.spec(&trained)), Some(Policy::Bpr));
        assert_eq!(changed.with_policy(None, &trained), RoutingChoice::AsTrained);
    }
}
