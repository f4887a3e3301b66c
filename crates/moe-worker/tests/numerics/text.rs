//! A text that grows, is edited or gets other slots: the tokens that are computed again give the numbers of the whole, on
//! WebGPU as on the CPU, and are as many. Decode steps that are run in one pass give those of one after the other.

use moe_model::{Device, Extent, Fused, ModelConfig, Router, RoutingInputs, StepInput, Weights, device};
use moe_trace::{Policy, RoutingSpec};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::gpu::gpu;

/// Runs what a reader may do one after the other, both ways each time; gives how many tokens were needed.
async fn needed(device: &Device, tolerance: f32) -> Vec<usize> {
    let config = ModelConfig::tiny();
    let weights = Weights::random(&config, 5, device);
    let mut model = Fused::new(config.clone(), weights, device).await.expect("weights load");
    model.set_extent(Extent::Compared { tolerance });
    let draws = RoutingInputs::draw(7, config.num_layers, config.max_tokens, config.num_experts);
    let mut counts = Vec::new();
    for policy in [Policy::Drop, Policy::RandomSecond, Policy::Dropless] {
        let mut ids = vec![3, 1, 4, 1, 5];
        let mut factor = 0.75;
        for step in 0..16u32 {
            match step {
                5 => factor = 1.0,
                10 => ids[4] = 40,
                _ => ids.push((7 * step + 2) % 48),
            }
            let router = Router::new(RoutingSpec::with_policy(2, policy, factor), config.num_experts);
            let router = router.expect("a valid spec");
            let output = model.forward_text(&ids, &draws, &router).await.expect("both ways give the same");
            counts.push(output.num_computed);
        }
    }
    counts
}

#[wasm_bindgen_test]
async fn a_prompt_is_read_at_once_as_token_by_token() {
    let config = ModelConfig::tiny();
    let ids = [3, 1, 4, 1, 5, 9, 2, 6];
    let router = Router::new(RoutingSpec::with_policy(2, Policy::Drop, 0.75), config.num_experts);
    let router = router.expect("a valid spec");
    for device in [device::cpu(), gpu().await] {
        let weights = Weights::random(&config, 5, &device);
        let mut model = Fused::new(config.clone(), weights, &device).await.expect("weights load");
        let all = StepInput { ids: &ids, first_position: 0, inputs: &[] };
        let at_once =
            model.forward_apart(&all, &router).await.expect("a pass runs").expect("the kernels know the rule");
        assert_eq!(at_once.len(), ids.len());
        for (at, output) in at_once.iter().enumerate() {
            let step = StepInput { ids: &ids[at..=at], first_position: at, inputs: &[] };
            let expected = model.forward(&step, &router).await.expect("a pass runs");
            assert_eq!(output.difference(&expected, 1e-5), None, "token {at}");
        }
    }
}

#[wasm_bindgen_test]
async fn only_what_may_have_changed_is_computed_again() {
    let on_the_cpu = needed(&device::cpu(), 0.0).await;
    assert!(on_the_cpu.iter().filter(|&&count| count == 1).count() > 16, "{on_the_cpu:?}");
    assert_eq!(needed(&gpu().await, 1e-5).await, on_the_cpu);
}
