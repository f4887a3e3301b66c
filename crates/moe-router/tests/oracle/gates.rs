//! Gates beyond softmax and top-k: noise, sigmoid scores and groups, thresholds, hierarchies, cosines, sequences.

use moe_router::dispatch::dropless;
use moe_router::matrix::Matrix;
use moe_router::token_choice::deepseek::{self, DeepSeek, GroupScore, Groups, Score, Weights};
use moe_router::token_choice::{cosine, hierarchical, noisy_top_k, per_sequence, relu, switch, top_p};
use moe_router::{Request, gate_probs, losses, metrics};
use moe_trace::{GateLogits, Routing, Weighting};

use crate::fixture::Node;
use crate::token_choice::{gate_logits, gates};

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let [input, results] = [case.at("input"), case.at("results")];
    let k = input.at("k").number() as usize;
    check_noisy(&results, &gate_logits, k);
    check_deepseek(&results, &gate_logits, k);
    check_thresholds(&results, &gate_logits, k);
    check_jitter_and_cosine(&input, &results);
    check_structure(&results, &gate_logits, k);
}

/// Any matrix of the fixture.
pub fn matrix(node: &Node) -> Matrix {
    Matrix::new(node.shape()[1], node.f32s())
}

pub fn experts(requests: &[Request]) -> Vec<u32> {
    requests.iter().map(|request| request.expert.0).collect()
}

pub fn weights(requests: &[Request]) -> Vec<f32> {
    requests.iter().map(|request| request.weight).collect()
}

fn check_noisy(results: &Node, clean: &GateLogits, k: usize) {
    let num_experts = clean.num_experts();
    let expected = results.at("noisy_topk");
    let (raw, normals) = (expected.at("noise_raw").f32s(), expected.at("normals").f32s());
    for (delta, expected) in [(noisy_top_k::DEFAULT_DELTA, &expected), (0.0, &expected.at("paper_eps0"))] {
        let std = noisy_top_k::noise_std(&raw, delta);
        let noisy = noisy_top_k::noisy_logits(clean, &std, &normals);
        let probs = losses::load_probs(clean, &noisy, &std, k);
        let load = losses::expected_load(&probs, num_experts);
        expected.at("std").close(std.iter().copied());
        expected.at("load_loss").close([losses::squared_variation(&load)]);
        expected.at("load").close(load);
        if delta == 0.0 {
            continue;
        }
        let requests = noisy_top_k::requests(&noisy, k);
        let routing = dropless(&requests, clean.num_tokens(), num_experts);
        expected.at("noisy").close(noisy.values().iter().copied());
        // With all experts chosen the reference counts gates instead: 1 each.
        expected.at("P").close(probs);
        expected.at("experts").same(experts(&requests));
        expected.at("gates").close(gates(&routing));
        expected.at("importance").close(metrics::importance(&routing));
        expected.at("importance_loss").close([losses::importance_of_weights(&routing)]);
    }
    let requests = noisy_top_k::requests(clean, k);
    expected.at("eval_experts").same(experts(&requests));
    expected.at("eval_gates").close(gates(&dropless(&requests, clean.num_tokens(), num_experts)));

    let expected = results.at("vmoe_losses");
    let sigma = expected.at("sigma").number() as f32;
    let noisy = noisy_top_k::noisy_logits(clean, &vec![sigma; normals.len()], &normals);
    let probs = losses::load_probs_vmoe(clean, &noisy, sigma, k);
    let load = losses::expected_load(&probs, num_experts);
    expected.at("noisy").close(noisy.values().iter().copied());
    expected.at("p").close(probs);
    expected.at("load_loss").close([losses::squared_variation(&load)]);
    expected.at("importance_loss").close([losses::importance_of_probs(&gate_probs(clean), num_experts)]);
    let first_choices = dropless(&switch::requests(&noisy), clean.num_tokens(), num_experts);
    expected.at("gshard").close([losses::switch(&gate_probs(&noisy), &first_choices)]);
}

fn check_deepseek(results: &Node, gate_logits: &GateLogits, k: usize) {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let sigmoid = DeepSeek { k, score: Score::Sigmoid, groups: None, weights: Weights::Norm, scale: 1.0 };
    let all_scores = |score| gate_logits.rows().flat_map(move |logits| deepseek::scores(logits, score));

    let expected = results.at("sigmoid_topk");
    let plain = deepseek::requests(gate_logits, &sigmoid, &[]);
    expected.at("scores").close(all_scores(Score::Sigmoid));
    expected.at("experts").same(experts(&plain));
    expected.at("weights").close(weights(&plain));

    let expected = results.at("sigmoid_bias");
    let bias = expected.at("bias").f32s();
    let requests = deepseek::requests(gate_logits, &sigmoid, &bias);
    let demand = metrics::demand(&dropless(&requests, num_tokens, num_experts));
    expected.at("experts").same(experts(&requests));
    expected.at("weights").close(weights(&requests));
    expected.at("new_bias").close(losses::bias_update(&bias, &demand, 1e-3));
    expected.at("counts").same(demand);

    let by_sum = Groups { count: 2, kept: 1, score: GroupScore::TopTwoSum };
    let by_max = Groups { score: GroupScore::Max, ..by_sum };
    let v3 = DeepSeek { groups: Some(by_sum), scale: 2.5, ..sigmoid };
    let v2 = DeepSeek { score: Score::Softmax, groups: Some(by_max), weights: Weights::Raw, ..sigmoid };
    for (name, rule, bias) in [("v3_group", v3, &bias[..]), ("v2_group", v2, &[])] {
        // Only in cases whose experts divide into two groups of at least k.
        let Some(expected) = results.find(name) else { continue };
        let requests = deepseek::requests(gate_logits, &rule, bias);
        expected.at("experts").same(experts(&requests));
        expected.at("weights").close(weights(&requests));
        let groups = rule.groups.expect("both rules have groups");
        expected.at("groups").same_indices(gate_logits.rows().flat_map(|logits| {
            let mut keys = deepseek::scores(logits, rule.score);
            keys.iter_mut().zip(bias).for_each(|(key, &bias)| *key += f64::from(bias));
            deepseek::visited_groups(&keys, groups)
        }));
    }

    let expected = results.at("deepseek_losses");
    let (devices, limit) = (expected.at("devices").indices(), expected.at("M").number() as usize);
    let softmaxes: Vec<f64> = all_scores(Score::Softmax).collect();
    let raw = DeepSeek { score: Score::Softmax, weights: Weights::Raw, ..sigmoid };
    let routing = dropless(&deepseek::requests(gate_logits, &raw, &[]), num_tokens, num_experts);
    let balance = losses::device_balance(&softmaxes, &routing, &devices, limit);
    let of_softmax = expected.at("softmax");
    of_softmax.at("exp").close([balance.experts]);
    of_softmax.at("dev").close([balance.devices]);
    of_softmax.at("comm").close([balance.messages]);
    of_softmax.at("f").close(balance.expert_frequency);
    of_softmax.at("P").close(balance.mean_scores);
    of_softmax.at("f_dev").close(balance.device_frequency);
    of_softmax.at("f_comm").close(balance.message_frequency);
    let sigmoids: Vec<f64> = all_scores(Score::Sigmoid).collect();
    let scores = losses::sequence_scores(&sigmoids, num_experts);
    let routing = dropless(&plain, num_tokens, num_experts);
    expected.at("v3_seq").close([losses::device_balance(&scores, &routing, &devices, limit).experts]);
}

fn check_thresholds(results: &Node, gate_logits: &GateLogits, k: usize) {
    let num_experts = gate_logits.num_experts();
    let expected = results.at("top_p");
    for (key, threshold) in [("p40", 0.4), ("p70", 0.7)] {
        let requests = top_p::requests(gate_logits, threshold);
        // Pairs of expert and weight, token after token.
        let pairs = requests.iter().flat_map(|request| [f64::from(request.expert.0), f64::from(request.weight)]);
        expected.at(key).close(pairs);
    }
    let probs = gate_probs(gate_logits);
    expected.at("dynamic_entropy_loss").close([metrics::entropy_mean(&probs, num_experts)]);

    let expected = results.at("remoe");
    let routing = dropless(&relu::requests(gate_logits), gate_logits.num_tokens(), num_experts);
    expected.at("gates").close(gates(&routing));
    expected.at("l1_plain").close([losses::relu_l1(gate_logits)]);
    expected.at("l1_balanced").close([losses::relu_l1_balanced(gate_logits, k)]);
    expected.at("sparsity").close([relu::sparsity(gate_logits)]);
    // The coefficient grows while the gates are less sparse than the target; at the target itself rounding decides.
    let [target, sparsity] = ["target", "sparsity"].map(|key| expected.at(key).number());
    let grows = relu::adapted_coefficient(1.0, relu::sparsity(gate_logits), k, num_experts) > 1.0;
    assert!(grows == (sparsity < target) || (sparsity - target).abs() < 1e-9);
}

fn check_jitter_and_cosine(input: &Node, results: &Node) {
    let (hidden, gate) = (matrix(&input.at("x")), matrix(&input.at("W")));
    let expected = results.at("switch_jitter");
    let epsilon = expected.at("eps").number() as f32;
    let jittered = switch::jittered(hidden.values(), &expected.at("uniforms").f32s(), epsilon);
    let logits = Matrix::new(hidden.width(), jittered).times(&gate);
    expected.at("logits").close(logits.values().iter().copied());
    let logits = GateLogits::new(logits.width(), logits.values().to_vec()).expect("finite logits");
    expected.at("experts").same(experts(&switch::requests(&logits)));

    let expected = results.at("cosine");
    let similarities =
        cosine::similarities(&hidden, &matrix(&expected.at("Wp")), &matrix(&expected.at("emb"))).expect("finite");
    let logits = cosine::logits(&similarities, expected.at("tau").number() as f32).expect("a temperature");
    expected.at("cos").close(similarities.values().iter().copied());
    expected.at("logits").close(logits.values().iter().copied());
    expected.at("probs").close(gate_probs(&logits));
    expected.at("experts").same(experts(&switch::requests(&logits)));
}

fn check_structure(results: &Node, gate_logits: &GateLogits, k: usize) {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    // Two groups of experts; only where they divide evenly.
    if let Some(expected) = results.find("hierarchical") {
        let primary = expected.at("primary_logits");
        let of_groups = GateLogits::new(2, primary.f32s()).expect("two groups");
        let k_within = 2.min(num_experts / 2);
        let requests = hierarchical::requests(&of_groups, gate_logits, 1, k_within);
        let routing: Routing = dropless(&requests, num_tokens, num_experts);
        expected.at("gates").close(gates(&routing));
        expected.at("importance_H").close(metrics::importance(&routing));
        let counts: Vec<f64> = metrics::load(&routing).into_iter().map(f64::from).collect();
        let sent = |group: usize| {
            routing.assignments.iter().filter(|a| a.rank == 0 && a.expert.index() * 2 / num_experts == group).count()
        };
        let sent = [sent(0) as u32, sent(1) as u32];
        let loads = hierarchical::loads(&sent.map(f64::from), &counts, &sent);
        expected.at("load_H").close(loads);
    }

    let expected = results.at("sentence");
    let sequence_of = results.at("smear").at("seqs").indices();
    let num_sequences = sequence_of.iter().max().map_or(0, |last| last + 1);
    let means = per_sequence::mean_logits(gate_logits, &sequence_of, num_sequences);
    expected.at("mean_logits").close(means.values().iter().copied());
    expected.at("probs").close(gate_probs(&means));
    let sequences: Vec<usize> = (0..num_sequences).collect();
    let decisions = per_sequence::requests(&means, &sequences, k, Weighting::SoftmaxAfter);
    expected.at("experts").same(experts(&decisions));
    // Every token does what its sequence decided.
    let of_tokens = experts(&per_sequence::requests(&means, &sequence_of, k, Weighting::SoftmaxAfter));
    let decided = experts(&decisions);
    for (token, &sequence) in sequence_of.iter().enumerate() {
        assert_eq!(of_tokens[token * k..(token + 1) * k], decided[sequence * k..(sequence + 1) * k]);
    }
}
