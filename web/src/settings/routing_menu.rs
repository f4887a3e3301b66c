//! The page's two menus of routing, k and policy, as descriptions of a routing; not every routing has one.

use moe_trace::{Overflow, Policy, Priority, RouterSpec, RoutingSpec, SecondExpert};

/// How the page's menus describe a routing, as far as they can.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RoutingMenu {
    pub(super) k: Option<u32>,
    pub(super) policy: Option<Policy>,
}

impl RoutingMenu {
    pub(super) fn of(spec: &RoutingSpec) -> RoutingMenu {
        let policy = match spec.overflow {
            Overflow::Dropless => Some(Policy::Dropless),
            Overflow::Drop(slots) => match slots.priority {
                Priority::Position => Some(Policy::Drop),
                Priority::BprMax | Priority::BprSum => Some(Policy::Bpr),
                Priority::Random | Priority::RandomPerExpert | Priority::Probability => None,
            },
        };
        match (spec.router, policy) {
            (RouterSpec::Switch, _) => RoutingMenu { k: Some(1), policy },
            (RouterSpec::TopK { k, .. }, _) => RoutingMenu { k: Some(k), policy },
            (RouterSpec::Gshard { second: SecondExpert::Proportional, .. }, Some(Policy::Drop)) => {
                RoutingMenu { k: Some(2), policy: Some(Policy::RandomSecond) }
            }
            _ => RoutingMenu { k: None, policy },
        }
    }
}
