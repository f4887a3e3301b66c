//! Twin of `shaders/token_loss.wgsl`: -ln p(token | tokens before it), in nats.

use crate::exp::{each_exp, largest};
use crate::params::LossParams;

/// `logits`: `[tokens, vocabulary]`; `targets`: `[tokens]`, the token that follows or a negative number;
/// `loss`: `[tokens]`, 0 where there is no target.
pub fn token_loss(logits: &[f32], targets: &[i32], params: LossParams, loss: &mut [f32]) {
    let rows = logits.chunks_exact(params.vocab_size as usize);
    for ((loss, logits), &target) in loss.iter_mut().zip(rows).zip(targets) {
        if target < 0 {
            *loss = 0.0;
            continue;
        }
        let largest = largest(logits);
        let mut total = 0.0;
        each_exp(logits, largest, |power| total += power);
        *loss = largest + total.ln() - logits[target as usize];
    }
}
