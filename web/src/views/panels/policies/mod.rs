//! Policy lab: one text under several overflow policies, side by side, with one cursor.

mod finding;
mod measures;
mod spark;
mod strips;
mod twin;

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::run::policies::PolicyLab;
use crate::run::shared::Shared;
use crate::settings::limits::CAPACITY_FACTOR;
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::state::background::Purpose;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::comparison_bar::comparison_bar;
use strips::Strips;

pub static PANEL: Panel = Panel {
    name: PanelName::Policies,
    kind: marked!("Policy lab"),
    area: "row",
    tab: Tab::Own(marked!("Policies")),
    depth: Depth::Lab,
    sees: Sees::Comparisons,
    lacks: |input| match &input.comparisons.policies {
        None => Some(marked!("Not all of this text was recorded, so it cannot be run again")),
        Some(lab) if lab.rows.is_empty() => {
            Some(marked!("Under this rule no request is turned away: all policies are the same"))
        }
        Some(_) => None,
    },
    topic: |input| say!("Policy lab · outcomes in layer {layer}", layer = input.layer().layer),
    finding: |input| lab(input).map_or_else(String::new, |lab| finding::finding(lab)),
    badges: |_| Html::default(),
    picture,
    table: Some(|input| lab(input).map_or_else(Html::default, |lab| twin::tables(lab, input.selection.layer))),
};

fn lab(input: &PanelInput) -> Option<&Shared<PolicyLab>> {
    input.comparisons.policies.as_ref()
}

fn picture(input: &PanelInput) -> Html {
    let Some(lab) = lab(input) else { return Html::default() };
    let is_whole = lab.outcomes().count() == lab.rows.len();
    let start = (!is_whole).then(|| say!("Compare {number} policies", number = lab.rows.len()));
    let progress = input.comparisons.policies_progress.as_ref();
    let PanelInput { selection, tab, dispatch, .. } = input.clone();
    html! {
        <div class="policy-lab">
            <div class="lab-head">
                { factor(input) }
                { comparison_bar(input, Purpose::Policies, start.as_deref(), progress) }
            </div>
            if lab.outcomes().next().is_some() {
                <Strips lab={lab.clone()} {selection} {tab} {dispatch} />
                { measures::measures(lab) }
            } else {
                <p class="fine">{ say!("The text of the run is read again as a whole under each policy, with the same model, rule and seed, and nothing is written. Your own runs go first.") }</p>
            }
        </div>
    }
}

/// The capacity factor of all policies. It is run for when the slider is let go, once there is something to compare.
fn factor(input: &PanelInput) -> Html {
    let on_input = {
        let dispatch = input.dispatch.clone();
        Callback::from(move |event: InputEvent| {
            let field: HtmlInputElement = event.target_unchecked_into();
            dispatch.emit(Action::SetLabFactor(field.value_as_number() as f32));
        })
    };
    let on_change = {
        let dispatch = input.dispatch.clone();
        let has_begun = input.comparisons.policies_progress.is_some();
        Callback::from(move |_: Event| {
            if has_begun {
                dispatch.emit(Action::Compare(Purpose::Policies));
            }
        })
    };
    let factor = format!("{:.2}", input.comparisons.factor);
    let (least, most) = (CAPACITY_FACTOR.start().to_string(), CAPACITY_FACTOR.end().to_string());
    html! {
        <label class="control factor">
            <span class="control-name">{ say!("Capacity factor of all") }<b aria-hidden="true">{ &factor }</b></span>
            <input type="range" aria-label={say!("Capacity factor of all policies")} aria-valuetext={factor.clone()} min={least} max={most}
                step="0.05" value={input.comparisons.factor.to_string()} oninput={on_input} onchange={on_change} />
        </label>
    }
}
