//! What a reader is told about a model.

use serde::{Deserialize, Serialize};

use crate::spec::RoutingSpec;

/// What a reader is told about a loaded model. Sizes in parameters and bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ModelInfo {
    pub name: String,
    /// SHA-256 of the weights file, in lower-case hexadecimal.
    pub weights_sha256: String,
    pub num_parameters: u32,
    /// Parameters that take part in the computation of one token.
    pub num_active_parameters: u32,
    pub weights_bytes: u32,
    pub num_layers: u32,
    pub num_experts: u32,
    /// Experts of a layer that compute every token beside those it is routed to. No gate decides about them, and no
    /// routing speaks of them.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "codegen", ts(as = "Option<u32>", optional))]
    pub num_shared_experts: u32,
    pub vocab_size: u32,
    /// The longest text the model can see, in tokens.
    pub max_tokens: u32,
    /// Tokens it learned from, those of the model it began with among them; absent where nobody wrote it down. Losses of
    /// models that learned from more or less of them say little about anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub training_tokens: Option<u32>,
    /// The routing the model was trained with.
    pub trained_routing: RoutingSpec,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
