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

    /// What a change of the routing did, from a loss of 2.5 nats a token on `shared` tokens of a text of three.
    fn check(after: f64, flipped: bool, shared: usize, expected: &str) {
        let loss = |nats: f64| PassageLoss { nats, bits_per_byte: 1.0, num_tokens: shared };
        let change = Change {
            before: loss(2.5),
            after: loss(after),
            losses_before: vec![Some(2.5); shared],
            lost_before: 0,
            text_len: 3,
            other_model: None,
        };
        assert_eq!(finding(loss(after), Some(&change), flipped), expected);
    }

    #[test]
    fn a_change_is_said_with_its_size_and_the_tokens_it_was_measured_on() {
        check(2.625, false, 3, "The change raises the loss by 0.125 nats per token");
        check(2.25, false, 3, "The change lowers the loss by 0.250 nats per token");
        check(2.625, false, 2, "The change raises the loss by 0.125 nats per token on the 2 tokens both runs share");
        check(2.25, false, 1, "The change lowers the loss by 0.250 nats per token on the 1 token both runs share");
    }

    /// What three digits do not show is no change, and that is said of no more tokens than were compared.
    #[test]
    fn no_change_is_claimed_of_the_tokens_that_were_compared() {
        check(2.5004, false, 3, "No change: 2.500 nats per token on all 3 tokens");
        check(2.5, false, 2, "No change on the 2 tokens both runs share; after that the texts differ");
        check(2.5, true, 3, "The previous run: 2.500 nats per token");
        check(2.5, true, 2, "The previous run: 2.500 nats per token on the 2 tokens both runs share");
    }

    #[test]
    fn without_a_change_it_is_the_loss_alone() {
        let loss = PassageLoss { nats: 2.5, bits_per_byte: 1.0, num_tokens: 3 };
        assert_eq!(finding(loss, None, false), "Average loss: 2.500 nats per token");
    }

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
