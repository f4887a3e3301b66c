//! How often a step speaks to the GPU: launches and submissions, as wgpu tells them in its log. `cargo xtask test gpu` runs
//! it on lavapipe.

use std::sync::atomic::{AtomicUsize, Ordering};

use log::{LevelFilter, Log, Metadata, Record};
use moe_model::{Device, Fused, ModelConfig, Router, StepInput, Weights, device};
use moe_trace::{Policy, RoutingSpec};

/// Counts what wgpu says that it does.
struct Calls {
    dispatches: AtomicUsize,
    submits: AtomicUsize,
}

static CALLS: Calls = Calls { dispatches: AtomicUsize::new(0), submits: AtomicUsize::new(0) };

impl Log for Calls {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target().starts_with("wgpu_core")
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = record.args().to_string();
        if message.starts_with("ComputePass::dispatch") {
            self.dispatches.fetch_add(1, Ordering::Relaxed);
        } else if message == "Queue::submit" {
            self.submits.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

impl Calls {
    /// Launches and submissions since this was asked last.
    fn take(&self) -> (usize, usize) {
        (self.dispatches.swap(0, Ordering::Relaxed), self.submits.swap(0, Ordering::Relaxed))
    }
}

async fn model(num_layers: usize, device: &Device) -> Fused {
    let config = ModelConfig { num_layers, ..ModelConfig::tiny() };
    Fused::new(config.clone(), Weights::random(&config, 5, device), device).await.expect("weights load")
}

/// The second submission is cubecl's copy of what is read back.
const SUBMITS: usize = 2;

async fn decode_steps(router: &Router, num_layers: usize, device: &Device) {
    let mut model = model(num_layers, device).await;
    for position in 0..4 {
        CALLS.take();
        let step = StepInput { ids: &[3], first_position: position, inputs: &[] };
        model.forward(&step, router).await.expect("a step runs");
        // The first one finishes the loading.
        if position > 0 {
            assert_eq!(CALLS.take(), (6 * num_layers + 2, SUBMITS), "{num_layers} layers, position {position}");
        }
    }
}

/// Some of its steps have another capacity, and compute tokens again.
async fn steps_of_this_text(router: &Router, num_layers: usize, device: &Device) {
    let mut model = model(num_layers, device).await;
    let ids: Vec<u32> = (0..24).map(|at| at * 7 % 48).collect();
    model.forward_text(&ids[..7], &[], router).await.expect("a text runs");
    let (mut num_alone, mut num_together) = (0, 0);
    for len in 8..=ids.len() {
        CALLS.take();
        let num_computed = model.forward_text(&ids[..len], &[], router).await.expect("a text goes on").num_computed;
        // Where tokens share slots, norm, choice, slots and record are a launch each; losses and last logits are recorded.
        let dispatches = match num_computed {
            1 => 6 * num_layers + 2,
            _ => 9 * num_layers + 5,
        };
        assert_eq!(CALLS.take(), (dispatches, SUBMITS), "{num_computed} of {len} tokens");
        match num_computed {
            1 => num_alone += 1,
            _ => num_together += 1,
        }
    }
    assert!(num_alone > 0 && num_together > 0, "{num_alone} alone, {num_together} together");
}

#[test]
#[ignore = "needs a graphics adapter; `cargo xtask test gpu` runs it on lavapipe"]
fn a_step_is_few_launches_in_two_submissions() {
    log::set_logger(&CALLS).expect("nobody else logs");
    log::set_max_level(LevelFilter::Trace);
    let router = Router::new(RoutingSpec::with_policy(2, Policy::Drop, 1.25), 4).expect("a valid spec");
    pollster::block_on(async {
        let gpu = device::gpu().await.expect("there is a graphics adapter").device;
        for num_layers in [4, 6] {
            decode_steps(&router, num_layers, &gpu).await;
        }
        steps_of_this_text(&router, 4, &gpu).await;
    });
}
