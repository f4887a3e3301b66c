//! What holds for every rule that has a text, under every policy, on any finite input: nothing panics or is infinite,
//! requests are conserved, records are in order, slots are unique and contiguous, padding takes part in nothing, experts
//! have no preferred order, and where a spec does not look ahead no later token changes what an earlier one got.

use std::collections::BTreeSet;

use moe_router::overflow::other_capacity::first_change;
use moe_router::rule::{Requests, Slots};
use moe_router::{Router, RouterInput, gate_probs, metrics, rules};
use moe_trace::{
    CapacitySpec, ExpertIdx, Fate, GateLogits, Overflow, Priority, Rounding, RouterSpec, Routing, RoutingSpec,
    SlotOrder,
};
use proptest::prelude::*;

use crate::common::{Seen, seen, text_of_router};

pub fn overflow() -> impl Strategy<Value = Overflow> {
    let rounding = prop::sample::select(vec![
        Rounding::Ceil,
        Rounding::Floor,
        Rounding::Round,
        Rounding::Mesh,
        Rounding::Tutel,
        Rounding::Fairseq,
        Rounding::FairseqEval,
        Rounding::Flaxformer,
        Rounding::Vmoe,
    ]);
    let order = prop::sample::select(vec![SlotOrder::TokenMajor, SlotOrder::RankMajor]);
    let priority = prop::sample::select(vec![
        Priority::Position,
        Priority::BprMax,
        Priority::BprSum,
        Priority::Random,
        Priority::RandomPerExpert,
        Priority::Probability,
    ]);
    let slots = (0.05_f32..2.5, rounding, 0_u32..3, order, priority);
    prop_oneof![
        1 => Just(Overflow::Dropless),
        4 => slots.prop_map(|(factor, rounding, minimum, order, priority)| {
            Overflow::Drop(CapacitySpec { factor, rounding, minimum, order, priority })
        }),
    ]
}

/// A router that may run on what it sees, and what of that fits it; `None` where it was refused, with a message.
fn router(text: &str, overflow: Overflow, seen: Seen) -> Option<(Router, Seen)> {
    let router = rules::parse_router(text).expect("a complete form");
    match Router::new(RoutingSpec { router, overflow }, seen.gate_logits.num_experts()) {
        Ok(router) => Some((router, seen.fitting(router.facts()))),
        Err(error) => {
            assert!(error.to_string().ends_with('.') && !error.to_string().contains("NaN"), "{error}");
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn every_rule_routes_anything(text in text_of_router(), overflow in overflow(), seen in seen(0..13)) {
        let Some((router, seen)) = router(&text, overflow, seen) else { return Ok(()) };
        let routing = router.route(&seen.input());
        prop_assert_eq!(routing.num_tokens as usize, seen.gate_logits.num_tokens());
        prop_assert_eq!(routing.capacity, router.capacity(seen.input().num_real_tokens()));
        if overflow == Overflow::Dropless {
            // Nobody is turned away because a caller knows a capacity.
            let with_one = router.route_with_capacity(&seen.input(), Some(1));
            prop_assert!(with_one.assignments.iter().all(|a| a.fate != Fate::Lost), "{:?}", with_one);
        }
        check_records(&routing)?;
        check_slots(&routing)?;
        let is_padding = |token: u32| seen.is_padding.get(token as usize).copied().unwrap_or(false);
        for assignment in &routing.assignments {
            prop_assert_eq!(is_padding(assignment.token), assignment.fate == Fate::Padding, "{:?}", assignment);
        }
        let lost = routing.assignments.iter().filter(|a| a.fate == Fate::Lost).count();
        prop_assert!(router.facts().may_overflow() || lost == 0);
        let kept = routing.assignments.iter().filter(|a| a.fate.is_kept()).count();
        prop_assert_eq!(metrics::load(&routing).iter().sum::<u32>() as usize, kept);
        prop_assert_eq!(metrics::demand(&routing).iter().sum::<u32>() as usize, kept + lost);
        check_conservation(&router, &routing, seen.input().num_real_tokens())?;
    }

    #[test]
    fn padding_changes_nothing_for_the_others(text in text_of_router(), overflow in overflow(), seen in seen(0..13)) {
        let Some((router, seen)) = router(&text, overflow, seen) else { return Ok(()) };
        let routing = router.route(&seen.input());
        let real: Vec<usize> =
            (0..seen.gate_logits.num_tokens()).filter(|&t| !seen.is_padding.get(t).copied().unwrap_or(false)).collect();
        let num_experts = seen.gate_logits.num_experts();
        let rows = |values: &[f32], width: usize| -> Vec<f32> {
            if values.is_empty() { return Vec::new() }
            real.iter().flat_map(|&t| values[t * width..(t + 1) * width].iter().copied()).collect()
        };
        let alone = Seen {
            gate_logits: GateLogits::new(num_experts, rows(seen.gate_logits.values(), num_experts)).expect("whole rows"),
            draws: rows(&seen.draws, num_experts),
            noise_std: rows(&seen.noise_std, num_experts),
            token_ids: real.iter().filter_map(|&t| seen.token_ids.get(t).copied()).collect(),
            sequence_ids: real.iter().filter_map(|&t| seen.sequence_ids.get(t).copied()).collect(),
            group_logits: seen.group_logits.as_ref().map(|logits| {
                let width = logits.num_experts();
                GateLogits::new(width, rows(logits.values(), width)).expect("whole rows")
            }),
            is_padding: Vec::new(),
            ..seen.clone()
        };
        // Uniform draws are one per token, the first of the list.
        let uniforms: Vec<f32> = real.iter().filter_map(|&t| seen.draws.get(t).copied()).collect();
        let expected = router.route(&alone.input().with_uniforms(&uniforms));
        for (now, &token) in real.iter().enumerate() {
            let found: Vec<_> = routing.of_token(token as u32).iter().map(|a| (a.rank, a.expert, a.weight, a.fate)).collect();
            let expected: Vec<_> =
                expected.of_token(now as u32).iter().map(|a| (a.rank, a.expert, a.weight, a.fate)).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn rules_that_do_not_look_ahead_do_not(
        text in text_of_router(),
        overflow in overflow(),
        seen in seen(0..13),
        later in prop::collection::vec(-12_i8..=12, 13 * 9),
    ) {
        let Some((router, seen)) = router(&text, overflow, seen) else { return Ok(()) };
        if rules::looks_ahead(router.spec()) {
            return Ok(());
        }
        // As many tokens as before, and as much padding, hence the same capacity.
        let (num_experts, num_tokens) = (seen.gate_logits.num_experts(), seen.gate_logits.num_tokens());
        let first_changed = num_tokens / 2;
        let mut changed = seen.clone();
        let mut values = seen.gate_logits.values().to_vec();
        for (value, later) in values.iter_mut().skip(first_changed * num_experts).zip(later) {
            *value = f32::from(later) * 0.25;
        }
        changed.gate_logits = GateLogits::new(num_experts, values).expect("same shape");
        if let Some(logits) = &seen.group_logits {
            let mut values = logits.values().to_vec();
            values.iter_mut().skip(first_changed * logits.num_experts()).for_each(|value| *value = -*value);
            changed.group_logits = Some(GateLogits::new(logits.num_experts(), values).expect("same shape"));
        }
        changed.token_ids.iter_mut().skip(first_changed).for_each(|id| id.0 = id.0.wrapping_add(1));
        changed.sequence_ids.iter_mut().skip(first_changed).for_each(|id| *id += 1);
        let (before, after) = (router.route(&seen.input()), router.route(&changed.input()));
        for token in 0..first_changed as u32 {
            prop_assert_eq!(before.of_token(token), after.of_token(token));
        }
    }

    #[test]
    fn another_capacity_changes_nothing_before_the_token_that_is_said(
        text in text_of_router(),
        overflow in overflow(),
        seen in seen(0..13),
        capacities in prop::array::uniform2(prop::option::weighted(0.9, 0_u32..6)),
    ) {
        let Some((router, seen)) = router(&text, overflow, seen) else { return Ok(()) };
        // Without the limit that a dropless spec has not, and rules that fill experts have by themselves.
        if rules::looks_ahead(router.spec()) || overflow == Overflow::Dropless {
            return Ok(());
        }
        let [before, now] = capacities.map(|capacity| router.route_with_capacity(&seen.input(), capacity));
        let changed = first_change(&before.assignments, before.capacity, now.capacity);
        for token in 0..changed.unwrap_or(before.num_tokens) {
            prop_assert_eq!(before.of_token(token), now.of_token(token));
        }
        if let Some(token) = changed {
            prop_assert_ne!(before.of_token(token), now.of_token(token));
        }
    }

    #[test]
    fn renaming_experts_renames_the_routing(
        text in text_of_router(),
        overflow in overflow(),
        seed in any::<u64>(),
        num_experts in 1_usize..9,
        has_draws in any::<bool>(),
    ) {
        let spec = rules::parse_router(&text).expect("a complete form");
        // Rules in which an expert's number means something. Random logits do not tie, so balanced assignments are unique.
        let by_number = matches!(
            spec,
            RouterSpec::Hash { .. }
                | RouterSpec::BalancedHash
                | RouterSpec::Random
                | RouterSpec::Deepseek { groups: 2.., .. }
                | RouterSpec::DeepseekV2 { groups: 2.., .. }
                | RouterSpec::Hierarchical { .. }
                | RouterSpec::Prototypes { .. }
                | RouterSpec::NullExperts { .. }
        );
        // Numbers so large that all logits become the same.
        if by_number || text.contains("3e38") {
            return Ok(());
        }
        let mut draws = moe_router::draws::SplitMix64::new(seed);
        // Eight tokens divide among 1, 2, 4 and 8 experts, as BASE's auction needs.
        let mut normals = || -> Vec<f32> { (0..num_experts * 8).map(|_| draws.normal() as f32).collect() };
        let (values, of_experts) = (normals(), if has_draws { normals() } else { Vec::new() });
        let uniforms = if has_draws { draws.uniforms(8) } else { Vec::new() };
        let new_name = draws.permutation(num_experts);
        let renamed = |values: &[f32]| {
            let mut renamed = vec![0.0; values.len()];
            for (at, &value) in values.iter().enumerate() {
                renamed[at / num_experts * num_experts + new_name[at % num_experts]] = value;
            }
            renamed
        };
        let Ok(router) = Router::new(RoutingSpec { router: spec, overflow }, num_experts) else { return Ok(()) };
        let route = |values: Vec<f32>, of_experts: &[f32]| {
            let gate_logits = GateLogits::new(num_experts, values).expect("whole rows");
            let input = RouterInput::new(&gate_logits).with_uniforms(&uniforms);
            router.route(&input.with_gumbels(of_experts).with_normals(of_experts))
        };
        let (before, after) = (route(values.clone(), &of_experts), route(renamed(&values), &renamed(&of_experts)));
        prop_assert_eq!(before.assignments.len(), after.assignments.len());
        for (a, b) in before.assignments.iter().zip(&after.assignments) {
            prop_assert_eq!((a.token, a.rank, a.fate), (b.token, b.rank, b.fate));
            prop_assert_eq!(new_name[a.expert.index()], b.expert.index());
            prop_assert!((a.weight - b.weight).abs() <= 1e-5 * a.weight.abs().max(1.0));
        }
    }

    #[test]
    fn probabilities_are_probabilities(seen in seen(0..13)) {
        for row in gate_probs(&seen.gate_logits).chunks(seen.gate_logits.num_experts()) {
            prop_assert!(row.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

/// As many requests as the rule makes, whatever became of them.
fn check_conservation(router: &Router, routing: &Routing, num_real: usize) -> Result<(), TestCaseError> {
    let made = routing.assignments.iter().filter(|a| a.fate != Fate::Padding).count();
    let facts = router.facts();
    match (facts.slots, facts.requests) {
        // Every expert fills its slots, as far as there are tokens.
        (Slots::Filled { .. }, _) => {
            let slots = routing.capacity.map_or(0, |slots| slots as usize);
            prop_assert_eq!(made, router.num_experts() * slots.min(num_real));
        }
        (_, Requests::AnyNumber) => {}
        (_, Requests::OneOrMore) => {
            prop_assert!((num_real..=num_real * router.num_experts()).contains(&made), "{}", made);
        }
        (_, Requests::Exactly(_) | Requests::Everyone) => prop_assert_eq!(made, router.k() * num_real),
    }
    // Probabilities, or shares of their sum.
    if let RouterSpec::Dense | RouterSpec::Switch | RouterSpec::TopK { .. } | RouterSpec::Gshard { .. } =
        router.spec().router
    {
        prop_assert!(routing.assignments.iter().all(|a| a.weight <= 1.0 + 1e-6), "{:?}", routing);
    }
    Ok(())
}

/// Ordered by token, then rank; finite and not negative; no token asks an expert twice.
fn check_records(routing: &Routing) -> Result<(), TestCaseError> {
    let order: Vec<(u32, u32)> = routing.assignments.iter().map(|a| (a.token, a.rank)).collect();
    prop_assert!(order.is_sorted_by(|a, b| a < b), "{:?}", order);
    for assignment in &routing.assignments {
        prop_assert!(assignment.weight.is_finite() && assignment.weight >= 0.0, "{:?}", assignment);
        prop_assert!(assignment.weight_raw.is_finite(), "{:?}", assignment);
        prop_assert!(assignment.token < routing.num_tokens && assignment.expert.0 < routing.num_experts);
    }
    for token in 0..routing.num_tokens {
        let experts: BTreeSet<ExpertIdx> = routing.of_token(token).iter().map(|a| a.expert).collect();
        prop_assert_eq!(experts.len(), routing.of_token(token).len());
    }
    Ok(())
}

/// Unique, contiguous, below capacity; and nobody is turned away by an expert with a free slot.
fn check_slots(routing: &Routing) -> Result<(), TestCaseError> {
    for (expert, overflow) in (0..routing.num_experts).zip(metrics::overflow(routing)) {
        let of_expert = routing.assignments.iter().filter(|a| a.expert.0 == expert);
        let mut slots: Vec<u32> = of_expert.filter_map(|a| a.fate.slot()).collect();
        slots.sort_unstable();
        prop_assert!(slots.iter().copied().eq(0..slots.len() as u32), "{:?}", slots);
        match routing.capacity {
            Some(capacity) => {
                prop_assert!(slots.len() <= capacity as usize);
                prop_assert!(overflow == 0 || slots.len() == capacity as usize);
            }
            None => prop_assert_eq!(overflow, 0),
        }
    }
    Ok(())
}
