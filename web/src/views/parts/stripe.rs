//! One layer of the matrix: a piano roll, tokens to the right, experts downwards.
//!
//! Luminance is what the rule reads off the gate; shapes say what became of requests. A sheet of it, so many tokens wide,
//! is drawn as a handful of paths; a step draws the sheets that it changes, which for most is the last one.

use std::fmt::Write;

use yew::prelude::*;

use crate::run::scene::{Scene, SceneLayer};
use crate::views::parts::column_words::COLUMN;
use crate::views::parts::glyph::Mark;
use crate::views::parts::ramp::{RAMP, ramp};
use crate::views::parts::section::{Part, section};

/// Tokens of a sheet.
const PER_SHEET: usize = 32;

/// With more experts most are practically never asked by a token: what is on the lowest step of the ramp is the ground.
const FEW: usize = 16;

/// Height of an expert's row: the more experts, the thinner.
pub fn row_height(num_experts: usize) -> usize {
    (76 / num_experts.max(1)).clamp(4, 16)
}

/// The sheets of a layer, in order of the text.
pub fn drawn(scene: &Scene, layer: &SceneLayer) -> Html {
    let num_tokens = scene.tokens.len();
    let sheet = |first: usize| Sheet::of(layer, first, (first + PER_SHEET).min(num_tokens));
    html! { <>{ for (0..num_tokens).step_by(PER_SHEET).map(|first| section(first, sheet(first))) }</> }
}

/// Below a stripe: a tick under each of these tokens, and a line under the selected one.
pub fn ticks(num_tokens: usize, marked: &[usize], selected: usize) -> Html {
    let mut path = String::new();
    for token in marked {
        push(&mut path, format_args!("M{} 1h{}v4h-{}z", token * COLUMN + 4, COLUMN - 9, COLUMN - 9));
    }
    html! {
        <svg class="ticks" width={(num_tokens * COLUMN).to_string()} height="10" aria-hidden="true">
            <path class="tick" d={path} />
            <rect class="chosen-tick" x={(selected * COLUMN).to_string()} y="7" width={(COLUMN - 1).to_string()} height="3" />
        </svg>
    }
}

/// What is drawn of some tokens, counted from the first of them.
#[derive(PartialEq)]
struct Sheet {
    num_tokens: usize,
    num_experts: usize,
    /// The step of the ramp for each value of the gate, `[tokens, experts]`; empty where it is not read.
    levels: Vec<u8>,
    requests: Vec<Request>,
}

#[derive(PartialEq)]
struct Request {
    token: usize,
    expert: usize,
    mark: Mark,
}

impl Sheet {
    fn of(layer: &SceneLayer, first: usize, end: usize) -> Sheet {
        let values = (first..end).flat_map(|token| layer.values_of(token));
        let requests = (first..end).flat_map(|token| {
            let fate = layer.fate(token);
            layer.of_token(token).iter().map(move |request| Request {
                token: token - first,
                expert: request.expert.index(),
                mark: Mark::of(request, fate),
            })
        });
        Sheet {
            num_tokens: end - first,
            num_experts: layer.num_experts,
            levels: values.map(|&value| ramp(value) as u8).collect(),
            requests: requests.collect(),
        }
    }

    fn row(&self) -> usize {
        row_height(self.num_experts)
    }

    /// One path per step of the ramp, with a rectangle for each value on that step; of many experts the lowest step is one
    /// rectangle a token, behind the others.
    fn luminance_paths(&self) -> [String; RAMP] {
        let (row, mut paths) = (self.row(), <[String; RAMP]>::default());
        let is_ground = |level: u8| level == 0 && self.num_experts > FEW;
        if self.num_experts > FEW && !self.levels.is_empty() {
            let height = self.num_experts * row - 1;
            for token in 0..self.num_tokens {
                let x = token * COLUMN;
                push(&mut paths[0], format_args!("M{x} 0h{}v{height}h-{}z", COLUMN - 1, COLUMN - 1));
            }
        }
        for (at, &level) in self.levels.iter().enumerate().filter(|(_, level)| !is_ground(**level)) {
            let (x, y) = (at / self.num_experts * COLUMN, at % self.num_experts * row);
            let path = &mut paths[usize::from(level)];
            push(path, format_args!("M{x} {y}h{}v{}h-{}z", COLUMN - 1, row - 1, COLUMN - 1));
        }
        paths
    }

    /// Shapes of the requests, by class.
    fn mark_paths(&self) -> [(&'static str, String); 5] {
        let row = self.row();
        let (mut solid, mut halves, mut lost, mut dropped, mut crosses) = Default::default();
        let (w, h) = (COLUMN / 2, row.saturating_sub(4).max(2));
        // Wider, so that its notch is one.
        let lost_w = w + 2;
        for Request { token, expert, mark } in &self.requests {
            let (x, y) = (token * COLUMN + (COLUMN - 1 - w) / 2, expert * row + (row - 1 - h) / 2);
            match mark {
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
        [
            ("mark-first", solid),
            ("mark-second", halves),
            ("mark-lost", lost),
            ("mark-dropped", dropped),
            ("mark-cross", crosses),
        ]
    }
}

impl Part for Sheet {
    fn draw(&self) -> Html {
        let (width, height) = (self.num_tokens * COLUMN, self.num_experts * self.row());
        let (cells, marks) = (self.luminance_paths(), self.mark_paths());
        html! {
            <svg width={width.to_string()} height={height.to_string()}>
                { for cells.into_iter().enumerate().filter(|(_, path)| !path.is_empty()).map(|(level, d)| html! {
                    <path class={format!("cell-{level}")} {d} />
                }) }
                { for marks.into_iter().filter(|(_, path)| !path.is_empty()).map(|(class, d)| html! {
                    <path {class} {d} />
                }) }
            </svg>
        }
    }
}

fn push(path: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = path.write_fmt(piece);
}
