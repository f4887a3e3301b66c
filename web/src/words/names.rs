//! Names of sources, policies, groups, fates and endings.

use std::borrow::Cow;

use moe_router::rules;
use moe_trace::{Fate, FinishReason, Policy, RoutingGroup, RoutingSpec, Source};

use crate::words::tongue;

pub fn source(source: Source) -> Cow<'static, str> {
    match source {
        Source::LiveGpu => say!("live GPU"),
        Source::LiveCpu => say!("live CPU"),
        Source::Recorded => say!("recorded"),
        Source::Imported => say!("imported"),
    }
}

pub fn policy(policy: Policy) -> Cow<'static, str> {
    match policy {
        Policy::Drop => say!("first come, first served"),
        Policy::Bpr => say!("most confident first (BPR)"),
        Policy::RandomSecond => say!("random second expert ({rule})", rule = rule_of_pairs()).into(),
        Policy::Dropless => say!("dropless"),
    }
}

/// What the table of rules calls the rule behind the policy of the random second expert.
pub fn rule_of_pairs() -> Cow<'static, str> {
    let pairs = RoutingSpec::with_policy(2, Policy::RandomSecond, 1.0);
    tongue::translated(rules::of(&pairs.router).title)
}

pub fn group(group: RoutingGroup) -> Cow<'static, str> {
    match group {
        RoutingGroup::ThisText => say!("this text"),
        RoutingGroup::DecodeStep => say!("decode step"),
        RoutingGroup::Batch => say!("batch"),
    }
}

pub fn fate(fate: Fate) -> Cow<'static, str> {
    match fate {
        Fate::Kept { .. } => say!("served"),
        Fate::Lost => say!("turned away"),
        Fate::Skipped => say!("withdrawn"),
        Fate::Padding => say!("padding"),
        Fate::NullExpert => say!("needs no computation"),
        Fate::BelowThreshold => say!("below the threshold"),
        Fate::Rectified => say!("moved to another expert"),
    }
}

/// Things one after another, as a language joins them: "a, b, c".
pub fn listed(things: impl IntoIterator<Item = String>) -> String {
    things.into_iter().reduce(|before, next| say!("{before}, {next}", before, next)).unwrap_or_default()
}

/// Why a run has no more steps, short and in a sentence; nothing where it wrote what was asked for.
pub fn end(reason: FinishReason) -> Option<(Cow<'static, str>, Cow<'static, str>)> {
    match reason {
        FinishReason::Length => None,
        FinishReason::ContextFull => Some((say!("context full"), say!("The text is as long as the model can see."))),
        FinishReason::EndOfText => Some((say!("end of text"), say!("The model ended the text."))),
        FinishReason::Stopped => Some((say!("stopped"), say!("The run was stopped before its end."))),
    }
}
