//! Finding of the list of runs: the two that are compared, in one sentence with its numbers.

use crate::run::compare::Budgets;
use crate::run::pair::Pair;
use crate::run::text::quoted;
use crate::words::numbers::{self, count};

pub fn finding(pair: &Pair) -> String {
    let tokens = count(pair.num_shared, "token", "tokens");
    let mut parts = Vec::new();
    if let Some(other) = &pair.other_model {
        let budgets = match other.budgets {
            Budgets::Same => "trained on as many tokens".to_owned(),
            Budgets::Differ { other, this } => {
                let [other, this] = [other, this].map(numbers::training_tokens);
                format!("trained on {other} and {this}")
            }
            Budgets::Unknown => "perhaps trained for longer or shorter".to_owned(),
        };
        parts.push(format!("two models ({} before, {budgets}), whose experts are not the same", other.name));
    }
    if let Some(changed) = pair.routes_changed {
        parts.push(match changed {
            0 => format!("no route of {} changed", pair.routes),
            changed => format!("{changed} of {} routes changed", pair.routes),
        });
    }
    parts.push(match (pair.lost_before, pair.lost_after) {
        (before, after) if before == after => format!("{after} turned away in both"),
        (before, after) => format!("{after} turned away instead of {before}"),
    });
    if let Some(moved) = pair.load_moved.filter(|&moved| moved > 0.0) {
        parts.push(format!("{} of the load moved", numbers::percent(moved as f32)));
    }
    if let Some((before, after)) = pair.loss {
        let difference = after.nats - before.nats;
        // Models differ in more than the routing: two numbers side by side, and no verdict.
        parts.push(if pair.other_model.is_some() {
            format!("{:.3} nats per token, and {:.3}", before.nats, after.nats)
        } else if difference.abs() < 0.0005 {
            format!("the same loss, {:.3} nats", after.nats)
        } else {
            format!("the loss {} to {:.3} nats", numbers::difference(difference), after.nats)
        });
    }
    parts.push(match &pair.parting {
        Some((before, after)) => {
            format!("then {} instead of {}", quoted(after), quoted(before))
        }
        None => "the text is the same".to_owned(),
    });
    format!("On the {tokens} both share: {}", parts.join("; "))
}
