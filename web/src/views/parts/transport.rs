//! Playing a run's steps, live or recorded: back, play, forward, speed, this run or the previous one.

use std::borrow::Cow;

use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::state::Action;
use crate::views::panel::PanelInput;
use crate::words::names;

const SPEEDS: [f32; 4] = [0.5, 1.0, 2.0, 4.0];

pub fn transport(input: &PanelInput) -> Html {
    let (step, num_steps) = (input.scene.step, input.num_steps);
    let button = |icon: &'static str, label: Cow<'static, str>, disabled: bool, action: Action| {
        let dispatch = input.dispatch.clone();
        let onclick = Callback::from(move |_: MouseEvent| dispatch.emit(action.clone()));
        html! {
            <button type="button" class="key" aria-label={label.clone()} title={label} {disabled} {onclick}>
                <span class={icon} aria-hidden="true" />
            </button>
        }
    };
    let on_speed = {
        let dispatch = input.dispatch.clone();
        Callback::from(move |event: Event| {
            let field: HtmlSelectElement = event.target_unchecked_into();
            // `selected_index` is -1 when nothing is selected.
            if let Some(&speed) = usize::try_from(field.selected_index()).ok().and_then(|at| SPEEDS.get(at)) {
                dispatch.emit(Action::SetSpeed(speed));
            }
        })
    };
    let flip = {
        let dispatch = input.dispatch.clone();
        Callback::from(move |_: MouseEvent| dispatch.emit(Action::Flip))
    };
    let (at_start, at_end) = (step == 0, step + 1 >= num_steps);
    let (play_icon, play) =
        if input.playback.playing { ("icon-pause", say!("Pause")) } else { ("icon-play", say!("Play")) };
    let end = input.finished.filter(|_| at_end).and_then(names::end);
    html! {
        <div class="transport" part="controls" role="group" aria-label={say!("Steps of the run")}>
            { button("icon-first", say!("First step"), at_start, Action::StepTo(0)) }
            { button("icon-back", say!("Step back"), at_start, Action::StepBy(-1)) }
            { button(play_icon, play, num_steps < 2, Action::TogglePlay) }
            { button("icon-forward", say!("Step forward"), at_end, Action::StepBy(1)) }
            <span class="step-count">
                { say!("step {step} of {all}", step = step + 1, all = num_steps) }
                if let Some((short, long)) = end {
                    <small class="end" title={long}>{ short }</small>
                }
            </span>
            <label class="speed-field">
                <span class="hidden">{ say!("Speed") }</span>
                <select onchange={on_speed}>
                    { for SPEEDS.iter().map(|&speed| html! {
                        <option value={speed.to_string()} selected={speed == input.playback.speed}>
                            { format!("{speed}×") }
                        </option>
                    }) }
                </select>
            </label>
            if input.can_flip {
                <button type="button" class="quiet flip" aria-pressed={input.flipped.to_string()} onclick={flip}
                    title={say!("Compare with the previous run (x). Changed: {changed}", changed = input.changed)}>
                    { if input.flipped { say!("Previous run") } else { say!("This run") } }
                </button>
            }
        </div>
    }
}
