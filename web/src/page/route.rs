//! Routing without a model, for pages that bring gate logits of their own: the router itself, and nothing around it.

use moe_router::rule::Besides;
use moe_router::{Router, RouterInput, rules};
use moe_trace::{GateLogits, Overflow, Policy, Routing, RoutingSpec, UserError};
use wasm_bindgen::prelude::*;

use crate::browser::wire;
use crate::settings::limits::CAPACITY_FACTOR;

/// Routes one group of tokens. `values`: gate logits, `[tokens, experts]`, row-major; `router`: a rule as the attribute
/// says it; without a `capacity_factor` nobody is turned away; `policy` as the attribute has it. Gives a routing as
/// traces have it, or an error in three sentences.
#[wasm_bindgen(js_name = routeLogits)]
pub fn route_logits(
    num_experts: u32,
    values: Vec<f32>,
    router: &str,
    capacity_factor: Option<f32>,
    policy: Option<String>,
) -> Result<JsValue, JsValue> {
    let routing = routing(num_experts, values, router, capacity_factor, policy.as_deref())
        .map_err(|error| wire::to_js(&error))?;
    Ok(wire::to_js(&routing))
}

fn routing(
    num_experts: u32,
    values: Vec<f32>,
    router: &str,
    capacity_factor: Option<f32>,
    policy: Option<&str>,
) -> Result<Routing, UserError> {
    let because = |why: String| {
        UserError::new("These logits cannot be routed.", why, "docs/EMBEDDING.md says what route() takes.")
    };
    let rule = rules::parse_router(router).map_err(|error| because(error.to_string()))?;
    let overflow = match capacity_factor {
        None => Overflow::Dropless,
        Some(factor) if CAPACITY_FACTOR.contains(&factor) => {
            let policy: Policy = policy
                .unwrap_or("drop")
                .parse()
                .map_err(|_| because(format!("{} is not a policy.", policy.unwrap_or_default())))?;
            RoutingSpec::with_policy(1, policy, factor).overflow
        }
        Some(factor) => {
            let (least, most) = (CAPACITY_FACTOR.start(), CAPACITY_FACTOR.end());
            return Err(because(format!("The capacity factor {factor} is not from {least} to {most}.")));
        }
    };
    let spec = RoutingSpec { router: rule, overflow };
    let besides = rules::facts(&rule).besides;
    if rules::uses_chance(&spec) || !besides.is_in_a_trace() || besides == Besides::TokenIds {
        return Err(because(format!(
            "The rule {router} looks at more than gate logits: at chance, tokens, or what a model learned."
        )));
    }
    let logits = GateLogits::new(num_experts as usize, values).map_err(|error| because(error.to_string()))?;
    let router = Router::new(spec, num_experts as usize).map_err(|error| because(error.to_string()))?;
    Ok(router.route(&RouterInput::new(&logits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two tokens whose best expert is 0, which has one slot: C = ceil(1 · 1 · 2 / 2) = 1.
    #[test]
    fn two_tokens_by_hand() {
        let routed = |factor, policy| routing(2, vec![1.0, 0.0, 3.0, 0.0], "switch", factor, policy);
        let lost = |routing: &Routing| -> Vec<bool> {
            routing.assignments.iter().map(|assignment| assignment.fate == moe_trace::Fate::Lost).collect()
        };
        let by_place = routed(Some(1.0), None).expect("two tokens");
        assert_eq!((by_place.capacity, lost(&by_place)), (Some(1), vec![false, true]));
        let by_confidence = routed(Some(1.0), Some("bpr")).expect("two tokens");
        assert_eq!(lost(&by_confidence), [true, false]);
        let dropless = routed(None, None).expect("two tokens");
        assert_eq!((dropless.capacity, lost(&dropless)), (None, vec![false, false]));
    }

    #[test]
    fn what_cannot_be_routed_is_told_in_three_sentences() {
        let check = |num_experts, values: &[f32], router, factor, why: &str| {
            let error = routing(num_experts, values.to_vec(), router, factor, None).expect_err(why);
            assert!(error.why.contains(why), "{error}");
            assert!(!error.what.is_empty() && !error.try_this.is_empty());
        };
        check(2, &[1.0, 2.0], "top_k:3", None, "3");
        check(2, &[1.0, 2.0, 3.0], "switch", None, "3 gate logits");
        check(0, &[], "switch", None, "expert");
        check(2, &[f32::NAN, 1.0], "switch", None, "");
        check(2, &[1.0, 2.0], "best", None, "best");
        check(2, &[1.0, 2.0], "switch", Some(9.0), "0.25 to 4");
        check(2, &[1.0, 2.0], "random", None, "chance");
        check(2, &[1.0, 2.0], "hash:1", None, "more than gate logits");
    }
}
