//! Losses of adapters over steps: the batches, held-out text, and what the frozen model loses there without them.

use yew::prelude::*;

use super::axes::Axes;
use crate::run::adapting::Adapting;
use crate::views::parts::table::table;

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
            { say!("Loss, nats per token") }
            <span>{ say!("line: the batches") }</span><span>{ say!("dots: held-out text") }</span>
            <span>{ say!("dashes: {frozen}, the frozen model on held-out text", frozen = format_args!("{frozen:.2}")) }</span>
        </>
    };
    let words = say!(
        "After {steps} the held-out loss is {now} nats per token, that of the frozen model {frozen}",
        steps = many!(num_steps, "{n} step", "{n} steps"),
        now = format_args!("{now:.3}"),
        frozen = format_args!("{frozen:.3}")
    );
    let inside = html! { <>{ axes.line("is-first", &batches) }{ axes.dots("held-out is-first", &held_out) }</> };
    axes.frame(caption, frozen, words, inside)
}

/// The dots as a table.
pub fn as_table(current: &Adapting) -> Html {
    let rows = current.held_out.iter().map(|&(steps, nats)| vec![steps.to_string(), format!("{nats:.3}")]);
    table(&say!("Held-out loss with adapters"), &[&say!("after steps"), &say!("nats per token")], rows)
}
