//! What became of the tokens in a layer, as a row of shapes with a column per token; some of them outlined.

use std::fmt::Write;

use yew::prelude::*;

use crate::run::scene::TokenFate;
use crate::views::parts::column_words::COLUMN;
use crate::views::parts::section::{Part, section};

/// Height of the row.
pub const HEIGHT: usize = 22;

/// Tokens that are drawn together.
const PER_SHEET: usize = 32;

/// A token in the row: its fate, and whether it is outlined.
pub type Shape = (TokenFate, bool);

pub fn fates(shapes: &[Shape]) -> Html {
    html! {
        <div class="fates" aria-hidden="true">
            { for shapes.chunks(PER_SHEET).enumerate().map(|(number, shapes)| section(number, Sheet(shapes.to_vec()))) }
        </div>
    }
}

#[derive(PartialEq)]
struct Sheet(Vec<Shape>);

impl Sheet {
    /// One path for each class of shapes.
    fn paths(&self) -> [(&'static str, String); 5] {
        let (mut served, mut lost, mut dropped, mut cross, mut outline) =
            <(String, String, String, String, String)>::default();
        let y = (HEIGHT - 10) / 2;
        // Writing to a string cannot fail.
        for (column, &(fate, is_outlined)) in self.0.iter().enumerate() {
            let x = column * COLUMN + 4;
            let _ = match fate {
                TokenFate::NotRouted => write!(cross, "M{x} {}h9", y + 5),
                TokenFate::Served => write!(served, "M{} {}h5v5h-5z", x + 2, y + 2),
                TokenFate::LostSome => write!(lost, "M{x} {y}h2l2.5 4l2.5 -4h2v9h-9z"),
                TokenFate::Dropped => {
                    write!(dropped, "M{x} {y}h9v9h-9z").and_then(|()| write!(cross, "M{x} {y}l9 9m0 -9l-9 9"))
                }
            };
            if is_outlined {
                let _ = write!(outline, "M{} 1.5h15v{}h-15z", x - 3, HEIGHT - 3);
            }
        }
        [("served", served), ("lost", lost), ("dropped", dropped), ("cross", cross), ("outline", outline)]
    }
}

impl Part for Sheet {
    fn draw(&self) -> Html {
        let width = self.0.len() * COLUMN;
        let paths = self.paths().into_iter().filter(|(_, path)| !path.is_empty());
        html! {
            <svg width={width.to_string()} height={HEIGHT.to_string()}>
                { for paths.map(|(class, d)| html! { <path class={format!("fate-{class}")} {d} /> }) }
            </svg>
        }
    }
}
