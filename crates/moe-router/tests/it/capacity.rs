//! The capacity formula with its parts: what a reader is shown is what the router does, at every position of a slider.

use moe_router::Router;
use moe_router::capacity::{HeldBy, by_formula};
use moe_trace::{CapacitySpec, Overflow, Rounding, RouterSpec, RoutingSpec, Weighting};

const ROUNDINGS: [Rounding; 9] = [
    Rounding::Ceil,
    Rounding::Floor,
    Rounding::Round,
    Rounding::Mesh,
    Rounding::Tutel,
    Rounding::Fairseq,
    Rounding::FairseqEval,
    Rounding::Flaxformer,
    Rounding::Vmoe,
];

/// Factors from 0.25 to 4 in steps of 0.05, as they are written.
fn slider() -> impl Iterator<Item = (u32, f32)> {
    (25..=400).step_by(5).map(|hundredths| (hundredths, hundredths as f32 / 100.0))
}

#[test]
fn the_adopted_formula_is_that_of_whole_numbers() {
    for (hundredths, factor) in slider() {
        let slots = CapacitySpec { factor, ..CapacitySpec::default() };
        for num_experts in [1, 2, 3, 4, 6, 8, 12, 16] {
            for (k, num_tokens) in (1..=3).flat_map(|k| (0..=256).map(move |num_tokens| (k, num_tokens))) {
                let found = by_formula(&slots, num_tokens, k, num_experts);
                // The same product in hundredths, where nothing is rounded but the end.
                let plain = (hundredths as usize * k * num_tokens).div_ceil(100 * num_experts) as u32;
                let expected = plain.max(1).min(num_tokens as u32);
                assert_eq!(
                    (found.plain, found.slots),
                    (plain, expected),
                    "{factor} · {k} · {num_tokens} / {num_experts}"
                );
            }
        }
    }
}

#[test]
fn formula_and_router_agree_under_every_rounding() {
    for (rounding, k) in ROUNDINGS.into_iter().flat_map(|rounding| (1..=3).map(move |k| (rounding, k))) {
        for (_, factor) in slider().step_by(5) {
            for num_experts in [4, 8, 12] {
                let slots = CapacitySpec { factor, rounding, ..CapacitySpec::default() };
                let rule = RouterSpec::TopK { k, weighting: Weighting::Raw };
                let spec = RoutingSpec { router: rule, overflow: Overflow::Drop(slots) };
                let router = Router::new(spec, num_experts).expect("a legal spec");
                for num_tokens in 0..=256 {
                    let formula = router.capacity_formula(num_tokens).expect("a rule with slots");
                    assert_eq!(router.capacity(num_tokens), Some(formula.slots));
                    match formula.held_by {
                        HeldBy::Nothing => assert_eq!(formula.slots, formula.plain),
                        HeldBy::Minimum => assert!(formula.slots == slots.minimum && formula.plain < slots.minimum),
                        HeldBy::Tokens => {
                            assert!(formula.slots == num_tokens as u32 && formula.plain > formula.slots);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn rules_without_slots_of_the_spec_have_no_formula() {
    let check = |text: &str, has_formula: bool| {
        let router = moe_router::rules::parse_router(text).expect(text);
        let router = Router::new(RoutingSpec { router, ..RoutingSpec::default() }, 4).expect(text);
        assert_eq!(router.capacity_formula(6).is_some(), has_formula, "{text}");
    };
    check("top_k:2", true);
    check("no_token_left_behind:4", true);
    check("top_p:0.4", false);
    // It has slots, but by another formula.
    check("expert_choice:2", false);
    let dropless = RoutingSpec { overflow: Overflow::Dropless, ..RoutingSpec::default() };
    assert_eq!(Router::new(dropless, 4).expect("a legal spec").capacity_formula(6), None);
}
