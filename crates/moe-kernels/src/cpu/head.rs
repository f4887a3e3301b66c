//! Twin of `shaders/head.wgsl`: norm, product with the head, logits into the step's record.

use super::linear::linear;
use super::rms_norm::rms_norm;
use crate::params::{HeadParams, LinearParams, RowParams};

/// `x`: `[tokens, d_model]`; `gain`: `[d_model]`; `weight`: `[d_model, vocabulary]`. The logits of `record`,
/// `[tokens, vocabulary]`, begin at `record_offset`.
pub fn head(x: &[f32], gain: &[f32], weight: &[f32], params: HeadParams, record: &mut [f32]) {
    let HeadParams { num_tokens, d_model, vocab_size, record_offset } = params;
    let mut normed = vec![0.0; x.len()];
    rms_norm(x, gain, RowParams { num_tokens, d_model }, &mut normed);
    let logits = &mut record[record_offset as usize..][..(num_tokens * vocab_size) as usize];
    logits.fill(0.0);
    linear(&normed, weight, LinearParams { num_tokens, d_in: d_model, d_out: vocab_size }, logits);
}
