//! AdamW (arXiv:1711.05101), as burn has it, but for one thing: what is loaded of its state comes to the CPU first.
//!
//! burn loads to its default device, which is a GPU wherever one is compiled in; a browser's worker must not ask for that
//! while it waits. With the next step, each state moves to the device of its parameter.

use burn::optim::{
    AdamW, AdamWConfig, AdamWState, LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource,
};
use burn::tensor::{Device, Tensor};

/// For all parameters of a model.
pub fn optimizer(weight_decay: f64) -> ModuleOptimizer {
    Adam(AdamWConfig::new().with_beta_2(0.95).with_weight_decay(weight_decay as f32).build()).into()
}

#[derive(Clone)]
struct Adam(AdamW);

#[derive(Clone)]
struct Moments<const D: usize>(AdamWState<D>);

impl Optimizer for Adam {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        let (tensor, state) = self.0.step(rate, tensor, gradient, state.map(|state| state.0));
        (tensor, state.map(Moments))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        Moments(AdamW::to_device(state.0, device))
    }
}

impl<const D: usize> RecordState for Moments<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.0.state_flatten(prefix, out);
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, _default: &Device) -> Option<Moments<D>> {
        AdamWState::state_unflatten(prefix, source, &moe_model::device::cpu()).map(Moments)
    }
}
