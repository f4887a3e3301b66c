//! Losses that need no routing: mutual information between tokens, tasks and experts.

use moe_router::{gate_probs, losses};

use super::fixture::Node;
use super::token_choice::gate_logits;

pub fn check(case: &Node) {
    let gate_logits = gate_logits(case);
    let (probs, num_experts) = (gate_probs(&gate_logits), gate_logits.num_experts());
    let results = case.at("results");

    let expected = results.at("mi");
    let found = losses::token_information(&probs, num_experts, &[]);
    expected.at("token_loss").close([found.loss]);
    expected.at("H_e").close([found.of_experts]);
    expected.at("H_e_given_x").close([found.given_token]);

    let task_of = results.at("smear").at("seqs").indices();
    let num_tasks = task_of.iter().max().map_or(0, |last| last + 1);
    let by_task = losses::mean_probs_by_task(&probs, num_experts, &task_of, num_tasks, &[]);
    expected.at("task_loss").close([losses::task_information(&by_task, num_experts)]);
    expected.at("P_e_given_task").close(by_task);
}
