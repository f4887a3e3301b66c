//! Small constant tensors, made once per content and kept: an upload per kernel launch would cost more than the kernel.

use std::collections::HashMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use moe_kernels::ops;

/// Constants of one model on one device.
pub struct Constants {
    device: Device,
    ints: HashMap<Vec<i32>, Tensor<1, Int>>,
    zeros: HashMap<usize, Tensor<1>>,
    requests_to_all: HashMap<usize, Tensor<2>>,
}

/// Beyond this many contents the lists of whole numbers start afresh.
const MAX_ENTRIES: usize = 4096;

impl Constants {
    pub fn new(device: &Device) -> Constants {
        Constants {
            device: device.clone(),
            ints: HashMap::new(),
            zeros: HashMap::new(),
            requests_to_all: HashMap::new(),
        }
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The tensor that holds these whole numbers.
    pub fn ints(&mut self, values: Vec<i32>) -> Tensor<1, Int> {
        if let Some(tensor) = self.ints.get(&values) {
            return tensor.clone();
        }
        if self.ints.len() == MAX_ENTRIES {
            self.ints.clear();
        }
        let tensor = ops::int_tensor(values.clone(), &self.device);
        self.ints.insert(values, tensor.clone());
        tensor
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
