//! Every rule by example: on the running example, with no slot left, and with numbers that are none.

use std::collections::BTreeSet;

use moe_router::rule::Kind;
use moe_router::{Router, RouterInput, rules};
use moe_trace::{CapacitySpec, Fate, GateLogits, Overflow, Routing, RoutingSpec, TokenId};

use crate::common::with_text;

/// Every example of a form, on four experts.
fn examples() -> impl Iterator<Item = (&'static str, Router)> {
    with_text(Kind::Assigns).map(|(_, text)| {
        let router = rules::parse_router(text).expect(text);
        let overflow = Overflow::Drop(CapacitySpec::default());
        (text, Router::new(RoutingSpec { router, overflow }, 4).expect(text))
    })
}

#[test]
fn no_slot_is_left_for_anyone() {
    let gate_logits = GateLogits::new(4, (0..24).map(|at| (at * 7 % 5) as f32).collect()).expect("six rows");
    let input = RouterInput::new(&gate_logits);
    for (spec, router) in examples() {
        let routing = router.route_with_capacity(&input, Some(0));
        let kept = routing.assignments.iter().filter(|a| a.fate.is_kept()).count();
        let fills_by_itself = router.facts().fills_experts();
        if router.facts().may_overflow() {
            assert_eq!(kept, 0, "{spec}");
            assert!(routing.assignments.iter().any(|a| a.fate == Fate::Lost), "{spec}");
            assert!(routing.assignments.iter().all(|a| !a.fate.is_demand() || a.fate == Fate::Lost), "{spec}");
        } else if fills_by_itself {
            assert_eq!(routing.assignments, [], "{spec}");
        } else {
            // Every token has a seat: the number of slots is ignored.
            assert_eq!(routing, router.route(&input), "{spec}");
            assert!(routing.capacity.is_none() && routing.assignments.iter().all(|a| a.fate != Fate::Lost), "{spec}");
        }
        let dropless = RoutingSpec { overflow: Overflow::Dropless, ..*router.spec() };
        let dropless = Router::new(dropless, 4).expect("legal with a capacity");
        if !fills_by_itself {
            assert_eq!(dropless.route_with_capacity(&input, Some(0)), dropless.route(&input), "{spec}");
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

/// The running example; capacity factor 1, ids 0 to 5, no draws.
fn route(rule: &str) -> Routing {
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
    let router = Router::new(RoutingSpec { router: rules::parse_router(rule).expect(rule), overflow }, 4).expect(rule);
    let input = RouterInput::new(&gate_logits).with_token_ids(&token_ids);
    router.route(&input.with_token_frequencies(&[50.0, 30.0, 20.0, 10.0, 9.0, 8.0]))
}

/// Experts of each token, by rank.
fn check(rule: &str, expected: &str) {
    let routing = route(rule);
    let asks = |token: u32| routing.of_token(token).iter().filter(|a| a.fate.is_demand());
    let of_token = |token| asks(token).map(|a| a.expert.to_string()).collect::<String>();
    let found: Vec<String> = (0..6).map(of_token).collect();
    assert_eq!(found.join(" "), expected, "{rule}");
}

#[test]
fn every_rule_on_the_running_example() {
    let mut checked = BTreeSet::new();
    let mut check = |rule: &str, expected: &str| {
        checked.insert(rule.split(':').next().expect("a head").to_owned());
        check(rule, expected);
    };
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
    for (rule, text) in with_text(Kind::Assigns) {
        assert!(checked.contains(rule.name), "what does {text} do on the running example?");
    }
}

/// Weights of one token's requests, by rank, to four digits.
fn check_weights(rule: &str, token: u32, expected: &str) {
    let found: Vec<String> = route(rule).of_token(token).iter().map(|a| format!("{:.4}", a.weight)).collect();
    assert_eq!(found.join(" "), expected, "{rule}");
}

#[test]
fn weights_of_the_running_example() {
    // Token 0: p = .6932 .2088 .0381 .0598, sigmoids .8641 .6570 .2592 .3543; .6932 / (.6932 + .2088) = .7685.
    check_weights("dense", 0, "0.6932 0.2088 0.0598 0.0381");
    check_weights("switch", 0, "0.6932");
    check_weights("top_k:2", 0, "0.7685 0.2315");
    check_weights("top_k:2,raw", 0, "0.6932 0.2088");
    check_weights("gshard:always", 0, "0.7685 0.2315");
    check_weights("gshard:threshold=0.2,after", 4, "0.7457 0.1615");
    check_weights("noisy:2,1", 0, "0.7685 0.2315");
    // Normalised logits 1.4464 and .3864: their probabilities are .6500 and .2252 of all, .7427 and .2573 of the two.
    check_weights("logit_norm:2,1", 0, "0.7427 0.2573");
    // exp(0, -2.4, -4.9, -5.8) over their sum, 1.1012.
    check_weights("dense_to_sparse:0.5,0.02", 0, "0.9081 0.0824 0.0068 0.0027");
    // .8641 / (.8641 + .6570), and 2.5 times as much.
    check_weights("deepseek:2", 0, "0.5681 0.4319");
    check_weights("deepseek:2,2,1,2.5", 0, "1.4202 1.0798");
    check_weights("deepseek_v2:2,2,1,1", 0, "0.6932 0.2088");
    check_weights("top_p:0.7", 0, "0.6932 0.2088");
    check_weights("relu", 0, "1.8500 0.6500");
    check_weights("top_any:1", 1, "0.5000 0.5000");
    // The second choice of token 2 is the null expert.
    check_weights("null_experts:2,1", 2, "1.0000 0.0000");
    check_weights("hierarchical:2,1,2", 0, "0.7685 0.2315");
    check_weights("prototypes:2", 0, "0.7685 0.6106");
    // Mean logits .96, .3033, -.26, -.01: 1 / (1 + exp(.3033 - .96)) = .6585.
    check_weights("per_sequence:2", 0, "0.6585 0.3415");
    check_weights("hash:42", 0, "1.0000");
    check_weights("balanced_hash", 0, "1.0000");
    check_weights("random", 0, "1.0000");
    check_weights("expert_choice:2", 0, "0.6932 0.2088");
    check_weights("strictly_balanced:2", 0, "0.7685 0.2315");
    check_weights("sinkhorn:1", 0, "0.8641");
    check_weights("sinkhorn:2", 0, "0.6932 0.2088");
    check_weights("base:auction", 0, "0.8641");
    // Tokens 2 and 4 find expert 0 taken: p = .2659 and .1615 at the experts that take them.
    check_weights("no_token_left_behind:4", 2, "0.2659");
    check_weights("no_token_left_behind:4", 4, "0.1615");
}

#[test]
fn a_gate_over_groups_is_heard_beside_padding_too() {
    // Alone, token 0 prefers the first pair of experts by its mean; the gate over groups sends it to the second, token 2
    // to the first. Token 1 is padding.
    let gate_logits = GateLogits::new(4, [[2.0, 1.0, 0.0, 0.5], [0.0; 4], [0.0, 0.5, 2.0, 1.0]].concat())
        .expect("three rows of four");
    let group_logits = GateLogits::new(2, vec![-1.0, 1.0, 0.0, 0.0, 3.0, 0.0]).expect("three rows of two");
    let router = rules::parse_router("hierarchical:2,1,1").expect("a rule");
    let spec = RoutingSpec { router, overflow: Overflow::Dropless };
    let router = Router::new(spec, 4).expect("two groups of two");
    let padding = [false, true, false];
    let input = RouterInput::new(&gate_logits).with_padding(&padding);
    let experts = |input: &RouterInput| -> Vec<u32> {
        [0, 2].map(|token| router.try_route(input).expect("fits").of_token(token)[0].expert.0).to_vec()
    };
    assert_eq!(experts(&input), [0, 2]);
    assert_eq!(experts(&input.with_group_logits(&group_logits)), [3, 1]);
    // A gate that says nothing of three tokens is an error, padding or not.
    let nothing = GateLogits::new(2, Vec::new()).expect("no row");
    let message = router.try_route(&input.with_group_logits(&nothing)).expect_err("no rows").to_string();
    assert_eq!(message, "There are 0 rows of group logits; allowed: 3.");
}
