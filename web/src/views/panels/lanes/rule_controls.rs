//! Any routing rule, chosen from a list and filled in by the fields of its form. It knows no rule by name.

use moe_router::rules;
use moe_trace::{RouterSpec, RoutingGroup};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::settings::Setting;
use crate::settings::rule_form::{self, Field};
use crate::state::Action;
use crate::views::parts::rule_fields::{field_html, refusal};
use crate::views::parts::speaking::use_tongue;

#[derive(Properties, PartialEq)]
pub struct RuleControlsProps {
    /// The rule that is asked for, and the one that the model was trained with.
    pub rule: RouterSpec,
    pub trained: RouterSpec,
    /// The rule of what is drawn, which may be another: not every rule has a what-if, and a re-run takes its time.
    pub drawn: RouterSpec,
    pub num_experts: usize,
    pub group: RoutingGroup,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn RuleControls(props: &RuleControlsProps) -> Html {
    use_tongue();
    let RuleControlsProps { rule, trained, drawn, num_experts, group, .. } = *props;
    // What was typed last and cannot be, and the rule it was typed for.
    let refused = use_state(|| None::<(RouterSpec, String)>);
    let choose = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: Event| {
            let menu: HtmlSelectElement = event.target_unchecked_into();
            if let Some(chosen) = entries(trained).find(|entry| name(entry) == menu.value()) {
                dispatch.emit(Action::Set(Setting::Rule(chosen)));
            }
        })
    };
    let (together, alone): (Vec<RouterSpec>, Vec<RouterSpec>) =
        entries(trained).partition(|entry| rules::facts(entry).looks_ahead);
    let option = |entry: &RouterSpec| {
        let why_not = rule_form::obstacle(entry, num_experts, group);
        html! {
            <option value={name(entry)} selected={name(entry) == name(&rule)} disabled={why_not.is_some()}
                title={why_not.clone()}>
                { rule_form::title(entry) }
                if name(entry) == name(&trained) {
                    { " · " }{ say!("as trained") }
                }
            </option>
        }
    };
    let barred = entries(trained).filter_map(|entry| Some((entry, rule_form::obstacle(&entry, num_experts, group)?)));
    let notes = barred.map(|(entry, why)| {
        let rule = html! { <b>{ rule_form::title(&entry) }</b> };
        html! { <li>{ weave!("{rule}. {why}.", rule, why = why.into()) }</li> }
    });
    let notes: Vec<Html> = notes.collect();
    let fields = rule_form::fields(&rule);
    let change = |field: &Field| {
        let key = field.key;
        let (dispatch, refused) = (props.dispatch.clone(), refused.clone());
        Callback::from(move |typed: String| match accepted(&rule, key, &typed, num_experts, group) {
            Ok(filled) => {
                refused.set(None);
                dispatch.emit(Action::Set(Setting::Rule(filled)));
                true
            }
            Err(why) => {
                refused.set(Some((rule, refusal(key, &typed, &why))));
                false
            }
        })
    };
    let refused = refused.as_ref().filter(|(of, _)| *of == rule).map(|(_, why)| why.clone());
    html! {
        <div class="rule-controls">
            <label class="control">
                <span class="control-name">{ say!("Try a rule") }</span>
                <select onchange={choose}>
                    <optgroup label={say!("Each token by itself")}>{ for alone.iter().map(option) }</optgroup>
                    <optgroup label={say!("Together: looks at later tokens")}>{ for together.iter().map(option) }</optgroup>
                </select>
            </label>
            if name(&rule) != name(&drawn) {
                <p>{ rule_form::one_line(&rule) }<span class="fine">
                    { " " }{ say!("The picture shows {rule}.", rule = rule_form::title(&drawn)) }</span></p>
            }
            if !fields.is_empty() {
                <div class="rule-fields">{ for fields.iter().map(|field| field_html(field, change(field))) }</div>
            }
            <p class="fine status" role="status">{ refused.unwrap_or_default() }</p>
            if !notes.is_empty() {
                <details class="fine">
                    <summary>{ say!("Rules that cannot be chosen here") }</summary>
                    <ul>{ for notes }</ul>
                </details>
            }
        </div>
    }
}

/// All rules; the trained one with its own numbers.
fn entries(trained: RouterSpec) -> impl Iterator<Item = RouterSpec> {
    rule_form::all().map(move |entry| if name(&entry) == name(&trained) { trained } else { entry })
}

/// The rule with another value in one field, or why it cannot be used here.
fn accepted(
    rule: &RouterSpec,
    key: &str,
    typed: &str,
    num_experts: usize,
    group: RoutingGroup,
) -> Result<RouterSpec, String> {
    let filled = rule_form::fill(rule, key, typed).ok_or_else(|| say!("The rule is not complete then"))?;
    match rule_form::obstacle(&filled, num_experts, group) {
        None => Ok(filled),
        Some(why) => Err(why),
    }
}

fn name(rule: &RouterSpec) -> &'static str {
    rules::of(rule).name
}
