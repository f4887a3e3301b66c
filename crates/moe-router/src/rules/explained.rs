//! What each rule says of itself at length.

use crate::group_choice::{auction, expert_choice, expert_threshold, sinkhorn, strictly_balanced};
use crate::mixing::{lory, meo, peft, shared_experts, smear, soft_moe};
use crate::rule::{Explained, Rule};
use crate::token_choice::{
    attention, cosine, deepseek, dense, dense_to_sparse, dselect_k, gshard, hash, hierarchical, logit_norm,
    no_token_left_behind, noisy_top_k, null_experts, per_sequence, per_task, prototypes, random, relu, switch, thor,
    top_any, top_k, top_p,
};

static EXPLAINED: &[(&Rule, &Explained)] = &[
    (&dense::RULE, &dense::EXPLAINED),
    (&switch::RULE, &switch::EXPLAINED),
    (&top_k::RULE, &top_k::EXPLAINED),
    (&gshard::RULE, &gshard::EXPLAINED),
    (&noisy_top_k::RULE, &noisy_top_k::EXPLAINED),
    (&logit_norm::RULE, &logit_norm::EXPLAINED),
    (&dense_to_sparse::RULE, &dense_to_sparse::EXPLAINED),
    (&deepseek::RULE, &deepseek::EXPLAINED),
    (&deepseek::RULE_V2, &deepseek::EXPLAINED_V2),
    (&top_p::RULE, &top_p::EXPLAINED),
    (&relu::RULE, &relu::EXPLAINED),
    (&top_any::RULE, &top_any::EXPLAINED),
    (&null_experts::RULE, &null_experts::EXPLAINED),
    (&hierarchical::RULE, &hierarchical::EXPLAINED),
    (&prototypes::RULE, &prototypes::EXPLAINED),
    (&hash::RULE, &hash::EXPLAINED),
    (&hash::RULE_BALANCED, &hash::EXPLAINED_BALANCED),
    (&random::RULE, &random::EXPLAINED),
    (&thor::RULE, &thor::EXPLAINED),
    (&per_task::RULE, &per_task::EXPLAINED),
    (&per_sequence::RULE, &per_sequence::EXPLAINED),
    (&no_token_left_behind::RULE, &no_token_left_behind::EXPLAINED),
    (&cosine::RULE, &cosine::EXPLAINED),
    (&attention::RULE, &attention::EXPLAINED),
    (&dselect_k::RULE, &dselect_k::EXPLAINED),
    (&expert_choice::RULE, &expert_choice::EXPLAINED),
    (&strictly_balanced::RULE, &strictly_balanced::EXPLAINED),
    (&expert_threshold::RULE, &expert_threshold::EXPLAINED),
    (&sinkhorn::RULE, &sinkhorn::EXPLAINED),
    (&auction::RULE, &auction::EXPLAINED),
    (&soft_moe::RULE, &soft_moe::EXPLAINED),
    (&smear::RULE, &smear::EXPLAINED),
    (&meo::RULE, &meo::EXPLAINED),
    (&lory::RULE, &lory::EXPLAINED),
    (&peft::MOLORA, &peft::MOLORA_EXPLAINED),
    (&peft::MOV, &peft::MOV_EXPLAINED),
    (&peft::LORAMOE, &peft::LORAMOE_EXPLAINED),
    (&peft::MIXLORA, &peft::MIXLORA_EXPLAINED),
    (&shared_experts::RULE, &shared_experts::EXPLAINED),
];

/// The rule at length. Every rule of [`all`](super::all) has its words.
pub fn explained(rule: &Rule) -> &'static Explained {
    let found = EXPLAINED.iter().find(|(of, _)| of.name == rule.name);
    found.map(|(_, explained)| *explained).expect("tests/it/table.rs: every rule is explained")
}
