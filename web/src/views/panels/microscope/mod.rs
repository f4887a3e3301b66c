//! The routing microscope: the decision of one token in one layer, a step at a time, with its numbers in the formula of the
//! rule in force, and the proof that the router on this page decides the same.

mod experts;
mod finding;
mod proof;
mod step;

use std::borrow::Cow;

use moe_router::rule::GateReads;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::browser::focus::focus_in_place;
use crate::browser::keys::press;
use crate::run::decision::Decision;
use crate::settings::micro_step::MicroStep;
use crate::settings::view::PanelName;
use crate::state::Action;
use crate::views::panel::{Depth, Panel, PanelInput, Sees, Tab};
use crate::views::parts::table::table;
use crate::words::names;
use crate::words::numbers::digits;

pub static PANEL: Panel = Panel {
    name: PanelName::Microscope,
    kind: marked!("Routing microscope"),
    area: "row",
    tab: Tab::Of(PanelName::Token),
    depth: Depth::Lab,
    sees: Sees::Run,
    lacks: |input| seen(input).is_none().then_some(marked!("There is no token to look at")),
    topic: |input| {
        say!("Microscope · token #{token} · layer {layer}", token = input.selection.token, layer = input.layer().layer)
    },
    finding: |input| {
        seen(input).map_or_else(String::new, |decision| finding::finding(input, &decision, open(input, &decision)))
    },
    badges: |_| Html::default(),
    picture,
    table: Some(as_table),
};

fn seen(input: &PanelInput) -> Option<Decision<'_>> {
    Decision::of(&input.scene, input.selection.layer, input.selection.token)
}

/// The steps there are: what nobody recorded of the output is left out.
fn steps(decision: &Decision) -> Vec<MicroStep> {
    let is_there = |step: &MicroStep| *step != MicroStep::Output || decision.has_output();
    MicroStep::ALL.iter().copied().filter(is_there).collect()
}

/// The step that is open: of one that is not there the one before.
fn open(input: &PanelInput, decision: &Decision) -> MicroStep {
    if input.micro_step == MicroStep::Output && !decision.has_output() { MicroStep::Weights } else { input.micro_step }
}

fn picture(input: &PanelInput) -> Html {
    let Some(decision) = seen(input) else { return Html::default() };
    let (steps, open) = (steps(&decision), open(input, &decision));
    let at = steps.iter().position(|&step| step == open).unwrap_or(0);
    let go_to = |step: Option<&MicroStep>| {
        let (dispatch, step) = (input.dispatch.clone(), step.copied());
        Callback::from(move |_: MouseEvent| {
            step.into_iter().for_each(|step| dispatch.emit(Action::OpenMicroStep(step)))
        })
    };
    let entry = |(number, step): (usize, &MicroStep)| {
        html! {
            <li key={number}>
                <button type="button" aria-current={(number == at).then_some("step")}
                    tabindex={if number == at { "0" } else { "-1" }} onclick={go_to(Some(step))}>
                    <i>{ number + 1 }</i>{ name(*step, &decision) }
                </button>
            </li>
        }
    };
    let on_key = {
        let (dispatch, steps) = (input.dispatch.clone(), steps.clone());
        Callback::from(move |event: KeyboardEvent| {
            let there = match press(&event).plain().unwrap_or_default() {
                "ArrowDown" | "ArrowRight" => (at + 1).min(steps.len() - 1),
                "ArrowUp" | "ArrowLeft" => at.saturating_sub(1),
                "Home" => 0,
                "End" => steps.len() - 1,
                _ => return,
            };
            event.prevent_default();
            focus_entry(&event, there);
            dispatch.emit(Action::OpenMicroStep(steps[there]));
        })
    };
    let (before, after) = (at.checked_sub(1).and_then(|at| steps.get(at)), steps.get(at + 1));
    html! {
        <div class="micro">
            <ol class="micro-steps" aria-label={say!("Steps of the decision")} onkeydown={on_key}>
                { for steps.iter().enumerate().map(entry) }
            </ol>
            <div class="micro-open" role="group" aria-label={say!("Step {number}: {step}", number = at + 1, step = name(open, &decision))}>
                { step::step(input, &decision, open) }
                <p class="micro-moves">
                    <button type="button" class="quiet" disabled={before.is_none()} onclick={go_to(before)}>{ say!("← Back") }</button>
                    <button type="button" class="quiet" disabled={after.is_none()} onclick={go_to(after)}>{ say!("Next →") }</button>
                    <span class="fine">{ say!("step {number} of {all}", number = at + 1, all = steps.len()) }</span>
                </p>
            </div>
        </div>
    }
}

/// What stands on a step: the same word for what differs from rule to rule would be wrong of some.
fn name(step: MicroStep, decision: &Decision) -> Cow<'static, str> {
    match step {
        MicroStep::Logits => say!("Gate logits"),
        MicroStep::Scores => match decision.layer.reading().0 {
            GateReads::Sigmoid => say!("Sigmoid"),
            GateReads::Nothing => say!("No gate"),
            _ => say!("Softmax"),
        },
        MicroStep::Choice if decision.layer.experts_take() => say!("Who took it"),
        MicroStep::Choice => say!("Choice"),
        MicroStep::Queue => say!("Queue"),
        MicroStep::Capacity => say!("Capacity"),
        MicroStep::Fate => say!("Fate"),
        MicroStep::Weights => say!("Weights"),
        MicroStep::Output => say!("Output"),
        MicroStep::Proof => say!("Proof"),
    }
}

/// Puts the focus on the button of a step of the list that an event comes from.
fn focus_entry(event: &KeyboardEvent, at: usize) {
    let list = event.target_dyn_into::<Element>().and_then(|target| target.closest(".micro-steps").ok().flatten());
    let buttons = list.and_then(|list| list.query_selector_all("button").ok());
    if let Some(button) = buttons.and_then(|buttons| buttons.item(at as u32)?.dyn_into::<HtmlElement>().ok()) {
        focus_in_place(&button);
    }
}

fn as_table(input: &PanelInput) -> Html {
    let Some(decision) = seen(input) else { return Html::default() };
    let values = decision.layer.values_of(decision.token);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let rows = (0..decision.layer.num_experts).map(|expert| {
        let at = decision.requests.iter().position(|request| request.expert.index() == expert);
        let request = at.map(|at| &decision.requests[at]);
        let place = request.map(|request| decision.place(request));
        vec![
            expert.to_string(),
            or_dash(decision.logits.map(|logits| experts::logit(logits[expert]))),
            or_dash(values.get(expert).map(|&value| digits(value.into()))),
            or_dash(request.map(|request| (request.rank + 1).to_string())),
            or_dash(place.map(|place| say!("{part} of {all}", part = place.taken, all = place.demand))),
            or_dash(request.map(|request| String::from(names::fate(request.fate)))),
            or_dash(request.map(|request| digits(request.weight.into()))),
            or_dash(at.and_then(|at| decision.output_norms.get(at).copied().flatten()).map(|norm| digits(norm.into()))),
        ]
    });
    let value = decision.layer.reading().names().0;
    let head = [
        say!("expert"),
        say!("gate logit"),
        value,
        say!("choice"),
        say!("before it in the queue"),
        say!("outcome"),
        say!("weight if served"),
        say!("output norm"),
    ];
    let (token, layer) = (decision.token, decision.layer.layer);
    let caption = say!("One decision: token {token} in layer {layer}", token, layer);
    html! {
        <>
            { table(&caption, &head.each_ref().map(|name| &**name), rows) }
            { proof::proof(input) }
        </>
    }
}
