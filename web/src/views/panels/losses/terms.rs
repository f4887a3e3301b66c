//! The experts' parts in a loss, as small bars around their zero.

use std::fmt::Write;

use moe_router::auxiliary::Terms;
use yew::prelude::*;

use crate::views::parts::math::words;
use crate::words::numbers::digits;
use crate::words::tongue;

const HEIGHT: f64 = 30.0;
const STEP: usize = 10;
/// So many are read out; of more only the ends.
const MAX_SPOKEN: usize = 16;

/// `selected`: the expert that stands out.
pub fn terms(terms: &Terms, selected: Option<usize>) -> Html {
    let most = terms.values.iter().copied().fold(0.0_f64, f64::max);
    let least = terms.values.iter().copied().fold(0.0_f64, f64::min);
    let range = most - least;
    let scale = if range > 0.0 { HEIGHT / range } else { 0.0 };
    let zero = most * scale;
    let (mut bars, mut of_selected) = (String::new(), String::new());
    for (expert, value) in terms.values.iter().enumerate() {
        let bars = if selected == Some(expert) { &mut of_selected } else { &mut bars };
        // Writing to a string cannot fail.
        let _ = write!(bars, "M{} {zero:.2}v{:.2}h8v{:.2}z", expert * STEP + 1, -value * scale, value * scale);
    }
    let width = (terms.values.len() * STEP).max(STEP);
    let number = |expert: usize| format!("E{expert} {}", digits(terms.values[expert]));
    let said: Vec<String> = match terms.values.len() {
        0..=MAX_SPOKEN => (0..terms.values.len()).map(number).collect(),
        many => [0, many - 1].map(number).to_vec(),
    };
    let what = tongue::translated(terms.what);
    let said = say!("{what}: {numbers}", what, numbers = said.join(&say!(", ")));
    html! {
        <>
            <svg class="aux-bars" viewBox={format!("0 0 {width} {HEIGHT}")} preserveAspectRatio="none" role="img"
                aria-label={said.clone()}>
                <path class="bars" d={bars} />
                <path class="is-selected" d={of_selected} />
                <path class="zero" d={format!("M0 {zero:.2}h{width}")} />
            </svg>
            <span class="fine" title={said}>
                if terms.add_up {
                    { weave!("{what} · the loss is their sum", what = words(&what)) }
                } else {
                    { words(&what) }
                }
            </span>
        </>
    }
}
