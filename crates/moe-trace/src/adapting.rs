//! What page and trainer say of a mixture of adapters: small experts beside a frozen model, which alone are trained.

use serde::{Deserialize, Serialize};

use crate::bytes::Bytes;
use crate::ids::RunId;
use crate::spec::MixerSpec;

/// A frozen model and what is to be added to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Adaptation {
    pub request: AdaptRequest,
    pub model: ModelFiles,
    /// Adapters that were saved, to go on from. Their own recipe takes the place of the request's.
    pub adapters: Option<Bytes>,
}

/// The files of a model's folder. Whoever reads them checks the hashes that the manifest names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ModelFiles {
    pub manifest: Bytes,
    pub weights: Bytes,
    pub tokenizer: Bytes,
}

/// An adaptation, completely described: with the same model, the same request gives the same losses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct AdaptRequest {
    pub run: RunId,
    pub recipe: AdapterRecipe,
    /// What is learned. Its last tenth is held out.
    pub text: String,
    /// Learned beside it in equal shares, so that it is not forgotten; empty for none.
    pub remembered: String,
    /// The text of which is told which adapter each token asks.
    pub probe: String,
    /// Steps between two looks at held-out text; 0 for none but the first.
    pub look_every: u32,
}

/// What adapters are, and how they are trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct AdapterRecipe {
    /// MoLoRA without `k`, MoV, or LoRAMoE.
    pub rule: MixerSpec,
    /// Adapters beside the feed-forward of each layer.
    pub num_adapters: u32,
    /// Inner width of a LoRA expert; vectors have none.
    pub rank: u32,
    /// A LoRA expert's change counts `alpha / rank`.
    pub alpha: f32,
    /// Sequences per step.
    pub num_sequences: u32,
    /// Tokens per sequence.
    pub num_tokens: u32,
    pub learning_rate: f32,
    /// Coefficient of the localised balance loss (LoRAMoE, arXiv:2312.09979); 0 for none. It needs a text to remember.
    pub balance: f32,
    /// Of initial adapters and batches.
    pub seed: u32,
}

/// The model is frozen and the adapters are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct AdaptStart {
    pub run: RunId,
    /// Of opened adapters, theirs.
    pub recipe: AdapterRecipe,
    /// The name of the frozen model.
    pub model: String,
    /// Numbers that are trained.
    pub num_trained: u32,
    /// Those of the frozen model.
    pub num_frozen: u32,
    /// The step that comes next: the steps that opened adapters had learned.
    pub next_step: u32,
}

/// One optimiser step of the adapters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct AdaptStep {
    pub run: RunId,
    pub step: u32,
    /// Nats a token, over the batch, before the step.
    pub next_token: f32,
    /// The localised balance loss before its coefficient, mean over layers; `None` where it is not asked for.
    pub balance: Option<f32>,
    pub gradient_norm: f32,
    pub tokens_per_second: f32,
    /// Each adapter's mean share over the batch, `[layers][adapters]`.
    pub shares: Vec<Vec<f32>>,
}

/// What the adapters have come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct AdaptLook {
    pub run: RunId,
    /// The steps done before it.
    pub num_steps: u32,
    /// Of the text that is learned, then of the one that is remembered.
    pub held_out: Vec<BeforeAndAfter>,
    /// The probe's tokens, each as bytes.
    pub probe_tokens: Vec<Vec<u8>>,
    /// Each adapter's share of each token of the probe, `[layers][tokens · adapters]`.
    pub probe_shares: Vec<Vec<f32>>,
    /// The adapters as a file: without the texts, with the hash of their model.
    pub saved: Bytes,
}

/// Nats a token of held-out text: of the frozen model alone, and with its adapters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct BeforeAndAfter {
    pub before: f32,
    pub after: f32,
}
