//! What page and worker say to each other: two closed enums, carried as plain objects with one key, the name of what is
//! said: `{ step: { trace, elapsed_ms } }`. Steps of a run come several in one message, as the text of their list in JSON,
//! which is carried and read faster. With the name and the content under two keys, a reader must be able to meet the
//! content first, and everything in it is compiled twice: once as it comes, once out of a store.

use serde::{Deserialize, Serialize};

use crate::delta::SentStep;
use crate::delta::telling::Telling;
use crate::error::UserError;
use crate::gate_history::GateHistory;
use crate::header::Source;
use crate::ids::RunId;
use crate::model_info::ModelInfo;
use crate::request::{FinishReason, RunRequest};

/// From the page to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Fetch the model whose manifest is at this absolute URL and make it ready on a backend. Once per worker: a GPU
    /// can be made ready only once.
    Load { manifest_url: String, backend: BackendChoice },
    /// Fetch the model, as above, and make it ready on WebGPU if it does there what it does on the CPU, at no less than
    /// half the CPU's rate. Answered by `Ready` or `Declined`. Once per worker, and beside one that runs.
    Try { manifest_url: String },
    /// Give up whatever runs and start this.
    Run(RunRequest),
    /// How many tokens has this text? Answered at once, also while a run goes on; not at all before a model is ready.
    Count(String),
    /// Remove from the browser's storage whatever it keeps of models. Answered by `Kept`.
    RemoveKept,
    /// How would the gates of earlier moments of the training route this text? Answered by `RoutedThen`, or by a `Failed`
    /// of this number; the file of those moments is fetched at the first question. It ends whatever runs.
    RouteThen { run: RunId, text: String },
    /// Stop this run before its next step. A run that is over already is not an error.
    Stop(RunId),
}

/// From the worker to the page. Every event of a run carries its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Bytes of the engine or of the model that have arrived, of those that will; `at_ms` counts from the worker's start.
    Progress {
        part: Download,
        loaded_bytes: u32,
        total_bytes: u32,
        from_cache: bool,
        at_ms: f32,
    },
    Ready {
        model: ModelInfo,
        backend: BackendInfo,
    },
    /// The browser may have this rung too: where the worker was free to choose, another one may try it.
    Offered {
        rung: Rung,
    },
    /// WebGPU is not to take the CPU's place; `why` is a reason for the CPU, as in [`BackendInfo`].
    Declined {
        why: String,
    },
    /// A step was executed, told whole or by what changed since the step before; `elapsed_ms` is the wall time from its start to its trace being read back.
    Step {
        trace: SentStep,
        elapsed_ms: f32,
    },
    /// A text that was to be counted.
    Counted {
        text: String,
        num_tokens: u32,
    },
    RoutedThen(GateHistory),
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
    /// The bytes of model files that the browser keeps for later visits, and why it does not keep those that were just
    /// loaded.
    Kept {
        bytes: u32,
        why_not: Option<String>,
    },
    /// The engine itself cannot be had: its files are not there, or are not what they should be. Another worker would
    /// fare no better.
    Unstartable(UserError),
}

/// What is downloaded before a model can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Download {
    Engine,
    Model,
}

impl Event {
    /// The shortest form for who heard all events before. A step that is whole is told by what changed.
    pub fn shortest(self, telling: &mut Telling) -> Event {
        match self {
            Event::Step { trace: SentStep::Whole(step), elapsed_ms } => {
                Event::Step { trace: telling.tell(step), elapsed_ms }
            }
            other => other,
        }
    }
}

/// What a figure tells its host once it stands on the rung that it will stay on: the detail of `moe-ready`.
/// Model and backend are `None` without an engine.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ReadyDetail {
    pub source: Source,
    pub model: Option<ModelInfo>,
    pub backend: Option<BackendInfo>,
}

/// Which backend the reader asks for. `recorded` never reaches a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BackendChoice {
    /// The CPU, until WebGPU was tried and does as well.
    #[default]
    Auto,
    Webgpu,
    /// With matrices in 8 bits.
    Cpu,
    /// With everything in f32.
    CpuF32,
    /// No engine at all: the recorded run only.
    Recorded,
}

/// The rung of the fallback ladder that an engine stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    Webgpu,
    Cpu,
}

/// What the engine runs on, and why not on something better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct BackendInfo {
    pub rung: Rung,
    /// The adapter's name for WebGPU, "WebAssembly SIMD" and its arithmetic for the CPU.
    pub name: String,
    /// "you asked for it", "this browser has no WebGPU", …
    pub why: String,
}
