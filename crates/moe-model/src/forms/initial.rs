//! How parameters begin.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use moe_router::draws::SplitMix64;

/// Makes parameters one after another; their order is that of the draws, so the weights of a seed depend on it.
pub struct Initial<'a> {
    /// None for a form without content.
    random: Option<SplitMix64>,
    num_layers: usize,
    device: &'a Device,
}

impl Initial<'_> {
    /// Everything that would be random is 0.
    pub fn zeros(num_layers: usize, device: &Device) -> Initial<'_> {
        Initial { random: None, num_layers, device }
    }

    pub fn random(seed: u64, num_layers: usize, device: &Device) -> Initial<'_> {
        Initial { random: Some(SplitMix64::new(seed)), num_layers, device }
    }

    /// Normal, of a standard deviation.
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], std: f64) -> Param<Tensor<D>> {
        let Some(random) = &mut self.random else { return self.constant(shape, 0.0) };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| (random.normal() * std) as f32).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), self.device))
    }

    pub fn constant<const D: usize>(&self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::full(shape, value, self.device))
    }

    /// The standard deviation of a matrix by which a sum over `inputs` numbers keeps their variance.
    pub fn by_inputs(&self, inputs: usize) -> f64 {
        (inputs as f64).powf(-0.5)
    }

    /// The same for what feeds a residual: smaller by `sqrt(2 · layers)` (GPT-2).
    pub fn into_residual(&self, inputs: usize) -> f64 {
        (inputs as f64 * 2.0 * self.num_layers as f64).powf(-0.5)
    }
}
