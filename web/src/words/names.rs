//! Names of sources, policies, groups, fates and endings.

use std::borrow::Cow;

use moe_router::rules;
use moe_trace::{Fate, FinishReason, Policy, RoutingGroup, RoutingSpec, Source};

pub fn source(source: Source) -> &'static str {
    match source {
        Source::LiveGpu => "live GPU",
        Source::LiveCpu => "live CPU",
        Source::Recorded => "recorded",
        Source::Imported => "imported",
    }
}

pub fn policy(policy: Policy) -> Cow<'static, str> {
    match policy {
        Policy::Drop => "first come, first served".into(),
        Policy::Bpr => "most confident first (BPR)".into(),
        Policy::RandomSecond => format!("random second expert ({})", rule_of_pairs()).into(),
        Policy::Dropless => "dropless".into(),
    }
}

/// What the table of rules calls the rule behind the policy of the random second expert.
pub fn rule_of_pairs() -> &'static str {
    let pairs = RoutingSpec::with_policy(2, Policy::RandomSecond, 1.0);
    rules::of(&pairs.router).title
}

pub fn group(group: RoutingGroup) -> &'static str {
    match group {
        RoutingGroup::ThisText => "this text",
        RoutingGroup::DecodeStep => "decode step",
        RoutingGroup::Batch => "batch",
    }
}

pub fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Kept { .. } => "served",
        Fate::Lost => "turned away",
        Fate::Skipped => "withdrawn",
        Fate::Padding => "padding",
        Fate::NullExpert => "needs no computation",
        Fate::BelowThreshold => "below the threshold",
        Fate::Rectified => "moved to another expert",
    }
}

/// Things one after another, as a language joins them: "a, b, c".
pub fn listed(things: impl IntoIterator<Item = String>) -> String {
    things.into_iter().reduce(|before, next| say!("{before}, {next}", before, next)).unwrap_or_default()
}

/// Why a run has no more steps, short and in a sentence; nothing where it wrote what was asked for.
pub fn end(reason: FinishReason) -> Option<(&'static str, &'static str)> {
    match reason {
        FinishReason::Length => None,
        FinishReason::ContextFull => Some(("context full", "The text is as long as the model can see.")),
        FinishReason::EndOfText => Some(("end of text", "The model ended the text.")),
        FinishReason::Stopped => Some(("stopped", "The run was stopped before its end.")),
    }
}
