//! The forms of all rules that assign tokens to experts, and the names of those that gate logits are not enough for.

use crate::text::form::{Argument, Form};

const K: Argument = Argument::count("k");
const THRESHOLD: Argument = Argument::number("threshold");
const GROUPS: [Argument; 4] =
    [K, Argument::count("groups").optional(), Argument::count("kept").optional(), Argument::number("scale").optional()];

/// Every rule of [`RouterSpec`](crate::RouterSpec), in the order of its variants.
pub const ROUTER_FORMS: &[Form] = &[
    form("dense", &[], "dense"),
    form("switch", &[], "switch"),
    form(
        "top_k",
        &[K, Argument::word("weighting", &["norm", "raw", "softmax_after"]), Argument::number("p").optional().keyed()],
        "top_k:2",
    ),
    form(
        "gshard",
        &[
            Argument::word("second", &["always", "never", "proportional", "sampled"]),
            Argument::word("normalise", &["before", "after"]),
            THRESHOLD.optional().keyed(),
            Argument::number("random").optional().keyed(),
        ],
        "gshard:proportional",
    ),
    form("noisy", &[K, Argument::number("std")], "noisy:k=2,std=1"),
    form("logit_norm", &[K, Argument::number("lambda").optional()], "logit_norm:k=2,lambda=1"),
    form(
        "dense_to_sparse",
        &[Argument::number("temperature"), THRESHOLD.optional()],
        "dense_to_sparse:temperature=0.5,threshold=0.02",
    ),
    form("deepseek", &GROUPS, "deepseek:k=2,groups=2,kept=1,scale=2.5"),
    form("deepseek_v2", &GROUPS, "deepseek_v2:k=2,groups=2,kept=1,scale=1"),
    form("top_p", &[THRESHOLD], "top_p:0.4"),
    form("relu", &[], "relu"),
    form("top_any", &[THRESHOLD], "top_any:0.5"),
    form("null_experts", &[K, Argument::count("nulls")], "null_experts:k=2,nulls=1"),
    form(
        "hierarchical",
        &[Argument::count("groups"), Argument::count("k_groups"), Argument::count("k_within")],
        "hierarchical:groups=2,k_groups=1,k_within=2",
    ),
    form("prototypes", &[Argument::count("count")], "prototypes:2"),
    form("per_sequence", &[K], "per_sequence:2"),
    form("hash", &[Argument::count("seed").optional()], "hash:42"),
    form("balanced_hash", &[], "balanced_hash"),
    form("random", &[], "random"),
    form("expert_choice", &[Argument::number("average")], "expert_choice:2"),
    form("strictly_balanced", &[K], "strictly_balanced:2"),
    form("sinkhorn", &[K.optional(), Argument::word("choice", &["balanced", "greedy"])], "sinkhorn:1"),
    form("base", &[Argument::word("solver", &["auction", "exact", "greedy"])], "base:auction"),
    form("no_token_left_behind", &[Argument::count("tries").optional()], "no_token_left_behind:4"),
];

/// A rule of `moe-router` that no text can name, since gate logits are not all it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeedsMore {
    /// Its name in the table of rules.
    pub name: &'static str,
    /// What it needs besides gate logits.
    pub needs: &'static str,
    /// The text of the rule that comes nearest.
    pub instead: &'static str,
    /// Where it can be had with what it needs.
    pub in_rust: &'static str,
}

/// All of them.
pub const NOT_FROM_GATE_LOGITS: &[NeedsMore] = &[
    NeedsMore {
        name: "attention",
        needs: "the outputs of three gates",
        instead: "top_k:2",
        in_rust: "moe_router::token_choice::attention",
    },
    NeedsMore {
        name: "cosine",
        needs: "hidden states, a projection and expert embeddings",
        instead: "switch",
        in_rust: "moe_router::token_choice::cosine",
    },
    NeedsMore {
        name: "dselect_k",
        needs: "selector codes of a gate trained for it",
        instead: "top_k:2",
        in_rust: "moe_router::token_choice::dselect_k",
    },
    NeedsMore {
        name: "per_task",
        needs: "a learned row of logits per task",
        instead: "per_sequence:2",
        in_rust: "moe_router::token_choice::per_sequence",
    },
    NeedsMore {
        name: "expert_threshold",
        needs: "a learned threshold per expert",
        instead: "strictly_balanced:2",
        in_rust: "moe_router::group_choice::strictly_balanced",
    },
    NeedsMore {
        name: "thor",
        needs: "two experts drawn for the whole step",
        instead: "random",
        in_rust: "moe_router::token_choice::random",
    },
];

const fn form(head: &'static str, arguments: &'static [Argument], example: &'static str) -> Form {
    Form { head, arguments, example }
}
