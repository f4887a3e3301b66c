//! Texts in step are what plain burn operations make of them: attention within each text, and at each step one routing
//! group of the tokens of all. Alone in its batch a text is a row of decode steps; with slots for everybody, too.

use burn::tensor::{Device, Tensor, TensorData};
use moe_model::tensors::{matmul_shared, rms_norm, row_numbers};
use moe_model::{Fused, ModelConfig, Router, RoutingInputs, StepInput, StepOutput, TextToken, Weights, reference};
use moe_router::rules;
use moe_trace::{CapacitySpec, Fate, Overflow, Policy, Routing, RoutingSpec};

const SEED: u64 = 5;

fn texts() -> [Vec<u32>; 4] {
    [vec![3, 1, 4, 1, 5, 9], vec![2, 6, 5], vec![3, 5, 8, 9, 7, 9, 3, 2], vec![3, 1, 4, 7]]
}

fn model(config: &ModelConfig) -> Fused {
    let weights = Weights::random(config, SEED, &Device::flex());
    pollster::block_on(Fused::new(config.clone(), weights, &Device::flex())).expect("weights load")
}

/// The texts that have a token at a position: whose tokens are the group of that step.
fn at(texts: &[Vec<u32>], position: usize) -> Vec<usize> {
    (0..texts.len()).filter(|&text| position < texts[text].len()).collect()
}

/// What each layer sees of each text: chance, drawn by a seed for each.
fn inputs(config: &ModelConfig, texts: &[Vec<u32>]) -> Vec<Vec<RoutingInputs>> {
    let of_text = |number: usize| {
        RoutingInputs::draw(7 + number as u32, config.num_layers, config.max_tokens, config.num_experts)
    };
    (0..texts.len()).map(of_text).collect()
}

fn inputs_at(inputs: &[Vec<RoutingInputs>], texts: &[Vec<u32>], position: usize, layer: usize) -> RoutingInputs {
    let of_text = |text: usize| inputs[text][layer].at(position..position + 1, &texts[text][position..=position]);
    RoutingInputs::together(at(texts, position).into_iter().map(of_text))
}

/// Every step on the kernels.
fn in_step(config: &ModelConfig, texts: &[Vec<u32>], router: &Router) -> Vec<StepOutput> {
    let inputs = inputs(config, texts);
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut model = model(config);
    let mut caches = model.texts(texts.len());
    let step = |position: usize| {
        let token = |text: usize| TextToken { text, position, id: texts[text][position] };
        let tokens: Vec<TextToken> = at(texts, position).into_iter().map(token).collect();
        let of_layers: Vec<RoutingInputs> =
            (0..config.num_layers).map(|layer| inputs_at(&inputs, texts, position, layer)).collect();
        pollster::block_on(model.forward_in_step(&mut caches, &tokens, &of_layers, router)).expect("a step runs")
    };
    (0..longest).map(step).collect()
}

struct Reference {
    /// `[texts][tokens · vocabulary]`
    logits: Vec<Vec<f32>>,
    /// `[layers][steps]`
    routings: Vec<Vec<Routing>>,
}

/// All positions at once, layer by layer: attention over each whole text, then each step's tokens as one group.
fn by_reference(config: &ModelConfig, texts: &[Vec<u32>], router: &Router) -> Reference {
    let (device, weights) = (Device::flex(), Weights::random(config, SEED, &Device::flex()));
    let inputs = inputs(config, texts);
    let all_angles = TensorData::new(config.rope_angles(), [config.max_tokens, 2, config.d_head / 2]);
    let all_angles = Tensor::<3>::from_data(all_angles, &device);
    let embed = |ids: &Vec<u32>| -> Tensor<3> {
        let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
        weights.embedding.val().select(0, row_numbers(&ids, &device)).unsqueeze()
    };
    // `[1, tokens, d_model]` each.
    let mut states: Vec<Tensor<3>> = texts.iter().map(embed).collect();
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
    let mut routings = Vec::new();
    for (number, block) in weights.blocks.iter().enumerate() {
        for (x, ids) in states.iter_mut().zip(texts) {
            let normed = rms_norm(x.clone(), block.attention_norm.val());
            *x = x.clone() + block.attention.forward(normed, &all_angles.clone().narrow(0, 0, ids.len()));
        }
        let mut of_layer = Vec::new();
        let mut after: Vec<Vec<Tensor<3>>> = vec![Vec::new(); texts.len()];
        for position in 0..longest {
            let group = at(texts, position);
            let rows = group.iter().map(|&text| states[text].clone().narrow(1, position, 1)).collect();
            let x = Tensor::cat(rows, 1);
            let normed = rms_norm(x.clone(), block.moe_norm.val());
            let seen = |layer: usize, _: usize| inputs_at(&inputs, texts, position, layer);
            let (y, mut outcome) =
                pollster::block_on(reference::layer(block, normed, router, number, &seen)).expect("a layer runs");
            of_layer.push(outcome.routings.remove(0));
            let x = x + y;
            for (row, &text) in group.iter().enumerate() {
                after[text].push(x.clone().narrow(1, row, 1));
            }
        }
        states = after.into_iter().map(|rows| Tensor::cat(rows, 1)).collect();
        routings.push(of_layer);
    }
    let logits = states.into_iter().map(|x| {
        let logits = matmul_shared(rms_norm(x, weights.final_norm.val()), weights.embedding.val().transpose());
        logits.into_data().try_to_vec().expect("logits are f32")
    });
    Reference { logits: logits.collect(), routings }
}

fn close(what: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (at, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= 1e-4 * b.abs().max(1.0), "{what}, number {at}: {a} is not {b}");
    }
}

/// How many requests were turned away.
fn check(config: &ModelConfig, spec: RoutingSpec, texts: &[Vec<u32>]) -> usize {
    let router = Router::new(spec, config.num_experts).expect("a valid spec");
    let expected = by_reference(config, texts, &router);
    let mut num_lost = 0;
    for (step, output) in in_step(config, texts, &router).iter().enumerate() {
        let group = at(texts, step);
        for (layer, decided) in output.layers.iter().enumerate() {
            let (decided, expected) =
                (decided.routing().expect("the model's own router decided"), &expected.routings[layer][step]);
            assert_eq!(decided.num_tokens as usize, group.len(), "{spec:?}");
            assert_eq!(decided.capacity, router.capacity(group.len()), "{spec:?}");
            assert_eq!(decided.assignments.len(), expected.assignments.len(), "{spec:?}");
            for (a, b) in decided.assignments.iter().zip(&expected.assignments) {
                assert_eq!((a.token, a.rank, a.expert, a.fate), (b.token, b.rank, b.expert, b.fate), "{spec:?}");
                close("weights", &[a.weight, a.weight_raw], &[b.weight, b.weight_raw]);
                num_lost += usize::from(a.fate == Fate::Lost);
            }
        }
        for (row, &text) in group.iter().enumerate() {
            let here = &output.logits[row * config.vocab_size..][..config.vocab_size];
            close("logits", here, &expected.logits[text][step * config.vocab_size..][..config.vocab_size]);
        }
    }
    num_lost
}

#[test]
fn it_is_the_reference_with_one_group_a_step() {
    let config = ModelConfig::tiny();
    for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond] {
        for k in [1, 2] {
            let num_lost = check(&config, RoutingSpec::with_policy(k, policy, 0.5), &texts());
            assert!(num_lost > 0, "nobody was turned away: {policy:?}, {k}");
        }
    }
    assert_eq!(check(&config, RoutingSpec::with_policy(2, Policy::Dropless, 1.0), &texts()), 0);
    let shared = ModelConfig { num_shared_experts: 1, ..config };
    check(&shared, RoutingSpec::with_policy(2, Policy::Drop, 0.5), &texts());
}

#[test]
fn under_every_rule_of_the_table() {
    // No two alike at one step: an auction between equals is decided by rounding, which differs.
    let texts = [vec![3, 1, 4, 1, 5, 9], vec![2, 6, 5], vec![7, 5, 8, 9, 7, 2, 3, 2], vec![9, 2, 3, 7]];
    let mut num_rules = 0;
    for example in rules::all().filter_map(|rule| rule.example()) {
        // Mixing rules assign nobody.
        let Ok(router) = rules::parse_router(example) else { continue };
        num_rules += 1;
        for overflow in [Overflow::Dropless, Overflow::Drop(CapacitySpec { factor: 0.5, ..CapacitySpec::default() })] {
            check(&ModelConfig::tiny(), RoutingSpec { router, overflow }, &texts);
        }
    }
    assert!(num_rules >= 24, "{num_rules}");
}

/// A text by itself, token by token with the model's own cache.
fn by_decode_steps(config: &ModelConfig, ids: &[u32], router: &Router) -> Vec<StepOutput> {
    let mut model = model(config);
    let step = |position: usize| {
        let step = StepInput { ids: &ids[position..=position], first_position: position, inputs: &[] };
        pollster::block_on(model.forward(&step, router)).expect("a step runs")
    };
    (0..ids.len()).map(step).collect()
}

#[test]
fn alone_in_its_batch_a_text_is_a_row_of_decode_steps() {
    let config = ModelConfig::tiny();
    for spec in [RoutingSpec::with_policy(2, Policy::Drop, 0.5), RoutingSpec::with_policy(1, Policy::Dropless, 1.0)] {
        let router = Router::new(spec, config.num_experts).expect("a valid spec");
        for ids in texts() {
            let expected = by_decode_steps(&config, &ids, &router);
            assert_eq!(in_step(&config, std::slice::from_ref(&ids), &router), expected);
        }
    }
}

/// To the last bit: what is computed beside a token changes nothing about it.
#[test]
fn with_slots_for_everybody_each_text_is_as_alone() {
    let config = ModelConfig::tiny();
    let texts = texts();
    // As many slots as there are tokens, and more.
    for spec in [RoutingSpec::with_policy(2, Policy::Drop, 8.0), RoutingSpec::with_policy(2, Policy::Dropless, 1.0)] {
        let router = Router::new(spec, config.num_experts).expect("a valid spec");
        let steps = in_step(&config, &texts, &router);
        for (text, ids) in texts.iter().enumerate() {
            for (step, alone) in by_decode_steps(&config, ids, &router).iter().enumerate() {
                let row = at(&texts, step).iter().position(|&of| of == text).expect("it goes on");
                assert_eq!(steps[step].logits[row * config.vocab_size..][..config.vocab_size], alone.logits);
            }
        }
    }
}

/// The text that the model goes on with alone is not forgotten over a batch.
#[test]
fn a_batch_leaves_the_models_own_cache_alone() {
    let config = ModelConfig::tiny();
    let router = Router::new(RoutingSpec::with_policy(2, Policy::Drop, 1.0), config.num_experts).expect("a valid spec");
    let texts = texts();
    let mut model = model(&config);
    pollster::block_on(async {
        model.forward_text(&texts[0][..5], &[], &router).await.expect("a pass runs");
        let mut caches = model.texts(1);
        let token = TextToken { text: 0, position: 0, id: texts[1][0] };
        model.forward_in_step(&mut caches, &[token], &[], &router).await.expect("a step runs");
        let went_on = model.forward_text(&texts[0], &[], &router).await.expect("a pass runs");
        let mut fresh = self::model(&config);
        let expected = fresh.forward_text(&texts[0], &[], &router).await.expect("a pass runs");
        assert_eq!((went_on.logits, went_on.losses), (expected.logits, expected.losses));
        assert!(went_on.num_computed < texts[0].len(), "{}", went_on.num_computed);
    });
}
