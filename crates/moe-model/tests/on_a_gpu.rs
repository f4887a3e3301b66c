//! A model on a GPU is the model on the CPU: whole texts, texts that go on, prompts in one pass and texts in step, with
//! rules that the kernels know and with one that the host decides. `cargo xtask test gpu` runs it on lavapipe.

use moe_model::{Device, Fused, ModelConfig, Router, RoutingInputs, StepInput, StepOutput, TextToken, Weights, device};
use moe_trace::{
    CapacitySpec, Normalise, Overflow, Policy, Priority, RouterSpec, RoutingSpec, SecondExpert, SlotOrder,
};

const IDS: [u32; 20] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4];

/// Of numbers, after a whole model; decisions are compared exactly.
const TOLERANCE: f32 = 1e-4;

/// All ways to run a model, one after the other.
async fn run(config: &ModelConfig, router: &Router, device: &Device) -> Vec<StepOutput> {
    let weights = Weights::random(config, 5, device);
    let mut model = Fused::new(config.clone(), weights, device).await.expect("weights load");
    let draws = RoutingInputs::draw(9, config.num_layers, config.max_tokens, config.num_experts);
    let inputs = |from: usize, to: usize| -> Vec<RoutingInputs> {
        draws.iter().map(|draws| draws.at(from..to, &IDS[from..to])).collect()
    };
    let mut steps = Vec::new();
    let whole = StepInput { ids: &IDS, first_position: 0, inputs: &inputs(0, IDS.len()) };
    steps.push(model.forward(&whole, router).await.expect("a whole text runs"));
    for len in 8..IDS.len() {
        steps.push(model.forward_text(&IDS[..len], &draws, router).await.expect("a text goes on"));
    }
    let prompt = StepInput { ids: &IDS[..9], first_position: 0, inputs: &inputs(0, 9) };
    let apart = model.forward_apart(&prompt, router).await.expect("a prompt is read");
    steps.extend(apart.into_iter().flatten());
    let next = StepInput { ids: &IDS[9..10], first_position: 9, inputs: &inputs(9, 10) };
    steps.push(model.forward(&next, router).await.expect("a token follows"));
    let mut caches = model.texts(3);
    for position in 0..4 {
        let tokens = [0, 1, 2].map(|text| TextToken { text, position, id: IDS[5 * text + position] });
        let step = model.forward_in_step(&mut caches, &tokens, &inputs(0, 3), router).await;
        steps.push(step.expect("texts go on in step"));
    }
    steps
}

#[test]
#[ignore = "needs a graphics adapter; `cargo xtask test gpu` runs it on lavapipe"]
fn it_computes_what_the_cpu_does() {
    let after_drop = RouterSpec::Gshard { second: SecondExpert::Always, normalise: Normalise::AfterDrop };
    let slots = CapacitySpec { order: SlotOrder::RankMajor, priority: Priority::Position, ..CapacitySpec::default() };
    let specs = [
        RoutingSpec::with_policy(2, Policy::Drop, 0.75),
        RoutingSpec::with_policy(2, Policy::Bpr, 0.75),
        RoutingSpec::with_policy(2, Policy::RandomSecond, 0.75),
        RoutingSpec::with_policy(1, Policy::Dropless, 1.0),
        RoutingSpec { router: after_drop, overflow: Overflow::Drop(slots) },
    ];
    let plain = ModelConfig::tiny();
    let shared = ModelConfig { num_shared_experts: 1, ..plain.clone() };
    pollster::block_on(async {
        let gpu = device::gpu().await.expect("there is a graphics adapter");
        println!("on {}", gpu.name);
        for config in [plain, shared] {
            for spec in specs {
                let router = Router::new(spec, config.num_experts).expect("a valid spec");
                let (found, expected) =
                    (run(&config, &router, &gpu.device).await, run(&config, &router, &device::cpu()).await);
                assert_eq!(found.len(), expected.len());
                for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    assert_eq!(found.difference(expected, TOLERANCE), None, "{spec:?}, step {step}");
                    assert_eq!(found.num_computed, expected.num_computed, "{spec:?}, step {step}");
                }
            }
        }
    });
}
