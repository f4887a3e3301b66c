//! Laws of the reference forward: all experts is dense, the gate learns, a dropped token passes by the residual.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use moe_model::forms::gate::Gate;
use moe_model::reference::{self, Forward};
use moe_model::{ModelConfig, Router, RoutingInputs, Weights};
use moe_router::rules;
use moe_trace::{Overflow, Policy, RouterSpec, RoutingSpec, Weighting};

const IDS: [i32; 12] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];

fn forward(weights: &Weights, spec: RoutingSpec, device: &Device) -> Forward {
    let config = ModelConfig::tiny();
    let ids: Tensor<2, Int> = Tensor::from_data(TensorData::new(IDS.to_vec(), [2, 6]), (device, DType::I32));
    let router = Router::new(spec, config.num_experts).expect("a valid spec");
    let inputs = |_, _| RoutingInputs::default();
    pollster::block_on(reference::forward(weights, &config, ids, &router, &inputs)).expect("the reference runs")
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("numbers are f32")
}

#[test]
fn asking_all_experts_is_the_dense_mixture() {
    let device = Device::flex();
    let weights = Weights::random(&ModelConfig::tiny(), 1, &device);
    let dropless = |router| RoutingSpec { router, overflow: Overflow::Dropless };
    let all = RouterSpec::TopK { k: 4, weighting: Weighting::Norm };
    let a = numbers(forward(&weights, dropless(all), &device).logits);
    let b = numbers(forward(&weights, dropless(RouterSpec::Dense), &device).logits);
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{a} is not {b}");
    }
}

#[test]
fn the_gate_and_every_other_parameter_has_a_gradient() {
    let device = Device::flex().autodiff();
    let weights = Weights::random(&ModelConfig::tiny(), 1, &device);
    for spec in [RoutingSpec::default(), RoutingSpec::with_policy(1, Policy::Drop, 1.25)] {
        let gradients = forward(&weights, spec, &device).logits.square().sum().backward();
        for block in &weights.blocks {
            let gate = numbers(block.gate.columns().val().grad(&gradients).expect("the gate is on the graph"));
            assert!(gate.iter().any(|value| value.abs() > 1e-6), "the gate's gradient is zero under {spec:?}");
            let down = numbers(block.experts.w_down.val().grad(&gradients).expect("experts are on the graph"));
            assert!(down.iter().any(|value| value.abs() > 1e-6));
        }
        assert!(weights.embedding.val().grad(&gradients).is_some());
    }
}

#[test]
fn the_gate_learns_under_every_rule_whose_weights_it_has_a_say_in() {
    let device = Device::flex().autodiff();
    let weights = Weights::random(&ModelConfig::tiny(), 1, &device);
    for example in rules::all().filter_map(|rule| rule.example()) {
        let Ok(router) = rules::parse_router(example) else { continue };
        let spec = RoutingSpec { router, overflow: Overflow::Dropless };
        let gradients = forward(&weights, spec, &device).logits.square().sum().backward();
        let gate = weights.blocks[0].gate.columns().val().grad(&gradients).map(numbers).unwrap_or_default();
        let learns = gate.iter().any(|value| value.abs() > 1e-6);
        assert!(gate.iter().all(|value| value.is_finite()), "{example}");
        assert_eq!(learns, rules::facts(&router).gate_learns, "{example}");
    }
}

#[test]
fn the_gradient_of_the_gate_is_that_of_finite_differences() {
    let device = Device::flex().autodiff();
    let weights = Weights::random(&ModelConfig::tiny(), 1, &device);
    // All experts are asked, so that a moved gate changes weights alone: no choice, which would be a jump.
    let smooth = RoutingSpec::with_policy(4, Policy::Dropless, 1.0);
    let loss = |weights: &Weights| forward(weights, smooth, &device).logits.square().mean();
    let gradients = loss(&weights).backward();
    let gate = weights.blocks[1].gate.columns().val();
    let gradient = numbers(gate.grad(&gradients).expect("the gate is on the graph"));

    // Along the gradient itself, so that the difference is far above rounding.
    let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
    let moved = |by: f32| {
        let direction: Vec<f32> = gradient.iter().map(|g| g / norm * by).collect();
        let direction = Tensor::from_data(TensorData::new(direction, gate.dims()), &device);
        let mut weights = weights.clone();
        if let Gate::Linear(gate) = &mut weights.blocks[1].gate {
            gate.weight = gate.weight.clone().map(|weight| weight + direction);
        }
        numbers(loss(&weights))[0]
    };
    let slope = (moved(0.01) - moved(-0.01)) / 0.02;
    assert!((slope - norm).abs() <= 0.05 * norm, "slope {slope}, length of the gradient {norm}");
}

#[test]
fn sequences_are_groups_of_their_own() {
    let device = Device::flex();
    let weights = Weights::random(&ModelConfig::tiny(), 1, &device);
    let spec = RoutingSpec::with_policy(2, Policy::Drop, 0.5);
    let layers = forward(&weights, spec, &device).layers;
    for routing in layers.iter().flat_map(|layer| &layer.routings) {
        // C = ceil(0.5 · 2 · 6 / 4) = 2.
        assert_eq!((routing.num_tokens, routing.capacity), (6, Some(2)));
    }
    assert_eq!(layers.iter().map(|layer| layer.routings.len()).collect::<Vec<_>>(), [2, 2]);
}
