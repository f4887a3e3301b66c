//! A request that can be trained: its sizes within what a browser's tab bears, its rule and losses of one mind.

use moe_learn::{Learner, Recipe};
use moe_model::reference::mixed;
use moe_model::{Device, ModelConfig};
use moe_trace::training::{TrainRequest, TrainedRule, TrainingText};
use moe_trace::{MixerSpec, RouterSpec, RoutingSpec, UserError};

use crate::memory;
use crate::text::VOCABULARY;

/// Tokens of a step, at most.
const MOST_TOKENS: usize = 8_192;

/// Kinds of text, at most.
const MOST_KINDS: usize = 16;

/// Steps and snapshots of which a file may tell, at most: more than anybody waits for, and there is room to go on.
pub const MOST_STEPS: u32 = 1_000_000_000;

/// Steps until the learning rate is at its full height.
const WARM_UP: usize = 20;

/// A request that cannot be trained: why, and what to do.
pub fn refused(why: impl Into<String>, try_this: &str) -> UserError {
    UserError::new("The training did not start.", why, try_this)
}

/// A learner that has learned nothing.
pub fn learner(request: &TrainRequest, device: &Device) -> Result<Learner, UserError> {
    check(request)?;
    let config = config(request)?;
    check_rule(request)?;
    Learner::new(config, request.rule, recipe(request), device.clone())
        .map_err(|error| refused(format!("{error}."), "Choose another rule or another loss."))
}

fn check_rule(request: &TrainRequest) -> Result<(), UserError> {
    match request.rule {
        TrainedRule::Assigns(RoutingSpec { router: RouterSpec::BalancedHash, .. }) => {
            Err(refused("balanced_hash needs to know how frequent each token is.", "Choose hash instead."))
        }
        TrainedRule::Assigns(_) => Ok(()),
        TrainedRule::Mixes(_) if request.bias_step > 0.0 => {
            Err(refused("A rule that mixes selects nobody, so a bias moves nothing.", "Choose a bias step of 0."))
        }
        TrainedRule::Mixes(MixerSpec::SoftMoe { slots }) if slots != 1 => Err(refused(
            format!("{slots} slots for each expert are asked for; the gate here has a column per expert."),
            "Choose one slot and more experts.",
        )),
        TrainedRule::Mixes(rule) if !mixed::computes(&rule) => Err(refused(
            "Rules that mix adapters, segments or a few experts are not trained here.",
            "Choose soft_moe:1, smear, or a rule that assigns tokens to experts.",
        )),
        TrainedRule::Mixes(_) => Ok(()),
    }
}

fn check(request: &TrainRequest) -> Result<(), UserError> {
    let num_kinds = match &request.text {
        TrainingText::Shipped { texts } => texts.len(),
        TrainingText::Own { .. } => 1,
        TrainingText::Grammars { count } => *count as usize,
        TrainingText::ModularSums { moduli } => moduli.len(),
    };
    let tokens = request.num_sequences as usize * request.num_tokens as usize;
    let rate = request.learning_rate;
    if num_kinds == 0 || num_kinds > MOST_KINDS {
        let why = format!("{num_kinds} kinds of text are asked for; there may be 1 to {MOST_KINDS}.");
        return Err(refused(why, "Choose another number."));
    }
    if let TrainingText::ModularSums { moduli } = &request.text
        && let Some(modulus) = moduli.iter().find(|modulus| !(2..=997).contains(*modulus))
    {
        return Err(refused(format!("{modulus} is no modulus from 2 to 997."), "Choose another modulus."));
    }
    if tokens == 0 || tokens > MOST_TOKENS || request.num_tokens < 2 {
        let why = format!(
            "{} sequences of {} tokens are asked for; a step has 1 to {MOST_TOKENS} tokens, a sequence 2 at least.",
            request.num_sequences, request.num_tokens
        );
        return Err(refused(why, "Choose fewer or shorter sequences."));
    }
    if !(rate.is_finite() && rate > 0.0 && rate <= 1.0) {
        return Err(refused(format!("The learning rate is {rate}."), "Choose one above 0 and at most 1."));
    }
    if let Some(loss) = request.losses.iter().find(|loss| !loss.coefficient.is_finite()) {
        return Err(refused(format!("The coefficient of {:?} is no number.", loss.loss), "Choose one."));
    }
    let twice = request.losses.iter().enumerate().find(|(at, loss)| {
        let before = &request.losses[..*at];
        before.iter().any(|other| other.loss == loss.loss)
    });
    match twice {
        Some((_, loss)) => Err(refused(format!("{:?} is asked for twice.", loss.loss), "Name each loss once.")),
        None => Ok(()),
    }
}

fn config(request: &TrainRequest) -> Result<ModelConfig, UserError> {
    let sizes = request.model;
    let size = |of: u32| of as usize;
    if sizes.num_heads == 0 || !sizes.d_model.is_multiple_of(sizes.num_heads) {
        let why = format!("{} attention heads do not share a width of {}.", sizes.num_heads, sizes.d_model);
        return Err(refused(why, "Choose a number of heads that divides the width."));
    }
    let config = ModelConfig {
        vocab_size: VOCABULARY,
        d_model: size(sizes.d_model),
        num_layers: size(sizes.num_layers),
        num_heads: size(sizes.num_heads),
        num_kv_heads: size(sizes.num_heads),
        d_head: size(sizes.d_model / sizes.num_heads),
        num_experts: size(sizes.num_experts),
        d_expert: size(sizes.d_expert),
        num_shared_experts: size(sizes.num_shared_experts),
        max_tokens: size(request.num_tokens),
        selection_bias: request.bias_step > 0.0,
        ..ModelConfig::default()
    };
    config.check().map_err(|error| refused(format!("{error}."), "Choose other sizes."))?;
    match memory::check(&config, request.num_sequences as usize) {
        Ok(()) => Ok(config),
        Err(bytes) => Err(refused(
            format!(
                "These sizes make {} parameters and need about {} MB; here a training has {} MB.",
                config.num_parameters(),
                bytes.div_ceil(1_000_000),
                memory::MOST_BYTES / 1_000_000
            ),
            "Choose a smaller batch, or fewer or smaller layers and experts.",
        )),
    }
}

fn recipe(request: &TrainRequest) -> Recipe {
    Recipe {
        seed: u64::from(request.seed),
        steps: usize::MAX,
        learning_rate: f64::from(request.learning_rate),
        warm_up: WARM_UP,
        weight_decay: 0.1,
        gradient_clip: 1.0,
        losses: request.losses.clone(),
        bias_step: request.bias_step,
    }
}
