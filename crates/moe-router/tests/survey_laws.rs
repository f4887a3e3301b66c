//! What holds for every rule of the survey: records are in order, slots are unique and contiguous, nothing is infinite,
//! and a rule that says it does not look ahead does not.

use std::collections::BTreeSet;

use moe_router::{RouterInput, SurveyRouter, metrics};
use moe_trace::{CapacitySpec, ExpertIdx, Fate, GateLogits, Overflow, Routing, SurveySpec, TokenId};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Setup {
    router: SurveyRouter,
    gate_logits: GateLogits,
    draws: Vec<f32>,
    token_ids: Vec<TokenId>,
}

impl Setup {
    fn route(&self) -> Routing {
        let input = RouterInput::new(&self.gate_logits).with_token_ids(&self.token_ids);
        self.router.route(&input.with_uniforms(&self.draws).with_gumbels(&self.draws).with_normals(&self.draws))
    }
}

/// Every example of a rule on two, four or eight experts; logits on a grid, so that ties abound, and sometimes huge.
fn setup() -> impl Strategy<Value = Setup> {
    let overflow = prop_oneof![
        Just(Overflow::Dropless),
        (0.2_f32..2.0).prop_map(|factor| Overflow::Drop(CapacitySpec { factor, ..CapacitySpec::default() })),
    ];
    let num_experts = prop_oneof![Just(4_usize), Just(8)];
    let scale = prop_oneof![8 => Just(0.25_f32), 1 => Just(1.0e37), 1 => Just(1.0e-38)];
    (prop::sample::select(SurveySpec::EXAMPLES.to_vec()), overflow, num_experts, 0_usize..13, scale).prop_flat_map(
        |(spec, overflow, num_experts, num_tokens, scale)| {
            let values = prop::collection::vec(-12_i8..=12, num_tokens * num_experts);
            let draws = prop::collection::vec(0.0_f32..1.0, num_tokens * num_experts);
            let ids = prop::collection::vec(any::<u32>().prop_map(TokenId), num_tokens);
            (values, draws, ids).prop_map(move |(values, draws, token_ids)| {
                let router = SurveyRouter::new(spec, overflow, num_experts).expect("a legal spec");
                let values = values.into_iter().map(|value| f32::from(value) * scale).collect();
                let gate_logits = GateLogits::new(num_experts, values).expect("a full matrix");
                Setup { router, gate_logits, draws, token_ids }
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn records_are_ordered_finite_and_never_twice(setup in setup()) {
        let routing = setup.route();
        let order: Vec<(u32, u32)> = routing.assignments.iter().map(|a| (a.token, a.rank)).collect();
        prop_assert!(order.is_sorted_by(|a, b| a < b), "{:?}", order);
        for assignment in &routing.assignments {
            prop_assert!(assignment.weight.is_finite() && assignment.weight >= 0.0, "{:?}", assignment);
            prop_assert!(assignment.token < routing.num_tokens && assignment.expert.0 < routing.num_experts);
        }
        for token in 0..routing.num_tokens {
            let experts: BTreeSet<ExpertIdx> = routing.of_token(token).iter().map(|a| a.expert).collect();
            prop_assert_eq!(experts.len(), routing.of_token(token).len());
        }
    }

    #[test]
    fn slots_are_unique_contiguous_and_below_capacity(setup in setup()) {
        let routing = setup.route();
        for expert in 0..routing.num_experts {
            let of_expert = routing.assignments.iter().filter(|a| a.expert.0 == expert);
            let mut slots: Vec<u32> = of_expert.filter_map(|a| a.fate.slot()).collect();
            slots.sort_unstable();
            prop_assert!(slots.iter().copied().eq(0..slots.len() as u32));
            prop_assert!(routing.capacity.is_none_or(|capacity| slots.len() <= capacity as usize));
        }
        let lost: u32 = metrics::overflow(&routing).iter().sum();
        prop_assert!(routing.capacity.is_some() || lost == 0);
    }

    #[test]
    fn rules_that_do_not_look_ahead_do_not(setup in setup(), later in prop::collection::vec(-12_i8..=12, 13 * 8)) {
        prop_assume!(!setup.router.spec().uses_the_future());
        // The default order of slots is causal too, so only the rule itself could look ahead.
        let (num_experts, num_tokens) = (setup.gate_logits.num_experts(), setup.gate_logits.num_tokens());
        let first_changed = num_tokens / 2;
        let mut values = setup.gate_logits.values().to_vec();
        for (value, later) in values.iter_mut().skip(first_changed * num_experts).zip(later) {
            *value = f32::from(later) * 0.25;
        }
        let mut token_ids = setup.token_ids.clone();
        token_ids.iter_mut().skip(first_changed).for_each(|id| id.0 = id.0.wrapping_add(1));
        let gate_logits = GateLogits::new(num_experts, values).expect("same shape");
        let changed = Setup { gate_logits, token_ids, ..setup.clone() };
        let (before, after) = (setup.route(), changed.route());
        for token in 0..first_changed as u32 {
            prop_assert_eq!(before.of_token(token), after.of_token(token));
        }
    }
}

/// Rules that look ahead: is there a third token that changes what the first two get?
#[test]
fn rules_that_look_ahead_do() {
    let slots = CapacitySpec { factor: 0.7, ..CapacitySpec::default() };
    for spec in SurveySpec::EXAMPLES.into_iter().filter(SurveySpec::uses_the_future) {
        let router = SurveyRouter::new(spec, Overflow::Drop(slots), 4).expect("a legal spec");
        let first_two = |third: [f32; 4]| -> Vec<(u32, u32, Fate)> {
            let same = [0.3, 0.2, 0.1, 0.0];
            let gate_logits = GateLogits::new(4, [same, same, third].concat()).expect("three rows of four");
            let routing = router.route(&RouterInput::new(&gate_logits));
            let earlier = routing.assignments.iter().filter(|a| a.token < 2);
            earlier.map(|a| (a.token, a.expert.0, a.fate)).collect()
        };
        let thirds = [[9.0, 0.0, 0.0, 0.0], [0.0, 9.0, 0.0, 0.0], [0.0, 0.0, 0.0, 9.0]];
        let outcomes = thirds.map(first_two);
        assert!(outcomes.iter().any(|outcome| *outcome != outcomes[0]), "{spec}: {outcomes:?}");
    }
}
