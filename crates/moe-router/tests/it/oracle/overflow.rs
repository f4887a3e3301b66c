//! Capacity, slots and what becomes of those who find none.

use moe_router::capacity::capacity;
use moe_router::overflow::{blocks, rectify, selection};
use moe_router::token_choice::{switch, top_k};
use moe_router::{Router, RouterInput, gate_probs, metrics};
use moe_trace::{
    Assignment, CapacitySpec, Fate, GateLogits, Overflow, Rounding, RouterSpec, Routing, RoutingSpec, SlotOrder,
    Weighting,
};

use super::fixture::Node;
use super::gates::experts;
use super::ties;
use super::token_choice::{gate_logits, route};

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let [input, results] = [case.at("input"), case.at("results")];
    let k = input.at("k").number() as u32;
    let logits = input.at("logits").rows();
    check_blocks(&results.at("dropless"), &gate_logits, &logits, k);
    check_random_selection(&results.at("switch_rts"), &gate_logits, &logits);
    check_selection_by_weight(&results.at("topk_prob_drop"), &gate_logits, &logits, k as usize);
    check_no_token_left_behind(&results.at("ntlb"), &gate_logits, &logits);
    check_rectify(&results.at("rectify"), &gate_logits, &logits);
}

fn check_blocks(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>], k: u32) {
    let expected = expected.unless(ties::any(&ties::top_k(logits, k as usize)));
    let router = RouterSpec::TopK { k, weighting: Weighting::Raw };
    let routing = route(router, Overflow::Dropless, gate_logits);
    let blocks = blocks::blocks(&routing, 4);
    // Slots of dropless queues say the same: experts in order, each with its queue of flat indices token · k + rank.
    let mut served: Vec<(u32, Option<u32>, u32)> =
        routing.assignments.iter().map(|a| (a.expert.0, a.fate.slot(), a.token * k + a.rank)).collect();
    served.sort_unstable();
    assert!(served.iter().map(|(_, _, flat)| *flat).eq(blocks.sorted.iter().copied()));
    expected.at("sorted_slots").same(blocks.sorted);
    expected.at("tokens_per_expert").same(blocks.tokens_per_expert);
    expected.at("bins").same(blocks.ends);
    expected.at("padded").same(blocks.padded);
    expected.at("padded_bins").same(blocks.padded_ends);
    expected.at("waste").close([blocks.waste]);
}

fn is_kept(assignments: &[Assignment]) -> Vec<bool> {
    assignments.iter().map(|a| a.fate.is_kept()).collect()
}

fn check_random_selection(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>]) {
    let requests = switch::requests(gate_logits);
    let num_experts = gate_logits.num_experts();
    let keys = selection::random_keys(&requests, &expected.at("uniforms").f32s(), num_experts);
    let slots = expected.at("capacity").number() as u32;
    let assignments = selection::keep_largest(&requests, &keys, num_experts, slots);
    let draws = ties::top_of_columns(&expected.at("uniforms").rows(), gate_logits.num_tokens());
    let expected = expected.unless(ties::any(&ties::top_k(logits, 1)) || ties::any(&draws));
    expected.at("kept").same(is_kept(&assignments));
    expected.at("positions").same(assignments.iter().map(|a| a.fate.slot().map_or(-1, i64::from)));
}

fn check_selection_by_weight(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>], k: usize) {
    let requests = top_k::requests(gate_logits, k, Weighting::Raw);
    let slots = expected.at("capacity").number() as u32;
    let keys = selection::weight_keys(&requests);
    let assignments = selection::keep_largest(&requests, &keys, gate_logits.num_experts(), slots);
    let choices = ties::top_k(logits, k);
    expected.at("experts").same_rows(&experts(&requests), &choices);
    // Two tokens of near probability may change places at an expert's door.
    let mut doors = vec![false; logits.len()];
    for expert in 0..gate_logits.num_experts() {
        let probs = logits.iter().map(|row| moe_router::gate::softmax(row)[expert]);
        doors = ties::either(&doors, &ties::neighbours(&probs.collect::<Vec<f64>>()));
    }
    expected.at("kept").unless(ties::any(&choices)).same_rows(&is_kept(&assignments), &doors);
}

fn check_no_token_left_behind(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>]) {
    let slots = expected.at("capacity").number() as u32;
    let routing = route_with(RouterSpec::NoTokenLeftBehind { tries: 4 }, gate_logits, slots);
    let expected = expected.unless(ties::any(&ties::top_k(logits, 4)));
    expected.at("load").same(metrics::load(&routing));
    let wanted = expected.at("assignments");
    wanted.same_len(routing.assignments.len());
    for (want, got) in wanted.each().iter().zip(&routing.assignments) {
        let is_kept = got.fate.is_kept();
        want.at("token").same([got.token]);
        want.at("kept").same([is_kept]);
        want.at("position").same([got.fate.slot().map_or(-1, i64::from)]);
        want.at("reason").same_text(if got.fate == Fate::Lost { "capacity" } else { "" });
        // The reference names no expert for a token that nobody took; we name its first choice.
        let first = moe_router::gate::top_k(gate_logits.row(got.token as usize), 1)[0];
        assert!(is_kept || (got.rank, got.expert.index()) == (0, first), "{got:?}");
        want.at("rank").same([if is_kept { i64::from(got.rank) } else { -1 }]);
        want.at("expert").same([if is_kept { i64::from(got.expert.0) } else { -1 }]);
        want.at("weight").close([if is_kept { got.weight } else { 0.0 }]);
    }
}

/// A rule with so many slots per expert. The reference leaves a capacity above the number of tokens as it is.
fn route_with(router: RouterSpec, gate_logits: &GateLogits, slots: u32) -> Routing {
    let overflow = Overflow::Drop(CapacitySpec { order: SlotOrder::RankMajor, ..CapacitySpec::default() });
    let router = Router::new(RoutingSpec { router, overflow }, gate_logits.num_experts()).expect("a valid spec");
    router.route_with_capacity(&RouterInput::new(gate_logits), Some(slots))
}

fn check_rectify(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>]) {
    let routing = route_with(RouterSpec::Switch, gate_logits, expected.at("capacity").number() as u32);
    let probs = gate_probs(gate_logits);
    let (of_tokens, of_experts) = (expected.at("token_dev").indices(), expected.at("expert_dev").indices());
    let choices = ties::any(&ties::top_k(logits, 2));

    let resent = rectify::resend_locally(&routing, &probs, &of_tokens, &of_experts);
    let lost: Vec<&Assignment> = resent.assignments.iter().filter(|a| a.fate == Fate::Rectified).collect();
    let wanted = expected.at("ir").unless(choices);
    wanted.same_len(lost.len());
    for (want, from) in wanted.each().iter().zip(lost) {
        let to = resent.of_token(from.token).last().expect("the new request");
        let token = from.token as usize;
        let local = logits[token].iter().zip(&of_experts).filter(|(_, device)| **device == of_tokens[token]);
        let local: Vec<f64> = local.map(|(z, _)| *z).collect();
        want.at("token").same([from.token]);
        want.at("rank").same([from.rank]);
        want.at("from_expert").same([from.expert.0]);
        want.at("expert").unless(ties::top_is_tied(&local, 1, ties::near_scores)).same([to.expert.0]);
        want.at("weight").close([to.weight]);
    }

    let filled = rectify::fill_vacancies(&routing, &probs);
    let mut added: Vec<&Assignment> = filled.assignments.iter().filter(|a| a.rank > 0).collect();
    added.sort_by_key(|a| (a.expert, a.fate.slot()));
    let wanted = expected.at("fr").unless(choices);
    wanted.same_len(added.len());
    for (want, got) in wanted.each().iter().zip(added) {
        let column = logits.iter().map(|row| moe_router::gate::softmax(row)[got.expert.index()]);
        let tied = ties::neighbours(&column.collect::<Vec<f64>>())[got.token as usize];
        want.at("token").unless(tied).same([got.token]);
        want.at("expert").same([got.expert.0]);
        want.at("position").same([got.fate.slot().map_or(-1, i64::from)]);
        want.at("weight").close([got.weight]);
    }
    expected.at("load_after_fr").unless(choices).same(metrics::load(&filled));
}

pub fn check_capacity_table(table: &Node) {
    for row in table.each() {
        let number = |key| row.at(key).number();
        for (name, rounding) in [
            ("ceil", Rounding::Ceil),
            ("deepspeed", Rounding::Ceil),
            ("floor", Rounding::Floor),
            ("round", Rounding::Round),
            ("mesh", Rounding::Mesh),
            ("tutel", Rounding::Tutel),
            ("fairseq", Rounding::Fairseq),
        ] {
            let spec = CapacitySpec { factor: number("cf") as f32, rounding, minimum: 0, ..CapacitySpec::default() };
            let slots = capacity(&spec, number("T") as usize, number("K") as usize, number("E") as usize);
            row.at(name).same([slots]);
        }
    }
}
