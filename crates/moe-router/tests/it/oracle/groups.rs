//! Rules that assign a group as a whole: expert choice, Sinkhorn plans, auctions.

use moe_router::group_choice::{auction, best_assignment, expert_choice, sinkhorn};
use moe_router::token_choice::switch;
use moe_router::{RouterInput, gate_probs};
use moe_trace::{Assignment, BaseSolver, GateLogits, RouterSpec, SinkhornChoice};

use super::fixture::Node;
use super::gates::{experts_of, routed, weights_of};
use super::ties;
use super::token_choice::gate_logits;

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let results = case.at("results");
    let logits = case.at("input").at("logits").rows();
    check_expert_choice(&results.at("expert_choice"), &gate_logits);
    check_sinkhorn(&results.at("sinkhorn"), &gate_logits, &logits);
    // Only where tokens divide evenly among experts.
    if let Some(expected) = results.find("base") {
        check_base(&expected, &gate_logits, &logits);
    }
}

fn check_sinkhorn(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>]) {
    let plan = sinkhorn::plan(gate_logits);
    let route = |choice| routed(RouterSpec::Sinkhorn { k: 1, choice }, &RouterInput::new(gate_logits));
    let balanced = route(SinkhornChoice::Balanced);
    // Shares are products of three factors, each with the error of the logits.
    let near = |a: f64, b: f64| (a - b).abs() < 1e-5 * a.max(b);
    let ties: Vec<bool> = expected.at("plan").rows().iter().map(|row| ties::top_is_tied(row, 1, near)).collect();
    expected.at("plan").close(plan.shares);
    expected.at("iterations").same_indices([plan.rounds]);
    expected.at("train_experts").same_rows(&experts_of(&balanced), &ties);
    expected.at("train_weights").close_rows(&weights_of(&balanced), &ties);
    let greedy = experts_of(&route(SinkhornChoice::Greedy));
    expected.at("eval_experts").same_rows(&greedy, &ties::top_k(logits, 1));
}

fn check_base(expected: &Node, gate_logits: &GateLogits, logits: &[Vec<f64>]) {
    let auction = auction::auction(gate_logits).expect("tokens divide evenly");
    let route = |solver| routed(RouterSpec::Base { solver }, &RouterInput::new(gate_logits));
    let (balanced, best, greedy) = (route(BaseSolver::Auction), route(BaseSolver::Exact), route(BaseSolver::Greedy));
    expected.at("iterations").same_indices([auction.rounds]);
    expected.at("auction_score").close([auction::total_affinity(gate_logits, &auction.experts)]);
    expected.at("alpha").close(weights_of(&balanced));
    assert!(experts_of(&balanced).into_iter().eq(auction.experts.iter().map(|&expert| expert as u32)));
    expected.at("auction").same_indices(auction.experts);
    let optimal = best_assignment::best_assignment(gate_logits);
    expected.at("optimal_score").close([auction::total_affinity(gate_logits, &optimal)]);
    expected.at("optimal").same(experts_of(&best));
    expected.at("greedy").same_rows(&experts_of(&greedy), &ties::top_k(logits, 1));
    assert!(switch::requests(gate_logits).iter().map(|r| r.expert.0).eq(experts_of(&greedy)));
}

fn check_expert_choice(expected: &Node, gate_logits: &GateLogits) {
    let (num_tokens, num_experts) = (gate_logits.num_tokens(), gate_logits.num_experts());
    let per_expert = expert_choice::tokens_per_expert(2.0, num_tokens, num_experts);
    let routing = routed(RouterSpec::ExpertChoice { average: 2.0 }, &RouterInput::new(gate_logits));
    let mut by_slot: Vec<&Assignment> = routing.assignments.iter().collect();
    by_slot.sort_by_key(|a| (a.expert, a.fate.slot()));
    let ties = ties::top_of_columns(&expected.at("S").rows(), per_expert);
    let tokens: Vec<u32> = by_slot.iter().map(|a| a.token).collect();
    expected.at("k").same_indices([per_expert]);
    expected.at("S").close(gate_probs(gate_logits));
    expected.at("tokens").same_rows(&tokens, &ties);
    // Near equals have near probabilities: the gates agree in any case.
    expected.at("gates").close(by_slot.iter().map(|a| a.weight));
    let cover = (0..num_tokens as u32).map(|token| routing.of_token(token).len());
    expected.at("cover").unless(ties::any(&ties)).same_indices(cover);
}
