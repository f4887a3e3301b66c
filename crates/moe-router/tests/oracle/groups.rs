//! Rules that assign a group as a whole: expert choice, Sinkhorn plans, auctions.

use moe_router::gate_probs;
use moe_router::group_choice::{auction, best_assignment, expert_choice, sinkhorn};
use moe_router::token_choice::switch;
use moe_trace::{Assignment, GateLogits};

use crate::fixture::Node;
use crate::gates::{experts, weights};
use crate::token_choice::gate_logits;

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let results = case.at("results");
    check_expert_choice(&results.at("expert_choice"), &gate_logits);

    let expected = results.at("sinkhorn");
    let plan = sinkhorn::plan(&gate_logits);
    let requests = sinkhorn::requests(&gate_logits, 1);
    expected.at("plan").close(plan.shares);
    expected.at("iterations").same_indices([plan.rounds]);
    expected.at("train_experts").same(experts(&requests));
    expected.at("train_weights").close(weights(&requests));
    expected.at("eval_experts").same(experts(&switch::requests(&gate_logits)));

    // Only where tokens divide evenly among experts.
    if let Some(expected) = results.find("base") {
        let auction = auction::auction(&gate_logits).expect("tokens divide evenly");
        let best = best_assignment::best_assignment(&gate_logits);
        let alphas = auction::requests(&gate_logits, &auction.experts);
        expected.at("iterations").same_indices([auction.rounds]);
        expected.at("auction_score").close([auction::total_affinity(&gate_logits, &auction.experts)]);
        expected.at("alpha").close(weights(&alphas));
        expected.at("auction").same_indices(auction.experts);
        expected.at("optimal_score").close([auction::total_affinity(&gate_logits, &best)]);
        expected.at("optimal").same_indices(best);
        expected.at("greedy").same(experts(&switch::requests(&gate_logits)));
    }
}

fn check_expert_choice(expected: &Node, gate_logits: &GateLogits) {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let per_expert = expert_choice::tokens_per_expert(2.0, num_tokens, num_experts);
    let routing = expert_choice::route(gate_logits, per_expert);
    let mut by_slot: Vec<&Assignment> = routing.assignments.iter().collect();
    by_slot.sort_by_key(|a| (a.expert, a.fate.slot()));
    expected.at("k").same_indices([per_expert]);
    expected.at("S").close(gate_probs(gate_logits));
    expected.at("tokens").same(by_slot.iter().map(|a| a.token));
    expected.at("gates").close(by_slot.iter().map(|a| a.weight));
    expected.at("cover").same_indices((0..num_tokens as u32).map(|token| routing.of_token(token).len()));
}
