//! Task-level routing (Kudugunta et al. 2021, arXiv:2110.03742): one decision per task, a language pair or a domain.
//!
//! A learned row of logits per task stands where [`per_sequence`] has the mean of a sequence; the
//! rest is the same function. Causal: a task is known before its first token. Train with balance losses over tasks, not
//! tokens. Inference asks the same experts, and only these need to be loaded.
//!
//! Two tasks, four experts, top-2 with softmax over the two: exp(0.9) / (exp(0.9) + exp(0.4)) = 0.6225. The third token
//! is of task 0 again, and follows the first.
//!
//! ```
//! use moe_router::example::{assert_close, experts, weights};
//! use moe_router::token_choice::per_task;
//! use moe_trace::{GateLogits, Weighting};
//!
//! let table = GateLogits::new(4, vec![0.9, 0.1, -0.3, 0.4, -0.5, 0.2, 1.1, 0.3]).expect("two rows of four");
//! let requests = per_task::requests(&table, &[0, 1, 0], 2, Weighting::SoftmaxAfter);
//! assert_eq!(experts(&requests), [0, 3, 2, 3, 0, 3]);
//! assert_close(&weights(&requests), &[0.6225, 0.3775, 0.6900, 0.3100, 0.6225, 0.3775]);
//! ```

use moe_trace::{GateLogits, Weighting};

use crate::request::Request;
use crate::rule::{Explained, Family, InRust, Kind, Rule, Run};
use crate::token_choice::per_sequence;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "per_task",
    title: "Task-level",
    one_line: "All tokens of a task follow one decision.",
    family: Family::TokenChoice,
    paper: "Kudugunta et al. 2021, arXiv:2110.03742",
    equation: Some("section 4.1 of the survey by Cai et al. 2024"),
    needs: "a learned row of logits per task",
    trained_with: "k = 2",
    at_inference: "the same; only the chosen experts are loaded",
    run: Run::InRust(InRust {
        kind: Kind::Assigns,
        module: module_path!(),
        instead: "per_sequence:2",
        looks_ahead: false,
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "z = row of the task, then top-k",
    text: "A language pair or a domain, not a token, chooses the experts: one learned row of logits for each task. \
           At inference only those experts need be loaded, so a large model serves one task as a small one.",
};

/// `k` requests per token, the same for all tokens of a task.
///
/// `task_logits`: `[tasks, experts]`. `task_of`: `[tokens]`.
pub fn requests(task_logits: &GateLogits, task_of: &[usize], k: usize, weighting: Weighting) -> Vec<Request> {
    per_sequence::requests(task_logits, task_of, k, weighting)
}
