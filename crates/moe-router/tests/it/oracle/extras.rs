//! Further rules on the running example of six tokens and four experts, and rules that need no logits.

use moe_router::dispatch::dropless;
use moe_router::draws::SplitMix64;
use moe_router::measure::pruning;
use moe_router::mixing::lory;
use moe_router::token_choice::{
    dense_to_sparse, hash, logit_norm, null_experts, per_sequence, prototypes, random, switch, thor, top_any, top_k,
};
use moe_router::{gate_probs, losses, metrics};
use moe_trace::{GateLogits, TokenId, Weighting};

use super::fixture::Node;
use super::gates::{experts, weights};
use super::token_choice::gates;

/// Logits of the running example, as the documentation has them.
pub fn running_example() -> GateLogits {
    let rows = [
        [1.85, 0.65, -1.05, -0.60],
        [1.50, 1.16, -0.60, -0.72],
        [1.44, -0.10, 0.02, 0.80],
        [-1.07, 0.89, 1.11, -0.12],
        [1.81, 0.28, -1.39, -0.67],
        [0.23, -1.06, 0.35, 1.25],
    ];
    GateLogits::new(4, rows.into_iter().flatten().collect()).expect("six rows of four")
}

pub fn check(expected: &Node) {
    let gate_logits = running_example();
    // All draws of this section come from one generator, in this order.
    let mut draws = SplitMix64::new(3);
    let gumbels: Vec<f32> = (0..24).map(|_| draws.gumbel() as f32).collect();
    let uniforms: Vec<f32> = (0..6).map(|_| draws.uniform() as f32).collect();
    let pairs: Vec<usize> = (0..3).flat_map(|_| thor::pair(&draws.permutation(4))).collect();

    expected.at("dts_gumbels").close(gumbels.iter().copied());
    for (key, temperature) in [("dts_tau2.0", 2.0), ("dts_tau0.5", 0.5)] {
        let expected = expected.at(key);
        let requests =
            dense_to_sparse::requests(&gate_logits, &gumbels, temperature, dense_to_sparse::DEFAULT_THRESHOLD);
        let mut soft = [0.0; 24];
        for request in &requests {
            soft[request.token as usize * 4 + request.expert.index()] = request.weight;
        }
        expected.at("soft").close(soft);
        expected.at("gates").close(gates(&dropless(&requests, 6, 4)));
        let active = |token| requests.iter().filter(|r| r.token == token && r.withdrawn.is_none()).count();
        expected.at("active").same_indices((0..6).map(active));
    }

    expected.at("random").at("uniforms").close(uniforms.iter().copied());
    expected.at("random").at("experts").same(experts(&random::requests(&uniforms, 4)));
    expected.at("thor_pairs_per_step").same_indices(pairs);

    let skywork = expected.at("skywork");
    let normalised = logit_norm::normalised(&gate_logits, 1.0);
    skywork.at("z").close(normalised.values().iter().copied());
    skywork.at("probs").close(gate_probs(&normalised));
    skywork.at("coef").close([0.0, 0.02, 0.2].map(losses::target_coefficient));
    skywork.at("ema").close([losses::adapted_coefficient(0.001, 0.2)]);

    let adamoe = expected.at("adamoe");
    let with_nulls = gate_logits.rows().flat_map(|logits| logits.iter().copied().chain([0.3, 0.3])).collect();
    let with_nulls = GateLogits::new(6, with_nulls).expect("six rows of six");
    let requests = null_experts::requests(&with_nulls, 4, 3);
    adamoe.at("logits").close(with_nulls.values().iter().copied());
    adamoe.at("experts").same(experts(&requests));
    adamoe.at("weights").close(weights(&requests));
    let of_true = |of_token: &[moe_router::Request]| of_token.iter().filter(|r| r.withdrawn.is_none()).count();
    adamoe.at("n_true").same_indices(requests.chunks(3).map(of_true));

    let dynmoe = expected.at("dynmoe");
    let similarities = GateLogits::new(4, dynmoe.at("cos").f32s()).expect("rows of four");
    let thresholds = [dynmoe.at("G").number() as f32; 4];
    let without_fallback = top_any::active(&similarities, &thresholds, 1.0);
    let routing = dropless(&top_any::requests(&similarities, &thresholds, 1.0), 6, 4);
    dynmoe.at("active").same(gates(&routing).into_iter().map(|weight| weight > 0.0));
    dynmoe.at("fallback").same(without_fallback.chunks(4).map(|active| !active.contains(&true)));

    let requests = prototypes::requests(&gate_logits, 2);
    expected.at("prototyping").at("experts").same(experts(&requests));
    expected.at("prototyping").at("weights").close(weights(&requests));

    let lory = expected.at("lory");
    let segments = lory::segment_logits(&gate_logits, lory.at("segment").number() as usize);
    lory.at("route").close(gate_probs(&segments));

    // Copies of one dense expert: raw weights scale its output by the kept mass, normalised ones leave it as it was.
    let raw = top_k::requests(&gate_logits, 2, Weighting::Raw);
    expected.at("upcycle").at("kept_mass").close(raw.chunks(2).map(|pair| pair[0].weight + pair[1].weight));
    let norm = top_k::requests(&gate_logits, 2, Weighting::Norm);
    assert!(norm.chunks(2).all(|pair| (pair[0].weight + pair[1].weight - 1.0).abs() < 1e-6));

    let prune = expected.at("prune");
    let load = metrics::load(&dropless(&switch::requests(&gate_logits), 6, 4));
    prune.at("keep").same(pruning::kept_experts(&load, 0.5));
    prune.at("final").same_indices([pruning::most_professional(&load)]);
    prune.at("load").same(load);

    let task = expected.at("task");
    let table = GateLogits::new(4, task.at("logits").f32s()).expect("two tasks");
    let requests = per_sequence::requests(&table, &[0, 1], 2, Weighting::SoftmaxAfter);
    task.at("experts").same(experts(&requests));
    task.at("weights").close(weights(&requests));
}

pub fn check_hash(expected: &Node) {
    let seed = expected.at("seed").number() as u32;
    let ids: Vec<TokenId> = (0..8).map(TokenId).collect();
    expected.at("random").same(experts(&hash::requests(&ids, seed, 4)));
    let frequencies = expected.at("freq").numbers();
    let table = hash::balanced_table(&frequencies, 4);
    let mut loads = [0.0; 4];
    table.iter().zip(&frequencies).for_each(|(&expert, frequency)| loads[expert] += frequency);
    expected.at("balanced_load").close(loads);
    expected.at("balanced").same_indices(table);
}

/// The generator's test vector.
pub fn check_draws(expected: &Node) {
    expected.at("seed1_u64").each()[0].same_text(&SplitMix64::new(1).u64().to_string());
    let mut draws = SplitMix64::new(1);
    expected.at("seed1_uniform").close((0..4).map(|_| draws.uniform()));
    let mut draws = SplitMix64::new(1);
    expected.at("seed1_normal").close((0..2).map(|_| draws.normal()));
}
