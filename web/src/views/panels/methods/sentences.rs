//! What a method would do, in sentences with the numbers of the layer on the screen.

use moe_trace::{Mixing, RoutingSpec};
use yew::prelude::*;

use crate::run::scene::SceneLayer;
use crate::run::tried::{Comparison, Outcome, Tried};
use crate::settings::method::Method;
use crate::views::panel::PanelInput;
use crate::views::parts::badges::{future_badge, routing_badges};
use crate::words::tongue;

pub fn finding(input: &PanelInput) -> String {
    let Some(tried) = input.tried.as_deref() else {
        let (num_experts, group) = (input.controls.num_experts, input.controls.group);
        let runs = Method::all().filter(|method| method.obstacle(num_experts, group).is_none()).count();
        let methods = Method::all().count();
        return say!("{methods} routing methods, and {runs} of them run on this model", methods, runs);
    };
    let rule = tongue::translated(tried.method.rule().title);
    match &tried.outcome {
        Outcome::Routed(routed) => {
            let Comparison { moved, num_tokens, .. } = &routed.comparison;
            match moved.len() {
                0 => {
                    let tokens = many!(*num_tokens, "{n} token", "{n} tokens");
                    say!("{rule} serves all {tokens} by the same experts", rule, tokens)
                }
                moved => {
                    say!(
                        "{rule} has {moved} of {tokens} tokens served by other experts",
                        rule,
                        moved,
                        tokens = num_tokens
                    )
                }
            }
        }
        Outcome::Mixed { mixing, .. } => blends(&rule, mixing),
        Outcome::Unknown(_) => say!("{rule} cannot be told from the recorded gate", rule),
    }
}

/// `Soft MoE blends 20 tokens into 8 slots`.
fn blends(rule: &str, mixing: &Mixing) -> String {
    match mixing {
        Mixing::Slots { num_tokens, num_experts, slots_per_expert, .. } => say!(
            "{rule} blends {tokens} into {slots}",
            rule,
            tokens = many!(*num_tokens, "{n} token", "{n} tokens"),
            slots = many!(num_experts * slots_per_expert, "{n} slot", "{n} slots")
        ),
        Mixing::Merged { num_experts, shares, .. } => {
            let rows = shares.len() / (*num_experts as usize).max(1);
            let experts = many!(rows, "{n} expert", "{n} experts");
            say!("{rule} makes {experts} out of {all}", rule, experts, all = num_experts)
        }
        Mixing::Outputs { num_experts, weights, .. } => {
            let used = |row: &[f32]| row.iter().filter(|&&weight| weight != 0.0).count();
            let number = weights.chunks((*num_experts as usize).max(1)).map(used).max().unwrap_or_default();
            say!("{rule} adds up the outputs of {number} experts, for every token anew", rule, number)
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
                <span class="badge is-warning" title={say!("This layer's recorded gate logits, mixed under this rule. Exact for this \
                    layer's shares only.")}>{ say!("what-if") }</span>
                <span class="badge" title={say!("The model was trained with another routing rule: its gate has learned to choose, \
                    not to blend.")}>{ say!("not as trained") }</span>
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
    say!(
        "On the gate logits of layer {layer}: {moved} of {tokens} tokens are served by other experts than in the run; {lost} \
         of {requests} requests are turned away, in the run {lost_before} of {requests_before}.",
        layer = layer.layer,
        moved = moved.len(),
        tokens = num_tokens,
        lost = after.lost,
        requests = after.requests,
        lost_before = before.lost,
        requests_before = before.requests,
    )
}

/// The experts of a token: `E1, E5 turned away`.
pub fn experts(layer: &SceneLayer, token: usize) -> String {
    let names = layer.of_token(token).iter().map(|request| match request.fate.is_kept() {
        true => format!("E{}", request.expert),
        false => {
            say!("E{expert} {fate}", expert = request.expert, fate = crate::words::names::fate(request.fate))
        }
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() { say!("none").into_owned() } else { names.join(&say!(", ")) }
}
