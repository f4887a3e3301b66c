//! The fused path computes what the reference forward computes: the same routing exactly, numbers to 1e-4.

use burn::module::Param;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use moe_model::forms::gate::GateConfig;
use moe_model::{Changes, Fused, ModelConfig, Router, RoutingInputs, StepInput, Weights, possible_changes, reference};
use moe_router::rule::GateReads;
use moe_router::rules;
use moe_trace::{
    CapacitySpec, ExpertIdx, Intervention, LayerIdx, Normalise, Overflow, Policy, Priority, RouterSpec, Routing,
    RoutingSpec, SecondExpert, SlotOrder, Weighting,
};

const IDS: [u32; 20] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4];

struct Reference {
    logits: Vec<f32>,
    routings: Vec<moe_trace::Routing>,
}

fn weights(config: &ModelConfig) -> Weights {
    let mut weights = Weights::random(config, 5, &Device::flex());
    // Large enough to change who is selected.
    let bias: Vec<f32> = (0..config.num_experts).map(|expert| 0.1 * expert as f32).collect();
    for bias_of_block in weights.blocks.iter_mut().filter_map(|block| block.selection_bias.as_mut()) {
        *bias_of_block = Param::from_tensor(Tensor::from_floats(bias.as_slice(), &Device::flex()));
    }
    weights
}

fn by_reference(config: &ModelConfig, router: &Router, ids: &[u32], inputs: &[RoutingInputs]) -> Reference {
    let data = TensorData::new(ids.iter().map(|&id| id as i32).collect(), [1, ids.len()]);
    let ids: Tensor<2, Int> = Tensor::from_data(data, (&Device::flex(), DType::I32));
    let inputs = |layer: usize, _| inputs.get(layer).cloned().unwrap_or_default();
    let forward = pollster::block_on(reference::forward(&weights(config), config, ids, router, &inputs));
    let forward = forward.expect("the reference runs");
    Reference {
        logits: forward.logits.into_data().try_to_vec().expect("logits are f32"),
        routings: forward.layers.into_iter().map(|mut layer| layer.routings.remove(0)).collect(),
    }
}

fn close(what: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (at, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "{what}, number {at}: {a} is not {b}");
    }
}

fn check(spec: RoutingSpec) {
    check_in(ModelConfig::tiny(), spec);
}

fn check_in(config: ModelConfig, spec: RoutingSpec) {
    check_changed(config, spec, &[]);
}

/// With what a reader changes. Gives the routings.
fn check_changed(config: ModelConfig, spec: RoutingSpec, interventions: &[Intervention]) -> Vec<Routing> {
    let router = Router::new(spec, config.num_experts).expect("a valid spec");
    let inputs = RoutingInputs::draw(9, config.num_layers, IDS.len(), config.num_experts);
    let inputs = inputs.into_iter().zip(0..).map(|(inputs, layer)| RoutingInputs {
        changes: Changes::of_layer(interventions, layer, 9, IDS.len(), config.num_experts),
        ..inputs.at(0..IDS.len(), &IDS)
    });
    let inputs: Vec<RoutingInputs> = inputs.collect();
    let expected = by_reference(&config, &router, &IDS, &inputs);

    let outcome = pollster::block_on(async {
        let mut model = Fused::new(config.clone(), weights(&config), &Device::flex()).await.expect("weights load");
        model.forward(&StepInput { ids: &IDS, first_position: 0, inputs: &inputs }, &router).await.expect("a pass runs")
    });
    let last = (IDS.len() - 1) * config.vocab_size;
    close("logits", &outcome.logits, &expected.logits[last..]);
    for (layer, routing) in outcome.layers.iter().zip(&expected.routings) {
        let decided = layer.routing().expect("the model's own router decided");
        assert_eq!(decided.capacity, routing.capacity, "{spec:?}");
        for (a, b) in decided.assignments.iter().zip(&routing.assignments) {
            assert_eq!((a.token, a.rank, a.expert, a.fate), (b.token, b.rank, b.expert, b.fate), "{spec:?}");
            close("weights", &[a.weight, a.weight_raw], &[b.weight, b.weight_raw]);
        }
        assert_eq!(decided.assignments.len(), routing.assignments.len(), "{spec:?}");
    }
    for (position, loss) in outcome.losses.iter().enumerate() {
        let row = &expected.logits[position * config.vocab_size..(position + 1) * config.vocab_size];
        let largest = row.iter().copied().fold(f32::MIN, f32::max);
        let log_sum = row.iter().map(|logit| (logit - largest).exp()).sum::<f32>().ln() + largest;
        close("loss", &[*loss], &[log_sum - row[IDS[position + 1] as usize]]);
    }
    expected.routings
}

fn spec(router: RouterSpec, factor: f32, order: SlotOrder, priority: Priority) -> RoutingSpec {
    RoutingSpec {
        router,
        overflow: Overflow::Drop(CapacitySpec { factor, order, priority, ..CapacitySpec::default() }),
    }
}

#[test]
fn for_the_rules_that_kernels_decide() {
    for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless] {
        for k in [1, 2, 3] {
            check(RoutingSpec::with_policy(k, policy, 0.75));
        }
    }
    check(spec(RouterSpec::Switch, 1.0, SlotOrder::TokenMajor, Priority::Position));
    check(RoutingSpec { router: RouterSpec::Dense, overflow: Overflow::Dropless });
    check(spec(RouterSpec::Dense, 1.0, SlotOrder::RankMajor, Priority::BprMax));
    let raw = RouterSpec::TopK { k: 2, weighting: Weighting::Raw };
    check(spec(raw, 0.5, SlotOrder::RankMajor, Priority::Position));
}

#[test]
fn for_rules_that_only_the_host_knows() {
    let gshard = |second, normalise| RouterSpec::Gshard { second, normalise };
    let after = gshard(SecondExpert::Always, Normalise::AfterDrop);
    check(spec(after, 0.75, SlotOrder::RankMajor, Priority::Position));
    let threshold = gshard(SecondExpert::Threshold { threshold: 0.4 }, Normalise::BeforeDrop);
    check(spec(threshold, 1.0, SlotOrder::TokenMajor, Priority::Position));
    let norm = RouterSpec::TopK { k: 2, weighting: Weighting::Norm };
    check(spec(norm, 0.75, SlotOrder::RankMajor, Priority::BprSum));
}

#[test]
fn for_every_rule_of_the_table() {
    let mut num_rules = 0;
    for example in rules::all().filter_map(|rule| rule.example()) {
        // Mixing rules assign nobody.
        let Ok(router) = rules::parse_router(example) else { continue };
        num_rules += 1;
        for overflow in [Overflow::Dropless, Overflow::Drop(CapacitySpec { factor: 0.75, ..CapacitySpec::default() })] {
            check(RoutingSpec { router, overflow });
        }
    }
    assert!(num_rules >= 24, "{num_rules}");
    // Forms of them whose weights are made otherwise.
    for text in [
        "top_k:2,p=2",
        "top_k:3,p=60",
        "sinkhorn:2",
        "hierarchical:2,2,1",
        "hierarchical:2,2,2",
        "top_k:2,softmax_after",
    ] {
        check(RoutingSpec { router: rules::parse_router(text).expect(text), overflow: Overflow::Dropless });
    }
}

/// Does the engine refuse to change this?
fn is_refused(config: &ModelConfig, spec: RoutingSpec, interventions: &[Intervention]) -> bool {
    let router = Router::new(spec, config.num_experts).expect("a valid spec");
    let mut inputs = RoutingInputs::draw(9, config.num_layers, IDS.len(), config.num_experts);
    for (inputs, layer) in inputs.iter_mut().zip(0..) {
        inputs.changes = Changes::of_layer(interventions, layer, 9, IDS.len(), config.num_experts);
    }
    possible_changes::check(interventions, &router, config, &inputs).is_err()
}

#[test]
fn with_what_a_reader_changes() {
    let (layer, all) = (LayerIdx(0), None);
    let mute = Intervention::Mute { layer, expert: ExpertIdx(2) };
    let force = Intervention::Force { layer, position: 5, expert: ExpertIdx(0) };
    let others = [
        Intervention::Swap { layer, experts: [ExpertIdx(0), ExpertIdx(3)] },
        Intervention::RouterTemperature { layer: all, temperature: 2.5 },
        Intervention::Bias { layer, expert: ExpertIdx(1), bias: 0.75 },
        Intervention::GateNoise { layer: all, deviation: 0.5 },
    ];
    let all_together = [&[mute, force], others.as_slice()].concat();
    // By the gate, each token for itself: top-k in its weightings, sigmoids with a bias, groups of experts, thresholds.
    let by_gate = rules::all().filter_map(|rule| rules::parse_router(rule.example()?).ok()).filter(|router| {
        let spec = RoutingSpec { router: *router, overflow: Overflow::Dropless };
        Router::new(spec, ModelConfig::tiny().num_experts).is_ok_and(|router| {
            let facts = router.facts();
            let reads = !matches!(facts.reads, GateReads::Nothing | GateReads::WholeText);
            reads && !facts.looks_ahead && router.k() < router.num_experts()
        })
    });
    let (mut num_rules, mut num_muted) = (0, 0);
    for router in by_gate {
        let config = ModelConfig::tiny;
        for overflow in [Overflow::Dropless, Overflow::Drop(CapacitySpec { factor: 0.75, ..CapacitySpec::default() })] {
            let spec = RoutingSpec { router, overflow };
            for change in &others {
                check_changed(config(), spec, &[*change]);
            }
            // Where groups of experts are chosen first, or others are asked once one is full, a muted expert may be asked
            // for want of others.
            if is_refused(&config(), spec, &[mute, force]) {
                continue;
            }
            num_muted += 1;
            check_changed(config(), spec, &all_together);
            let muted = check_changed(config(), spec, &[mute]);
            assert!(muted[0].assignments.iter().all(|request| request.expert != ExpertIdx(2)), "{spec:?}");
            let forced = check_changed(config(), spec, &[force]);
            assert!(forced[0].of_token(5).iter().any(|request| request.expert == ExpertIdx(0)), "{spec:?}");
        }
        num_rules += 1;
    }
    assert!(num_rules >= 10 && num_muted >= 12, "{num_rules}, {num_muted}");
}

#[test]
fn for_every_form_of_a_layer() {
    let shared = ModelConfig { num_shared_experts: 2, ..ModelConfig::tiny() };
    let biased = ModelConfig { selection_bias: true, ..shared.clone() };
    let deepseek = RouterSpec::Deepseek { k: 2, groups: 1, kept: 1, scale: 1.0 };
    for policy in [Policy::Drop, Policy::Dropless] {
        for gate in GateConfig::EXAMPLES {
            check_in(ModelConfig { gate, ..ModelConfig::tiny() }, RoutingSpec::with_policy(2, policy, 0.75));
        }
        check_in(shared.clone(), RoutingSpec::with_policy(2, policy, 0.75));
    }
    check_in(biased.clone(), RoutingSpec { router: deepseek, overflow: Overflow::Dropless });

    // The bias decides about someone, or this test says nothing.
    let router = Router::new(RoutingSpec { router: deepseek, overflow: Overflow::Dropless }, 4).expect("a valid spec");
    let with = by_reference(&biased, &router, &IDS, &[]);
    let without = by_reference(&shared, &router, &IDS, &[]);
    assert_ne!(with.routings[0], without.routings[0]);
}

#[test]
fn one_token_at_a_time_with_a_cache_is_the_whole_text_at_once() {
    let config = ModelConfig::tiny();
    let dropless = RoutingSpec::with_policy(2, Policy::Dropless, 1.0);
    let router = Router::new(dropless, config.num_experts).expect("a valid spec");
    let expected = by_reference(&config, &router, &IDS, &[]);
    pollster::block_on(async {
        let mut model = Fused::new(config.clone(), weights(&config), &Device::flex()).await.expect("weights load");
        for (position, id) in IDS.iter().enumerate() {
            let step = StepInput { ids: &[*id], first_position: position, inputs: &[] };
            let outcome = model.forward(&step, &router).await.expect("a pass runs");
            let row = position * config.vocab_size..(position + 1) * config.vocab_size;
            close("logits", &outcome.logits, &expected.logits[row]);
        }
    });
}
