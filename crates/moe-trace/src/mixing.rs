//! What a mixing rule decided: shares instead of requests.

use serde::{Deserialize, Serialize};

/// Who is blended with whom, in one layer and group of tokens. Matrices are row-major.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mixing {
    /// Tokens are blended into slots, and slots back into tokens.
    Slots {
        num_tokens: u32,
        num_experts: u32,
        slots_per_expert: u32,
        /// `[tokens, experts · slots]`: a token's share of each slot's input; columns sum to 1.
        dispatch: Vec<f32>,
        /// `[tokens, experts · slots]`: a slot's share of each token's output; rows sum to 1.
        combine: Vec<f32>,
    },
    /// The experts' weights are blended into one expert per row, which all tokens of that row share.
    Merged {
        num_experts: u32,
        /// `[rows, experts]`: an expert's share of the merged one; rows sum to 1.
        shares: Vec<f32>,
        /// `[tokens]`: the row that each token uses; `None` for padding.
        row_of: Vec<Option<u32>>,
    },
    /// The experts' outputs are blended, for every token anew.
    Outputs {
        num_tokens: u32,
        num_experts: u32,
        /// `[tokens, experts]`: what each expert's output is multiplied with; 0 for padding.
        weights: Vec<f32>,
    },
}
