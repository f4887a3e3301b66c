//! Every layer's routes at a moment above those of today: experts by number, filled where a token asks the expert today too.

use std::fmt::Write;

use moe_trace::gate_history::NOBODY;
use yew::prelude::*;

use crate::run::moments::Moments;
use crate::run::shared::Shared;
use crate::run::text::inline;
use crate::state::Action;
use crate::views::panel::PanelInput;
use crate::views::parts::column_words::{COLUMN, column_words, token_at};
use crate::views::parts::hover::say_on_hover;
use crate::views::parts::section::{Part, section};

/// Height of one expert's number.
const LINE: usize = 14;

pub fn rows(input: &PanelInput, moments: &Moments) -> Html {
    let (scene, at) = (&input.scene, input.comparisons.then.at);
    let dir = if scene.is_right_to_left { "rtl" } else { "ltr" };
    html! {
        <div class="moments-matrix" {dir} tabindex="0" role="group" aria-label={say!("Routes then and today, by layer and token")}>
            { column_words(scene, Some(input.selection.token), &input.dispatch) }
            { for (0..scene.layers.len()).map(|layer| layer_rows(input, moments, layer, at)) }
        </div>
    }
}

fn layer_rows(input: &PanelInput, moments: &Moments, layer: usize, at: usize) -> Html {
    let (scene, num_tokens) = (&input.scene, moments.num_tokens);
    let is_right_to_left = scene.is_right_to_left;
    let onclick = {
        let dispatch = input.dispatch.clone();
        Callback::from(move |event: MouseEvent| {
            let token = token_at(&event, num_tokens, is_right_to_left);
            dispatch.emit(Action::Select { token, layer: Some(layer), expert: None });
        })
    };
    let onmousemove = {
        let (shown, scene) = (input.comparisons.then.moments.clone(), scene.clone());
        Callback::from(move |event: MouseEvent| {
            let Some(moments) = &shown else { return };
            let token = token_at(&event, num_tokens, is_right_to_left);
            let [then, today] = [moments.asked(at, layer, token), moments.asked_today(layer, token)].map(experts);
            let text = inline(scene.token_text(token));
            let words = say!("Token {token} “{text}”: then {then}, today {today}", token, text, then, today);
            say_on_hover(&event, &words);
        })
    };
    let rows = input
        .comparisons
        .then
        .moments
        .clone()
        .map(|moments| section(layer, Rows { moments, layer, at, is_right_to_left }));
    let is_selected = layer == input.selection.layer;
    html! {
        <div key={layer} class={classes!("moments-layer", is_selected.then_some("is-selected"))}>
            <span class="moments-name"><b>{ format!("L{}", scene.layers[layer].layer) }</b><small>{ say!("then") }</small><small>{ say!("today") }</small></span>
            <div class="moments-field" {onclick} {onmousemove} aria-hidden="true">{ for rows }</div>
        </div>
    }
}

/// "E3, E1".
pub fn experts(asked: &[u8]) -> String {
    let asked: Vec<String> =
        asked.iter().filter(|&&expert| expert != NOBODY).map(|expert| format!("E{expert}")).collect();
    if asked.is_empty() { say!("nobody").into_owned() } else { asked.join(&say!(", ")) }
}

/// Drawn again when another moment is chosen.
#[derive(PartialEq)]
struct Rows {
    moments: Shared<Moments>,
    layer: usize,
    at: usize,
    is_right_to_left: bool,
}

impl Part for Rows {
    /// Two paths of rectangles, asked today too and not, and a line of text for every rank: a number a column.
    fn draw(&self) -> Html {
        let moments = &self.moments;
        let (num_tokens, k) = (moments.num_tokens, moments.history.k as usize);
        let column = |token: usize| COLUMN * if self.is_right_to_left { num_tokens - 1 - token } else { token };
        let (width, height) = (num_tokens * COLUMN, (2 * k + 1) * LINE);
        let mut xs = String::new();
        let (mut same, mut other) = (String::new(), String::new());
        let mut lines = vec![String::new(); 2 * k];
        for token in 0..num_tokens {
            let (then, today) = (moments.asked(self.at, self.layer, token), moments.asked_today(self.layer, token));
            let x = column(token);
            // Writing to a string cannot fail.
            let _ = write!(xs, "{} ", x + COLUMN / 2);
            for (line, &expert) in then.iter().chain(today).enumerate() {
                let path = if line >= k || today.contains(&expert) { &mut same } else { &mut other };
                let _ = write!(path, "M{x} {}h{}v{}h-{}z", top(line, k), COLUMN - 1, LINE - 1, COLUMN - 1);
                lines[line].push(digit(expert));
            }
        }
        let text = |(line, digits): (usize, String)| {
            html! { <text x={xs.clone()} y={(top(line, k) + 11).to_string()}>{ digits }</text> }
        };
        html! {
            <svg width={width.to_string()} height={height.to_string()}>
                <path class="moments-same" d={same} />
                <path class="moments-other" d={other} />
                { for lines.into_iter().enumerate().map(text) }
            </svg>
        }
    }
}

/// Where a line of numbers begins: those of today below a gap.
fn top(line: usize, k: usize) -> usize {
    line * LINE + if line >= k { LINE / 2 } else { 0 }
}

/// An expert in one character, since a column has room for one: 0 to 9, then letters.
fn digit(expert: u8) -> char {
    char::from_digit(expert.into(), 36).unwrap_or('+')
}
