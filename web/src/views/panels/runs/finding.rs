//! Finding of the list of runs: the two that are compared, in one sentence with its numbers.

use crate::run::compare::Budgets;
use crate::run::pair::Pair;
use crate::run::text::quoted;
use crate::words::numbers;

pub fn finding(pair: &Pair) -> String {
    let tokens = many!(pair.num_shared, "{n} token", "{n} tokens");
    let mut parts = Vec::new();
    if let Some(other) = &pair.other_model {
        let budgets = match other.budgets {
            Budgets::Same => say!("trained on as many tokens").into_owned(),
            Budgets::Differ { other, this } => {
                let [other, this] = [other, this].map(numbers::training_tokens);
                say!("trained on {other} and {this}", other, this)
            }
            Budgets::Unknown => say!("perhaps trained for longer or shorter").into_owned(),
        };
        parts.push(say!(
            "two models ({other} before, {budgets}), whose experts are not the same",
            other = other.name,
            budgets
        ));
    }
    if let Some(changed) = pair.routes_changed {
        parts.push(match changed {
            0 => say!("no route of {routes} changed", routes = pair.routes),
            changed => say!("{changed} of {routes} routes changed", changed, routes = pair.routes),
        });
    }
    parts.push(match (pair.lost_before, pair.lost_after) {
        (before, after) if before == after => say!("{after} turned away in both", after),
        (before, after) => say!("{after} turned away instead of {before}", after, before),
    });
    if let Some(moved) = pair.load_moved.filter(|&moved| moved > 0.0) {
        parts.push(say!("{share} of the load moved", share = numbers::percent(moved as f32)));
    }
    if let Some((before, after)) = pair.loss {
        let difference = after.nats - before.nats;
        let [before, after] = [before.nats, after.nats].map(|nats| format!("{nats:.3}"));
        // Models differ in more than the routing: two numbers side by side, and no verdict.
        parts.push(if pair.other_model.is_some() {
            say!("{before} nats per token, and {after}", before, after)
        } else if difference.abs() < 0.0005 {
            say!("the same loss, {after} nats", after)
        } else {
            say!("the loss {difference} to {after} nats", difference = numbers::difference(difference), after)
        });
    }
    parts.push(match &pair.parting {
        Some((before, after)) => {
            say!("then {after} instead of {before}", after = quoted(after), before = quoted(before))
        }
        None => say!("the text is the same").into_owned(),
    });
    say!("On the {tokens} both share: {parts}", tokens, parts = parts.join(&say!("; ")))
}
