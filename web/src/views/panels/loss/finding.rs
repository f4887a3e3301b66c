//! Finding of the passage's loss: what the last change did to it, and on which tokens that was compared.

use crate::run::compare::{Budgets, Change, PassageLoss};
use crate::words::numbers;

/// `flipped`: the previous run is on the screen, and `change` leads back to it.
pub fn finding(loss: PassageLoss, change: Option<&Change>, flipped: bool) -> String {
    let Some(change) = change else {
        return say!("Average loss: {nats} nats per token", nats = format_args!("{:.3}", loss.nats));
    };
    let (before, after) = (change.before.nats, change.after.nats);
    let tokens = many!(change.after.num_tokens, "{n} token", "{n} tokens");
    let is_same_text = change.losses_before.len() == change.text_len;
    // Models differ in more than the routing: two numbers side by side, and no verdict.
    if let Some(other) = &change.other_model {
        let budgets = match other.budgets {
            Budgets::Same => say!("another model, trained on as many tokens").into_owned(),
            Budgets::Differ { other, this } => {
                let [other, this] = [other, this].map(numbers::training_tokens);
                say!("another model, trained on {other}; this one on {this}", other, this)
            }
            Budgets::Unknown => say!("another model, perhaps trained for longer or shorter").into_owned(),
        };
        let (other, after, before) = (&other.name, format!("{after:.3}"), format!("{before:.3}"));
        return match is_same_text {
            true => say!(
                "Average loss: {after} nats per token ({other}: {before}, {budgets})",
                after,
                other,
                before,
                budgets
            ),
            false => say!(
                "Average loss of the {tokens} both runs share: {after} nats per token ({other}: {before}, {budgets})",
                tokens,
                after,
                other,
                before,
                budgets
            ),
        };
    }
    let difference = after - before;
    let (nats, size) = (format!("{after:.3}"), format!("{:.3}", difference.abs()));
    match (flipped, difference.abs() >= 0.0005, is_same_text) {
        (true, _, true) => say!("The previous run: {nats} nats per token", nats),
        (true, _, false) => {
            say!("The previous run: {nats} nats per token on the {tokens} both runs share", nats, tokens)
        }
        (false, true, true) if difference > 0.0 => say!("The change raises the loss by {size} nats per token", size),
        (false, true, true) => say!("The change lowers the loss by {size} nats per token", size),
        (false, true, false) if difference > 0.0 => {
            say!("The change raises the loss by {size} nats per token on the {tokens} both runs share", size, tokens)
        }
        (false, true, false) => {
            say!("The change lowers the loss by {size} nats per token on the {tokens} both runs share", size, tokens)
        }
        (false, false, true) => say!("No change: {nats} nats per token on all {tokens}", nats, tokens),
        (false, false, false) => {
            say!("No change on the {tokens} both runs share; after that the texts differ", tokens)
        }
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
