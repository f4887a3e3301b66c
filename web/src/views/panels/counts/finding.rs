//! Finding of the table of layers: what all of them lost.

use crate::run::scene::Totals;
use crate::words::numbers::count;

pub fn finding(totals: Totals) -> String {
    if totals.lost == 0 {
        "Nothing was lost in any layer".to_owned()
    } else {
        let lost = count(totals.lost, "lost request", "lost requests");
        format!("{lost}, {}", count(totals.dropped_tokens, "dropped token", "dropped tokens"))
    }
}
