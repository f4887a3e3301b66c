//! What can be changed about the routing. Each change runs the model again.

use moe_router::rules;
use moe_trace::{Overflow, Policy, RoutingGroup};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::settings::limits::CAPACITY_FACTOR;
use crate::settings::offered::ControlName;
use crate::settings::{Setting, routing_choice};
use crate::state::Action;
use crate::views::panel::Controls;
use crate::words::names;

const POLICIES: [Policy; 4] = [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless];
const GROUPS: [RoutingGroup; 2] = [RoutingGroup::ThisText, RoutingGroup::DecodeStep];

/// Those that are drawn here.
const ROUTING: &[ControlName] = &[ControlName::Capacity, ControlName::Policy, ControlName::Group, ControlName::K];

/// The entry that leaves a choice as the model was trained, where no other entry describes it.
const AS_TRAINED: &str = "as-trained";

fn policy_of(text: &str) -> Option<Setting> {
    if text == AS_TRAINED { Some(Setting::Policy(None)) } else { Some(Setting::Policy(Some(text.parse().ok()?))) }
}

fn k_of(text: &str) -> Option<Setting> {
    if text == AS_TRAINED { Some(Setting::K(None)) } else { Some(Setting::K(Some(text.parse().ok()?))) }
}

/// The controls of a panel or figure that offers some of them.
pub fn routing_controls(controls: &Controls, dispatch: &Callback<Action>) -> Html {
    let Controls { trained, routing, num_experts, offered, .. } = *controls;
    let has = |control| offered.has(control);
    if !offered.has_any(ROUTING) {
        return Html::default();
    }
    let on_factor = {
        let dispatch = dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlInputElement = event.target_unchecked_into();
            dispatch.emit(Action::Slide(field.value_as_number() as f32));
        })
    };
    let let_go = {
        let dispatch = dispatch.clone();
        Callback::from(move |_: Event| dispatch.emit(Action::LetGo))
    };
    let on_select = |setting: fn(&str) -> Option<Setting>| {
        let dispatch = dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlSelectElement = event.target_unchecked_into();
            if let Some(setting) = setting(&field.value()) {
                dispatch.emit(Action::Set(setting));
            }
        })
    };
    let (k, policy) = (routing_choice::k(&routing), routing_choice::policy(&routing));
    // Some rules serve every request, or fill the experts themselves: there is nothing to decide when an expert is full.
    let facts = rules::facts(&routing.router);
    let can_overflow = facts.may_overflow();
    let has_factor = can_overflow && matches!(routing.overflow, Overflow::Drop(_));
    let is_pair = routing_choice::is_pair(&routing);
    let needs_text = facts.looks_ahead;
    // A rule whose choice is not top-k is an entry of its own; so is a policy that the list has no name for.
    let has_own_rule = k.is_none() || routing_choice::k(&trained).is_none();
    let has_own_policy = policy.is_none() || routing_choice::policy(&trained).is_none();
    let why_k = match has_own_rule {
        true if k.is_none() && routing.router != trained.router => {
            say!("This rule is not top-k. A number switches to top-k with that many experts per token.")
        }
        true => {
            say!("– keeps the rule the model was trained with. A number switches to top-k, which is not as trained.")
        }
        false if is_pair => say!("{rule} always uses two experts", rule = names::rule_of_pairs()).into(),
        false => say!("How many experts each token requests"),
    };
    let why_full = if can_overflow { "".into() } else { say!("Under this rule no request is turned away") };
    let factor = if can_overflow { format!("{:.2}", controls.capacity_factor) } else { "–".to_owned() };
    let (least, most) = (*CAPACITY_FACTOR.start(), *CAPACITY_FACTOR.end());
    html! {
        <div class="controls" part="controls">
            if has(ControlName::Capacity) {
                // The number beside the name is the slider's own value, and not to be spoken twice.
                <label class="control factor">
                    <span class="control-name">{ say!("Capacity factor") }<b aria-hidden="true">{ &factor }</b></span>
                    <input type="range" aria-label={say!("Capacity factor")} aria-valuetext={factor.clone()} data-capacity="" min={least.to_string()} max={most.to_string()} step="0.05"
                        value={controls.capacity_factor.to_string()} disabled={!has_factor} oninput={on_factor} onchange={let_go}
                        title={if can_overflow { say!("Drag to re-run the model with more or fewer slots (c)") } else { why_full.clone() }} />
                </label>
            }
            if has(ControlName::Policy) {
                <label class="control" title={why_full}>
                    <span class="control-name">{ say!("When an expert is full") }</span>
                    <select disabled={!can_overflow} onchange={on_select(policy_of)}>
                        if has_own_policy {
                            <option value={AS_TRAINED} selected={policy.is_none()}>{ say!("as trained") }</option>
                        }
                        { for POLICIES.iter().map(|&entry| html! {
                            <option value={entry.to_string()} selected={Some(entry) == policy}
                                disabled={entry == Policy::RandomSecond && num_experts < 2}>{ names::policy(entry) }</option>
                        }) }
                    </select>
                </label>
            }
            if has(ControlName::Group) {
                <label class="control" title={say!("The tokens that compete for the same slots (routing group)")}>
                    <span class="control-name">{ say!("Slots shared by") }</span>
                    <select onchange={on_select(|text| text.parse().ok().map(Setting::Group))}>
                        { for GROUPS.iter().map(|&group| html! {
                            <option value={group.to_string()} selected={group == controls.group}
                                disabled={needs_text && group == RoutingGroup::DecodeStep}>{ names::group(group) }</option>
                        }) }
                    </select>
                </label>
            }
            if has(ControlName::K) {
                <label class="control" title={why_k}>
                    <span class="control-name">{ say!("Experts (k)") }</span>
                    <select onchange={on_select(k_of)} disabled={is_pair}>
                        if has_own_rule && !is_pair {
                            <option value={AS_TRAINED} selected={k.is_none()}>{ "–" }</option>
                        }
                        { for (1..=num_experts as u32).map(|entry| html! {
                            <option value={entry.to_string()} selected={Some(entry) == k}>{ entry }</option>
                        }) }
                    </select>
                </label>
            }
        </div>
    }
}
