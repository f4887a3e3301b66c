//! Gates beyond softmax and top-k: noise, thresholds, hierarchies, cosines, sequences.

use moe_router::dispatch::dropless;
use moe_router::matrix::{Matrix, dot};
use moe_router::token_choice::{cosine, hierarchical, noisy_top_k, per_sequence, relu, switch};
use moe_router::{Request, Router, RouterInput, gate_probs, losses, metrics};
use moe_trace::{Assignment, GateLogits, Overflow, RouterSpec, Routing, RoutingSpec, Weighting};

use super::fixture::Node;
use super::ties;
use super::token_choice::{gate_logits, gates};

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let [input, results] = [case.at("input"), case.at("results")];
    let k = input.at("k").number() as usize;
    let logits = input.at("logits").rows();
    check_noisy(&results.at("noisy_topk"), &gate_logits, &logits, k);
    check_vmoe(&results, &gate_logits, k);
    check_top_p(&results.at("top_p"), &gate_logits, &logits);
    check_relu(&results.at("remoe"), &gate_logits, k);
    check_jitter(&input, &results.at("switch_jitter"));
    check_cosine(&input, &results.at("cosine"));
    if let Some(expected) = results.find("hierarchical") {
        check_hierarchical(&expected, &gate_logits, &logits);
    }
    check_sequences(&results, &gate_logits, k);
}

/// Any matrix of the fixture.
pub fn matrix(node: &Node) -> Matrix {
    Matrix::new(node.shape()[1], node.f32s())
}

pub fn experts(requests: &[Request]) -> Vec<u32> {
    requests.iter().map(|request| request.expert.0).collect()
}

/// `[records]`: experts of a routing, by token and rank.
pub fn experts_of(routing: &Routing) -> Vec<u32> {
    routing.assignments.iter().map(|a| a.expert.0).collect()
}

/// `[records]`: weights of a routing, by token and rank.
pub fn weights_of(routing: &Routing) -> Vec<f32> {
    routing.assignments.iter().map(|a| a.weight).collect()
}

pub fn weights(requests: &[Request]) -> Vec<f32> {
    requests.iter().map(|request| request.weight).collect()
}

/// What the checked entry makes of a rule: nobody is turned away.
pub fn routed(router: RouterSpec, input: &RouterInput) -> Routing {
    let spec = RoutingSpec { router, overflow: Overflow::Dropless };
    let router = Router::new(spec, input.gate_logits.num_experts()).expect("a fitting spec");
    router.try_route(input).expect("a fitting input")
}

fn check_noisy(expected: &Node, clean: &GateLogits, logits: &[Vec<f64>], k: usize) {
    let num_experts = clean.num_experts();
    let (raw, normals) = (expected.at("noise_raw").f32s(), expected.at("normals").f32s());
    for (delta, expected) in [(noisy_top_k::DEFAULT_DELTA, expected), (0.0, &expected.at("paper_eps0"))] {
        let std = noisy_top_k::noise_std(&raw, delta);
        let noisy = noisy_top_k::noisy_logits(clean, &std, &normals);
        let probs = losses::load_probs(clean, &noisy, &std, k);
        let load = losses::expected_load(&probs, num_experts, &[]);
        expected.at("std").close(std.iter().copied());
        expected.at("load_loss").close([metrics::squared_variation(&load)]);
        expected.at("load").close(load);
        if delta == 0.0 {
            continue;
        }
        let ties = ties::top_k(&expected.at("noisy").rows(), k);
        let spec = RouterSpec::Noisy { k: k as u32, std: 1.0 };
        let routing = routed(spec, &RouterInput::new(clean).with_normals(&normals).with_noise_std(&std));
        expected.at("noisy").close(noisy.values().iter().copied());
        // With all experts chosen the reference counts gates instead: 1 each.
        expected.at("P").close(probs);
        expected.at("experts").same_rows(&experts_of(&routing), &ties);
        expected.at("gates").close_rows(&gates(&routing), &ties);
        let chosen = expected.unless(ties::any(&ties));
        chosen.at("importance").close(metrics::importance(&routing));
        chosen.at("importance_loss").close([losses::importance_of_weights(&routing)]);
    }
    // No draws, no noise: inference.
    let ties = ties::top_k(logits, k);
    let routing = routed(RouterSpec::Noisy { k: k as u32, std: 1.0 }, &RouterInput::new(clean));
    expected.at("eval_experts").same_rows(&experts_of(&routing), &ties);
    expected.at("eval_gates").close_rows(&gates(&routing), &ties);
}

fn check_vmoe(results: &Node, clean: &GateLogits, k: usize) {
    let expected = results.at("vmoe_losses");
    let normals = results.at("noisy_topk").at("normals").f32s();
    let sigma = expected.at("sigma").number() as f32;
    let noisy = noisy_top_k::noisy_logits(clean, &vec![sigma; normals.len()], &normals);
    let probs = losses::load_probs_vmoe(clean, &noisy, sigma, k);
    let load = losses::expected_load(&probs, clean.num_experts(), &[]);
    let ties = ties::top_k(&expected.at("noisy").rows(), 1);
    expected.at("noisy").close(noisy.values().iter().copied());
    expected.at("p").close(probs);
    expected.at("load_loss").close([metrics::squared_variation(&load)]);
    expected.at("importance_loss").close([losses::importance_of_probs(&gate_probs(clean), clean.num_experts(), &[])]);
    let first_choices = dropless(&switch::requests(&noisy), clean.num_tokens(), clean.num_experts());
    let loss = losses::switch(&gate_probs(&noisy), &first_choices);
    expected.at("gshard").unless(ties::any(&ties)).close([loss]);
}

fn check_top_p(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>]) {
    for (key, threshold) in [("p40", 0.4_f32), ("p70", 0.7)] {
        let routing = routed(RouterSpec::TopP { threshold }, &RouterInput::new(gate_logits));
        let wanted = expected.at(key);
        wanted.same_len(gate_logits.num_tokens());
        for (token, want) in wanted.each().iter().enumerate() {
            let mut probs = moe_router::gate::softmax(&logits[token]);
            let of_token = routing.of_token(token as u32);
            let order_is_tied = ties::top_is_tied(&probs, of_token.len(), ties::near);
            probs.sort_by(|a, b| b.total_cmp(a));
            let mut sum = 0.0;
            let crosses_at_once = probs.iter().any(|p| {
                sum += p;
                ties::near_scores(sum, f64::from(threshold))
            });
            // Pairs of expert and weight.
            let pairs = of_token.iter().flat_map(|a| [f64::from(a.expert.0), f64::from(a.weight)]);
            want.unless(order_is_tied || crosses_at_once).close(pairs);
        }
    }
    let entropy = metrics::entropy_mean(&gate_probs(gate_logits), gate_logits.num_experts());
    expected.at("dynamic_entropy_loss").close([entropy]);
}

fn check_relu(expected: &Node, gate_logits: &GateLogits, k: usize) {
    let routing = routed(RouterSpec::Relu, &RouterInput::new(gate_logits));
    // Is a gate on that is hardly so, or off? The gates themselves are 0 either way, their number is not.
    let switches = gate_logits.values().iter().any(|&z| ties::near_scores(f64::from(z), 0.0));
    let counted = expected.unless(switches);
    expected.at("gates").close(gates(&routing));
    expected.at("l1_plain").close([losses::relu_l1(gate_logits, &[])]);
    counted.at("l1_balanced").close([losses::relu_l1_balanced(gate_logits, k, &[])]);
    counted.at("sparsity").close([relu::sparsity(gate_logits)]);
    // The coefficient grows while the gates are less sparse than the target; at the target itself rounding decides.
    let [target, sparsity] = ["target", "sparsity"].map(|key| expected.at(key).number());
    let grows = relu::adapted_coefficient(1.0, relu::sparsity(gate_logits), k, gate_logits.num_experts()) > 1.0;
    assert!(switches || grows == (sparsity < target) || (sparsity - target).abs() < 1e-9);
}

fn check_jitter(input: &Node, expected: &Node) {
    let (hidden, gate) = (matrix(&input.at("x")), matrix(&input.at("W")));
    let epsilon = expected.at("eps").number() as f32;
    let jittered = switch::jittered(hidden.values(), &expected.at("uniforms").f32s(), epsilon);
    let logits = Matrix::new(hidden.width(), jittered).times(&gate);
    let ties = ties::top_k(&expected.at("logits").rows(), 1);
    expected.at("logits").close(logits.values().iter().copied());
    let logits = GateLogits::new(logits.width(), logits.values().to_vec()).expect("finite logits");
    let routing = routed(RouterSpec::Switch, &RouterInput::new(&logits));
    expected.at("experts").same_rows(&experts_of(&routing), &ties);
}

/// Cosines of a token that the projection nearly cancels depend on the last digits of its hidden state, which f32 has
/// rounded away: half a unit of every number of `x` and of the projection moves `h = W x` by as much of `|W| |x|`, and its
/// direction by that over `|h|`. Such tokens are allowed that much more, and are reported.
fn check_cosine(input: &Node, expected: &Node) {
    let (hidden, projection) = (matrix(&input.at("x")), matrix(&expected.at("Wp")));
    let embeddings = matrix(&expected.at("emb"));
    let tau = expected.at("tau").number();
    let similarities = cosine::similarities(&hidden, &projection, &embeddings).expect("finite");
    let logits = cosine::logits(&similarities, tau as f32).expect("a temperature");

    let norm = |values: &[f32]| dot(values, values).sqrt();
    let columns = projection.transposed();
    let moved: Vec<f64> = hidden
        .rows()
        .map(|x| {
            let length = columns.rows().map(|column| dot(x, column).powi(2)).sum::<f64>().sqrt();
            f64::from(f32::EPSILON) * norm(x) * norm(projection.values()) / length.max(1e-12)
        })
        .collect();
    let num_experts = embeddings.num_rows();
    let of = |at: usize| moved[at / num_experts];
    expected.at("cos").close_within(similarities.values().iter().copied(), of);
    expected.at("logits").close_within(logits.values().iter().copied(), |at| of(at) / tau);
    // Half of what a logit moves is the most that a probability does.
    expected.at("probs").close_within(gate_probs(&logits), |at| of(at) / tau / 2.0);
    let wanted = expected.at("logits").rows();
    let is_tied = |(logits, moved): (&Vec<f64>, &f64)| {
        ties::top_is_tied(logits, 1, |a, b| ties::near_scores(a, b) || (a - b).abs() < 2.0 * moved / tau)
    };
    let ties: Vec<bool> = wanted.iter().zip(&moved).map(is_tied).collect();
    let routing = routed(RouterSpec::Switch, &RouterInput::new(&logits));
    expected.at("experts").same_rows(&experts_of(&routing), &ties);
    for (token, (wanted, found)) in wanted.iter().zip(logits.rows()).enumerate() {
        let beyond = |(want, &got): (&f64, &f32)| (want - f64::from(got)).abs() > 1e-5 * want.abs().max(1.0);
        if wanted.iter().zip(found).any(beyond) {
            expected.note(&format!(
                "token {token} is nearly cancelled by the projection: its logits differ by more than 1e-5"
            ));
        }
    }
}

/// Two groups of experts; only where they divide evenly.
fn check_hierarchical(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>]) {
    let num_experts = gate_logits.num_experts();
    let primary = expected.at("primary_logits");
    let of_groups = GateLogits::new(2, primary.f32s()).expect("two groups");
    let k_within = 2.min(num_experts / 2);
    let spec = RouterSpec::Hierarchical { groups: 2, k_groups: 1, k_within: k_within as u32 };
    let routing = routed(spec, &RouterInput::new(gate_logits).with_group_logits(&of_groups));
    let is_tied = |(logits, primary): (&Vec<f64>, Vec<f64>)| {
        let within = logits.chunks(num_experts / 2).any(|group| ties::top_is_tied(group, k_within, ties::near_scores));
        within || ties::near_scores(primary[0], primary[1])
    };
    let ties: Vec<bool> = logits.iter().zip(primary.rows()).map(is_tied).collect();
    expected.at("gates").close_rows(&gates(&routing), &ties);
    let counted = expected.unless(ties::any(&ties));
    counted.at("importance_H").close(metrics::importance(&routing));
    let counts: Vec<f64> = metrics::load(&routing).into_iter().map(f64::from).collect();
    let is_first = |a: &&Assignment, group| a.rank == 0 && a.expert.index() * 2 / num_experts == group;
    let sent = [0, 1].map(|group| routing.assignments.iter().filter(|a| is_first(a, group)).count() as u32);
    counted.at("load_H").close(hierarchical::loads(&sent.map(f64::from), &counts, &sent));
}

fn check_sequences(results: &Node, gate_logits: &GateLogits, k: usize) {
    let expected = results.at("sentence");
    let sequence_of = results.at("smear").at("seqs").indices();
    let num_sequences = sequence_of.iter().max().map_or(0, |last| last + 1);
    let means = per_sequence::mean_logits(gate_logits, &sequence_of, num_sequences);
    expected.at("mean_logits").close(means.values().iter().copied());
    expected.at("probs").close(gate_probs(&means));
    let sequences: Vec<usize> = (0..num_sequences).collect();
    let decided = experts(&per_sequence::requests(&means, &sequences, k, Weighting::Norm));
    let ties = ties::top_k(&expected.at("mean_logits").rows(), k);
    expected.at("experts").same_rows(&decided, &ties);
    // Every token does what its sequence decided.
    let ids: Vec<u32> = sequence_of.iter().map(|&sequence| sequence as u32 + 7).collect();
    let routing =
        routed(RouterSpec::PerSequence { k: k as u32 }, &RouterInput::new(gate_logits).with_sequence_ids(&ids));
    let of_tokens = experts_of(&routing);
    for (token, &sequence) in sequence_of.iter().enumerate() {
        assert_eq!(of_tokens[token * k..(token + 1) * k], decided[sequence * k..(sequence + 1) * k]);
    }
}
