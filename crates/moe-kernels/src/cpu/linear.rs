//! Twin of `shaders/linear.wgsl`: y = x · W.

use super::dot::add_matrix_times_matrix;
use crate::params::LinearParams;

/// `x`: `[tokens, d_in]`; `weight`: `[d_in, d_out]`; `y`: `[tokens, d_out]`, zero on entry.
pub fn linear(x: &[f32], weight: &[f32], params: LinearParams, y: &mut [f32]) {
    add_matrix_times_matrix(x, params.d_in as usize, weight, params.d_out as usize, y);
}
