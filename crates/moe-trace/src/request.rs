//! What a run is made from: the same request gives the same steps.

use serde::{Deserialize, Serialize};

use crate::ids::RunId;
use crate::intervention::Intervention;
use crate::spec::{RoutingGroup, RoutingSpec};
use crate::tagged::tagged;

/// Texts that share a step, at most.
pub const MAX_BATCH: usize = 8;

/// One generation, completely described: the same request gives the same steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RunRequest {
    pub run: RunId,
    pub prompt: String,
    /// The prompts of the other texts that decode in step with this one, up to seven, where the group is `batch`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "codegen", ts(as = "Option<Vec<String>>", optional))]
    pub companions: Vec<String>,
    /// Of each text.
    pub max_new_tokens: u32,
    pub sampling: Sampling,
    pub routing: RoutingSpec,
    pub group: RoutingGroup,
    /// Seeds sampling and random routing alike. The companions of a batch have the seeds that follow it, in their order.
    pub seed: u32,
    /// What is changed inside the model, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "codegen", ts(as = "Option<Vec<Intervention>>", optional))]
    pub interventions: Vec<Intervention>,
}

/// How the next token is taken from the model's expectation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(tag = "method", rename_all = "snake_case"))]
#[cfg_attr(feature = "codegen", schemars(tag = "method", rename_all = "snake_case"))]
pub enum Sampling {
    /// The most probable token; the lower id on a tie.
    Greedy,
    /// Softmax at `temperature` over the `top_k` most probable tokens (0: all), cut to the smallest set whose
    /// probability reaches `top_p`.
    Random { temperature: f32, top_k: u32, top_p: f32 },
}

tagged! {
    Sampling by "method" {
        "greedy" Greedy
        "random" Random { temperature, top_k, top_p }
    }
}

/// Why a run ended; one of a batch, why the text that went on longest did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The requested number of tokens was written.
    Length,
    /// The text is as long as the model can see.
    ContextFull,
    /// The model ended the text.
    EndOfText,
    /// The reader pressed stop, or started another run.
    Stopped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_says_nothing_of_interventions_and_companions() {
        let request = RunRequest {
            run: RunId(0),
            prompt: "The".to_owned(),
            companions: Vec::new(),
            max_new_tokens: 1,
            sampling: Sampling::Greedy,
            routing: RoutingSpec::default(),
            group: RoutingGroup::ThisText,
            seed: 7,
            interventions: Vec::new(),
        };
        let json = serde_json::to_string(&request).expect("serialises");
        assert!(!json.contains("interventions") && !json.contains("companions"), "{json}");
        assert_eq!(serde_json::from_str::<RunRequest>(&json).expect("parses"), request);
    }
}
