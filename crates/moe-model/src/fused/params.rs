//! Small constant tensors, made once per content and kept: an upload per kernel launch would cost more than the kernel.

use std::collections::HashMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use moe_kernels::ops;
use moe_kernels::params::LinearParams;

/// Parameter tensors of one model on one device.
pub struct ParamsCache {
    device: Device,
    by_words: HashMap<Vec<i32>, Tensor<1, Int>>,
    zeros: HashMap<usize, Tensor<1>>,
    requests_to_all: HashMap<usize, Tensor<2>>,
}

/// Beyond this many contents the cache starts afresh; a text of growing length makes about twenty per step at most.
const MAX_ENTRIES: usize = 4096;

impl ParamsCache {
    pub fn new(device: &Device) -> ParamsCache {
        ParamsCache {
            device: device.clone(),
            by_words: HashMap::new(),
            zeros: HashMap::new(),
            requests_to_all: HashMap::new(),
        }
    }

    /// The tensor that holds these words.
    pub fn get(&mut self, words: Vec<i32>) -> Tensor<1, Int> {
        if let Some(tensor) = self.by_words.get(&words) {
            return tensor.clone();
        }
        if self.by_words.len() == MAX_ENTRIES {
            self.by_words.clear();
        }
        let tensor = ops::int_tensor(words.clone(), &self.device);
        self.by_words.insert(words, tensor.clone());
        tensor
    }

    /// The numbers of a `linear` kernel.
    pub fn linear(&mut self, num_tokens: usize, d_in: usize, d_out: usize) -> Tensor<1, Int> {
        let (num_tokens, d_in, d_out) = (num_tokens as u32, d_in as u32, d_out as u32);
        self.get(LinearParams { num_tokens, d_in, d_out }.to_words())
    }

    /// `[len]` zeros.
    pub fn zeros(&mut self, len: usize) -> Tensor<1> {
        let device = &self.device;
        self.zeros.entry(len).or_insert_with(|| Tensor::from_floats(vec![0.0f32; len].as_slice(), device)).clone()
    }

    /// `[count, 5]`: routing rows by which every token asks the only expert there is, with weight 1.
    pub fn requests_to_all(&mut self, count: usize) -> Tensor<2> {
        // Logit, expert, weight, gate probability, slot.
        const ROW: [f32; 5] = [0.0, 0.0, 1.0, 1.0, 0.0];
        let device = &self.device;
        let make = || Tensor::from_data(TensorData::new(ROW.repeat(count), [count, ROW.len()]), device);
        self.requests_to_all.entry(count).or_insert_with(make).clone()
    }
}
