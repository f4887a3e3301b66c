//! How much of today's routing the gates give already, along the training: the selected layer before the others, and what
//! was recorded of it.

use std::fmt::Write;

use yew::prelude::*;

use crate::run::moments::Moments;
use crate::words::numbers::percent;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 40.0;
const BELOW: f64 = 22.0;

/// Written below the curve, in parts of the training.
const TICKS: [f64; 5] = [0.0, 0.01, 0.1, 0.4, 1.0];

/// By the root of the share: moments are close together at first.
fn x(share: f64) -> f64 {
    LEFT + share.sqrt() * (WIDTH - LEFT - 20.0)
}

fn y(share: f64) -> f64 {
    8.0 + (1.0 - share) * (HEIGHT - BELOW - 8.0)
}

pub fn curve(moments: &Moments, at: usize, layer: usize) -> Html {
    let path = |values: &mut dyn Iterator<Item = f64>| {
        let mut path = String::new();
        for (moment, value) in values.enumerate() {
            let letter = if moment == 0 { 'M' } else { 'L' };
            // Writing to a string cannot fail.
            let _ = write!(path, "{letter}{:.1} {:.1}", x(moments.share(moment)), y(value));
        }
        path
    };
    let layer = layer.min(moments.saturation.len() - 1);
    let others: String = (0..moments.saturation.len())
        .filter(|&other| other != layer)
        .map(|other| path(&mut moments.saturation[other].iter().copied()))
        .collect();
    let own = path(&mut moments.saturation[layer].iter().copied());
    let recorded = path(&mut (0..moments.num_moments()).map(|moment| moments.recorded(moment, layer)));
    let (here, chance) = (x(moments.share(at)), y(moments.by_chance()));
    let words = say!(
        "Layer {layer}: {share} of the requests go where today's gates send them; recorded of held-out tokens: {recorded}",
        layer,
        share = percent(moments.saturation[layer][at] as f32),
        recorded = percent(moments.recorded(at, layer) as f32)
    );
    let tick = |share: f64| html! { <text class="is-middle" x={x(share).to_string()} y={(HEIGHT - 6.0).to_string()}>{ percent(share as f32) }</text> };
    let level = |share: f64| html! { <text class="is-end" x={(LEFT - 5.0).to_string()} y={(y(share) + 4.0).to_string()}>{ percent(share as f32) }</text> };
    html! {
        <figure class="moments-curve">
            <svg viewBox={format!("0 0 {WIDTH} {HEIGHT}")} role="img" aria-label={words.clone()}>
                <path class="moments-axis" d={format!("M{LEFT} {:.1}V{:.1}H{WIDTH}", y(1.0), y(0.0))} />
                <path class="moments-here" d={format!("M{here:.1} {:.1}V{:.1}", y(1.0), y(0.0))} />
                <path class="moments-chance" d={format!("M{LEFT} {chance:.1}H{WIDTH}")} />
                <path class="moments-others" d={others} />
                <path class="moments-recorded" d={recorded} />
                <path class="moments-own" d={own} />
                { for TICKS.into_iter().map(tick) }
                { for [0.0, 0.5, 1.0].into_iter().map(level) }
            </svg>
            <figcaption class="fine">
                { say!("{words}. Along the training, from its beginning to its end: solid this layer, pale the others, dashed what was \
                    recorded of {tokens} held-out tokens as the model of each moment routed them, dotted by chance.",
                    words, tokens = moments.history.recorded.num_tokens) }
            </figcaption>
        </figure>
    }
}
