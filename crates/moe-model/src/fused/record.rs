//! Numbers gathered in one buffer on the device: everything a step brings back, so that one read-back brings it all; and
//! rows of a tensor that are computed apart.

use burn::tensor::{Device, Tensor};
use moe_kernels::ops;
use moe_kernels::params::RecordParams;

use super::params::ParamsCache;
use crate::read_back::{TensorError, read};

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
    pub fn add<const D: usize>(
        &mut self,
        source: &Tensor<D>,
        source_offset: usize,
        len: usize,
        params: &mut ParamsCache,
    ) {
        let (from, to) = (source_offset as u32, self.len as u32);
        let params = params.get(RecordParams { source_offset: from, record_offset: to, len: len as u32 }.to_words());
        self.values = self.values.take().map(|values| ops::record(source, &params, values, len));
        self.len += len;
    }

    /// What was appended, as so many rows. The record is full.
    pub fn into_rows(self, num_rows: usize) -> Tensor<2> {
        let values = self.values.expect("it is only absent while a kernel writes into it");
        let width = self.len / num_rows;
        values.reshape([num_rows, width])
    }

    pub async fn read(self) -> Result<Vec<f32>, TensorError> {
        match self.values {
            Some(values) => read(values).await,
            None => Ok(Vec::new()),
        }
    }
}
