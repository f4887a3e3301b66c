//! Small labels that say where a number comes from, and what to beware of.

use moe_trace::{Intervention, RoutingSpec, Source};
use yew::prelude::*;

use crate::words::{changes, names};

/// A full dot for what happens now, a ring for what happened before. `model` is named where the reader might think of
/// another one, and so is what was changed inside it.
pub fn source_badge(source: Source, model: Option<&str>, inside: &[Intervention]) -> Html {
    let is_live = matches!(source, Source::LiveGpu | Source::LiveCpu);
    let title = match (source, model) {
        (Source::LiveGpu, None) => say!("These numbers come from the model running on this machine's GPU"),
        (Source::LiveCpu, None) => say!("These numbers come from the model running on this machine's CPU"),
        (Source::LiveGpu, Some(model)) => {
            say!("These numbers come from {model}, as it ran on this machine's GPU", model).into()
        }
        (Source::LiveCpu, Some(model)) => {
            say!("These numbers come from {model}, as it ran on this machine's CPU", model).into()
        }
        (Source::Recorded, None) => say!("These numbers come from a real earlier run of the same model"),
        (Source::Recorded, Some(model)) => say!("These numbers come from a real earlier run of {model}", model).into(),
        (Source::Imported, _) => say!("These numbers come from a file"),
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
    let title = say!("Changed inside the model: {changes}", changes = changes::all(inside));
    html! { <span class="is-operated" {title}>{ format!("· {}", many!(inside.len(), "{n} change", "{n} changes")) }</span> }
}

/// Short warnings about the routing that is shown.
pub fn routing_badges(routing: &RoutingSpec, trained: &RoutingSpec, is_what_if: bool) -> Html {
    html! {
        <>
            if is_what_if {
                <span class="badge is-warning" title={say!("This layer's gate logits, routed again under the new settings. \
                    Exact for this layer only: a re-run also changes what later layers see.")}>{ say!("what-if") }</span>
            }
            if !routing.is_same_rule(trained) {
                <span class="badge" title={say!("The model was trained with another routing rule or overflow policy.")}>
                    { say!("not as trained") }
                </span>
            }
        </>
    }
}

/// The warning of rules that look at later tokens.
pub fn future_badge() -> Html {
    let title = say!(
        "In this mode the router compares a token with later ones. Its training loss looks too good; \
         generation cannot reproduce it."
    );
    html! { <span class="badge is-warning" {title}>{ say!("looks ahead: fine in training, not possible in real generation") }</span> }
}
