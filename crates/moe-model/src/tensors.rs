//! What burn lacks, or offers only with a synchronous read-back, which WebGPU forbids in the browser.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

/// Root-mean-square norm over the last dimension (arXiv:1910.07467, eq. 4).
pub fn rms_norm(x: Tensor<3>, gain: Tensor<1>) -> Tensor<3> {
    let mean_square = x.clone().square().mean_dim(2);
    x / (mean_square + 1e-5).sqrt() * gain.unsqueeze()
}

/// `x · weight` for `[a, b, d_in]` and `[d_in, d_out]`.
pub fn matmul_shared(x: Tensor<3>, weight: Tensor<2>) -> Tensor<3> {
    let [a, b, d_in] = x.dims();
    let d_out = weight.dims()[1];
    x.reshape([a * b, d_in]).matmul(weight).reshape([a, b, d_out])
}

/// 1 where a column's number is the index, `[a, b, classes]`; burn's own `one_hot` reads back synchronously.
pub fn one_hot(indices: Tensor<2, Int>, classes: usize) -> Tensor<3> {
    let columns = Tensor::<1, Int>::arange(0..classes as i64, (&indices.device(), indices.dtype()));
    let columns: Tensor<3, Int> = columns.unsqueeze();
    let [a, b] = indices.dims();
    let indices: Tensor<3, Int> = indices.unsqueeze_dim(2);
    indices.expand([a, b, classes]).equal(columns.expand([a, b, classes])).float()
}

/// `[len]` row numbers on a device, to select by.
pub fn row_numbers(numbers: &[i32], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), (device, DType::I32))
}
