//! Clipping by the norm of the whole gradient (Pascanu et al. 2013, arXiv:1211.5063, algorithm 1). The optimiser's own
//! clipping takes each parameter for itself, which turns the gradient.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use moe_model::TensorError;
use moe_model::read_back::read;

/// Scales all gradients alike so that their norm together is at most `largest`. Returns the norm they had.
pub async fn clip<M: Module>(gradients: &mut GradientsParams, weights: &M, largest: f32) -> Result<f32, TensorError> {
    let mut squares = Squares { gradients, sum: None };
    weights.visit(&mut squares);
    let norm = match squares.sum {
        Some(sum) => read(sum).await?[0].sqrt(),
        None => 0.0,
    };
    if norm > largest {
        weights.visit(&mut Scaling { gradients, factor: largest / norm });
    }
    Ok(norm)
}

struct Squares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(parameter.id) else { return };
        let square = gradient.square().sum();
        self.sum = Some(self.sum.take().map_or_else(|| square.clone(), |sum| sum + square.clone()));
    }
}

struct Scaling<'a> {
    gradients: &'a mut GradientsParams,
    factor: f32,
}

impl ModuleVisitor for Scaling<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(parameter.id) {
            self.gradients.register(parameter.id, gradient * self.factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use moe_model::{ModelConfig, Weights};

    use super::*;

    #[test]
    fn a_gradient_is_made_shorter_and_keeps_its_direction() {
        let device = Device::flex().autodiff();
        let weights = Weights::random(&ModelConfig::tiny(), 1, &device);
        let gradients_of = || {
            let ones = weights.embedding.val();
            GradientsParams::from_grads((ones * 3.0).sum().backward(), &weights)
        };
        let gradient_in = |gradients: &GradientsParams| -> Vec<f32> {
            let gradient = gradients.get::<2>(weights.embedding.id).expect("it has a gradient");
            gradient.into_data().try_to_vec().expect("gradients are f32")
        };
        let num_values = gradient_in(&gradients_of()).len() as f32;
        let mut gradients = gradients_of();
        let clip = |gradients: &mut GradientsParams, largest| {
            pollster::block_on(clip(gradients, &weights, largest)).expect("the norm comes back")
        };
        let norm = clip(&mut gradients, 1.0);
        assert!((norm - 3.0 * num_values.sqrt()).abs() < 1e-2, "{norm}");
        for value in gradient_in(&gradients) {
            assert!((value - 1.0 / num_values.sqrt()).abs() < 1e-6, "{value}");
        }
        let mut short = gradients_of();
        clip(&mut short, 1e6);
        assert_eq!(gradient_in(&short), gradient_in(&gradients_of()));
    }
}
