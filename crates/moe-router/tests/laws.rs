//! What holds for every spec and all gate logits: requests are conserved, slots are unique and contiguous, experts have
//! no preferred order, and causal specs never look back on an earlier token.

use std::collections::BTreeSet;

use moe_router::{Router, RouterInput, gate_probs, metrics};
use moe_trace::{
    CapacitySpec, ExpertIdx, Fate, GateLogits, Normalise, Overflow, Priority, Rounding, RouterSpec, Routing,
    RoutingSpec, SecondExpert, SlotOrder, Weighting,
};
use proptest::prelude::*;

/// A checked router, logits for it, and one draw per token.
#[derive(Debug, Clone)]
struct Setup {
    router: Router,
    gate_logits: GateLogits,
    uniforms: Vec<f32>,
    gumbels: Vec<f32>,
}

impl Setup {
    fn route(&self) -> Routing {
        let input = RouterInput::new(&self.gate_logits);
        self.router.route(&input.with_uniforms(&self.uniforms).with_gumbels(&self.gumbels))
    }
}

fn router_spec(num_experts: usize) -> impl Strategy<Value = RouterSpec> {
    let weighting = prop_oneof![
        Just(Weighting::Raw),
        Just(Weighting::Norm),
        Just(Weighting::SoftmaxAfter),
        (0.5_f32..4.0).prop_map(|p| Weighting::PNorm { p }),
    ];
    let second = prop_oneof![
        Just(SecondExpert::Always),
        Just(SecondExpert::Never),
        Just(SecondExpert::Proportional),
        Just(SecondExpert::Sampled),
        (0.01_f32..0.5).prop_map(|threshold| SecondExpert::Threshold { threshold }),
        (0.01_f32..0.5).prop_map(|threshold| SecondExpert::Random { threshold }),
    ];
    let normalise = prop_oneof![Just(Normalise::BeforeDrop), Just(Normalise::AfterDrop)];
    let rules = prop_oneof![
        Just(RouterSpec::Dense),
        Just(RouterSpec::Switch),
        (1..=num_experts as u32, weighting).prop_map(|(k, weighting)| RouterSpec::TopK { k, weighting }),
        (second, normalise).prop_map(|(second, normalise)| RouterSpec::Gshard { second, normalise }),
    ];
    // One expert is too few for GShard.
    rules.prop_map(move |rule| match rule {
        RouterSpec::Gshard { .. } if num_experts == 1 => RouterSpec::Switch,
        _ => rule,
    })
}

fn overflow() -> impl Strategy<Value = Overflow> {
    let rounding = prop_oneof![
        Just(Rounding::Ceil),
        Just(Rounding::Floor),
        Just(Rounding::Round),
        Just(Rounding::Mesh),
        Just(Rounding::Tutel),
        Just(Rounding::Fairseq),
    ];
    let order = prop_oneof![Just(SlotOrder::TokenMajor), Just(SlotOrder::RankMajor)];
    let priority = prop_oneof![Just(Priority::Position), Just(Priority::BprMax), Just(Priority::BprSum)];
    let slots = (0.1_f32..2.5, rounding, 0_u32..3, order, priority);
    prop_oneof![
        1 => Just(Overflow::Dropless),
        5 => slots.prop_map(|(factor, rounding, minimum, order, priority)| {
            Overflow::Drop(CapacitySpec { factor, rounding, minimum, order, priority })
        }),
    ]
}

/// Logits on a grid of 1/4, so that ties abound, and now and then of enormous size.
fn setup() -> impl Strategy<Value = Setup> {
    let scale = prop_oneof![8 => Just(0.25_f32), 1 => Just(1.0e37), 1 => Just(1.0e-38)];
    (1_usize..9, 0_usize..14, scale).prop_flat_map(|(num_experts, num_tokens, scale)| {
        let values = prop::collection::vec(-12_i8..=12, num_tokens * num_experts);
        // Sometimes no draws at all.
        let uniforms = prop_oneof![3 => prop::collection::vec(0.0_f32..1.0, num_tokens), 1 => Just(Vec::new())];
        let gumbels =
            prop_oneof![3 => prop::collection::vec(-2.0_f32..5.0, num_tokens * num_experts), 1 => Just(Vec::new())];
        (router_spec(num_experts), overflow(), values, uniforms, gumbels).prop_map(
            move |(router, overflow, values, uniforms, gumbels)| {
                let router = Router::new(RoutingSpec { router, overflow }, num_experts).expect("a legal spec");
                let values = values.into_iter().map(|value| f32::from(value) * scale).collect();
                let gate_logits = GateLogits::new(num_experts, values).expect("a full matrix");
                Setup { router, gate_logits, uniforms, gumbels }
            },
        )
    })
}

proptest! {
    #[test]
    fn every_request_is_kept_lost_or_skipped(setup in setup()) {
        let routing = setup.route();
        prop_assert_eq!(routing.assignments.len(), setup.gate_logits.num_tokens() * setup.router.k());
        let count = |wanted: fn(&Fate) -> bool| routing.assignments.iter().filter(|a| wanted(&a.fate)).count();
        let kept = count(|fate| fate.is_kept());
        let lost = count(|fate| *fate == Fate::Lost);
        let skipped = count(|fate| *fate == Fate::Skipped);
        prop_assert_eq!(kept + lost + skipped, routing.assignments.len());
        prop_assert_eq!(metrics::load(&routing).iter().sum::<u32>() as usize, kept);
        prop_assert_eq!(metrics::demand(&routing).iter().sum::<u32>() as usize, kept + lost);
    }

    #[test]
    fn records_are_ordered_and_no_token_asks_an_expert_twice(setup in setup()) {
        let routing = setup.route();
        for (at, assignment) in routing.assignments.iter().enumerate() {
            let k = setup.router.k();
            prop_assert_eq!((assignment.token as usize, assignment.rank as usize), (at / k, at % k));
            prop_assert!((0.0..=1.0 + 1e-6).contains(&assignment.weight), "{}", assignment.weight);
        }
        for token in 0..routing.num_tokens {
            let experts: BTreeSet<ExpertIdx> = routing.of_token(token).iter().map(|a| a.expert).collect();
            prop_assert_eq!(experts.len(), routing.of_token(token).len());
        }
    }

    #[test]
    fn slots_are_unique_contiguous_and_below_capacity(setup in setup()) {
        let routing = setup.route();
        prop_assert_eq!(routing.capacity, setup.router.capacity(setup.gate_logits.num_tokens()));
        let mut slots = vec![Vec::new(); setup.router.num_experts()];
        for assignment in &routing.assignments {
            slots[assignment.expert.index()].extend(assignment.fate.slot());
        }
        for (of_expert, overflow) in slots.iter_mut().zip(metrics::overflow(&routing)) {
            of_expert.sort_unstable();
            prop_assert!(of_expert.iter().copied().eq(0..of_expert.len() as u32));
            if let Some(capacity) = routing.capacity {
                prop_assert!(of_expert.len() <= capacity as usize);
                // Nobody is turned away while a slot is free.
                prop_assert!(overflow == 0 || of_expert.len() == capacity as usize);
            } else {
                prop_assert_eq!(overflow, 0);
            }
        }
    }

    #[test]
    fn renaming_experts_renames_the_routing(setup in setup(), seed in any::<u64>()) {
        let num_experts = setup.router.num_experts();
        // A tie goes to the lower index, so only rows without ties must keep their meaning.
        let distinct = |row: &[f32]| (0..row.len()).all(|a| (0..a).all(|b| row[a] != row[b]));
        prop_assume!(setup.gate_logits.rows().all(distinct));
        let new_name = moe_router::draws::SplitMix64::new(seed).permutation(num_experts);
        let mut values = vec![0.0; setup.gate_logits.values().len()];
        for (row, renamed) in setup.gate_logits.rows().zip(values.chunks_mut(num_experts)) {
            for (expert, &logit) in row.iter().enumerate() {
                renamed[new_name[expert]] = logit;
            }
        }
        let mut gumbels = vec![0.0; setup.gumbels.len()];
        for (at, &gumbel) in setup.gumbels.iter().enumerate() {
            gumbels[at / num_experts * num_experts + new_name[at % num_experts]] = gumbel;
        }
        let gate_logits = GateLogits::new(num_experts, values).expect("same shape");
        let renamed = Setup { gate_logits, gumbels, ..setup.clone() };
        for (a, b) in setup.route().assignments.iter().zip(&renamed.route().assignments) {
            prop_assert_eq!((a.token, a.rank, a.fate), (b.token, b.rank, b.fate));
            prop_assert_eq!(new_name[a.expert.index()], b.expert.index());
            prop_assert!((a.weight - b.weight).abs() < 1e-6);
        }
    }

    #[test]
    fn causal_specs_never_revise_an_earlier_token(setup in setup(), later in prop::collection::vec(-12_i8..=12, 14 * 9)) {
        prop_assume!(!setup.router.spec().uses_the_future(setup.router.num_experts()));
        let (num_experts, num_tokens) = (setup.router.num_experts(), setup.gate_logits.num_tokens());
        let first_changed = num_tokens / 2;
        // Same number of tokens, hence the same capacity: only the later tokens' logits differ.
        let mut values = setup.gate_logits.values().to_vec();
        for (value, later) in values.iter_mut().skip(first_changed * num_experts).zip(later) {
            *value = f32::from(later) * 0.25;
        }
        let changed = Setup { gate_logits: GateLogits::new(num_experts, values).expect("same shape"), ..setup.clone() };
        let (before, after) = (setup.route(), changed.route());
        for token in 0..first_changed as u32 {
            prop_assert_eq!(before.of_token(token), after.of_token(token));
        }
    }

    #[test]
    fn probabilities_are_probabilities(setup in setup()) {
        let num_experts = setup.router.num_experts();
        for row in gate_probs(&setup.gate_logits).chunks(num_experts) {
            prop_assert!(row.iter().all(|p| (0.0..=1.0).contains(p)));
            prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}

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
    assert_eq!(spec.uses_the_future(2), expected, "what the spec says of itself: {spec:?}");
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
