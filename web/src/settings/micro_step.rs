//! The steps of a routing decision, as the routing microscope goes through them.

use crate::settings::named::named;

named! {
    /// In their order.
    MicroStep {
        Logits "logits"
        Scores "scores"
        Choice "choice"
        Queue "queue"
        Capacity "capacity"
        Fate "fate"
        Weights "weights"
        Output "output"
        Proof "proof"
    }
}

/// The one that is open at the beginning.
impl Default for MicroStep {
    fn default() -> MicroStep {
        MicroStep::Logits
    }
}
