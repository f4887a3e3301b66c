//! Empty bars, one for each expert, which the reader fills as she expects them; then the real ones beside hers.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::run::observed::said;
use crate::settings::lesson::Predicted;
use crate::state::course::Turn;
use crate::state::{Action, State};
use crate::views::parts::sized::across;

/// Nothing while there is no run.
pub fn guess(state: &State, predicted: Predicted, dispatch: &Callback<Action>) -> Html {
    let Some(bars) = state.bars() else { return Html::default() };
    let course = state.course();
    let (all, step) = match predicted {
        Predicted::Demand => (say!("requests of each expert"), "1"),
        Predicted::Load => (say!("served requests of each expert"), "1"),
        Predicted::Gate => (say!("share of each expert"), "0.01"),
    };
    let expected = |expert: usize| match predicted {
        Predicted::Demand => say!("Expert {expert}: requests that you expect", expert),
        Predicted::Load => say!("Expert {expert}: served requests that you expect", expert),
        Predicted::Gate => say!("Expert {expert}: share that you expect", expert),
    };
    let rows = bars.values.iter().enumerate().map(|(expert, &real)| {
        let drawn = course.guess(expert);
        let share = |value: f32| f64::from((value / bars.most).min(1.0));
        let oninput = {
            let dispatch = dispatch.clone();
            Callback::from(move |event: InputEvent| {
                let field: HtmlInputElement = event.target_unchecked_into();
                let value = field.value_as_number() as f32;
                dispatch.emit(Action::Lesson(Turn::Guess { expert, value }));
            })
        };
        let said_drawn = said(predicted, drawn);
        html! {
            <li key={expert} class="guess-row">
                <b aria-hidden="true">{ format!("E{expert}") }</b>
                if course.is_done() {
                    <span class="guess-bar">
                        { across("drawn", share(drawn)) }
                        { across("real", share(real)) }
                    </span>
                    <span class="guess-numbers">
                        <span class="hidden">{ say!("Expert {expert}: drawn {drawn}, real {real}", expert, drawn = said_drawn, real = said(predicted, real)) }</span>
                        <span aria-hidden="true">{ said_drawn }{ " → " }<b>{ said(predicted, real) }</b></span>
                    </span>
                } else {
                    <span class="guess-bar">
                        { across("drawn", share(drawn)) }
                        <input type="range" min="0" max={bars.most.to_string()} {step} value={drawn.to_string()} {oninput}
                            aria-label={expected(expert)} aria-valuetext={said_drawn.clone()} />
                    </span>
                    <span class="guess-numbers" aria-hidden="true">{ said_drawn }</span>
                }
            </li>
        }
    });
    let key = if course.is_done() {
        say!("your bars above, the real ones below")
    } else {
        say!("Draw the bars as you expect them")
    };
    html! {
        <>
            <p class="fine">{ key }</p>
            <ul class="guess" aria-label={all}>{ for rows }</ul>
        </>
    }
}
