//! Numbers gathered in one buffer on the device: everything a step brings back, so that one read-back brings it all; and
//! rows of a tensor that are computed apart.

use burn::tensor::{Device, Tensor};
use moe_kernels::ops;
use moe_kernels::params::RecordParams;

use crate::read_back::{TensorError, read};

const ABSENT: &str = "a record is only absent while a kernel writes into it";

/// A buffer that is filled from its beginning.
pub struct Record {
    /// Absent only while a kernel writes into it.
    values: Option<Tensor<1>>,
    len: usize,
}

impl Record {
    pub fn new(capacity: usize, device: &Device) -> Record {
        Record { values: Some(Tensor::empty([capacity], device)), len: 0 }
    }

    /// Appends `len` numbers of `source`, from `source_offset` on.
    pub fn add<const D: usize>(&mut self, source: &Tensor<D>, source_offset: usize, len: usize) {
        self.add_written(len, |record_offset, values| {
            let numbers = RecordParams { source_offset: source_offset as u32, record_offset, len: len as u32 };
            (ops::record(source, numbers, values, len), ())
        });
    }

    /// Appends `len` numbers that a kernel writes, told where they begin. It gives the buffer back, and what else it made.
    pub fn add_written<T>(&mut self, len: usize, write: impl FnOnce(u32, Tensor<1>) -> (Tensor<1>, T)) -> T {
        let values = self.values.take().expect(ABSENT);
        let (values, made) = write(self.len as u32, values);
        self.values = Some(values);
        self.len += len;
        made
    }

    /// What was appended, as so many rows. The record is full.
    pub fn into_rows(self, num_rows: usize) -> Tensor<2> {
        let values = self.values.expect(ABSENT);
        let width = self.len / num_rows;
        values.reshape([num_rows, width])
    }

    pub async fn read(self) -> Result<Vec<f32>, TensorError> {
        read(self.values.expect(ABSENT)).await
    }
}
