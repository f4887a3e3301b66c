//! The experts of a layer side by side: how often each was asked, and whether it has a speciality. Few have room for a
//! word, many are glyphs, eight or sixteen in a row.

use yew::prelude::*;

use super::finding::words_of;
use crate::run::experts::Experts;
use crate::run::text::{inline, visible};
use crate::state::Action;
use crate::views::panel::PanelInput;
use crate::views::parts::sized::upward;
use crate::words::numbers::percent;

/// More have no room for words.
const FEW: usize = 16;

pub fn grid(input: &PanelInput, experts: &Experts, open: usize) -> Html {
    let most = experts.experts.iter().map(|expert| expert.asked).max().unwrap_or(0).max(1);
    let is_few = experts.experts.len() <= FEW;
    let glyph = |(at, expert): (usize, &crate::run::experts::Expert)| {
        let choose = {
            let dispatch = input.dispatch.clone();
            Callback::from(move |_: MouseEvent| dispatch.emit(Action::SelectExpert(Some(at))))
        };
        let speciality = expert.specialities().next().map(|it| words_of(expert, it));
        let asked = many!(expert.asked, "{n} token asked it", "{n} tokens asked it");
        let load = percent(expert.load as f32);
        let says = match &speciality {
            Some(words) => {
                say!("{asked}, {load} of requests; speciality {words}", asked, load, words = inline(words))
            }
            None => say!("{asked}, {load} of requests; no clear speciality", asked, load),
        };
        // What is written on a button is in its name, for those who say it.
        let (name, title) = (format!("E{at}: {says}"), say!("Expert {expert}: {says}", expert = at, says));
        let is_open = at == open;
        html! {
            <button key={at} type="button" class={classes!("expert-glyph", speciality.is_some().then_some("is-special"))}
                aria-pressed={is_open.to_string()} tabindex={if is_open { "0" } else { "-1" }}
                aria-label={name} {title} onclick={choose}>
                { upward("asked", expert.asked as f64 / most as f64) }
                <b>{ if is_few { format!("E{at}") } else { at.to_string() } }</b>
                if is_few {
                    <small aria-hidden="true"><bdi>{ speciality.map_or_else(|| "–".to_owned(), |words| visible(&words)) }</bdi></small>
                }
            </button>
        }
    };
    let size = match experts.experts.len() {
        0..=FEW => "is-few",
        17..=64 => "is-of-8",
        _ => "is-of-16",
    };
    html! {
        <div class={classes!("expert-grid", size)} role="group" aria-label={say!("Experts of layer {layer}", layer = experts.name)}>
            { for experts.experts.iter().enumerate().map(glyph) }
        </div>
    }
}
