//! An adaptation that can be: sizes within what a browser's tab bears, texts long enough, a rule that adapts.

use moe_learn::adapting::AdapterLearner;
use moe_learn::corpus::TooShort;
use moe_learn::{Corpus, Domain, Recipe};
use moe_model::Device;
use moe_model::forms::adapters::{AdapterForm, AdaptersConfig};
use moe_trace::adapting::{AdaptRequest, AdapterRecipe};
use moe_trace::{MixerSpec, UserError};

use super::model::Base;
use super::not_begun;

/// Bytes of each text, at most.
const MOST_BYTES: usize = 2_000_000;

/// Tokens of a step, at most: with a frozen model of four million parameters they stay below 400 MB.
const MOST_TOKENS: usize = 1024;

/// Steps until the learning rate is at its full height.
const WARM_UP: usize = 10;

/// Adapters that have learned nothing.
pub fn learner(recipe: &AdapterRecipe, base: &Base, device: &Device) -> Result<AdapterLearner, UserError> {
    check(recipe, base)?;
    let model = &base.frozen.config;
    let lora = |gate_bias| AdapterForm::Lora { rank: recipe.rank as usize, alpha: recipe.alpha, gate_bias };
    let form = match recipe.rule {
        MixerSpec::Molora { k: None } => lora(true),
        MixerSpec::Loramoe => lora(false),
        MixerSpec::Mov => AdapterForm::Vectors,
        _ => return Err(not_begun("This rule does not blend adapters here.", "Choose molora, mov or loramoe.")),
    };
    let config = AdaptersConfig {
        d_model: model.d_model,
        num_layers: model.num_layers,
        num_adapters: recipe.num_adapters as usize,
        form,
    };
    let of_learner = Recipe {
        seed: u64::from(recipe.seed),
        steps: usize::MAX,
        learning_rate: f64::from(recipe.learning_rate),
        warm_up: WARM_UP,
        // Decay would pull adapters to nothing, not the model to anything.
        weight_decay: 0.0,
        gradient_clip: 1.0,
        losses: Vec::new(),
        bias_step: 0.0,
    };
    Ok(AdapterLearner::new(config, of_learner, recipe.balance, device))
}

fn check(recipe: &AdapterRecipe, base: &Base) -> Result<(), UserError> {
    let AdapterRecipe { num_adapters, rank, alpha, num_sequences, num_tokens, learning_rate, balance, .. } = *recipe;
    if !(2..=16).contains(&num_adapters) || !(1..=32).contains(&rank) {
        let why = format!("{num_adapters} adapters of rank {rank} are asked for; there are 2 to 16, of rank 1 to 32.");
        return Err(not_begun(why, "Choose other numbers."));
    }
    let (tokens, longest) = (u64::from(num_sequences) * u64::from(num_tokens), base.frozen.config.max_tokens);
    if tokens == 0 || tokens > MOST_TOKENS as u64 || num_tokens < 2 || num_tokens as usize > longest {
        let why = format!(
            "{num_sequences} sequences of {num_tokens} tokens are asked for; a step has 1 to {MOST_TOKENS} tokens, a \
             sequence 2 to {longest}."
        );
        return Err(not_begun(why, "Choose fewer or shorter sequences."));
    }
    if !(alpha.is_finite() && alpha > 0.0 && alpha <= 1024.0) {
        return Err(not_begun(format!("Alpha is {alpha}."), "Choose one above 0 and at most 1024."));
    }
    if !(balance.is_finite() && (0.0..=100.0).contains(&balance)) {
        return Err(not_begun(format!("The balance loss counts {balance}."), "Choose a number from 0 to 100."));
    }
    check_rate(learning_rate)
}

pub fn check_rate(rate: f32) -> Result<(), UserError> {
    match rate.is_finite() && rate > 0.0 && rate <= 1.0 {
        true => Ok(()),
        false => Err(not_begun(format!("The learning rate is {rate}."), "Choose one above 0 and at most 1.")),
    }
}

/// The texts, each with its last tenth held out: first what is learned, then what is remembered, where anything is.
pub fn corpus(request: &AdaptRequest, recipe: &AdapterRecipe, base: &Base) -> Result<Corpus, UserError> {
    let texts = [("your text", &request.text), ("the text to remember", &request.remembered)];
    let is_asked_for = |at: usize| at == 0 || !request.remembered.is_empty();
    let mut domains = Vec::new();
    for (_, (name, text)) in texts.into_iter().enumerate().filter(|(at, _)| is_asked_for(*at)) {
        if text.len() > MOST_BYTES {
            let why = format!("Of {name} there are {} bytes; at most {MOST_BYTES} are learned.", text.len());
            return Err(not_begun(why, "Choose a part of it."));
        }
        domains.push(domain(name, base.tokens(text)));
    }
    if recipe.balance > 0.0 && domains.len() < 2 {
        let why = "The localised balance loss is about two kinds of text, and there is one.";
        return Err(not_begun(why, "Give a text to remember, or choose a balance loss of 0."));
    }
    let corpus = Corpus { domains, vocab_size: base.frozen.config.vocab_size };
    let too_short = |TooShort { name, found, needed }: TooShort| {
        let why = format!("Of {name}, its last tenth is held out: {found} tokens, and a sequence needs {needed}.");
        not_begun(why, "Give a longer text: some thousand letters.")
    };
    corpus.ensure_windows_of(recipe.num_tokens as usize).map_err(too_short)?;
    Ok(corpus)
}

fn domain(name: &str, tokens: Vec<u16>) -> Domain {
    let (train, valid) = tokens.split_at(tokens.len() - tokens.len() / 10);
    Domain { name: name.to_owned(), train: train.to_vec(), valid: valid.to_vec(), valid_bytes_per_token: 1.0 }
}
