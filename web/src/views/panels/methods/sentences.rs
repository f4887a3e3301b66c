//! What a method would do, in sentences with the numbers of the layer on the screen.

use moe_trace::{Mixing, RoutingSpec};
use yew::prelude::*;

use crate::run::scene::SceneLayer;
use crate::run::tried::{Comparison, Outcome, Tried};
use crate::settings::method::Method;
use crate::views::panel::PanelInput;
use crate::views::parts::badges::{future_badge, routing_badges};
use crate::words::numbers::count;

pub fn finding(input: &PanelInput) -> String {
    let Some(tried) = input.tried.as_deref() else {
        let (num_experts, group) = (input.controls.num_experts, input.controls.group);
        let runs = Method::all().filter(|method| method.obstacle(num_experts, group).is_none()).count();
        return format!("{} routing methods, and {runs} of them run on this model", Method::all().count());
    };
    let title = tried.method.rule().title;
    match &tried.outcome {
        Outcome::Routed(routed) => {
            let Comparison { moved, num_tokens, .. } = &routed.comparison;
            match moved.len() {
                0 => format!("{title} serves all {} by the same experts", count(*num_tokens, "token", "tokens")),
                moved => format!("{title} has {moved} of {num_tokens} tokens served by other experts"),
            }
        }
        Outcome::Mixed { mixing, .. } => format!("{title} {}", blends(mixing)),
        Outcome::Unknown(_) => format!("{title} cannot be told from the recorded gate"),
    }
}

/// `blends 20 tokens into 8 slots`.
fn blends(mixing: &Mixing) -> String {
    match mixing {
        Mixing::Slots { num_tokens, num_experts, slots_per_expert, .. } => format!(
            "blends {} into {}",
            count(*num_tokens as usize, "token", "tokens"),
            count((num_experts * slots_per_expert) as usize, "slot", "slots")
        ),
        Mixing::Merged { num_experts, shares, .. } => {
            let rows = shares.len() / (*num_experts as usize).max(1);
            format!("makes {} out of {num_experts}", count(rows, "expert", "experts"))
        }
        Mixing::Outputs { num_experts, .. } => {
            format!("adds up the outputs of {num_experts} experts, for every token anew")
        }
    }
}

pub fn badges(tried: &Tried, input: &PanelInput) -> Html {
    let trained = &input.controls.trained;
    match tried.method {
        Method::Assigns(router) => {
            let routing = RoutingSpec { router, ..input.controls.routing };
            let is_what_if = matches!(tried.outcome, Outcome::Routed(_));
            html! {
                <>
                    { routing_badges(&routing, trained, is_what_if) }
                    if moe_router::rules::looks_ahead(&routing) {
                        { future_badge() }
                    }
                </>
            }
        }
        Method::Mixes(_) => html! {
            <>
                <span class="badge is-warning" title="This layer's recorded gate logits, mixed under this rule. Exact for this \
                    layer's shares only.">{ "what-if" }</span>
                <span class="badge" title="The model was trained with another routing rule: its gate has learned to choose, \
                    not to blend.">{ "not as trained" }</span>
                if !tried.method.rule().is_causal() {
                    { future_badge() }
                }
            </>
        },
        Method::Told(_) => Html::default(),
    }
}

/// What the comparison says, in full.
pub fn compared(comparison: &Comparison, layer: &SceneLayer) -> String {
    let Comparison { moved, num_tokens, before, after, .. } = comparison;
    format!(
        "On the gate logits of layer {}: {} of {num_tokens} tokens are served by other experts than in the run; {} of {} \
         requests are turned away, in the run {} of {}.",
        layer.layer,
        moved.len(),
        after.lost,
        after.requests,
        before.lost,
        before.requests,
    )
}

/// The experts of a token: `E1, E5 turned away`.
pub fn experts(layer: &SceneLayer, token: usize) -> String {
    let names = layer.of_token(token).iter().map(|request| match request.fate.is_kept() {
        true => format!("E{}", request.expert),
        false => format!("E{} {}", request.expert, crate::words::names::fate(request.fate)),
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
