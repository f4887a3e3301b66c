//! Finding of the passage's loss: what the last change did to it, and on which tokens that was compared.

use crate::run::compare::{Budgets, Change, PassageLoss};
use crate::words::numbers::{self, count};

/// `flipped`: the previous run is on the screen, and `change` leads back to it.
pub fn finding(loss: PassageLoss, change: Option<&Change>, flipped: bool) -> String {
    let Some(change) = change else {
        return format!("Average loss: {:.3} nats per token", loss.nats);
    };
    let (before, after) = (change.before.nats, change.after.nats);
    let compared = count(change.after.num_tokens, "token", "tokens");
    let is_same_text = change.losses_before.len() == change.text_len;
    // Models differ in more than the routing: two numbers side by side, and no verdict.
    if let Some(other) = &change.other_model {
        let of_tokens = if is_same_text { String::new() } else { format!(" of the {compared} both runs share") };
        let budgets = match other.budgets {
            Budgets::Same => "another model, trained on as many tokens".to_owned(),
            Budgets::Differ { other, this } => {
                let [other, this] = [other, this].map(numbers::training_tokens);
                format!("another model, trained on {other}; this one on {this}")
            }
            Budgets::Unknown => "another model, perhaps trained for longer or shorter".to_owned(),
        };
        let other = &other.name;
        return format!("Average loss{of_tokens}: {after:.3} nats per token ({other}: {before:.3}, {budgets})");
    }
    let on_tokens = if is_same_text { String::new() } else { format!(" on the {compared} both runs share") };
    let difference = after - before;
    if flipped {
        format!("The previous run: {after:.3} nats per token{on_tokens}")
    } else if difference.abs() >= 0.0005 {
        let verb = if difference > 0.0 { "raises" } else { "lowers" };
        format!("The change {verb} the loss by {:.3} nats per token{on_tokens}", difference.abs())
    } else if is_same_text {
        format!("No change: {after:.3} nats per token on all {compared}")
    } else {
        format!("No change{on_tokens}; after that the texts differ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::compare::OtherModel;

    /// Two models stand side by side with what they learned from, and without a verdict.
    #[test]
    fn unlike_models_are_told_apart() {
        let check = |budgets: Budgets, words: &str| {
            let loss = |nats: f64| PassageLoss { nats, bits_per_byte: 1.0, num_tokens: 2 };
            let change = Change {
                before: loss(2.25),
                after: loss(4.5),
                losses_before: vec![None, Some(1.0)],
                lost_before: 0,
                text_len: 2,
                other_model: Some(OtherModel { name: "default".to_owned(), budgets }),
            };
            let expected = format!("Average loss: 4.500 nats per token (default: 2.250, another model, {words})");
            assert_eq!(finding(loss(4.5), Some(&change), false), expected);
        };
        check(Budgets::Same, "trained on as many tokens");
        let budgets = Budgets::Differ { other: 9_830_400, this: 983_040 };
        check(budgets, "trained on 9.83 M tokens; this one on 983 k tokens");
        check(Budgets::Unknown, "perhaps trained for longer or shorter");
    }
}
