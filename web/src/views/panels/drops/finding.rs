//! Finding of what a drop costs: the passage with its losses beside the same with every request served.

use crate::run::drops::Drops;

pub fn finding(drops: &Drops) -> String {
    let (with, without) = (drops.loss_with, drops.loss_without);
    let (with_nats, without_nats) = (format!("{:.3}", with.nats), format!("{:.3}", without.nats));
    let lost = drops.totals.lost;
    if lost == 0 {
        return say!("No request was turned away: there is nothing to pay ({nats} nats per token)", nats = with_nats);
    }
    let tokens = many!(with.num_tokens, "{n} token", "{n} tokens");
    let pair = say!("{with} nats per token instead of {without}", with = with_nats, without = without_nats);
    let (total, nats) = (drops.total(), format!("{:.3}", drops.total().abs()));
    if total.abs() < 0.0005 {
        return many!(
            lost,
            "The one request turned away cost nothing on {tokens}: {pair}",
            "The {n} requests turned away cost nothing on {tokens}: {pair}",
            tokens,
            pair,
        );
    }
    match total > 0.0 {
        true => many!(
            lost,
            "The one request turned away cost {nats} nats on {tokens}: {pair}",
            "The {n} requests turned away cost {nats} nats on {tokens}: {pair}",
            nats,
            tokens,
            pair,
        ),
        false => many!(
            lost,
            "The one request turned away saved {nats} nats on {tokens}: {pair}",
            "The {n} requests turned away saved {nats} nats on {tokens}: {pair}",
            nats,
            tokens,
            pair,
        ),
    }
}
