//! Finding of the load chart: the busiest expert beside the mean.

use moe_router::metrics;

use crate::run::scene::SceneLayer;
use crate::words::numbers::count;

pub fn finding(layer: &SceneLayer) -> String {
    let demand = metrics::demand(&layer.routing);
    if let [asked] = demand[..] {
        let (asked, served) = (asked as usize, metrics::load(&layer.routing)[0] as usize);
        return match asked == served {
            true => format!("One expert serves everything: {}", count(served, "token", "tokens")),
            false => format!("One expert has room for {served} of {}", count(asked, "token", "tokens")),
        };
    }
    let Some(largest) = demand.iter().copied().max().filter(|&largest| largest > 0) else {
        return "No requests".to_owned();
    };
    let expert = demand.iter().position(|&number| number == largest).unwrap_or_default();
    let idle = demand.iter().filter(|&&number| number == 0).count();
    let ratio = metrics::max_over_mean(&demand);
    match idle {
        0 if demand.iter().all(|&number| number == largest) => {
            let all = match layer.experts_take() {
                true => count(largest as usize, "token", "tokens"),
                false => count(largest as usize, "request", "requests"),
            };
            let verb = if layer.experts_take() { "picks" } else { "gets" };
            format!("Every expert {verb} {all}")
        }
        0 => format!("Expert {expert} gets {ratio:.1} times the average number of requests"),
        _ => {
            let idle = count(idle, "expert stays", "experts stay");
            format!("Expert {expert} gets {ratio:.1} times the average number of requests; {idle} idle")
        }
    }
}
