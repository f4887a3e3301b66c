//! Capacity, slots and what becomes of those who find none.

use moe_router::capacity::capacity;
use moe_router::overflow::{blocks, no_token_left_behind, rectify, selection};
use moe_router::token_choice::{switch, top_k};
use moe_router::{Router, RouterInput, gate_probs, metrics};
use moe_trace::{
    Assignment, CapacitySpec, Fate, GateLogits, Overflow, Rounding, RouterSpec, RoutingSpec, SlotOrder, Weighting,
};

use crate::fixture::Node;
use crate::gates::experts;
use crate::token_choice::{gate_logits, route};

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let [input, results] = [case.at("input"), case.at("results")];
    let k = input.at("k").number() as u32;
    check_blocks(&results.at("dropless"), &gate_logits, k);
    check_selection(&results, &gate_logits, k as usize);
    check_second_chances(&input, &results, &gate_logits);
}

fn check_blocks(expected: &Node, gate_logits: &GateLogits, k: u32) {
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

fn check_selection(results: &Node, gate_logits: &GateLogits, k: usize) {
    let num_experts = gate_logits.num_experts();
    let is_kept = |assignments: &[Assignment]| assignments.iter().map(|a| a.fate.is_kept()).collect::<Vec<bool>>();

    let expected = results.at("switch_rts");
    let requests = switch::requests(gate_logits);
    let keys = selection::random_keys(&requests, &expected.at("uniforms").f32s(), num_experts);
    let slots = expected.at("capacity").number() as u32;
    let assignments = selection::keep_largest(&requests, &keys, num_experts, slots);
    expected.at("kept").same(is_kept(&assignments));
    expected.at("positions").same(assignments.iter().map(|a| a.fate.slot().map_or(-1, i64::from)));

    let expected = results.at("topk_prob_drop");
    let requests = top_k::requests(gate_logits, k, Weighting::Raw);
    let slots = expected.at("capacity").number() as u32;
    let assignments = selection::keep_largest(&requests, &selection::weight_keys(&requests), num_experts, slots);
    expected.at("experts").same(experts(&requests));
    expected.at("kept").same(is_kept(&assignments));
}

fn check_second_chances(input: &Node, results: &Node, gate_logits: &GateLogits) {
    let expected = results.at("ntlb");
    let slots = expected.at("capacity").number() as u32;
    let routing = no_token_left_behind::route(gate_logits, slots, 4);
    expected.at("load").same(metrics::load(&routing));
    for (want, got) in expected.at("assignments").each().iter().zip(&routing.assignments) {
        want.at("token").same([got.token]);
        want.at("kept").same([got.fate.is_kept()]);
        want.at("position").same([got.fate.slot().map_or(-1, i64::from)]);
        want.at("reason").same_text(if got.fate == Fate::Lost { "capacity" } else { "" });
        // The reference names no expert for a token that nobody took; we name its first choice.
        if got.fate.is_kept() {
            want.at("rank").same([got.rank]);
            want.at("expert").same([got.expert.0]);
            want.at("weight").close([got.weight]);
        }
    }

    let expected = results.at("rectify");
    let slots = expected.at("capacity").number() as u32;
    let factor = input.at("cf").number() as f32;
    let overflow = Overflow::Drop(CapacitySpec { factor, order: SlotOrder::RankMajor, ..CapacitySpec::default() });
    let router = Router::new(RoutingSpec { router: RouterSpec::Switch, overflow }, gate_logits.num_experts());
    // The reference leaves a capacity above the number of tokens as it is.
    let routing = router.expect("a valid spec").route_with_capacity(&RouterInput::new(gate_logits), Some(slots));
    let probs = gate_probs(gate_logits);
    let (of_tokens, of_experts) = (expected.at("token_dev").indices(), expected.at("expert_dev").indices());

    let resent = rectify::resend_locally(&routing, &probs, &of_tokens, &of_experts);
    let lost: Vec<&Assignment> = resent.assignments.iter().filter(|a| a.fate == Fate::Rectified).collect();
    let wanted = expected.at("ir").each();
    expected.at("ir").same_len(lost.len());
    for (want, from) in wanted.iter().zip(lost) {
        let to = resent.of_token(from.token).last().expect("the new request");
        want.at("token").same([from.token]);
        want.at("rank").same([from.rank]);
        want.at("from_expert").same([from.expert.0]);
        want.at("expert").same([to.expert.0]);
        want.at("weight").close([to.weight]);
    }

    let filled = rectify::fill_vacancies(&routing, &probs);
    let mut added: Vec<&Assignment> = filled.assignments.iter().filter(|a| a.rank > 0).collect();
    added.sort_by_key(|a| (a.expert, a.fate.slot()));
    let wanted = expected.at("fr").each();
    expected.at("fr").same_len(added.len());
    for (want, got) in wanted.iter().zip(added) {
        want.at("token").same([got.token]);
        want.at("expert").same([got.expert.0]);
        want.at("position").same([got.fate.slot().map_or(-1, i64::from)]);
        want.at("weight").close([got.weight]);
    }
    expected.at("load_after_fr").same(metrics::load(&filled));
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
