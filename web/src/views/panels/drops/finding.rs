//! Finding of what a drop costs: the passage with its losses beside the same with every request served.

use crate::run::drops::Drops;
use crate::words::numbers::count;

pub fn finding(drops: &Drops) -> String {
    let (with, without) = (drops.loss_with, drops.loss_without);
    let tokens = count(with.num_tokens, "token", "tokens");
    let total = drops.total();
    let lost = match drops.totals.lost {
        0 => return format!("No request was turned away: there is nothing to pay ({:.3} nats per token)", with.nats),
        1 => "The one request turned away".to_owned(),
        lost => format!("The {lost} requests turned away"),
    };
    let pair = format!("{:.3} nats per token instead of {:.3}", with.nats, without.nats);
    if total.abs() < 0.0005 {
        return format!("{lost} cost nothing on {tokens}: {pair}");
    }
    let verb = if total > 0.0 { "cost" } else { "saved" };
    format!("{lost} {verb} {:.3} nats on {tokens}: {pair}", total.abs())
}
