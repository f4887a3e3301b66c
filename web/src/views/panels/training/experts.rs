//! Dense to sparse and back: experts made of one feed-forward, or merged into one, and what that cost.

use yew::prelude::*;

use super::asks;
use crate::run::training::{Distilled, Reshaped, Training};
use crate::state::Action;
use crate::state::lab::{Lab, Wish};
use crate::words::numbers::{count, percent};

/// Of the copies' size: what is added where noise is asked for.
const NOISE: f32 = 0.1;

/// What can be made of a side's feed-forward.
pub fn buttons(lab: &Lab, training: &Training, side: usize, dispatch: &Callback<Action>) -> Html {
    let disabled = lab.is_running() || lab.is_lost;
    let button = |words: String, wish: Wish, title: &'static str| {
        html! { <button type="button" class="lab-button" {title} {disabled} onclick={asks(dispatch, wish)}>{ words }</button> }
    };
    let copies = "Eight copies of the feed-forward, two for each token: the model says what it said before";
    let noisy = "Eight copies of the feed-forward, each with noise of a tenth of its size";
    let taught = "One feed-forward that begins as the mean of the experts and learns what they say: each layer by itself for 50 \
                  steps, then all together with the text for 100";
    let merged = "One feed-forward: the mean of the experts, by how often held-out text asks each";
    html! {
        <div class="lab-buttons">
            if training.request.model.num_experts == 1 {
                { button("Make 8 experts".to_owned(), Wish::MakeExperts { side, noise: 0.0 }, copies) }
                { button("with noise".to_owned(), Wish::MakeExperts { side, noise: NOISE }, noisy) }
            } else {
                { button("Merge experts into one".to_owned(), Wish::MergeExperts(side), merged) }
                { button("Distil experts into one".to_owned(), Wish::DistilExperts(side), taught) }
            }
            { for training.reshaped.as_ref().map(cost) }
            { for training.distilled.as_ref().map(distilled) }
        </div>
    }
}

fn cost(reshaped: &Reshaped) -> Html {
    let [before, after] = reshaped.held_out;
    let what = match reshaped.num_experts {
        1 => "merged into one".to_owned(),
        many => format!("{many} experts made"),
    };
    let steps = count(reshaped.after_steps, "step", "steps");
    html! {
        <span class="lab-rest">{
            format!("{what} after {steps}: held-out loss {before:.3} → {after:.3} nats per byte ({:+.3})", after - before)
        }</span>
    }
}

fn distilled(distilled: &Distilled) -> Html {
    let [experts, mean, now] = distilled.held_out;
    let steps = count(distilled.after_steps, "step", "steps");
    html! {
        <span class="lab-rest">{
            format!("distilled, after {steps}: held-out loss {experts:.3} with experts, {mean:.3} with their mean, now {now:.3} \
                nats per byte ({:+.3})", now - experts)
        }</span>
    }
}

/// How far the experts of each layer are from each other.
pub fn spread(spread: &[f32]) -> Html {
    let layer = |(layer, spread): (usize, &f32)| {
        html! { <li><span>{ format!("layer {layer} experts differ by") }</span><b>{ percent(*spread) }</b></li> }
    };
    html! {
        <ul class="stats lab-kinds" title="Root mean square distance of the experts' weights from their mean, as a part of their root mean square: 0 % where all are copies">
            { for spread.iter().enumerate().map(layer) }
        </ul>
    }
}
