//! Twin of `shaders/rms_norm.wgsl`: y = x / sqrt(mean(x²) + 1e-5) · gain.

use crate::params::RowParams;

/// `x`, `y`: `[tokens, d_model]`; `gain`: `[d_model]`.
pub fn rms_norm(x: &[f32], gain: &[f32], params: RowParams, y: &mut [f32]) {
    let d_model = params.d_model as usize;
    for (x, y) in x.chunks_exact(d_model).zip(y.chunks_exact_mut(d_model)) {
        let mut sum_of_squares = 0.0;
        for x in x {
            sum_of_squares += x * x;
        }
        let scale = 1.0 / (sum_of_squares / d_model as f32 + 1e-5).sqrt();
        for ((y, x), gain) in y.iter_mut().zip(x).zip(gain) {
            *y = x * scale * gain;
        }
    }
}
