//! Measurements: collapse, specialisation over a stream of tokens, and the leak probe.

use std::collections::BTreeMap;

use moe_router::capacity::capacity;
use moe_router::draws::SplitMix64;
use moe_router::group_choice::{expert_choice, sinkhorn};
use moe_router::matrix::Matrix;
use moe_router::measure::{self, ClassWeights, Information};
use moe_router::mixing::soft_moe;
use moe_router::overflow::selection;
use moe_router::token_choice::{no_token_left_behind, switch};
use moe_router::{Router, RouterInput, metrics};
use moe_trace::{
    Assignment, CapacitySpec, GateLogits, Normalise, Overflow, Priority, RouterSpec, Routing, RoutingSpec,
    SecondExpert, SlotOrder, Weighting,
};

use super::fixture::Node;
use super::gates::{experts, matrix};
use super::ties;
use super::token_choice::{gate_logits, route};

pub fn check(case: &Node) {
    let [input, results] = [case.at("input"), case.at("results")];
    let hidden = matrix(&input.at("x"));
    let linear = experts(&switch::requests(&gate_logits(case)));
    // Classes are first choices; those of the cosine gate are the fixture's.
    let is_tied = ties::any(&ties::top_k(&input.at("logits").rows(), 1));
    let cosine: Vec<u32> = results.at("cosine").at("experts").indices().into_iter().map(|e| e as u32).collect();
    for (name, classes, weights) in [
        ("linear", &linear, ClassWeights::BySize),
        ("cosine", &cosine, ClassWeights::BySize),
        ("linear_unweighted", &linear, ClassWeights::Equal),
    ] {
        let expected = results.at("rc").at(name).unless(is_tied && name != "cosine");
        let found = measure::representation_collapse(&hidden, classes, weights);
        expected.at("rc").close([found.rc]);
        expected.at("tr_w").close([found.within]);
        expected.at("tr_b").close([found.between]);
        expected.at("rank_b").same_indices([found.rank]);
        expected.at("n_classes").same_indices([found.num_classes]);
    }
}

/// A stream of eight sequences of 32 tokens at two checkpoints, made from one generator.
pub fn check_stream(expected: &Node) {
    let number = |key: &str| expected.at(key).number() as usize;
    let (num_experts, k, vocabulary) = (number("E"), number("K"), number("vocab"));
    let (num_sequences, length) = (number("sequences"), number("length"));
    let mut draws = SplitMix64::new(number("seed") as u64);
    let base: Vec<f64> = (0..vocabulary * num_experts).map(|_| draws.normal() * 2.0).collect();
    let (mut ids, mut early, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..num_sequences * length {
        let id = (draws.u64() % vocabulary as u64) as usize;
        let of_id = &base[id * num_experts..(id + 1) * num_experts];
        let noise: Vec<f64> = of_id.iter().map(|_| draws.normal()).collect();
        ids.push(id as u32);
        last.extend(of_id.iter().zip(&noise).map(|(z, noise)| (z + 0.5 * noise) as f32));
        early.extend(of_id.iter().zip(&noise).map(|(z, noise)| (0.6 * z + noise + 0.5 * draws.normal()) as f32));
    }
    expected.at("ids").same(ids.iter().copied());

    // Every sequence is a group of its own.
    let slots = CapacitySpec { factor: 1.0, order: SlotOrder::RankMajor, ..CapacitySpec::default() };
    let router = RouterSpec::TopK { k: k as u32, weighting: Weighting::Norm };
    let route_all = |logits: &[f32]| -> Vec<Routing> {
        let groups = logits.chunks(length * num_experts);
        let groups = groups.map(|group| GateLogits::new(num_experts, group.to_vec()).expect("finite logits"));
        groups.map(|group| route(router, Overflow::Drop(slots), &group)).collect()
    };
    let (early, last) = (route_all(&early), route_all(&last));
    let chosen = |groups: &[Routing]| groups.iter().flat_map(measure::choices).collect::<Vec<u32>>();
    let (early, choices) = (chosen(&early), chosen(&last));
    expected.at("experts").same(choices.iter().copied());
    expected.at("experts_early").same(early.iter().copied());
    expected.at("capacity").same([last[0].capacity.unwrap_or(0)]);
    expected.at("drop_by_position").close(metrics::drop_rate_by_position(&last, 4).into_iter().flatten());
    let drop_rate = metrics::drop_rate_by_position(&last, 1)[0].unwrap_or(-1.0);
    expected.at("drop_rate").close([drop_rate]);

    let (tokens, length) = ((num_sequences * length) as u32, length as u32);
    let positions: Vec<u32> = (0..tokens).map(|token| token % length).collect();
    let sequences: Vec<u32> = (0..tokens).map(|token| token / length).collect();
    let deviations = |keys: &[u32]| -> BTreeMap<u32, f64> {
        let shares = measure::share_by_key(&choices, keys, num_experts, 1);
        shares.into_iter().map(|(key, shares)| (key, measure::routing_deviation(&shares))).collect()
    };
    let mean = |deviations: &BTreeMap<u32, f64>| deviations.values().sum::<f64>() / deviations.len() as f64;
    let by_id = deviations(&ids);
    for (id, deviation) in &by_id {
        expected.at("std_token").at(&id.to_string()).close([*deviation]);
    }
    expected.at("std_token_mean").close([mean(&by_id)]);
    expected.at("std_position_mean").close([mean(&deviations(&positions))]);
    expected.at("std_bounds").close([0.0, measure::routing_deviation_bound(k, num_experts)]);

    for (key, labels) in [("mi_token", &ids), ("mi_position", &positions), ("mi_sequence", &sequences)] {
        let expected = expected.at(key);
        let of_assignments: Vec<u32> = labels.iter().flat_map(|&label| std::iter::repeat_n(label, k)).collect();
        let found: Information = measure::mutual_information(&choices, &of_assignments);
        expected.at("mi").close([found.plug_in]);
        expected.at("mi_miller_madow").close([found.corrected]);
        expected.at("H_a").close([found.entropy_a]);
        expected.at("H_b").close([found.entropy_b]);
        expected.at("norm_by_H_a").close([found.normalised()]);
    }
    check_beyond_the_oracle(&choices, &early, k, num_experts, [&ids, &sequences], &last);
    expected.at("saturation_topk").close([measure::router_saturation(&early, &choices, k)]);
    expected.at("agreement_top1").close([measure::first_choice_agreement(&early, &choices, k)]);
    let repeats = measure::consecutive_repeats(&choices, k, &sequences);
    expected.at("repeat").at("pairs").same_indices([repeats.pairs]);
    expected.at("repeat").at("first").close([repeats.first]);
    expected.at("repeat").at("any").close([repeats.any]);
}

/// Measurements of the same stream that the fixture does not have; computed apart, by a script that shares no code.
fn check_beyond_the_oracle(
    choices: &[u32],
    early: &[u32],
    k: usize,
    num_experts: usize,
    [ids, sequences]: [&[u32]; 2],
    groups: &[Routing],
) {
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
    close(metrics::drop_rank_correlation(groups), 0.9004095524261531);
    let context = measure::context_information(choices, ids, sequences);
    close(context.plug_in, 0.026110076913838678);
    close(context.corrected, -0.01320443921519358);
    close(context.entropy_a, 0.8193258139286692);
    let vocabulary = measure::vocabulary_specialization(choices, ids, num_experts, 1);
    let expected = [0.8020833333333333, 0.9538030170390389, 0.479300676232888, 0.6461873881932021];
    vocabulary.into_iter().zip(expected).for_each(|(found, expected)| close(found, expected));
    let domains = measure::domain_specialization(choices, sequences, num_experts);
    close(domains[&0], 0.005459325378127312);
    close(domains[&7], 0.015367814333534404);
    close(measure::routing_fluctuation(choices, early, k), 0.34375);
    let load = |experts: &[u32]| -> Vec<f64> {
        (0..num_experts as u32).map(|e| experts.iter().filter(|&&chosen| chosen == e).count() as f64).collect()
    };
    close(measure::inter_run_consistency(&[load(choices), load(early)]), 0.9922886023114446);
}

/// Share of prefix tokens whose routing changes when later tokens are appended, over ten texts of 24 tokens.
pub fn check_leak(expected: &Node) {
    const TOKENS: usize = 24;
    let mut draws = SplitMix64::new(5);
    let mut uniforms = |n: usize| (0..n).map(|_| draws.uniform() as f32).collect::<Vec<f32>>();
    let (per_token, per_request) = (uniforms(TOKENS), uniforms(TOKENS * 4));
    let popularity = [0.8, 0.8 - 1.3 / 3.0, 0.8 - 2.6 / 3.0, -0.5];
    let texts: Vec<Vec<f32>> =
        (0..10).map(|_| (0..TOKENS * 4).map(|at| (draws.normal() + popularity[at % 4]) as f32).collect()).collect();
    let slots = CapacitySpec { factor: 0.8, order: SlotOrder::RankMajor, ..CapacitySpec::default() };
    let (one, two) = (capacity(&slots, TOKENS, 1, 4), capacity(&slots, TOKENS, 2, 4));

    // Texts have the same length, so the mean over texts is the mean over all tokens of all prefixes.
    let check = |rule: &str, decide: &dyn Fn(&GateLogits) -> Vec<Vec<u64>>| {
        let of_text = |text: &Vec<f32>| {
            let prefix = |n: usize| GateLogits::new(4, text[..n * 4].to_vec()).expect("finite logits");
            measure::leak(TOKENS, (4..TOKENS).step_by(4), |n| decide(&prefix(n)))
        };
        expected.at(rule).close([texts.iter().map(of_text).sum::<f64>() / texts.len() as f64]);
    };
    let records = |assignments: &[Assignment], num_tokens: usize| -> Vec<Vec<u64>> {
        let of_token = |token: usize| {
            let records = assignments.iter().filter(|a| a.token as usize == token);
            let bits = |a: &Assignment| [u64::from(a.expert.0), u64::from(a.weight.to_bits()), a.fate.is_kept().into()];
            records.flat_map(bits).collect()
        };
        (0..num_tokens).map(of_token).collect()
    };
    let routed = |router: RouterSpec, overflow: Overflow| {
        let (uniforms, records) = (&per_token, &records);
        move |gate_logits: &GateLogits| {
            let router = Router::new(RoutingSpec { router, overflow }, 4).expect("a legal spec");
            let input = RouterInput::new(gate_logits).with_uniforms(&uniforms[..gate_logits.num_tokens()]);
            let routing = router.route_with_capacity(&input, router.capacity(TOKENS));
            records(&routing.assignments, gate_logits.num_tokens())
        }
    };
    let top_2 = RouterSpec::Gshard { second: SecondExpert::Always, normalise: Normalise::BeforeDrop };
    let random_second = RouterSpec::Gshard { second: SecondExpert::Proportional, normalise: Normalise::BeforeDrop };
    let rank_major = Overflow::Drop(slots);
    let token_major = Overflow::Drop(CapacitySpec { order: SlotOrder::TokenMajor, ..slots });
    let bpr = Overflow::Drop(CapacitySpec { priority: Priority::BprMax, ..slots });
    check("top-2 dropless", &routed(top_2, Overflow::Dropless));
    check("top-1, capacity, position", &routed(RouterSpec::Switch, rank_major));
    check("top-2, capacity, position, token-major", &routed(top_2, token_major));
    check("top-2, capacity, position, rank-major", &routed(top_2, rank_major));
    check("GShard random 2nd, rank-major", &routed(random_second, rank_major));
    check("top-1 + BPR", &routed(RouterSpec::Switch, bpr));
    check("top-1 + RTS", &|gate_logits| {
        let requests = switch::requests(gate_logits);
        let keys = selection::random_keys(&requests, &per_request, 4);
        records(&selection::keep_largest(&requests, &keys, 4, one), gate_logits.num_tokens())
    });
    check("NTLB", &|gate_logits| {
        let routing = no_token_left_behind::route(gate_logits, one, 4);
        // A token that nobody took is the same, whoever turned it away.
        let decision = |a: &Assignment| if a.fate.is_kept() { vec![u64::from(a.expert.0)] } else { vec![] };
        routing.assignments.iter().map(decision).collect()
    });
    check("Sinkhorn (training)", &|gate_logits| {
        experts(&sinkhorn::requests(gate_logits, 1)).into_iter().map(|expert| vec![u64::from(expert)]).collect()
    });
    check("expert choice c=2", &|gate_logits| {
        let routing = expert_choice::route(gate_logits, (two as usize).min(gate_logits.num_tokens()));
        records(&routing.assignments, gate_logits.num_tokens())
    });
    check("Soft MoE dispatch", &|gate_logits| {
        let weights = soft_moe::dispatch_weights(&Matrix::new(4, gate_logits.values().to_vec()), &[]);
        weights.rows().map(|row| row.iter().map(|weight| weight.to_bits().into()).collect()).collect()
    });
}
