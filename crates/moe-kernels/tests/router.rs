//! The kernels route as `moe-router` does: same experts, slots and fates, weights to 1e-5, over inputs rich in ties.

use moe_kernels::cpu::{assign_slots, gate_top_k, token_order};
use moe_kernels::params::{GateParams, OrderParams, SlotParams};
use moe_kernels::{SLOT_LOST, routing_width};
use moe_router::draws::SplitMix64;
use moe_router::{Router, RouterInput};
use moe_trace::{
    CapacitySpec, Fate, GateLogits, Normalise, Overflow, Priority, RouterSpec, RoutingSpec, SecondExpert, SlotOrder,
    Weighting,
};

/// Routes by the kernels' twins. The gate is the identity, so that `logits` are the layer's input too.
fn route_by_twins(logits: &GateLogits, router: &Router, draws: &[f32]) -> Vec<f32> {
    let (num_tokens, num_experts, k) = (logits.num_tokens(), logits.num_experts(), router.k());
    let mut identity = vec![0.0; num_experts * num_experts];
    for expert in 0..num_experts {
        identity[expert * num_experts + expert] = 1.0;
    }
    let spec = router.spec();
    let raw = matches!(
        spec.router,
        RouterSpec::Dense | RouterSpec::Switch | RouterSpec::TopK { weighting: Weighting::Raw, .. }
    );
    let slots = match spec.overflow {
        Overflow::Drop(slots) => slots,
        _ => CapacitySpec::default(),
    };
    let mut rows = vec![0.0; num_tokens * routing_width(num_experts, k)];
    let (tokens, experts, k) = (num_tokens as u32, num_experts as u32, k as u32);
    let gate =
        GateParams { num_tokens: tokens, d_model: experts, num_experts: experts, k, normalised: u32::from(!raw) };
    gate_top_k::gate_top_k(logits.values(), &identity, gate, &mut rows);
    let mut order: Vec<i32> = (0..num_tokens as i32).collect();
    if slots.priority == Priority::BprMax {
        token_order::token_order(&rows, OrderParams { num_tokens: tokens, num_experts: experts, k }, &mut order);
    }
    let proportional = matches!(spec.router, RouterSpec::Gshard { second: SecondExpert::Proportional, .. });
    let params = SlotParams {
        num_tokens: tokens,
        num_experts: experts,
        k,
        capacity: router.capacity(num_tokens).unwrap_or(u32::MAX),
        rank_major: u32::from(slots.order == SlotOrder::RankMajor),
        random_second: u32::from(proportional),
        taken_offset: 0,
    };
    assign_slots::assign_slots(&order, draws, &vec![0; num_experts], params, &mut rows);
    if slots.order == SlotOrder::TokenMajor && slots.priority == Priority::Position {
        assert_eq!(in_two_passes(&rows, draws, params), rows, "{spec:?}");
    }
    rows
}

/// The same rows, their slots given out once more: first to half of the tokens, in a second pass to the others.
fn in_two_passes(rows: &[f32], draws: &[f32], params: SlotParams) -> Vec<f32> {
    let (num_experts, k) = (params.num_experts as usize, params.k as usize);
    let width = routing_width(num_experts, k);
    let mut rows = rows.to_vec();
    for row in rows.chunks_exact_mut(width) {
        row[width - k..].fill(SLOT_LOST);
    }
    let half = draws.len() / 2;
    let (first, second) = rows.split_at_mut(half * width);
    let (first_draws, second_draws) = draws.split_at(half);
    // Of the second of two layers; the numbers of the other one must not matter.
    let mut taken = vec![7; 2 * num_experts];
    taken[num_experts..].fill(0);
    for (rows, draws) in [(first, first_draws), (second, second_draws)] {
        let order: Vec<i32> = (0..draws.len() as i32).collect();
        let params = SlotParams { num_tokens: draws.len() as u32, taken_offset: params.num_experts, ..params };
        assign_slots::assign_slots(&order, draws, &taken, params, rows);
        for row in rows.chunks_exact(width) {
            for rank in 0..k {
                let (expert, slot) = (row[num_experts + rank] as usize, row[num_experts + 3 * k + rank]);
                taken[num_experts + expert] += i32::from(slot >= 0.0);
            }
        }
    }
    rows
}

fn check(spec: RoutingSpec, num_tokens: usize, num_experts: usize, random: &mut SplitMix64) {
    // Quarters: many equal logits within a row and between rows.
    let quarter = |random: &mut SplitMix64| (random.u64() % 13) as f32 * 0.25 - 1.5;
    let values = (0..num_tokens * num_experts).map(|_| quarter(random)).collect();
    let logits = GateLogits::new(num_experts, values).expect("a matrix");
    let draws = random.uniforms(num_tokens);
    let router = Router::new(spec, num_experts).expect("a valid spec");
    let expected = router.route(&RouterInput::new(&logits).with_uniforms(&draws));

    let rows = route_by_twins(&logits, &router, &draws);
    let k = router.k();
    let width = routing_width(num_experts, k);
    for a in &expected.assignments {
        let chosen = &rows[a.token as usize * width + num_experts..][..4 * k];
        let [expert, weight, weight_raw, slot] = [0, 1, 2, 3].map(|column| chosen[column * k + a.rank as usize]);
        let fate = match slot {
            -1.0 => Fate::Lost,
            -2.0 => Fate::Skipped,
            slot => Fate::Kept { slot: slot as u32 },
        };
        assert_eq!((expert as u32, fate), (a.expert.0, a.fate), "{spec:?} {num_tokens}x{num_experts} {a:?}");
        assert!((weight - a.weight).abs() <= 1e-5, "{weight} {a:?}");
        assert!((weight_raw - a.weight_raw).abs() <= 1e-5, "{weight_raw} {a:?}");
    }
    assert_eq!(expected.assignments.len(), num_tokens * k, "{spec:?}");
}

#[test]
fn kernels_route_as_the_router_does() {
    let mut random = SplitMix64::new(11);
    let slots =
        |order, priority, factor| Overflow::Drop(CapacitySpec { order, priority, factor, ..CapacitySpec::default() });
    let overflows = [
        Overflow::Dropless,
        slots(SlotOrder::TokenMajor, Priority::Position, 1.25),
        slots(SlotOrder::TokenMajor, Priority::Position, 0.25),
        slots(SlotOrder::RankMajor, Priority::Position, 1.0),
        slots(SlotOrder::RankMajor, Priority::BprMax, 0.75),
        slots(SlotOrder::TokenMajor, Priority::BprMax, 0.5),
    ];
    let second = |second| RouterSpec::Gshard { second, normalise: Normalise::BeforeDrop };
    for (num_tokens, num_experts) in [(1, 2), (6, 4), (17, 8), (64, 8), (40, 16)] {
        for overflow in overflows {
            let routers = [
                RouterSpec::Switch,
                RouterSpec::TopK { k: 1, weighting: Weighting::Raw },
                RouterSpec::TopK { k: 2, weighting: Weighting::Norm },
                RouterSpec::TopK { k: 2, weighting: Weighting::SoftmaxAfter },
                RouterSpec::TopK { k: num_experts as u32, weighting: Weighting::Raw },
                second(SecondExpert::Always),
                second(SecondExpert::Proportional),
            ];
            for router in routers {
                check(RoutingSpec { router, overflow }, num_tokens, num_experts, &mut random);
            }
        }
    }
}
