//! Rows of gates that compute logits from more than hidden states and one matrix.

use super::{Kind, RuleInfo};

pub(super) const RULES: &[RuleInfo] = &[
    RuleInfo {
        name: "cosine",
        title: "Cosine router",
        one_line: "Logits are cosines of projected hidden states and expert embeddings, over a temperature.",
        paper: "Chi et al. 2022 (X-MoE), arXiv:2204.09179",
        equation: Some("eq. 6-7"),
        kind: Kind::Scores,
        causal: true,
        needs: "hidden states, a projection and expert embeddings",
        trained_with: "half as many dimensions as experts, temperature from 0.3, then top-1",
        at_inference: "the same",
    },
    RuleInfo {
        name: "attention",
        title: "Attention router",
        one_line: "Experts look at each other before a token chooses: logits from queries, keys and values of experts.",
        paper: "Wu et al. 2024 (Yuan 2.0-M32), arXiv:2405.17976",
        equation: Some("section 3.1"),
        kind: Kind::Scores,
        causal: true,
        needs: "the outputs of three gates",
        trained_with: "2 of 32 experts",
        at_inference: "the same",
    },
    RuleInfo {
        name: "dselect_k",
        title: "DSelect-k",
        one_line: "A differentiable gate with at most k non-zeros: selectors write experts' numbers in binary.",
        paper: "Hazimeh et al. 2021, arXiv:2106.03760",
        equation: Some("section 3"),
        kind: Kind::Scores,
        causal: true,
        needs: "selector codes of a gate trained for it",
        trained_with: "gamma 1",
        at_inference: "weights below 1e-6 are dropped",
    },
];
