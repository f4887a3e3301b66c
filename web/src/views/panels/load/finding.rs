//! Finding of the load chart: the busiest expert beside the mean.

use moe_router::metrics;

use crate::run::scene::SceneLayer;

pub fn finding(layer: &SceneLayer) -> String {
    let demand = metrics::demand(&layer.routing);
    if let [asked] = demand[..] {
        let (asked, served) = (asked as usize, metrics::load(&layer.routing)[0] as usize);
        return match asked == served {
            true => {
                many!(served, "One expert serves everything: {n} token", "One expert serves everything: {n} tokens")
            }
            false => many!(
                asked,
                "One expert has room for {served} of {n} token",
                "One expert has room for {served} of {n} tokens",
                served,
            ),
        };
    }
    let Some(largest) = demand.iter().copied().max().filter(|&largest| largest > 0) else {
        return say!("No requests").into_owned();
    };
    let expert = demand.iter().position(|&number| number == largest).unwrap_or_default();
    let idle = demand.iter().filter(|&&number| number == 0).count();
    let ratio = format!("{:.1}", metrics::max_over_mean(&demand));
    match idle {
        0 if demand.iter().all(|&number| number == largest) => match layer.experts_take() {
            true => many!(largest, "Every expert picks {n} token", "Every expert picks {n} tokens"),
            false => many!(largest, "Every expert gets {n} request", "Every expert gets {n} requests"),
        },
        0 => say!("Expert {expert} gets {ratio} times the average number of requests", expert, ratio),
        _ => many!(
            idle,
            "Expert {expert} gets {ratio} times the average number of requests; {n} expert stays idle",
            "Expert {expert} gets {ratio} times the average number of requests; {n} experts stay idle",
            expert,
            ratio,
        ),
    }
}
