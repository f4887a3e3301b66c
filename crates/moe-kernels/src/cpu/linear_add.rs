//! Twin of `shaders/linear_add.wgsl`: y = residual + x · W.

use super::dot::add_matrix_times_matrix;
use crate::params::LinearParams;

/// `x`: `[tokens, d_in]`; `weight`: `[d_in, d_out]`; `residual`, `y`: `[tokens, d_out]`.
pub fn linear_add(x: &[f32], weight: &[f32], residual: &[f32], params: LinearParams, y: &mut [f32]) {
    y.copy_from_slice(residual);
    add_matrix_times_matrix(x, params.d_in as usize, weight, params.d_out as usize, y);
}
