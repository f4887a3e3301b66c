//! Finding of the passage's loss: what the last change did to it.

use crate::run::compare::{Change, PassageLoss};

/// `flipped`: the run before is on the screen, and `change` leads back to it.
pub fn finding(loss: PassageLoss, change: Option<&Change>, flipped: bool) -> String {
    let Some(change) = change else {
        return format!("The text costs {:.3} nats a token", loss.nats);
    };
    let difference = change.after.nats - change.before.nats;
    if let Some(other) = &change.other_model {
        let comparison = if difference.abs() < 0.0005 {
            "as much as".to_owned()
        } else {
            format!("{:.3} nats a token {} than", difference.abs(), if difference > 0.0 { "more" } else { "less" })
        };
        return format!("The text costs {comparison} with {other}");
    }
    if flipped {
        format!("Before the change the text cost {:.3} nats a token", change.after.nats)
    } else if difference.abs() < 0.0005 {
        format!("The change cost nothing: {:.3} nats a token, as before", change.after.nats)
    } else if difference > 0.0 {
        format!("The change costs {difference:.3} nats a token more")
    } else {
        format!("The change saves {:.3} nats a token", -difference)
    }
}
