//! Finding of the table of layers: how many requests were turned away, and how many tokens were dropped.

use crate::run::scene::Totals;
use crate::words::numbers::count;

pub fn finding(totals: Totals) -> String {
    if totals.lost == 0 {
        "No layer turned away any request".to_owned()
    } else {
        let lost = count(totals.lost, "request", "requests");
        let drops = match totals.dropped_tokens {
            0 => "no token dropped".to_owned(),
            number => format!("{}, counted per layer", count(number, "drop", "drops")),
        };
        format!("{lost} turned away; {drops}")
    }
}
