//! One layer of the matrix: a piano roll, tokens to the right, experts downwards.
//!
//! Luminance is what the rule reads off the gate; shapes say what became of requests. A whole layer is drawn as a handful of paths, whatever its size.

use std::fmt::Write;

use yew::prelude::*;

use crate::run::scene::{Scene, SceneLayer, TokenFate};
use crate::run::shared::Shared;
use crate::views::parts::glyph::Mark;
use crate::views::parts::ramp::{RAMP, ramp};

/// Width of a token's column.
pub const COLUMN: usize = 18;

/// Height of an expert's row: the more experts, the thinner.
pub fn row_height(num_experts: usize) -> usize {
    (76 / num_experts.max(1)).clamp(4, 16)
}

#[derive(Properties, PartialEq)]
pub struct MatrixStripeProps {
    pub scene: Shared<Scene>,
    pub layer: usize,
}

#[component]
pub fn MatrixStripe(props: &MatrixStripeProps) -> Html {
    let layer = &props.scene.layers[props.layer];
    let num_tokens = props.scene.tokens.len();
    let row = row_height(layer.num_experts);
    let (width, height) = (num_tokens * COLUMN, layer.num_experts * row);
    let cells = luminance_paths(layer, num_tokens, row);
    let marks = mark_paths(layer, num_tokens, row);
    html! {
        <svg class="stripe" width={width.to_string()} height={height.to_string()} aria-hidden="true">
            { for cells.into_iter().enumerate().filter(|(_, path)| !path.is_empty()).map(|(level, d)| html! {
                <path class={format!("cell-{level}")} {d} />
            }) }
            { for marks.into_iter().filter(|(_, path)| !path.is_empty()).map(|(class, d)| html! {
                <path {class} {d} />
            }) }
        </svg>
    }
}

/// One path per step of the ramp, with a rectangle for each value of the gate on that step; none where it is not read.
fn luminance_paths(layer: &SceneLayer, num_tokens: usize, row: usize) -> [String; RAMP] {
    let mut paths: [String; RAMP] = Default::default();
    for token in 0..num_tokens {
        for (expert, &probability) in layer.values_of(token).iter().enumerate() {
            let (x, y) = (token * COLUMN, expert * row);
            push(&mut paths[ramp(probability)], format_args!("M{x} {y}h{}v{}h-{}z", COLUMN - 1, row - 1, COLUMN - 1));
        }
    }
    paths
}

/// Shapes of the requests, by class.
fn mark_paths(layer: &SceneLayer, num_tokens: usize, row: usize) -> [(&'static str, String); 5] {
    let (mut solid, mut halves, mut lost, mut dropped, mut crosses) = Default::default();
    let (w, h) = (COLUMN / 2, row.saturating_sub(4).max(2));
    // Wider, so that its notch is one.
    let lost_w = w + 2;
    for token in 0..num_tokens {
        let fate: TokenFate = layer.fate(token);
        for request in layer.of_token(token) {
            let (x, y) = (token * COLUMN + (COLUMN - 1 - w) / 2, request.expert.index() * row + (row - 1 - h) / 2);
            match Mark::of(request, fate) {
                Mark::First => push(&mut solid, format_args!("M{x} {y}h{w}v{h}h-{w}z")),
                Mark::Second => push(&mut halves, format_args!("M{x} {y}h{}v{h}h-{}z", w / 2, w / 2)),
                Mark::Lost => {
                    let (shoulder, notch, half) = (2, h / 2, (lost_w - 4) as f32 / 2.0);
                    let x = x - 1;
                    push(
                        &mut lost,
                        format_args!("M{x} {y}h{shoulder}l{half} {notch}l{half} -{notch}h{shoulder}v{h}h-{lost_w}z"),
                    );
                }
                Mark::Dropped => {
                    push(&mut dropped, format_args!("M{x} {y}h{w}v{h}h-{w}z"));
                    push(&mut crosses, format_args!("M{x} {y}l{w} {h}m0 -{h}l-{w} {h}"));
                }
                Mark::Withdrawn => {}
            }
        }
    }
    [
        ("mark-first", solid),
        ("mark-second", halves),
        ("mark-lost", lost),
        ("mark-dropped", dropped),
        ("mark-cross", crosses),
    ]
}

fn push(path: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = path.write_fmt(piece);
}
