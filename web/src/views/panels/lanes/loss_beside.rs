//! The run's loss in a line beside the controls, where the panel of the loss is behind another tab.

use yew::prelude::*;

use crate::run::compare::{self, Change, PassageLoss};
use crate::views::panel::PanelInput;
use crate::words::numbers;

/// The style sheet shows it on narrow screens alone. It has its height before there is anything to say.
pub fn loss_beside(input: &PanelInput) -> Html {
    let loss = compare::passage_loss(&input.scene.tokens);
    let words = loss.map(|loss| words(loss, input.change.as_deref(), input.flipped));
    html! { <p class="fine loss-beside">{ words.unwrap_or_default() }</p> }
}

fn words(loss: PassageLoss, change: Option<&Change>, flipped: bool) -> String {
    let nats = format_args!("{:.3}", loss.nats);
    // Unlike models are compared with more words than have room here.
    let Some(change) = change.filter(|change| change.other_model.is_none()) else {
        return say!("Loss {nats} nats per token", nats);
    };
    if flipped {
        return say!("Loss {nats} nats per token, in the run before", nats);
    }
    let difference = numbers::difference(change.after.nats - change.before.nats);
    if change.losses_before.len() == change.text_len {
        say!("Loss {nats} nats per token, {difference} by the change", nats, difference)
    } else {
        say!("Loss {nats} nats per token, {difference} on the shared text", nats, difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_is_said_with_its_sign() {
        let loss = |nats: f64| PassageLoss { nats, bits_per_byte: 1.0, num_tokens: 3 };
        let change = |text_len: usize| Change {
            before: loss(2.5),
            after: loss(2.25),
            losses_before: vec![None, Some(1.0), Some(2.0)],
            lost_before: 0,
            text_len,
            other_model: None,
        };
        let check = |change: Option<&Change>, flipped: bool, expected: &str| {
            assert_eq!(words(loss(2.25), change, flipped), expected);
        };
        check(None, false, "Loss 2.250 nats per token");
        check(Some(&change(3)), false, "Loss 2.250 nats per token, −0.250 by the change");
        check(Some(&change(4)), false, "Loss 2.250 nats per token, −0.250 on the shared text");
        check(Some(&change(3)), true, "Loss 2.250 nats per token, in the run before");
    }
}
