//! Finding of where requests are turned away: the beginning of the text beside its end.

use crate::run::positions::ByPosition;
use crate::words::numbers::percent;

pub fn finding(by: &ByPosition) -> String {
    let runs = many!(by.num_runs, "{n} run", "{n} runs");
    if by.lost == 0 {
        return say!("Nobody was turned away anywhere, in {runs} with this routing", runs);
    }
    let (first, last) = by.quarters;
    let [first, last] = [first, last].map(|share| percent(share as f32));
    say!(
        "{last} of the requests in the last quarter were turned away, {first} in the first, over {runs} with this routing",
        last,
        first,
        runs
    )
}
