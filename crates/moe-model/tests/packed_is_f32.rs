//! A model whose matrices stay 8 bit decides as the same file's matrices in f32 do, with numbers that differ by the
//! rounding of activations to 16 bits.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use moe_model::forms::gate::GateConfig;
use moe_model::{Architecture, Fused, ModelConfig, Router, RoutingInputs, StepInput, StepOutput, Weights, checkpoint};
use moe_trace::{Overflow, Policy, RouterSpec, RoutingSpec};

const IDS: [u32; 20] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4];

/// Of numbers, to the larger of 1 and their size.
const TOLERANCE: f32 = 1e-3;

fn file(config: &ModelConfig) -> Vec<u8> {
    let mut weights = Weights::random(config, 5, &Device::flex());
    // Large enough to change who is selected.
    let bias: Vec<f32> = (0..config.num_experts).map(|expert| 0.1 * expert as f32).collect();
    for bias_of_block in weights.blocks.iter_mut().filter_map(|block| block.selection_bias.as_mut()) {
        *bias_of_block = Param::from_tensor(Tensor::from_floats(bias.as_slice(), &Device::flex()));
    }
    checkpoint::to_bytes(&checkpoint::named(&weights, Architecture::MoePlayground)).expect("weights can be written")
}

async fn step(mut model: Fused, router: &Router) -> StepOutput {
    let config = model.config().clone();
    let inputs = RoutingInputs::draw(9, config.num_layers, IDS.len(), config.num_experts);
    let inputs: Vec<RoutingInputs> = inputs.iter().map(|inputs| inputs.at(0..IDS.len(), &IDS)).collect();
    let step = StepInput { ids: &IDS, first_position: 0, inputs: &inputs };
    model.forward(&step, router).await.expect("a pass runs")
}

fn check(config: ModelConfig, spec: RoutingSpec) {
    let (file, ours) = (file(&config), Architecture::MoePlayground);
    let router = Router::new(spec, config.num_experts).expect("a valid spec");
    let (in_f32, packed) = pollster::block_on(async {
        let weights = checkpoint::from_bytes(&file, ours, &config, &Device::flex()).expect("it can be read");
        let in_f32 = Fused::new(config.clone(), weights, &Device::flex()).await.expect("weights load");
        let weights = checkpoint::packed_from_bytes(&file, ours, &config).expect("it can be read");
        let packed = Fused::packed(config.clone(), weights).await.expect("weights load");
        (step(in_f32, &router).await, step(packed, &router).await)
    });
    assert_eq!(packed.difference(&in_f32, TOLERANCE), None, "{spec:?}");
    assert_ne!(packed.logits, in_f32.logits, "activations are rounded");
}

#[test]
fn every_form_of_a_layer_decides_alike() {
    let shared = ModelConfig { num_shared_experts: 2, ..ModelConfig::tiny() };
    for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless] {
        for gate in GateConfig::EXAMPLES {
            check(ModelConfig { gate, ..ModelConfig::tiny() }, RoutingSpec::with_policy(2, policy, 0.75));
        }
        check(shared.clone(), RoutingSpec::with_policy(2, policy, 0.75));
    }
    let deepseek = RouterSpec::Deepseek { k: 2, groups: 1, kept: 1, scale: 1.0 };
    let biased = ModelConfig { selection_bias: true, ..shared };
    check(biased, RoutingSpec { router: deepseek, overflow: Overflow::Dropless });
}

#[test]
fn widths_that_fit_no_block_decide_alike() {
    for (d_model, d_expert, vocab_size) in [(24, 33, 37), (16, 7, 48), (80, 130, 65)] {
        let config = ModelConfig { d_model, d_expert, vocab_size, ..ModelConfig::tiny() };
        check(config, RoutingSpec::with_policy(2, Policy::Drop, 0.75));
    }
}
