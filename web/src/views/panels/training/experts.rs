//! Dense to sparse and back: experts made of one feed-forward, or merged into one, and what that cost.

use std::borrow::Cow;

use yew::prelude::*;

use super::asks;
use crate::run::training::{Distilled, Reshaped, Training};
use crate::state::Action;
use crate::state::lab::{Lab, Wish};
use crate::words::numbers::percent;

/// Of the copies' size: what is added where noise is asked for.
const NOISE: f32 = 0.1;

/// What can be made of a side's feed-forward.
pub fn buttons(lab: &Lab, training: &Training, side: usize, dispatch: &Callback<Action>) -> Html {
    let disabled = lab.is_running() || lab.is_lost;
    let button = |words: Cow<'static, str>, wish: Wish, title: Cow<'static, str>| {
        html! { <button type="button" class="lab-button" {title} {disabled} onclick={asks(dispatch, wish)}>{ words }</button> }
    };
    let copies = say!("Eight copies of the feed-forward, two for each token: the model says what it said before");
    let noisy = say!("Eight copies of the feed-forward, each with noise of a tenth of its size");
    let taught = say!(
        "One feed-forward that begins as the mean of the experts and learns what they say: each layer by itself for 50 \
         steps, then all together with the text for 100"
    );
    let merged = say!("One feed-forward: the mean of the experts, by how often held-out text asks each");
    html! {
        <div class="lab-buttons">
            if training.request.model.num_experts == 1 {
                { button(say!("Make 8 experts"), Wish::MakeExperts { side, noise: 0.0 }, copies) }
                { button(say!("with noise"), Wish::MakeExperts { side, noise: NOISE }, noisy) }
            } else {
                { button(say!("Merge experts into one"), Wish::MergeExperts(side), merged) }
                { button(say!("Distil experts into one"), Wish::DistilExperts(side), taught) }
            }
            { for training.reshaped.as_ref().map(cost) }
            { for training.distilled.as_ref().map(distilled) }
        </div>
    }
}

fn cost(reshaped: &Reshaped) -> Html {
    let [before, after] = reshaped.held_out;
    let steps = many!(reshaped.after_steps, "{n} step", "{n} steps");
    let change = format!("{:+.3}", after - before);
    let [before, after] = [before, after].map(|nats| format!("{nats:.3}"));
    let words = match reshaped.num_experts {
        1 => say!(
            "merged into one after {steps}: held-out loss {before} → {after} nats per byte ({change})",
            steps,
            before,
            after,
            change
        ),
        experts => say!(
            "{experts} experts made after {steps}: held-out loss {before} → {after} nats per byte ({change})",
            experts,
            steps,
            before,
            after,
            change
        ),
    };
    html! { <span class="lab-rest">{ words }</span> }
}

fn distilled(distilled: &Distilled) -> Html {
    let [experts, mean, now] = distilled.held_out;
    let words = say!(
        "distilled, after {steps}: held-out loss {experts} with experts, {mean} with their mean, now {now} nats per byte \
         ({change})",
        steps = many!(distilled.after_steps, "{n} step", "{n} steps"),
        experts = format_args!("{experts:.3}"),
        mean = format_args!("{mean:.3}"),
        now = format_args!("{now:.3}"),
        change = format_args!("{:+.3}", now - experts)
    );
    html! { <span class="lab-rest">{ words }</span> }
}

/// How far the experts of each layer are from each other.
pub fn spread(spread: &[f32]) -> Html {
    let layer = |(layer, spread): (usize, &f32)| {
        html! { <li><span>{ say!("layer {layer} experts differ by", layer) }</span><b>{ percent(*spread) }</b></li> }
    };
    html! {
        <ul class="stats lab-kinds" title={say!("Root mean square distance of the experts' weights from their mean, as a part of their root mean square: 0 % where all are copies")}>
            { for spread.iter().enumerate().map(layer) }
        </ul>
    }
}
