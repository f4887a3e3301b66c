//! Numbers from a device: the one way they come back, which never waits synchronously.

use burn::tensor::Tensor;

/// A backend that could not run a forward pass or bring its numbers back.
#[derive(Debug, thiserror::Error)]
#[error("the tensors could not be computed or read back: {0}")]
pub struct TensorError(pub String);

/// The numbers of a tensor, row-major, once the device has computed them.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TensorError> {
    let data = tensor.into_data_async().await.map_err(|error| TensorError(format!("{error:?}")))?;
    data.try_to_vec().map_err(|error| TensorError(format!("{error:?}")))
}
