//! Finding of the table of layers: how many requests were turned away, and how many tokens were dropped.

use crate::run::scene::Totals;

pub fn finding(totals: Totals) -> String {
    if totals.lost == 0 {
        say!("No layer turned away any request").into_owned()
    } else {
        let lost = many!(totals.lost, "{n} request turned away", "{n} requests turned away");
        match totals.dropped_tokens {
            0 => say!("{lost}; no token dropped", lost),
            drops => many!(drops, "{lost}; {n} drop, counted per layer", "{lost}; {n} drops, counted per layer", lost),
        }
    }
}
