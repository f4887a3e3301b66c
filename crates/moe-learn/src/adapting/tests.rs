//! Adapters learn, the model beside them does not.

use burn::module::{ModuleVisitor, Param};
use moe_model::Architecture;
use moe_model::checkpoint::named;
use moe_model::forms::adapters::AdapterForm;
use moe_trace::RoutingSpec;

use super::*;
use crate::corpus::Domain;

const LORA: AdapterForm = AdapterForm::Lora { rank: 2, alpha: 16.0, gate_bias: true };

fn frozen() -> Frozen {
    let (config, device) = (ModelConfig::tiny(), Device::flex());
    let weights = Weights::random(&config, 3, &device.clone().autodiff());
    let router = Router::new(RoutingSpec::default(), config.num_experts).expect("top-2 of 4");
    Frozen::new(config, router, weights, device)
}

fn learner(frozen: &Frozen, form: AdapterForm, balance: f32) -> AdapterLearner {
    let ModelConfig { d_model, num_layers, .. } = frozen.config;
    let recipe = Recipe {
        seed: 3,
        steps: usize::MAX,
        learning_rate: 2e-2,
        warm_up: 2,
        weight_decay: 0.0,
        gradient_clip: 1.0,
        losses: Vec::new(),
        bias_step: 0.0,
    };
    AdapterLearner::new(AdaptersConfig { d_model, num_layers, num_adapters: 4, form }, recipe, balance, &frozen.device)
}

fn corpus() -> Corpus {
    let domain = |name: &str, factor: u32| {
        let ids: Vec<u16> = (0..600u32).map(|at| (at * at * factor % 48) as u16).collect();
        Domain { name: name.to_owned(), train: ids.clone(), valid: ids, valid_bytes_per_token: 1.0 }
    };
    Corpus { domains: vec![domain("yours", 1), domain("remembered", 5)], vocab_size: 48 }
}

fn train(frozen: &Frozen, learner: &mut AdapterLearner, steps: usize) -> Vec<AdapterStep> {
    let corpus = corpus();
    let step = |step| {
        let batch = corpus.training_batch(4, 16, 3, step);
        pollster::block_on(learner.step(frozen, &batch, &[0, 1, 0, 1], step)).expect("it learns")
    };
    (0..steps).map(step).collect()
}

fn held_out(frozen: &Frozen, adapters: Option<&Adapters>) -> Vec<f32> {
    pollster::block_on(frozen.held_out(adapters, &corpus(), 16)).expect("it is measured")
}

#[test]
fn adapters_learn_and_the_model_stays_what_it_was() {
    for form in [LORA, AdapterForm::Vectors] {
        let frozen = frozen();
        let before = named(frozen.weights(), Architecture::MoePlayground);
        let alone = held_out(&frozen, None);
        let mut learner = learner(&frozen, form, 0.0);
        // To the last bit, before the first step.
        assert_eq!(held_out(&frozen, Some(&learner.plain())), alone);
        let steps = train(&frozen, &mut learner, 30);
        assert!(steps.iter().all(|step| step.gradient_norm > 0.0 && step.balance.is_none()));
        let after = held_out(&frozen, Some(&learner.plain()));
        assert!(after.iter().zip(&alone).all(|(after, alone)| after < alone), "{form:?}: {alone:?} became {after:?}");
        assert_eq!(named(&frozen.on_graph.valid(), Architecture::MoePlayground), before);
        assert_eq!(named(frozen.weights(), Architecture::MoePlayground), before);
        assert_eq!(held_out(&frozen, None), alone);
        for shares in steps.iter().flat_map(|step| &step.shares) {
            assert_eq!(shares.len(), 4);
            assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{shares:?}");
        }
    }
}

/// Names of parameters that a gradient reached.
#[derive(Default)]
struct Reached<'a> {
    gradients: Option<&'a GradientsParams>,
    with: usize,
    without: usize,
}

impl ModuleVisitor for Reached<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        match self.gradients.and_then(|gradients| gradients.get::<D>(parameter.id)) {
            Some(_) => self.with += 1,
            None => self.without += 1,
        }
    }
}

#[test]
fn gradients_reach_adapters_only() {
    let frozen = frozen();
    let mut learner = learner(&frozen, LORA, 0.0);
    // Where all that comes back is zero, no gradient passes to what leads there.
    train(&frozen, &mut learner, 2);
    let batch = corpus().training_batch(4, 16, 3, 0);
    let (ids, targets) = batch.to_tensors(&frozen.device.clone().autodiff());
    let outcome = frozen.run(&frozen.on_graph, Some(&learner.adapters), ids, &batch);
    let outcome = pollster::block_on(outcome).expect("it runs");
    let loss = loss::cross_entropy(outcome.logits, targets).mean();
    let mut gradients = loss.backward();
    let of_model = GradientsParams::from_module(&mut gradients, &frozen.on_graph);
    let of_adapters = GradientsParams::from_module(&mut gradients, &learner.adapters);
    let reached = |gradients, module: &dyn Fn(&mut Reached)| {
        let mut reached = Reached { gradients: Some(gradients), ..Reached::default() };
        module(&mut reached);
        (reached.with, reached.without)
    };
    let (with, without) = reached(&of_model, &|reached| frozen.on_graph.visit(reached));
    assert!(with == 0 && without > 10, "{with} parameters of the frozen model have a gradient");
    let (with, without) = reached(&of_adapters, &|reached| learner.adapters.visit(reached));
    assert_eq!((with, without), (2 * 4, 0), "gate, bias, down and up of two layers");
}

#[test]
fn a_seed_repeats_its_losses() {
    let losses = |balance| {
        let frozen = frozen();
        let mut learner = learner(&frozen, LORA, balance);
        let steps = train(&frozen, &mut learner, 5);
        steps.iter().map(|step| (step.cross_entropy, step.balance)).collect::<Vec<_>>()
    };
    let (plain, balanced) = (losses(0.0), losses(0.5));
    assert_eq!(plain, losses(0.0));
    assert_ne!(plain[4].0, balanced[4].0);
    assert!(balanced.iter().all(|(_, balance)| balance.is_some_and(|balance| balance > 0.0)));
}

#[test]
fn numbers_come_back_to_the_bit() {
    for form in [LORA, AdapterForm::Vectors] {
        let frozen = frozen();
        let mut first = learner(&frozen, form, 0.0);
        train(&frozen, &mut first, 3);
        let saved = pollster::block_on(numbers(&first.adapters)).expect("they are read back");
        let mut second = learner(&frozen, form, 0.0);
        second.adapters = load(second.adapters, &saved).expect("they fit");
        assert_eq!(pollster::block_on(numbers(&second.adapters)).expect("again"), saved);
        assert_eq!(held_out(&frozen, Some(&second.plain())), held_out(&frozen, Some(&first.plain())));
        // They still learn.
        let before = held_out(&frozen, Some(&second.plain()));
        train(&frozen, &mut second, 1);
        assert_ne!(held_out(&frozen, Some(&second.plain())), before);
        let mut other = saved.clone();
        other.remove("layers.0.gate");
        let error = load(second.adapters.clone(), &other).expect_err("one is missing").to_string();
        assert!(error.contains("no tensor layers.0.gate"), "{error}");
        let mut more = saved.clone();
        more.insert("else".to_owned(), saved["layers.0.gate"].clone());
        let error = load(second.adapters.clone(), &more).expect_err("one is foreign").to_string();
        assert!(error.contains("has a tensor else"), "{error}");
    }
}
