//! What the model writes: a continuation of each example prompt, so that a reader of the card sees what it learned.

use anyhow::Result;
use moe_trace::prompts::EXAMPLES;
use moe_trace::{RoutingGroup, RunId, RunRequest, Sampling};
use serde::{Deserialize, Serialize};

use crate::golden;
use crate::site_model::SiteModel;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub kind: String,
    pub prompt: String,
    pub written: String,
}

/// The first draw of seed 7, nothing picked.
pub const SAMPLING: Sampling = Sampling::Random { temperature: 0.7, top_k: 0, top_p: 0.9 };
pub const SEED: u32 = 7;
const NEW_TOKENS: u32 = 64;

/// One for every kind of text the page offers, routed as in training.
pub fn of(model: &SiteModel) -> Result<Vec<Sample>> {
    let mut engine = model.engine()?;
    let sample = |example: &moe_trace::prompts::Example| {
        let request = RunRequest {
            run: RunId(0),
            prompt: example.prompt.to_owned(),
            companions: Vec::new(),
            max_new_tokens: NEW_TOKENS,
            sampling: SAMPLING,
            routing: engine.info().trained_routing,
            group: RoutingGroup::ThisText,
            seed: SEED,
            interventions: Vec::new(),
        };
        let steps = golden::record(&mut engine, &request)?;
        let text = steps.last().map(golden::text).unwrap_or_default();
        let written = text.strip_prefix(example.prompt).unwrap_or_default().to_owned();
        Ok(Sample { kind: example.kind.to_owned(), prompt: request.prompt, written })
    };
    EXAMPLES.iter().map(sample).collect()
}
