//! Playing a run's steps, live or recorded: back, play, forward, speed, A/B.

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::state::{Action, Playback};

#[derive(Properties, PartialEq)]
pub struct TransportProps {
    pub playback: Playback,
    pub step: usize,
    pub num_steps: usize,
    pub can_flip: bool,
    pub flipped: bool,
    pub dispatch: Callback<Action>,
}

const SPEEDS: [f32; 4] = [0.5, 1.0, 2.0, 4.0];

#[component]
pub fn Transport(props: &TransportProps) -> Html {
    let button = |icon: &'static str, label: &'static str, disabled: bool, action: Action| {
        let dispatch = props.dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()));
        html! {
            <button type="button" class="key" aria-label={label} title={label} {disabled} {onclick}>
                <span class={icon} aria-hidden="true" />
            </button>
        }
    };
    let on_speed = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlSelectElement = event.target_unchecked_into();
            if let Ok(speed) = field.value().parse() {
                dispatch.emit(Action::SetSpeed(speed));
            }
        })
    };
    let flip = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Flip))
    };
    let (at_start, at_end) = (props.step == 0, props.step + 1 >= props.num_steps);
    let (play_icon, play) = if props.playback.playing { ("icon-pause", "Pause") } else { ("icon-play", "Play") };
    html! {
        <div class="transport" role="group" aria-label="Steps of the run">
            { button("icon-first", "First step", at_start, Action::StepTo(0)) }
            { button("icon-back", "Step back", at_start, Action::StepBy(-1)) }
            { button(play_icon, play, props.num_steps < 2, Action::TogglePlay) }
            { button("icon-forward", "Step forward", at_end, Action::StepBy(1)) }
            <span class="step-count">{ format!("step {} of {}", props.step + 1, props.num_steps) }</span>
            <label class="speed-field">
                <span class="hidden">{ "Speed" }</span>
                <select onchange={on_speed}>
                    { for SPEEDS.iter().map(|&speed| html! {
                        <option value={speed.to_string()} selected={speed == props.playback.speed}>
                            { format!("{speed}×") }
                        </option>
                    }) }
                </select>
            </label>
            if props.can_flip {
                <button type="button" class="quiet flip" aria-pressed={props.flipped.to_string()} onclick={flip}
                    title="Flip between this run and the one before (x)">
                    { if props.flipped { "B: before" } else { "A: now" } }
                </button>
            }
        </div>
    }
}
