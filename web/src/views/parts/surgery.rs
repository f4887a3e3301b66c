//! Surgery: what would have happened with an expert muted, a token sent elsewhere, two experts swapped, the gate bent?
//! Each change runs the model again, is listed, and can be taken back.

use std::borrow::Cow;

use moe_trace::{ExpertIdx, Intervention, LayerIdx};
use web_sys::{HtmlElement, HtmlSelectElement};
use yew::prelude::*;

use crate::browser::focus::focus_in_place;
use crate::run::text::quoted;
use crate::settings::interventions::{self, Interventions};
use crate::settings::limits::{GATE_NOISE, ROUTER_TEMPERATURE};
use crate::settings::offered::ControlName;
use crate::state::Action;
use crate::state::surgery::Operation;
use crate::views::panel::{PanelInput, Surgery};
use crate::views::parts::slider::Slider;
use crate::views::parts::speaking::use_tongue;
use crate::words::changes::said;

/// The entry of a menu that changes nothing.
const AS_IT_IS: &str = "";

/// The part for the selected token, layer and expert; for the token's first choice where no expert is selected.
pub fn surgery(input: &PanelInput) -> Html {
    if !input.controls.offered.has(ControlName::Surgery) {
        return Html::default();
    }
    let Surgery { asked, status, seed, .. } = &input.surgery;
    html! {
        <section class="surgery" part="controls" aria-label={say!("What if")}>
            <div class="surgery-head">
                <h3 class="topic">{ say!("What if") }</h3>
                { way_back(&input.surgery, &input.dispatch) }
            </div>
            { of_expert(input) }
            { gate(asked, *seed, &input.dispatch) }
            <ChangeList surgery={input.surgery.clone()} dispatch={input.dispatch.clone()} />
            if !status.is_empty() {
                <p class="fine status">{ status }</p>
            }
        </section>
    }
}

/// Back and forth between changes, where there are some: beside the heading, so that it is in sight and moves nothing.
fn way_back(surgery: &Surgery, dispatch: &Callback<Action>) -> Html {
    let Surgery { asked, can_undo, can_redo, .. } = surgery;
    if asked.is_empty() && !can_undo && !can_redo {
        return Html::default();
    }
    let key = |words: Cow<'static, str>, disabled: bool, operation: Operation| {
        let onclick = operate(dispatch, operation);
        html! { <button type="button" class="quiet" {disabled} {onclick}>{ words }</button> }
    };
    html! {
        <div class="changes-keys">
            { key(say!("Undo"), !can_undo, Operation::Undo) }
            { key(say!("Redo"), !can_redo, Operation::Redo) }
            { key(say!("Reset all"), asked.is_empty(), Operation::Reset) }
        </div>
    }
}

/// A switch that mutes one expert.
#[derive(Clone, Copy, PartialEq)]
pub struct Mute {
    pub layer: LayerIdx,
    pub expert: ExpertIdx,
    /// Is it asked for?
    pub is_on: bool,
}

impl Mute {
    pub fn of(asked: &Interventions, layer: LayerIdx, expert: ExpertIdx) -> Mute {
        Mute { layer, expert, is_on: interventions::is_muted(asked, layer, expert) }
    }

    /// In words.
    fn key(self, dispatch: &Callback<Action>) -> Html {
        let Mute { layer, expert, is_on } = self;
        let onclick = operate(dispatch, Operation::Toggle(Intervention::Mute { layer, expert }));
        html! {
            <button type="button" class="operation" aria-pressed={is_on.to_string()} title={self.title()} {onclick}>
                { say!("Mute E{expert}", expert) }
            </button>
        }
    }

    /// As a sign beside the expert's name.
    pub fn sign(self, tabindex: &'static str, dispatch: &Callback<Action>) -> Html {
        let Mute { layer, expert, is_on } = self;
        let onclick = operate(dispatch, Operation::Toggle(Intervention::Mute { layer, expert }));
        html! {
            <button type="button" class="mute" aria-label={say!("Mute expert {expert}", expert)} aria-pressed={is_on.to_string()}
                title={self.title()} {tabindex} {onclick}>
                <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
                    <circle cx="6" cy="6" r="4.7" /><path d="M2.7 2.7l6.6 6.6" />
                </svg>
            </button>
        }
    }

    fn title(self) -> String {
        let Mute { layer, expert, is_on } = self;
        match is_on {
            true => say!("Let expert {expert} of layer {layer} be asked again", expert, layer),
            false => {
                say!("Mute expert {expert} of layer {layer}: nobody can ask it. Runs the model again", expert, layer)
            }
        }
    }
}

fn operate(dispatch: &Callback<Action>, operation: Operation) -> Callback<MouseEvent> {
    let dispatch = dispatch.clone();
    Callback::from(move |_: MouseEvent| dispatch.emit(Action::Operate(operation.clone())))
}

/// What can be done with one expert, and with the token.
fn of_expert(input: &PanelInput) -> Html {
    let (asked, token, layer) = (&input.surgery.asked, input.selection.token, input.layer());
    let first_choice = layer.of_token(token).first().map(|request| request.expert);
    let expert = input.selection.expert.map(|expert| ExpertIdx(expert as u32)).or(first_choice).unwrap_or_default();
    let (of, position) = (layer.layer, token as u32);
    let experts = || (0..layer.num_experts as u32).map(ExpertIdx);
    let forced = interventions::forced(asked, of, position);
    let send = menu(&input.dispatch, move |chosen| match chosen {
        Some(expert) => Operation::Make(Intervention::Force { layer: of, position, expert }),
        None => Operation::TakeBack(Intervention::Force { layer: of, position, expert: ExpertIdx(0) }),
    });
    let partner = asked.iter().find_map(|change| match *change {
        Intervention::Swap { layer, experts: [one, other] } if layer == of && one == expert => Some(other),
        Intervention::Swap { layer, experts: [one, other] } if layer == of && other == expert => Some(one),
        _ => None,
    });
    let swap = menu(&input.dispatch, move |chosen| match (chosen, partner) {
        (Some(other), _) => Operation::Make(Intervention::Swap { layer: of, experts: [expert, other] }),
        (None, other) => {
            Operation::TakeBack(Intervention::Swap { layer: of, experts: [expert, other.unwrap_or_default()] })
        }
    });
    let name = quoted(input.scene.token_text(token));
    html! {
        <div class="operations">
            { Mute::of(asked, of, expert).key(&input.dispatch) }
            <label class="control" title={say!("Wherever the router names one of the two, the other one computes")}>
                <span class="control-name">{ say!("Swap E{expert} with", expert) }</span>
                <select onchange={swap}>
                    <option value={AS_IT_IS} selected={partner.is_none()}>{ "–" }</option>
                    { for experts().filter(|&other| other != expert).map(|other| option(other, partner)) }
                </select>
            </label>
            <label class="control" title={say!("The expert that the token asks in place of its first choice, with that one's weight")}>
                <span class="control-name">{ weave!("Send {token} to", token = html! { <bdi>{ name }</bdi> }) }</span>
                <select onchange={send}>
                    <option value={AS_IT_IS} selected={forced.is_none()}>{ say!("its own choice") }</option>
                    { for experts().map(|expert| option(expert, forced)) }
                </select>
            </label>
        </div>
    }
}

fn option(expert: ExpertIdx, chosen: Option<ExpertIdx>) -> Html {
    html! { <option value={expert.to_string()} selected={chosen == Some(expert)}>{ format!("E{expert}") }</option> }
}

/// A menu of experts; its first entry is none.
fn menu(dispatch: &Callback<Action>, operation: impl Fn(Option<ExpertIdx>) -> Operation + 'static) -> Callback<Event> {
    let dispatch = dispatch.clone();
    Callback::from(move |event: Event| {
        let menu: HtmlSelectElement = event.target_unchecked_into();
        dispatch.emit(Action::Operate(operation(menu.value().parse().ok().map(ExpertIdx))));
    })
}

/// What bends the gates of all layers.
fn gate(asked: &Interventions, seed: u32, dispatch: &Callback<Action>) -> Html {
    let (mut temperature, mut deviation) = (1.0, 0.0);
    for change in asked.iter() {
        match *change {
            Intervention::RouterTemperature { layer: None, temperature: of_all } => temperature = of_all,
            Intervention::GateNoise { layer: None, deviation: of_all } => deviation = of_all,
            _ => {}
        }
    }
    // Where the slider says that nothing is changed, there is no change.
    let slide = |change: fn(f32) -> Intervention, nothing: f32| {
        let dispatch = dispatch.clone();
        Callback::from(move |value: f32| {
            let change = change(value);
            let operation = if value == nothing { Operation::TakeBack(change) } else { Operation::Make(change) };
            dispatch.emit(Action::Operate(operation));
        })
    };
    let heat = slide(|temperature| Intervention::RouterTemperature { layer: None, temperature }, 1.0);
    let blur = slide(|deviation| Intervention::GateNoise { layer: None, deviation }, 0.0);
    html! {
        <details class="bend">
            <summary>{ say!("Gate") }</summary>
            <div class="bend-sliders">
                <Slider name={say!("Router temperature")} value={temperature} range={ROUTER_TEMPERATURE} onchange={heat}
                    title={say!("Gate logits are divided by it in every layer: above 1 choices become alike, below 1 surer")} />
                <Slider name={say!("Gate noise")} value={deviation} range={GATE_NOISE} onchange={blur}
                    title={say!("Normal noise of this deviation on every gate logit, drawn by seed {seed}", seed)} />
            </div>
        </details>
    }
}

#[derive(Properties, PartialEq)]
struct ChangeListProps {
    surgery: Surgery,
    dispatch: Callback<Action>,
}

/// What is changed; each can be taken back by itself.
#[component]
fn ChangeList(props: &ChangeListProps) -> Html {
    use_tongue();
    let list = use_node_ref();
    let asked = &props.surgery.asked;
    if asked.is_empty() {
        return Html::default();
    }
    let chip = |change: &Intervention| {
        let take_back = {
            let (dispatch, list, change) = (props.dispatch.clone(), list.clone(), *change);
            Callback::from(move |_: MouseEvent| {
                // The button goes, and the focus would go with it.
                if let Some(list) = list.cast::<HtmlElement>() {
                    focus_in_place(&list);
                }
                dispatch.emit(Action::Operate(Operation::TakeBack(change)));
            })
        };
        let words = said(change);
        html! {
            <li key={words.clone()}>
                <span>{ &words }</span>
                <button type="button" aria-label={say!("Take back: {change}", change = words)} title={say!("Take back")} onclick={take_back}>
                    <span aria-hidden="true">{ "×" }</span>
                </button>
            </li>
        }
    };
    html! {
        <div class="changes" ref={list.clone()} role="group" tabindex="-1" aria-label={say!("Changes inside the model")}>
            <ul>{ for asked.iter().map(chip) }</ul>
        </div>
    }
}
