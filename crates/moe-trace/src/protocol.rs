//! What page and worker say to each other: two closed enums, carried as plain objects.

use serde::{Deserialize, Serialize};

use crate::error::UserError;
use crate::ids::RunId;
use crate::spec::{RoutingGroup, RoutingSpec};
use crate::trace::StepTrace;
use crate::trace_file::Source;

/// From the page to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Command {
    /// Fetch the model whose manifest is at this absolute URL and make it ready on a backend. Once per worker: a GPU
    /// can be made ready only once.
    Load { manifest_url: String, backend: BackendChoice },
    /// Give up whatever runs and start this.
    Run(RunRequest),
    /// Stop this run before its next step. A run that is over already is not an error.
    Stop(RunId),
}

/// From the worker to the page. Every event of a run carries its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// Bytes of the model that have arrived, of those that will.
    Progress {
        loaded_bytes: u32,
        total_bytes: u32,
        from_cache: bool,
    },
    Ready {
        model: ModelInfo,
        backend: BackendInfo,
    },
    /// A step was executed; `elapsed_ms` is the wall time from its start to its trace being read back.
    Step {
        trace: StepTrace,
        elapsed_ms: f32,
    },
    Finished {
        run: RunId,
        reason: FinishReason,
    },
    /// `run` is `None` where no run is concerned. After a `fatal` failure the worker must be replaced.
    Failed {
        run: Option<RunId>,
        error: UserError,
        fatal: bool,
    },
}

/// What the page tells whoever embeds it once it stands on the rung that it will stay on: the detail of `moe-ready`.
/// Model and backend are `None` without an engine.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ReadyDetail {
    pub source: Source,
    pub model: Option<ModelInfo>,
    pub backend: Option<BackendInfo>,
}

/// Which backend the reader asks for. `recorded` never reaches a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BackendChoice {
    /// WebGPU where it works, else the CPU.
    #[default]
    Auto,
    Webgpu,
    Cpu,
    /// No engine at all: the recorded run only.
    Recorded,
}

/// The rung of the fallback ladder that an engine stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    Webgpu,
    Cpu,
}

/// What the engine runs on, and why not on something better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct BackendInfo {
    pub rung: Rung,
    /// The adapter's name for WebGPU, "WebAssembly SIMD" or "native" for the CPU.
    pub name: String,
    /// "you asked for it", "this browser has no WebGPU", …
    pub why: String,
}

/// What a reader is told about a loaded model. Sizes in parameters and bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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
    pub vocab_size: u32,
    /// The longest text the model can see, in tokens.
    pub max_tokens: u32,
    /// The routing the model was trained with.
    pub trained_routing: RoutingSpec,
}

/// One generation, completely described: the same request gives the same steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RunRequest {
    pub run: RunId,
    pub prompt: String,
    pub max_new_tokens: u32,
    pub sampling: Sampling,
    pub routing: RoutingSpec,
    pub group: RoutingGroup,
    /// Seeds sampling and random routing alike.
    pub seed: u32,
}

/// How the next token is taken from the model's expectation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Sampling {
    /// The most probable token; the lower id on a tie.
    Greedy,
    /// Softmax at `temperature` over the `top_k` most probable tokens (0: all), cut to the smallest set whose
    /// probability reaches `top_p`.
    Random { temperature: f32, top_k: u32, top_p: f32 },
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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
