//! DeepSeek's gates and losses: sigmoid scores, a bias, groups of experts, balance among devices.

use moe_router::dispatch::dropless;
use moe_router::token_choice::deepseek::{self, DeepSeek, GroupScore, Groups, Score, Weights};
use moe_router::{RouterInput, losses, metrics};
use moe_trace::{GateLogits, RouterSpec};

use super::fixture::Node;
use super::gates::{experts_of, routed, weights_of};
use super::ties;
use super::token_choice::gate_logits;

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let [input, results] = [case.at("input"), case.at("results")];
    let (logits, k) = (input.at("logits").rows(), input.at("k").number() as usize);
    check_gates(&results, &gate_logits, &logits, k);
    check_losses(&results, &gate_logits, &logits, k);
}

fn sigmoids(logits: &[Vec<f64>]) -> Vec<Vec<f64>> {
    logits.iter().map(|row| row.iter().map(|&z| moe_router::gate::sigmoid(z)).collect()).collect()
}

fn check_gates(results: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>], k: usize) {
    let (num_experts, k_spec) = (gate_logits.num_experts(), k as u32);
    let plain = RouterSpec::Deepseek { k: k_spec, groups: 1, kept: 1, scale: 1.0 };
    let input = RouterInput::new(gate_logits);

    let expected = results.at("sigmoid_topk");
    let ties = ties::top_k(&sigmoids(logits), k);
    let routing = routed(plain, &input);
    expected.at("scores").close(gate_logits.rows().flat_map(|logits| deepseek::scores(logits, Score::Sigmoid)));
    expected.at("experts").same_rows(&experts_of(&routing), &ties);
    expected.at("weights").close_rows(&weights_of(&routing), &ties);

    let expected = results.at("sigmoid_bias");
    let (bias, exact) = (expected.at("bias").f32s(), expected.at("bias").numbers());
    let biased = |scores: &Vec<f64>| scores.iter().zip(&exact).map(|(s, b)| s + b).collect::<Vec<f64>>();
    let keys: Vec<Vec<f64>> = sigmoids(logits).iter().map(biased).collect();
    let ties = ties::top_k(&keys, k);
    let routing = routed(plain, &input.with_bias(&bias));
    let demand = metrics::demand(&routing);
    expected.at("experts").same_rows(&experts_of(&routing), &ties);
    expected.at("weights").close_rows(&weights_of(&routing), &ties);
    let counted = expected.unless(ties::any(&ties));
    counted.at("new_bias").close(losses::bias_update(&bias, &demand, 1e-3));
    counted.at("counts").same(demand);

    let sum = Groups { count: 2, kept: 1, score: GroupScore::TopTwoSum };
    let max = Groups { score: GroupScore::Max, ..sum };
    let v3 = RouterSpec::Deepseek { k: k_spec, groups: 2, kept: 1, scale: 2.5 };
    let v2 = RouterSpec::DeepseekV2 { k: k_spec, groups: 2, kept: 1, scale: 1.0 };
    let softmaxes: Vec<Vec<f64>> = logits.iter().map(|row| moe_router::gate::softmax(row)).collect();
    for (name, spec, groups, score, bias, keys) in [
        ("v3_group", v3, sum, Score::Sigmoid, &bias[..], &keys),
        ("v2_group", v2, max, Score::Softmax, &[], &softmaxes),
    ] {
        // Only in cases whose experts divide into two groups of at least k.
        let Some(expected) = results.find(name) else { continue };
        let is_tied = |keys: &Vec<f64>| {
            let visited = deepseek::visited_groups(keys, Groups { kept: 2, ..groups });
            let group = |at: usize| &keys[visited[at] * num_experts / 2..][..num_experts / 2];
            let of_group = |keys: &[f64]| {
                let best = moe_router::gate::top_k(keys, if groups.score == GroupScore::Max { 1 } else { 2 });
                best.into_iter().map(|expert| keys[expert]).sum::<f64>()
            };
            let groups_are_tied = ties::near_scores(of_group(group(0)), of_group(group(1)));
            groups_are_tied || ties::top_is_tied(group(0), k, ties::near_scores)
        };
        let ties: Vec<bool> = keys.iter().map(is_tied).collect();
        let requests = match num_experts {
            // V3's groups of one are no spec: they are judged by two experts each.
            2 => {
                let weights = if score == Score::Sigmoid { Weights::Norm } else { Weights::Raw };
                let scale = if score == Score::Sigmoid { 2.5 } else { 1.0 };
                let rule = DeepSeek { k, score, groups: Some(groups), weights, scale };
                dropless(&deepseek::requests(gate_logits, &rule, bias), gate_logits.num_tokens(), num_experts)
            }
            _ => routed(spec, &input.with_bias(bias)),
        };
        expected.at("experts").same_rows(&experts_of(&requests), &ties);
        expected.at("weights").close_rows(&weights_of(&requests), &ties);
        let visited = gate_logits.rows().flat_map(|logits| {
            let mut keys = deepseek::scores(logits, score);
            keys.iter_mut().zip(bias).for_each(|(key, &bias)| *key += f64::from(bias));
            deepseek::visited_groups(&keys, groups).into_iter().map(|group| group as u32)
        });
        expected.at("groups").same_rows(&visited.collect::<Vec<u32>>(), &ties);
    }
}

fn check_losses(results: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>], k: usize) {
    let num_experts = gate_logits.num_experts();
    let all_scores = |score| gate_logits.rows().flat_map(move |logits| deepseek::scores(logits, score));
    let expected = results.at("deepseek_losses");
    let (devices, limit) = (expected.at("devices").indices(), expected.at("M").number() as usize);
    let softmaxes: Vec<f64> = all_scores(Score::Softmax).collect();
    let plain = RouterSpec::DeepseekV2 { k: k as u32, groups: 1, kept: 1, scale: 1.0 };
    let routing = routed(plain, &RouterInput::new(gate_logits));
    let balance = losses::device_balance(&softmaxes, &routing, &devices, limit);
    let of_softmax = expected.at("softmax");
    let counted = of_softmax.unless(ties::any(&ties::top_k(logits, k)));
    counted.at("exp").close([balance.experts]);
    counted.at("dev").close([balance.devices]);
    counted.at("comm").close([balance.messages]);
    counted.at("f").close(balance.expert_frequency);
    of_softmax.at("P").close(balance.mean_scores);
    counted.at("f_dev").close(balance.device_frequency);
    counted.at("f_comm").close(balance.message_frequency);
    let sigmoid_scores: Vec<f64> = all_scores(Score::Sigmoid).collect();
    let scores = losses::sequence_scores(&sigmoid_scores, num_experts);
    let plain = RouterSpec::Deepseek { k: k as u32, groups: 1, kept: 1, scale: 1.0 };
    let routing = routed(plain, &RouterInput::new(gate_logits));
    let counted = expected.unless(ties::any(&ties::top_k(&sigmoids(logits), k)));
    counted.at("v3_seq").close([losses::device_balance(&scores, &routing, &devices, limit).experts]);
}
