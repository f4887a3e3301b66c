//! What can be changed about the routing. Each change runs the model again.

use moe_trace::{Policy, RoutingGroup};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::shared::Shared;
use crate::state::settings::{CAPACITY_FACTOR, Setting};
use crate::state::{Action, State};
use crate::wording;

const POLICIES: [Policy; 4] = [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless];
const GROUPS: [RoutingGroup; 2] = [RoutingGroup::ThisText, RoutingGroup::DecodeStep];

#[derive(Properties, PartialEq)]
pub struct RoutingControlsProps {
    pub state: Shared<State>,
    pub num_experts: usize,
    pub dispatch: Callback<Action>,
}

#[component]
pub fn RoutingControls(props: &RoutingControlsProps) -> Html {
    let state = &props.state;
    let settings = &state.settings;
    let on_factor = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlInputElement = event.target_unchecked_into();
            dispatch.emit(Action::Set(Setting::CapacityFactor(field.value_as_number() as f32)));
        })
    };
    let on_select = |setting: fn(&str) -> Option<Setting>| {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlSelectElement = event.target_unchecked_into();
            if let Some(setting) = setting(&field.value()) {
                dispatch.emit(Action::Set(setting));
            }
        })
    };
    let is_dropless = settings.policy == Policy::Dropless;
    let is_pair = settings.policy == Policy::RandomSecond;
    let about_k = if is_pair {
        format!("{} always asks for two", wording::rule_of_pairs())
    } else {
        "Experts a token asks".to_owned()
    };
    let (least, most) = (*CAPACITY_FACTOR.start(), *CAPACITY_FACTOR.end());
    html! {
        <div class="controls">
            // Named outright: a label names the first such thing inside it, and that is the number.
            <label class="control factor" for="capacity-factor">
                <span class="control-name">
                    { "Capacity factor" }<output>{ format!("{:.2}", settings.capacity_factor) }</output>
                </span>
                <input type="range" id="capacity-factor" data-capacity="" min={least.to_string()} max={most.to_string()} step="0.05"
                    value={settings.capacity_factor.to_string()} disabled={is_dropless} oninput={on_factor}
                    title="Drag to re-run the model with more or fewer slots (c)" />
            </label>
            <label class="control">
                <span class="control-name">{ "When full" }</span>
                <select onchange={on_select(|text| text.parse().ok().map(Setting::Policy))}>
                    { for POLICIES.iter().map(|&policy| html! {
                        <option value={policy.to_string()} selected={policy == settings.policy}>{ wording::policy(policy) }</option>
                    }) }
                </select>
            </label>
            <label class="control">
                <span class="control-name">{ "Group" }</span>
                <select onchange={on_select(|text| text.parse().ok().map(Setting::Group))}>
                    { for GROUPS.iter().map(|&group| html! {
                        <option value={group.to_string()} selected={group == settings.group}>{ wording::group(group) }</option>
                    }) }
                </select>
            </label>
            <label class="control" title={about_k}>
                <span class="control-name">{ "k" }</span>
                <select onchange={on_select(|text| text.parse().ok().map(Setting::K))} disabled={is_pair}>
                    { for (1..=props.num_experts as u32).map(|k| html! {
                        <option value={k.to_string()} selected={k == if is_pair { 2 } else { settings.k }}>{ k }</option>
                    }) }
                </select>
            </label>
        </div>
    }
}
