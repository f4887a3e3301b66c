//! The method that is tried: what it says of itself, its numbers to fill in, what it would do to the selected layer, and the
//! way to run the model with it.

use std::borrow::Cow;

use moe_router::rule::Family;
use moe_router::rules;
use yew::prelude::*;

use crate::run::tried::{Outcome, Routed};
use crate::settings::Setting;
use crate::settings::method::Method;
use crate::state::Action;
use crate::views::panel::PanelInput;
use crate::views::panels::methods::{facts, lanes, sentences, shares};
use crate::views::parts::citation::citation;
use crate::views::parts::math::math;
use crate::views::parts::rule_fields::RuleFields;
use crate::views::parts::stripe;
use crate::words::tongue;

pub fn chosen(input: &PanelInput) -> Html {
    let Some(tried) = input.tried.as_deref() else {
        return html! {
            <div class="method-chosen">
                <p>{ say!("Choose a method: this layer's recorded gate logits are routed by it at once, and nothing is run.") }</p>
                <p class="fine">
                    { weave!("Grouped as in the survey by Cai et al. 2024, section 4: {paper}.", paper = arxiv("2407.06204")) }
                </p>
            </div>
        };
    };
    let method = tried.method;
    let rule = method.rule();
    let explained = rules::explained(rule);
    let facts = facts::facts(&method, &input.controls.routing, input.controls.num_experts);
    html! {
        <div class="method-chosen">
            <h3>{ tongue::translated(rule.title) }</h3>
            <p>{ tongue::translated(rule.one_line) }</p>
            <p class="rule-formula" title={say!("x a token's hidden state, z its gate logits, p their softmax, w weights, T tokens, E experts")}>
                { math(explained.formula) }
            </p>
            <p>{ tongue::translated(explained.text) }</p>
            <p class="fine">{ citation(rule.paper, rule.equation) }</p>
            <RuleFields {method} num_experts={input.controls.num_experts} dispatch={input.dispatch.clone()} />
            { run_with(input, &method) }
            { outcome(input, rule.family, &tried.outcome) }
            <dl class="method-facts">
                { for facts.into_iter().map(|(name, words)| html! { <div><dt>{ name }</dt><dd>{ words }</dd></div> }) }
            </dl>
        </div>
    }
}

fn arxiv(number: &str) -> Html {
    let address = format!("https://arxiv.org/abs/{number}");
    html! { <a href={address} target="_blank" rel="noopener">{ "arXiv:" }{ number.to_owned() }</a> }
}

/// The button that runs the model with it, or why there is none.
fn run_with(input: &PanelInput, method: &Method) -> Html {
    let controls = &input.controls;
    if let Some(why) = method.obstacle(controls.num_experts, controls.group) {
        return html! { <p class="fine">{ say!("The model cannot be run with it. {why}.", why) }</p> };
    }
    let Method::Assigns(spec) = *method else { return Html::default() };
    let is_in_force = controls.routing.router == spec;
    let dispatch = input.dispatch.clone();
    let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(Action::Set(Setting::Rule(spec))));
    html! {
        <p class="method-run">
            <button type="button" class="primary" disabled={is_in_force || !input.can_run} {onclick}>{ say!("Run with it") }</button>
            <span class="fine" role="status">
                { match (is_in_force, input.can_run) {
                    (true, _) if !controls.status.is_empty() => Cow::from(controls.status.to_string()),
                    (true, _) => say!("This is the rule that the controls ask for."),
                    (false, true) => say!("Runs the model again under this rule: exact in every layer."),
                    (false, false) => say!("A run needs the engine, which is not here now."),
                } }
            </span>
        </p>
    }
}

fn outcome(input: &PanelInput, family: Family, outcome: &Outcome) -> Html {
    match outcome {
        Outcome::Routed(routed) => routed_picture(input, routed),
        Outcome::Mixed { group, mixing } => html! {
            <>
                <p>{ say!("This model's gate learned to choose, not to blend; these are the shares that the rule makes of it.") }</p>
                { shares::shares(family, group, mixing, input.selection.token) }
            </>
        },
        Outcome::Unknown(why) => html! { <p>{ why }</p> },
    }
}

/// The layer as the run routed it, under the method, and the method's slots.
fn routed_picture(input: &PanelInput, routed: &Routed) -> Html {
    let (scene, before, after) = (&input.scene, input.layer(), &routed.layer);
    html! {
        <>
            <p>{ sentences::compared(&routed.comparison, after) }</p>
            <div class="rolls" tabindex="0" role="group" aria-label={say!("Tokens and their experts, in the run and under this method")}>
                <span class="fine">{ say!("In the run") }</span>
                <div class="stripe" aria-hidden="true">{ stripe::drawn(scene, before) }</div>
                <span class="fine">{ say!("Under this method; ticks where other experts serve") }</span>
                <div class="stripe" aria-hidden="true">{ stripe::drawn(scene, after) }</div>
                { stripe::ticks(scene.tokens.len(), &routed.comparison.moved, input.selection.token) }
            </div>
            { lanes::of_kind(input, routed) }
        </>
    }
}
