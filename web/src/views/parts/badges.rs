//! Small labels that say where a number comes from, and what to beware of.

use moe_trace::{Intervention, RoutingSpec, Source};
use yew::prelude::*;

use crate::words::numbers::count;
use crate::words::{changes, names};

/// A full dot for what happens now, a ring for what happened before. `model` is named where the reader might think of
/// another one, and so is what was changed inside it.
pub fn source_badge(source: Source, model: Option<&str>, inside: &[Intervention]) -> Html {
    let is_live = matches!(source, Source::LiveGpu | Source::LiveCpu);
    let title = match (source, model) {
        (Source::LiveGpu, None) => "These numbers come from the model running on this machine's GPU".to_owned(),
        (Source::LiveCpu, None) => "These numbers come from the model running on this machine's CPU".to_owned(),
        (Source::LiveGpu, Some(model)) => format!("These numbers come from {model}, as it ran on this machine's GPU"),
        (Source::LiveCpu, Some(model)) => format!("These numbers come from {model}, as it ran on this machine's CPU"),
        (Source::Recorded, None) => "These numbers come from a real earlier run of the same model".to_owned(),
        (Source::Recorded, Some(model)) => format!("These numbers come from a real earlier run of {model}"),
        (Source::Imported, _) => "These numbers come from a file".to_owned(),
    };
    html! {
        <span class={classes!("source", is_live.then_some("is-live"))} {title}>
            <i aria-hidden="true" />{ names::source(source) }
            if let Some(model) = model {
                <span>{ format!("· {model}") }</span>
            }
            { changes_badge(inside) }
        </span>
    }
}

/// How much was changed inside the model for these numbers; nothing where nothing was.
pub fn changes_badge(inside: &[Intervention]) -> Html {
    if inside.is_empty() {
        return Html::default();
    }
    let title = format!("Changed inside the model: {}", changes::all(inside));
    html! { <span class="is-operated" {title}>{ format!("· {}", count(inside.len(), "change", "changes")) }</span> }
}

/// Short warnings about the routing that is shown.
pub fn routing_badges(routing: &RoutingSpec, trained: &RoutingSpec, is_what_if: bool) -> Html {
    html! {
        <>
            if is_what_if {
                <span class="badge is-warning" title="This layer's gate logits, routed again under the new settings. \
                    Exact for this layer only: a re-run also changes what later layers see.">{ "what-if" }</span>
            }
            if !routing.is_same_rule(trained) {
                <span class="badge" title="The model was trained with another routing rule or overflow policy.">
                    { "not as trained" }
                </span>
            }
        </>
    }
}

/// The warning of rules that look at later tokens.
pub fn future_badge() -> Html {
    let title = "In this mode the router compares a token with later ones. Its training loss looks too good; \
        generation cannot reproduce it.";
    html! { <span class="badge is-warning" {title}>{ "looks ahead: fine in training, not possible in real generation" }</span> }
}
