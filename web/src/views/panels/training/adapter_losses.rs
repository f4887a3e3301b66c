//! Losses of adapters over steps: the batches, held-out text, and what the frozen model loses there without them.

use yew::prelude::*;

use super::axes::Axes;
use crate::run::adapting::Adapting;
use crate::views::parts::table::table;
use crate::words::numbers::count;

/// Stretches that the curve has at most.
const COLUMNS: usize = 160;

/// Nothing before the first look at held-out text.
pub fn losses(current: &Adapting) -> Html {
    let frozen = current.look.as_ref().and_then(|look| look.held_out.first()).map(|nats| nats.before);
    let (Some(frozen), Some(&(_, now))) = (frozen, current.held_out.last()) else { return Html::default() };
    let batches = current.curve(COLUMNS);
    let held_out: Vec<_> = current.held_out.iter().map(|&(steps, nats)| (steps as f32, nats)).collect();
    let all: Vec<f32> = batches.iter().chain(&held_out).map(|&(_, loss)| loss).collect();
    let num_steps = current.num_steps() as usize;
    let axes = Axes::around(num_steps, frozen, &all);
    let caption = html! {
        <>
            { "Loss, nats per token" }
            <span>{ "line: the batches" }</span><span>{ "dots: held-out text" }</span>
            <span>{ format!("dashes: {frozen:.2}, the frozen model on held-out text") }</span>
        </>
    };
    let words = format!(
        "After {} the held-out loss is {now:.3} nats per token, that of the frozen model {frozen:.3}",
        count(num_steps, "step", "steps"),
    );
    let inside = html! { <>{ axes.line("is-first", &batches) }{ axes.dots("held-out is-first", &held_out) }</> };
    axes.frame(caption, frozen, words, inside)
}

/// The dots as a table.
pub fn as_table(current: &Adapting) -> Html {
    let rows = current.held_out.iter().map(|&(steps, nats)| vec![steps.to_string(), format!("{nats:.3}")]);
    table("Held-out loss with adapters", &["after steps", "nats per token"], rows)
}
