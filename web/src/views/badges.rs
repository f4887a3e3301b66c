//! Small labels that say where a number comes from, and what to beware of.

use moe_trace::{RoutingSpec, Source};
use yew::prelude::*;

use crate::scene::Scene;
use crate::shared::Shared;
use crate::wording;

#[derive(Properties, PartialEq)]
pub struct SourceBadgeProps {
    pub source: Source,
}

/// A full dot for what happens now, a ring for what happened before.
#[component]
pub fn SourceBadge(props: &SourceBadgeProps) -> Html {
    let is_live = matches!(props.source, Source::LiveGpu | Source::LiveCpu);
    let title = match props.source {
        Source::LiveGpu => "These numbers come from the model running on this machine's GPU",
        Source::LiveCpu => "These numbers come from the model running on this machine's CPU",
        Source::Recorded => "These numbers come from a real earlier run of the same model",
        Source::Imported => "These numbers come from a file",
    };
    html! {
        <span class={classes!("source", is_live.then_some("is-live"))} {title}>
            <i aria-hidden="true" />{ wording::source(props.source) }
        </span>
    }
}

#[derive(Properties, PartialEq)]
pub struct RoutingBadgesProps {
    pub scene: Shared<Scene>,
}

/// Warnings about the routing that is shown.
#[component]
pub fn RoutingBadges(props: &RoutingBadgesProps) -> Html {
    let recording = &props.scene.recording;
    let shown = recording.request.routing;
    let trained = recording.model.trained_routing;
    let future = "In this mode the router compares a token with later ones. Its training loss looks too good; \
        generation cannot reproduce it.";
    let is_transplanted = !is_same_rule(&shown, &trained);
    html! {
        <>
            if shown.uses_the_future(props.scene.num_experts()) {
                <span class="badge is-warning" title={future}>
                    { "uses the future: fine in training, leaks in generation" }
                </span>
            }
            if is_transplanted {
                <span class="badge" title="The model was trained with another routing than the one it runs with here.">
                    { "transplanted" }
                </span>
            }
        </>
    }
}

fn is_same_rule(shown: &RoutingSpec, trained: &RoutingSpec) -> bool {
    shown == trained
}
