//! Whom the tokens ask, over the steps: a stream per layer, in which each expert is as wide as its share.

use std::fmt::Write;

use yew::prelude::*;

use crate::run::training::Training;

/// Stretches of steps that a stream has at most.
const COLUMNS: usize = 80;
const HEIGHT: f64 = 100.0;

/// Fills that the style sheet knows; experts beyond them begin again.
const FILLS: usize = 8;

pub fn streams(training: &Training) -> Html {
    let num_layers = training.request.model.num_layers as usize;
    html! { <>{ for (0..num_layers).map(|layer| stream(training, layer)) }</> }
}

fn stream(training: &Training, layer: usize) -> Html {
    let shares = training.shares(layer, COLUMNS);
    let num_experts = shares.first().map_or(0, Vec::len);
    let last = shares.len().saturating_sub(1).max(1);
    let bands = (0..num_experts).map(|expert| {
        let below = |at: usize, experts: usize| shares[at][..experts].iter().sum::<f64>() * HEIGHT;
        let mut path = String::new();
        let mut point = |begins: bool, at: usize, y: f64| {
            // Writing to a string cannot fail.
            let _ = write!(path, "{}{at} {y:.2}", if begins { 'M' } else { 'L' });
        };
        (0..shares.len()).for_each(|at| point(at == 0, at, below(at, expert)));
        // One stretch alone is drawn as wide as two.
        if shares.len() == 1 {
            point(false, 1, below(0, expert));
            point(false, 1, below(0, expert + 1));
        }
        (0..shares.len()).rev().for_each(|at| point(false, at, below(at, expert + 1)));
        let class = format!("band fill-{}", expert % FILLS);
        let now = shares.last().map_or(0.0, |shares| shares[expert]);
        html! {
            <path {class} d={path}><title>{ say!("Expert {expert}: {percent} % of the requests now", expert, percent = format_args!("{:.0}", 100.0 * now)) }</title></path>
        }
    });
    let largest =
        shares.last().and_then(|shares| shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)));
    let label = match largest {
        Some((expert, share)) => say!(
            "Layer {layer}: of the latest requests, expert {expert} gets {percent} %, the most",
            layer,
            expert,
            percent = format_args!("{:.0}", 100.0 * share)
        ),
        None => say!("Layer {layer}: no step yet", layer),
    };
    html! {
        <figure class="lab-stream">
            <figcaption>{ say!("layer {layer}", layer) }
                if let Some((expert, share)) = largest {
                    <span>{ format!("E{expert} {:.0} %", 100.0 * share) }</span>
                }
            </figcaption>
            <svg viewBox={format!("0 0 {last} {HEIGHT}")} preserveAspectRatio="none" role="img" aria-label={label}>
                { for bands }
            </svg>
        </figure>
    }
}
