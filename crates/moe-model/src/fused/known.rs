//! What is known of a text from the passes before, and how much of it still holds.
//!
//! Where neither rule nor slots look ahead, everything about a token (its state in every layer, its keys and values in
//! the cache, its requests and what became of them) depends on the tokens before it and on the capacity alone. So the
//! text is run again from the first token about which something may have changed:
//!
//! - The text has grown and the capacity is the same: from its new token. That costs what a decode step does.
//! - The capacity is another (the text has grown beyond it, the factor was moved, nobody is turned away any more): from the
//!   first token, in any layer, whose request was turned away and now finds a slot, or whose slot is gone. `assign_slots`
//!   begins with the slots that earlier tokens have.
//! - The prompt was edited: from the edit, or from the token before it, whose loss comes from logits that were not kept.
//! - Other draws, where the rule uses chance: from the first token that saw another.
//! - Another rule, one that looks ahead (as the surest first, or expert choice), or a decode step in between: from the
//!   beginning.

use moe_kernels::cpu::token_loss::token_loss;
use moe_kernels::params::LossParams;
use moe_router::Router;
use moe_router::overflow::other_capacity::first_change;
use moe_trace::RouterSpec;

use super::decided::Decided;
use crate::routing_inputs::RoutingInputs;

/// A text whose keys and values are in the cache.
pub struct Known {
    pub ids: Vec<u32>,
    /// What its routing saw besides gate logits, by layer.
    pub inputs: Vec<RoutingInputs>,
    /// By which it was routed; whatever its slots, by position.
    pub rule: RouterSpec,
    pub capacity: Option<u32>,
    /// By layer.
    pub layers: Vec<Decided>,
    /// Nats of `ids[t + 1]` after `ids[..=t]`, `[tokens - 1]`.
    pub losses: Vec<f32>,
    /// After the last token, `[vocabulary]`.
    pub logits: Vec<f32>,
}

impl Known {
    /// How many tokens of a text need not be computed again: all of them, or fewer by those whose numbers may be others
    /// now and by those whose logits are wanted and were not kept. `router` does not look ahead.
    pub fn num_valid(&self, ids: &[u32], inputs: &[RoutingInputs], router: &Router) -> usize {
        if self.rule != router.spec().router || self.inputs.len() != inputs.len() {
            return 0;
        }
        let capacity = router.capacity(ids.len());
        let changed = |layer: &Decided| first_change(layer.assignments(), self.capacity, capacity);
        let first_changed = self.layers.iter().filter_map(changed).min().map_or(usize::MAX, |token| token as usize);
        let same_inputs = inputs.iter().zip(&self.inputs).map(|(now, before)| now.num_common(before)).min();
        let same_ids = ids.iter().zip(&self.ids).take_while(|(now, before)| now == before).count();
        let valid = same_ids.min(same_inputs.unwrap_or(same_ids)).min(first_changed);
        if valid == self.ids.len() {
            return valid;
        }
        match (ids.get(valid), self.ids.get(valid)) {
            // The loss of a token that is another now comes from the logits before it.
            (Some(now), Some(before)) if now != before => valid.saturating_sub(1),
            (Some(_), _) => valid,
            // The text ends where the one before went on; what comes next is told by the logits of its last token.
            (None, _) => valid.saturating_sub(1),
        }
    }

    /// Forgets all but the first `num_valid` tokens of a text, and notes what its next token costs.
    pub fn keep(&mut self, num_valid: usize, ids: &[u32]) {
        self.losses.truncate(num_valid);
        if let (Some(&next), true) = (ids.get(num_valid), num_valid == self.ids.len()) {
            let params = LossParams { num_tokens: 1, vocab_size: self.logits.len() as u32 };
            let mut loss = [0.0];
            token_loss(&self.logits, &[next as i32], params, &mut loss);
            self.losses.extend(loss);
        }
        for layer in &mut self.layers {
            layer.truncate(num_valid);
        }
    }
}
