//! Numbers from a device: the one way they come back, which never waits synchronously.

use std::fmt::Display;

use burn::tensor::Tensor;

/// A backend that could not run a forward pass or bring its numbers back.
#[derive(Debug, thiserror::Error)]
#[error("the tensors could not be computed or read back: {0}")]
pub struct TensorError(pub String);

impl TensorError {
    /// An error of the backend, in one line and without its backtrace: readers of the page see it.
    fn of_backend(error: impl Display) -> TensorError {
        let text = error.to_string();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines = lines.take_while(|line| !line.to_lowercase().contains("backtrace"));
        TensorError(lines.collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned())
    }
}

/// The numbers of a tensor, row-major, once the device has computed them.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TensorError> {
    let data = tensor.into_data_async().await.map_err(TensorError::of_backend)?;
    data.try_to_vec().map_err(TensorError::of_backend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtrace_is_not_for_readers() {
        let check = |error: &str, expected: &str| assert_eq!(TensorError::of_backend(error).0, expected);
        let poisoned =
            "The device is poisoned\nCaused by:\n  the buffer is gone.\n\nBacktrace:\n No backtrace available";
        check(poisoned, "The device is poisoned Caused by: the buffer is gone");
        check("Expected data type F32, but got I32", "Expected data type F32, but got I32");
    }
}
