//! Every rule by example: on the running example, with no slot left, and with numbers that are none.

use moe_router::{Router, RouterInput};
use moe_trace::{CapacitySpec, Fate, GateLogits, Overflow, ROUTER_FORMS, RouterSpec, RoutingSpec, TokenId};

/// Every example of a form, on four experts.
fn examples() -> impl Iterator<Item = (RouterSpec, Router)> {
    ROUTER_FORMS.iter().map(|form| {
        let router = form.example.parse().expect(form.example);
        let overflow = Overflow::Drop(CapacitySpec::default());
        (router, Router::new(RoutingSpec { router, overflow }, 4).expect(form.example))
    })
}

#[test]
fn no_slot_is_left_for_anyone() {
    let gate_logits = GateLogits::new(4, (0..24).map(|at| (at * 7 % 5) as f32).collect()).expect("six rows");
    let input = RouterInput::new(&gate_logits);
    for (spec, router) in examples() {
        let routing = router.route_with_capacity(&input, Some(0));
        let kept = routing.assignments.iter().filter(|a| a.fate.is_kept()).count();
        let fills_by_itself = matches!(spec, RouterSpec::ExpertChoice { .. } | RouterSpec::StrictlyBalanced { .. });
        if spec.can_overflow() {
            assert_eq!(kept, 0, "{spec}");
            assert!(routing.assignments.iter().any(|a| a.fate == Fate::Lost), "{spec}");
            assert!(routing.assignments.iter().all(|a| !a.fate.is_demand() || a.fate == Fate::Lost), "{spec}");
        } else if fills_by_itself {
            assert_eq!(routing.assignments, [], "{spec}");
        }
    }
}

#[test]
fn no_rule_routes_what_is_not_a_number() {
    let gate_logits = GateLogits::new(4, vec![0.5; 8]).expect("two rows");
    let input = RouterInput::new(&gate_logits);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(GateLogits::new(4, vec![0.5, bad, 0.5, 0.5]).is_err());
        let (of_tokens, of_experts, of_both) =
            ([0.5, bad], [0.5, 0.5, bad, 0.5], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, bad]);
        let frequencies = [1.0, f64::from(bad)];
        let inputs = [
            input.with_uniforms(&of_tokens),
            input.with_gumbels(&of_both),
            input.with_normals(&of_both),
            input.with_lots(&of_both),
            input.with_noise_std(&of_both),
            input.with_bias(&of_experts),
            input.with_thresholds(&of_experts),
            input.with_token_frequencies(&frequencies),
        ];
        for (spec, router) in examples() {
            assert!(router.try_route(&input).is_ok(), "{spec}");
            for input in &inputs {
                let error = router.try_route(input).expect_err("not a finite number").to_string();
                assert!(error.contains("; allowed: a "), "{error}");
            }
        }
    }
}

/// Experts of each token of the running example, by rank; capacity factor 1, ids 0 to 5, no draws.
fn check(rule: &str, expected: &str) {
    let rows = [
        [1.85, 0.65, -1.05, -0.60],
        [1.50, 1.16, -0.60, -0.72],
        [1.44, -0.10, 0.02, 0.80],
        [-1.07, 0.89, 1.11, -0.12],
        [1.81, 0.28, -1.39, -0.67],
        [0.23, -1.06, 0.35, 1.25],
    ];
    let gate_logits = GateLogits::new(4, rows.concat()).expect("six rows of four");
    let token_ids = [0, 1, 2, 3, 4, 5].map(TokenId);
    let overflow = Overflow::Drop(CapacitySpec { factor: 1.0, ..CapacitySpec::default() });
    let router = Router::new(RoutingSpec { router: rule.parse().expect(rule), overflow }, 4).expect(rule);
    let input = RouterInput::new(&gate_logits).with_token_ids(&token_ids);
    let routing = router.route(&input.with_token_frequencies(&[50.0, 30.0, 20.0, 10.0, 9.0, 8.0]));
    let asks = |token: u32| routing.of_token(token).iter().filter(|a| a.fate.is_demand());
    let of_token = |token| asks(token).map(|a| a.expert.to_string()).collect::<String>();
    let found: Vec<String> = (0..6).map(of_token).collect();
    assert_eq!(found.join(" "), expected, "{rule}");
}

#[test]
fn every_rule_on_the_running_example() {
    check("dense", "0132 0123 0321 2130 0132 3201");
    check("switch", "0 0 0 2 0 3");
    check("top_k:2", "01 01 03 21 01 32");
    check("gshard:threshold=0.2", "01 01 03 21 0 32");
    check("noisy:2,1", "01 01 03 21 01 32");
    check("logit_norm:2,1", "01 01 03 21 01 32");
    check("dense_to_sparse:0.5,0.02", "01 01 0321 213 01 320");
    check("deepseek:2", "01 01 03 21 01 32");
    check("deepseek:2,2,1,2.5", "01 01 01 23 01 32");
    check("deepseek_v2:2,2,1,1", "01 01 01 23 01 32");
    check("top_p:0.4", "0 0 0 2 0 3");
    check("relu", "01 01 032 21 01 320");
    check("top_any:1", "0 01 0 2 0 3");
    check("null_experts:2,1", "01 01 0 21 01 2");
    check("hierarchical:2,1,2", "01 01 01 23 01 32");
    check("prototypes:2", "03 02 03 12 03 03");
    check("per_sequence:2", "01 01 01 01 01 01");
    check("hash:42", "1 0 3 2 3 1");
    check("balanced_hash", "0 1 2 3 3 3");
    check("random", "0 0 0 0 0 0");
    check("expert_choice:2", "01 01 32 213 0 32");
    check("strictly_balanced:2", "01 01 32 213 0 32");
    check("sinkhorn:1", "0 1 3 2 0 3");
    check("sinkhorn:1,greedy", "0 0 0 2 0 3");
    check("base:auction", "0 1 3 2 0 3");
    check("base:exact", "0 1 3 2 0 3");
    check("base:greedy", "0 0 0 2 0 3");
    check("no_token_left_behind:4", "0 0 3 2 1 3");
}
