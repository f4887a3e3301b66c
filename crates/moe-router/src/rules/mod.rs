//! The list of all rules, each of which is declared at the top of its own file.
//!
//! A line here is all it takes beside that file: the page, the documentation (`docs/ROUTING_RULES.md` is generated from it),
//! the parser of texts and the laws in `tests/it` go through the list. A spec without a line does not compile.
//!
//! ```
//! use moe_router::rules;
//!
//! let rule = rules::find("expert_choice").expect("a rule");
//! assert!(!rule.is_causal());
//! assert_eq!(rule.example(), Some("expert_choice:2"));
//! let spec = rules::parse_router("expert_choice:2").expect("a text");
//! assert_eq!(rules::of(&spec).name, "expert_choice");
//! ```

use moe_trace::{MixerSpec, RouterSpec};

use crate::group_choice::{auction, expert_choice, expert_threshold, sinkhorn, strictly_balanced};
use crate::mixing::{lory, meo, peft, shared_experts, smear, soft_moe};
use crate::rule::{Assigns, Mixes, Rule, Run};
use crate::token_choice::{
    attention, cosine, deepseek, dense, dense_to_sparse, dselect_k, gshard, hash, hierarchical, logit_norm,
    no_token_left_behind, noisy_top_k, null_experts, per_sequence, per_task, prototypes, random, relu, switch, thor,
    top_any, top_k, top_p,
};

mod explained;
mod facts;
mod insight;
mod texts;

pub use explained::explained;
pub use facts::{facts, looks_ahead, uses_chance};
pub use insight::{Insight, insight};
pub use texts::{mixer_text, parse_mixer, parse_router, router_text};

/// A list of rules, and which of them a spec means.
macro_rules! list {
    ($list:ident, $of:ident($specs:ty): $($rule:path $(=> $spec:pat)?,)*) => {
        static $list: &[&Rule] = &[$(&$rule),*];

        /// The rule of a spec.
        pub fn $of(spec: &$specs) -> &'static Rule {
            match spec {
                $($($spec => &$rule,)?)*
            }
        }
    };
}

list! { ASSIGNING, of(RouterSpec):
    dense::RULE => RouterSpec::Dense,
    switch::RULE => RouterSpec::Switch,
    top_k::RULE => RouterSpec::TopK { .. },
    gshard::RULE => RouterSpec::Gshard { .. },

    noisy_top_k::RULE => RouterSpec::Noisy { .. },
    logit_norm::RULE => RouterSpec::LogitNorm { .. },
    dense_to_sparse::RULE => RouterSpec::DenseToSparse { .. },
    deepseek::RULE => RouterSpec::Deepseek { .. },
    deepseek::RULE_V2 => RouterSpec::DeepseekV2 { .. },

    top_p::RULE => RouterSpec::TopP { .. },
    relu::RULE => RouterSpec::Relu,
    top_any::RULE => RouterSpec::TopAny { .. },
    null_experts::RULE => RouterSpec::NullExperts { .. },

    hierarchical::RULE => RouterSpec::Hierarchical { .. },
    prototypes::RULE => RouterSpec::Prototypes { .. },

    hash::RULE => RouterSpec::Hash { .. },
    hash::RULE_BALANCED => RouterSpec::BalancedHash,
    random::RULE => RouterSpec::Random,
    thor::RULE,
    per_task::RULE,
    per_sequence::RULE => RouterSpec::PerSequence { .. },

    expert_choice::RULE => RouterSpec::ExpertChoice { .. },
    strictly_balanced::RULE => RouterSpec::StrictlyBalanced { .. },
    expert_threshold::RULE,
    sinkhorn::RULE => RouterSpec::Sinkhorn { .. },
    auction::RULE => RouterSpec::Base { .. },
    no_token_left_behind::RULE => RouterSpec::NoTokenLeftBehind { .. },
}

list! { MIXING, of_mixer(MixerSpec):
    soft_moe::RULE => MixerSpec::SoftMoe { .. },
    smear::RULE => MixerSpec::Smear,
    meo::RULE => MixerSpec::Meo { .. },
    lory::RULE => MixerSpec::Lory { .. },
    peft::MOLORA => MixerSpec::Molora { .. },
    peft::MOV => MixerSpec::Mov,
    peft::LORAMOE => MixerSpec::Loramoe,
    peft::MIXLORA => MixerSpec::Mixlora,
    shared_experts::RULE => MixerSpec::Shared { .. },
}

static SCORING: &[&Rule] = &[&cosine::RULE, &attention::RULE, &dselect_k::RULE];

/// All rules: those that assign, those that mix, those that score.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [ASSIGNING, MIXING, SCORING].into_iter().flatten().copied()
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.name == name)
}

/// How the rule of a spec assigns.
pub(crate) fn assigns(spec: &RouterSpec) -> &'static Assigns {
    match &of(spec).run {
        Run::Assigns(rule) => rule,
        Run::Mixes(_) | Run::InRust(_) => unreachable!("tests/it/table.rs: the rule of a spec is run by it"),
    }
}

/// How the rule of a spec mixes.
pub(crate) fn mixes(spec: &MixerSpec) -> &'static Mixes {
    match &of_mixer(spec).run {
        Run::Mixes(rule) => rule,
        Run::Assigns(_) | Run::InRust(_) => unreachable!("tests/it/table.rs: the rule of a spec is run by it"),
    }
}
