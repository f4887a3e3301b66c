//! Finding of the passage's loss: what the last change did to it, and on which tokens that was compared.

use crate::run::compare::{Change, PassageLoss};
use crate::words::numbers::count;

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
        return format!("Average loss{of_tokens}: {after:.3} nats per token ({other}: {before:.3}, another model)");
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
