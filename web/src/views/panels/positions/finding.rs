//! Finding of where requests are turned away: the beginning of the text beside its end.

use crate::run::positions::ByPosition;
use crate::words::numbers::{count, percent};

pub fn finding(by: &ByPosition) -> String {
    let runs = count(by.num_runs, "run", "runs");
    if by.lost == 0 {
        return format!("Nobody was turned away anywhere, in {runs} with this routing");
    }
    let (first, last) = by.quarters;
    let [first, last] = [first, last].map(|share| percent(share as f32));
    format!(
        "{last} of the requests in the last quarter were turned away, {first} in the first, over {runs} with this routing"
    )
}
