//! An entry of `models/index.json`, the list of models that a site offers.

use serde::{Deserialize, Serialize};

/// One model of the list. Sizes in bytes and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ModelEntry {
    pub name: String,
    /// What it is, in a few words: "top-2 of 8, balanced".
    pub title: String,
    /// Where its manifest lies, relative to the list. For a model beside the page this is its name in links.
    pub folder: String,
    /// Weights and tokenizer as they lie.
    pub download_bytes: u32,
    pub num_parameters: u32,
    pub num_active_parameters: u32,
    pub num_experts: u32,
    /// Tokens it learned from, as `ModelInfo` has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub training_tokens: Option<u32>,
    /// The routing rule it was trained with, in the textual form of docs/ROUTING_RULES.md: `top_k:2`.
    pub rule: String,
}
