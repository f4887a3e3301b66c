//! Training: cross-entropy plus load-balancing loss and z-loss, AdamW, resumable, with a log a plot can be made of.

pub mod checkpoint;
pub mod data;
pub mod device;
pub mod log;
pub mod loss;
pub mod validate;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Int, Tensor};
use clap::Args;
use moe_model::{ModelConfig, RoutingInputs, Weights, reference};
use moe_router::Router;
use moe_trace::{CapacitySpec, Overflow, RouterSpec, RoutingSpec, Weighting};

use data::Corpus;
use device::DeviceChoice;
use log::Log;

#[derive(Args, Debug, Clone)]
pub struct TrainArgs {
    /// Folder that `prepare` wrote.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Folder for checkpoints and the log; training goes on from what it holds.
    #[arg(long, default_value = "runs/default")]
    pub out: PathBuf,
    /// Optimiser steps of the whole training, over which the learning rate falls.
    #[arg(long, default_value_t = 4000)]
    pub steps: usize,
    /// Stop after this many minutes, with a checkpoint.
    #[arg(long)]
    pub minutes: Option<f64>,
    /// Sequences per step; each is one routing group.
    #[arg(long, default_value_t = 32)]
    pub batch: usize,
    /// Tokens per sequence.
    #[arg(long, default_value_t = 256)]
    pub tokens: usize,
    /// Highest learning rate.
    #[arg(long, default_value_t = 3e-3)]
    pub learning_rate: f64,
    /// Coefficient of the load-balancing loss (per choice: 1 at perfect balance).
    #[arg(long, default_value_t = 1e-2)]
    pub balance: f64,
    /// Coefficient of the router z-loss.
    #[arg(long, default_value_t = 1e-3)]
    pub z: f64,
    /// Routing rule, in the textual form of docs/ROUTING_RULES.md.
    #[arg(long, default_value = "top_k:2")]
    pub rule: RouterSpec,
    /// Capacity factor; without `--dropless` experts turn away what exceeds it.
    #[arg(long, default_value_t = 1.25)]
    pub capacity_factor: f32,
    /// Turn nobody away.
    #[arg(long)]
    pub dropless: bool,
    /// Where to compute.
    #[arg(long, default_value = "cpu")]
    pub device: DeviceChoice,
    /// Train the dense twin instead: one feed-forward of as many active parameters, no router.
    #[arg(long)]
    pub dense_twin: bool,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Steps between checkpoints and validations.
    #[arg(long, default_value_t = 250)]
    pub checkpoint_every: usize,
}

impl TrainArgs {
    /// Sizes and routing of the model to train.
    pub fn model(&self, vocab_size: usize) -> (ModelConfig, RoutingSpec) {
        let config = ModelConfig::small(vocab_size);
        if !self.dense_twin {
            let slots = CapacitySpec { factor: self.capacity_factor, ..CapacitySpec::default() };
            let overflow = if self.dropless { Overflow::Dropless } else { Overflow::Drop(slots) };
            return (config, RoutingSpec { router: self.rule, overflow });
        }
        let d_expert = 2 * config.d_expert;
        let router = RouterSpec::TopK { k: 1, weighting: Weighting::Norm };
        (ModelConfig { num_experts: 1, d_expert, ..config }, RoutingSpec { router, overflow: Overflow::Dropless })
    }

    /// Linear warm-up over 200 steps, then a cosine down to a twentieth (arXiv:1608.03983).
    fn learning_rate_at(&self, step: usize) -> f64 {
        let warm_up = (step + 1) as f64 / 200.0;
        let progress = (step as f64 / self.steps as f64).min(1.0);
        let cosine = 0.05 + 0.95 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        self.learning_rate * warm_up.min(1.0) * cosine
    }
}

/// Trains until all steps are done or the time is up.
pub fn run(args: &TrainArgs) -> Result<()> {
    let corpus = Corpus::open(&args.data)?;
    let (config, spec) = args.model(corpus.vocab_size);
    config.check()?;
    ensure!(
        args.checkpoint_every > 0 && args.batch > 0 && args.tokens > 0,
        "steps, sequences and tokens are at least 1"
    );
    corpus.ensure_windows_of(args.tokens)?;
    ensure!(args.tokens <= config.max_tokens, "the model sees at most {} tokens", config.max_tokens);
    let router = Router::new(spec, config.num_experts)?;
    let device = args.device.init()?;
    let mut optimizer: ModuleOptimizer = AdamWConfig::new()
        .with_beta_2(0.95)
        .with_weight_decay(0.1)
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init();
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    let mut weights = Weights::random(&config, args.seed, &device.clone().autodiff());
    let mut first_step = 0;
    if let Some(state) = checkpoint::load(&args.out, weights.clone(), &optimizer)? {
        (weights, optimizer, first_step) = (state.weights, state.optimizer, state.step);
        println!("going on from step {first_step}");
    }
    let mut log = Log::open(&args.out.join("log.csv"), &corpus.domain_names(), &config)?;
    println!("{} parameters, {} steps of {} tokens", config.num_parameters(), args.steps, args.batch * args.tokens);

    let start = Instant::now();
    let mut window = log::Window::default();
    for step in first_step..args.steps {
        let batch = corpus.training_batch(args.batch, args.tokens, args.seed, step);
        let (ids, targets) = batch.to_tensors(&device.clone().autodiff());
        let draws = draws_of(spec, args.seed ^ step as u64, args.batch * args.tokens, &config);
        let inputs = |layer: usize, sequence| batch.routing_inputs(&draws[layer], sequence);
        let forward = burn_block_on(reference::forward(&weights, &config, ids, &router, &inputs))?;
        let losses = loss::losses(&forward, targets, &router);
        let total = losses.cross_entropy.clone() + losses.balance.clone() * args.balance + losses.z.clone() * args.z;
        let gradients = GradientsParams::from_grads(total.backward(), &weights);
        weights = optimizer.step(args.learning_rate_at(step), weights, gradients);

        window.add(&losses, &forward, args.batch * args.tokens);
        let last = step + 1 == args.steps;
        let out_of_time = args.minutes.is_some_and(|minutes| start.elapsed().as_secs_f64() > minutes * 60.0);
        let save = (step + 1) % args.checkpoint_every == 0 || last || out_of_time;
        if (step + 1) % 20 == 0 || save {
            window.print(step + 1, args.steps, start, first_step);
        }
        if save {
            let valid = validate::quick(&weights, &config, &corpus, &router, &device, args)?;
            log.write(step + 1, &window, &valid)?;
            checkpoint::save(&args.out, weights.clone(), &optimizer, step + 1, &config, spec)?;
        }
        if out_of_time {
            println!("time is up at step {}; the same command goes on", step + 1);
            break;
        }
    }
    Ok(())
}

/// Draws of a step, `[layers]`; empty ones where the rule leaves nothing to chance.
fn draws_of(spec: RoutingSpec, seed: u64, num_tokens: usize, config: &ModelConfig) -> Vec<RoutingInputs> {
    match spec.uses_chance() {
        true => RoutingInputs::draw(seed as u32, config.num_layers, num_tokens, config.num_experts),
        false => vec![RoutingInputs::default(); config.num_layers],
    }
}

/// Draws for held-out text: noise is left out, as in all papers; only random routing is nothing without chance.
pub fn draws_at_inference(spec: RoutingSpec, num_tokens: usize, config: &ModelConfig) -> Vec<RoutingInputs> {
    match spec.router {
        RouterSpec::Random => draws_of(spec, 0, num_tokens, config),
        _ => vec![RoutingInputs::default(); config.num_layers],
    }
}

/// Runs a future whose awaits only ever wait for the device.
pub fn burn_block_on<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

/// `[sequences, tokens]` whole numbers and their successors.
pub type IdsAndTargets = (Tensor<2, Int>, Tensor<2, Int>);
