//! Twin of `shaders/embed.wgsl`: the row of the table that belongs to each token.

use crate::params::RowParams;

/// `token_ids`: `[tokens]`; `table`: `[vocabulary, d_model]`; `x`: `[tokens, d_model]`.
pub fn embed(token_ids: &[i32], table: &[f32], params: RowParams, x: &mut [f32]) {
    let d_model = params.d_model as usize;
    for (&id, row) in token_ids.iter().zip(x.chunks_exact_mut(d_model)) {
        let start = id as usize * d_model;
        row.copy_from_slice(&table[start..start + d_model]);
    }
}
