//! Cases small enough to follow by hand: whose slots look ahead, and groups of one token, one expert, equal logits.

use moe_router::{Router, RouterInput, rules};
use moe_trace::{CapacitySpec, Fate, GateLogits, Overflow, Priority, RouterSpec, RoutingSpec, SlotOrder, Weighting};

/// Two tokens, two experts, one slot each. Does the first token's fate depend on what the second wants?
fn check_future(router: RouterSpec, order: SlotOrder, priority: Priority, expected: bool) {
    let slots = CapacitySpec { factor: 0.1, order, priority, ..CapacitySpec::default() };
    let spec = RoutingSpec { router, overflow: Overflow::Drop(slots) };
    let router = Router::new(spec, 2).expect("a legal spec");
    // The first token prefers expert 0 mildly; the second wants 0 or 1, strongly.
    let fates_of_first = [[3.0, -3.0], [-3.0, 3.0]].map(|[a, b]| {
        let gate_logits = GateLogits::new(2, vec![0.5, 0.0, a, b]).expect("two rows of two");
        // Where lots decide, the second token draws the better ones, at either expert.
        let routing = router.route(&RouterInput::new(&gate_logits).with_lots(&[0.1, 0.1, 0.9, 0.9]));
        routing.of_token(0).iter().map(|a| a.fate).collect::<Vec<Fate>>()
    });
    assert_eq!(fates_of_first[0] != fates_of_first[1], expected, "{spec:?}");
    assert_eq!(rules::looks_ahead(&spec), expected, "what the spec says of itself: {spec:?}");
}

#[test]
fn specs_that_use_the_future_do() {
    let top_2 = RouterSpec::TopK { k: 2, weighting: Weighting::Norm };
    check_future(RouterSpec::Switch, SlotOrder::TokenMajor, Priority::Position, false);
    check_future(RouterSpec::Switch, SlotOrder::RankMajor, Priority::Position, false);
    check_future(top_2, SlotOrder::TokenMajor, Priority::Position, false);
    check_future(top_2, SlotOrder::RankMajor, Priority::Position, true);
    check_future(top_2, SlotOrder::TokenMajor, Priority::Probability, true);
    for by in [Priority::BprMax, Priority::BprSum, Priority::Random, Priority::RandomPerExpert, Priority::Probability] {
        check_future(RouterSpec::Switch, SlotOrder::TokenMajor, by, true);
        check_future(RouterSpec::Switch, SlotOrder::RankMajor, by, true);
    }
    check_future(RouterSpec::Dense, SlotOrder::RankMajor, Priority::BprMax, false);
}

/// Fates of all requests under top-`k` with capacity factor 1, one letter each, tokens apart.
fn check_edge(k: u32, num_experts: usize, values: &[f32], expected: &str) {
    let router = RouterSpec::TopK { k, weighting: Weighting::Norm };
    let overflow = Overflow::Drop(CapacitySpec { factor: 1.0, ..CapacitySpec::default() });
    let router = Router::new(RoutingSpec { router, overflow }, num_experts).expect("a legal spec");
    let gate_logits = GateLogits::new(num_experts, values.to_vec()).expect("a full matrix");
    let routing = router.route(&RouterInput::new(&gate_logits));
    let of_token = |token| routing.of_token(token).iter().map(|a| format!("{}{}", a.expert, letter(a.fate))).collect();
    let found: Vec<String> = (0..routing.num_tokens).map(of_token).collect();
    assert_eq!(found.join(" "), expected);
}

fn letter(fate: Fate) -> char {
    if fate.is_kept() { 'k' } else { 'l' }
}

#[test]
fn edges() {
    // One token: a slot at every expert it asks.
    check_edge(2, 3, &[0.0, 1.0, 2.0], "2k1k");
    // One expert: everyone goes there, and there is room.
    check_edge(1, 1, &[5.0, -5.0], "0k 0k");
    // k = num_experts: everyone everywhere, nobody turned away.
    check_edge(2, 2, &[1.0, 0.0, 0.0, 1.0], "0k1k 1k0k");
    // All logits equal: everyone asks the lowest indices; two slots each.
    check_edge(2, 4, &[0.0; 16], "0k1k 0k1k 0l1l 0l1l");
    // Huge and tiny logits keep their order, and their probabilities stay finite.
    check_edge(2, 3, &[f32::MAX, -f32::MAX, 0.0], "0k2k");
    check_edge(2, 3, &[f32::MIN_POSITIVE, 0.0, -f32::MIN_POSITIVE], "0k1k");
    // No tokens, no requests.
    check_edge(2, 3, &[], "");
}
