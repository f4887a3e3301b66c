//! Groups of no token, of one, and of padding only: every rule routes them, and every loss, metric and measurement of what
//! comes out is a number.

use moe_router::matrix::Matrix;
use moe_router::measure::{self, ClassWeights};
use moe_router::{Router, gate_probs, losses, metrics, rules};
use moe_trace::{CapacitySpec, GateLogits, Overflow, Routing, RoutingSpec};
use proptest::prelude::*;

use crate::common::{seen, text_of_router};

/// Every number that can be had from a routing, by name.
fn numbers_of(gate_logits: &GateLogits, routing: &Routing) -> Vec<(&'static str, Vec<f64>)> {
    let (num_experts, num_tokens) = (gate_logits.num_experts(), gate_logits.num_tokens());
    let probs = gate_probs(gate_logits);
    let wide: Vec<f64> = probs.iter().copied().map(f64::from).collect();
    let demand = metrics::demand(routing);
    let devices: Vec<usize> = (0..num_experts).map(|expert| expert % 2).collect();
    let device = losses::device_balance(&wide, routing, &devices, 1);
    let sigmoids: Vec<f64> = gate_logits.values().iter().map(|&z| moe_router::gate::sigmoid(f64::from(z))).collect();
    let ones = vec![1.0; gate_logits.values().len()];
    let load_probs = losses::load_probs(gate_logits, gate_logits, &ones, 1);
    let load = losses::expected_load(&load_probs, num_experts, &[]);
    let token = losses::token_information(&probs, num_experts, &[]);
    let tasks = vec![0; num_tokens];
    let by_task = losses::mean_probs_by_task(&probs, num_experts, &tasks, 2, &[]);
    let local = losses::localized_balance(&probs, &devices, &tasks, 0.1);
    let bias = losses::bias_update(&vec![0.0; num_experts], &demand, 0.001);

    let routings = std::slice::from_ref(routing);
    let by_position: Vec<f64> = metrics::drop_rate_by_position(routings, 3).into_iter().flatten().collect();
    // Measurements are of rules with as many choices for every token: the first of each.
    let first: Vec<u32> = (0..num_tokens as u32)
        .map(|token| routing.of_token(token).first().map_or(0, |request| request.expert.0))
        .collect();
    let keys: Vec<u32> = (0..num_tokens as u32).collect();
    let shares = measure::share_by_key(&first, &keys, num_experts, 1);
    let hidden = Matrix::new(num_experts, gate_logits.values().iter().map(|z| z.clamp(-1e6, 1e6)).collect());
    let collapse = [ClassWeights::BySize, ClassWeights::Equal]
        .map(|weights| measure::representation_collapse(&hidden, &first, weights));
    let information = [
        measure::mutual_information(&first, &keys),
        measure::conditional_information(&first, &keys, &keys),
        measure::context_information(&first, &keys, &vec![0; num_tokens]),
    ];
    let repeats = measure::consecutive_repeats(&first, 1, &keys);
    let loads: Vec<f64> = metrics::load(routing).into_iter().map(f64::from).collect();
    let ranks = measure::spearman(&loads, &load);

    let mut numbers: Vec<(&str, Vec<f64>)> = vec![
        ("device_balance", vec![device.experts, device.devices, device.messages]),
        ("device frequencies", [device.expert_frequency, device.device_frequency, device.message_frequency].concat()),
        ("device scores", device.mean_scores),
        ("sequence_scores", losses::sequence_scores(&sigmoids, num_experts)),
        ("load_probs", [load_probs, losses::load_probs_vmoe(gate_logits, gate_logits, 0.25, 1)].concat()),
        ("expected_load", vec![metrics::squared_variation(&load)]),
        (
            "importance",
            vec![losses::importance_of_weights(routing), losses::importance_of_probs(&probs, num_experts, &[])],
        ),
        ("second_place", vec![losses::second_place(&probs, routing)]),
        ("z_loss", vec![losses::z_loss(gate_logits, &[])]),
        ("relu_l1", vec![losses::relu_l1(gate_logits, &[]), losses::relu_l1_balanced(gate_logits, 1, &[])]),
        ("token_information", vec![token.loss, token.of_experts, token.given_token]),
        ("task_information", vec![losses::task_information(&by_task, num_experts)]),
        ("localized_balance", vec![local.paper, local.code]),
        ("bias_update", bias.into_iter().map(f64::from).collect()),
        (
            "fractions",
            vec![
                metrics::fraction_dropped(routing),
                metrics::fraction_tokens_unserved(routing),
                metrics::router_confidence(routing),
                metrics::expert_usage(routing).unwrap_or(0.0),
            ],
        ),
        ("drops", by_position),
        ("drop trend", vec![metrics::drop_towards_the_end(routings), metrics::drop_rank_correlation(routings)]),
        ("counts", vec![metrics::demand_cv(&demand), metrics::max_over_mean(&demand), metrics::max_violation(&demand)]),
        ("importance kept", metrics::importance(routing)),
        ("entropy", vec![metrics::entropy_mean(&probs, num_experts), metrics::entropy_normalised(&probs, num_experts)]),
        ("deviation", shares.values().map(|shares| measure::routing_deviation(shares)).collect()),
        ("bound", vec![measure::routing_deviation_bound(1, num_experts)]),
        ("vocabulary", measure::vocabulary_specialization(&first, &keys, num_experts, 1)),
        ("domains", measure::domain_specialization(&first, &keys, num_experts).into_values().collect()),
        ("co_activation", measure::co_activation(&first, 1, num_experts)),
        ("collapse", collapse.iter().flat_map(|found| [found.rc, found.within, found.between]).collect()),
        ("effective_rank", vec![measure::effective_rank(&hidden)]),
        ("repeats", vec![repeats.first, repeats.any]),
        (
            "checkpoints",
            vec![
                measure::router_saturation(&first, &first, 1),
                measure::first_choice_agreement(&first, &first, 1),
                measure::routing_fluctuation(&first, &first, 1),
            ],
        ),
        ("runs", vec![ranks, measure::load_correlation(&loads, &loads), measure::inter_run_consistency(&[loads])]),
    ];
    numbers.extend(losses::BalanceScaling::ALL.map(|scaling| ("balance", vec![scaling.loss(&probs, routing)])));
    numbers.extend(information.map(|found| {
        ("information", vec![found.plug_in, found.corrected, found.entropy_a, found.entropy_b, found.normalised()])
    }));
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn everything_is_a_number(
        text in text_of_router(),
        seen in seen(0..3),
        factor in prop::sample::select(vec![None, Some(0.01_f32), Some(1.0)]),
    ) {
        let router = rules::parse_router(&text).expect("a complete form");
        // No slot at all, where the factor is small.
        let slots = |factor| CapacitySpec { factor, minimum: 0, ..CapacitySpec::default() };
        let overflow = factor.map_or(Overflow::Dropless, |factor| Overflow::Drop(slots(factor)));
        let Ok(router) = Router::new(RoutingSpec { router, overflow }, seen.gate_logits.num_experts()) else { return Ok(()) };
        let seen = seen.fitting(router.facts());
        let routing = router.route(&seen.input());
        for (name, numbers) in numbers_of(&seen.gate_logits, &routing) {
            prop_assert!(numbers.iter().all(|number| number.is_finite()), "{}: {:?}", name, numbers);
        }
    }
}
