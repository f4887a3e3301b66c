//! The nouns of the project: what a Mixture-of-Experts layer decided, and how page and worker talk about it.
//!
//! Every type that page and worker exchange or that a trace file holds lives here, so a live run, a recorded run, a file
//! of another program and the detail of a DOM event are the same records. There are no tensors, files, clocks or random
//! sources in this crate.

pub mod adapting;
mod bytes;
mod check;
mod choices;
mod compare;
mod delta;
pub mod error;
pub mod experiment;
pub mod gate_history;
pub mod gate_logits;
mod header;
pub mod ids;
mod intervention;
mod layer_trace;
pub mod limits;
pub mod mixing;
mod model_entry;
mod model_info;
pub mod prompts;
pub mod protocol;
mod request;
pub mod routing;
mod rows;
mod scores;
pub mod spec;
mod tagged;
pub mod text;
mod token;
pub mod trace;
pub mod trace_file;
pub mod training;
mod wrong;

pub use bytes::Bytes;
pub use check::{model_entry as check_entry, model_info as check_model};
pub use choices::{Choice, Choices, ChoicesError, ExpertLoad};
pub use delta::telling::Telling;
pub use delta::{DeltaError, SentStep, StepDelta};
pub use error::UserError;
pub use gate_history::{GateHistory, RecordedHistory};
pub use gate_logits::{GateLogits, ShapeError};
pub use header::{
    ExpertCount, HeaderError, IdSpace, Origin, Part, RankOrder, RouteSchema, SCHEMA_VERSION, Source, TraceHeader,
    WeightKind,
};
pub use ids::{ExpertIdx, LayerIdx, RunId, TokenId};
pub use intervention::{Intervention, InterventionError};
pub use layer_trace::{Decision, LayerError, LayerTrace, OutputNorms};
pub use mixing::Mixing;
pub use model_entry::ModelEntry;
pub use model_info::ModelInfo;
pub use protocol::{BackendChoice, BackendInfo, Command, Download, Event, ReadyDetail, Rung};
pub use request::{FinishReason, MAX_BATCH, RunRequest, Sampling};
pub use routing::{Assignment, Fate, Routing, RoutingError};
pub use scores::{Scores, ScoresError};
pub use spec::{
    BaseSolver, CapacitySpec, MixerSpec, Normalise, Overflow, Policy, Priority, Rounding, RouterSpec, RoutingGroup,
    RoutingSpec, SecondExpert, SharedGate, SinkhornChoice, SlotOrder, Weighting,
};
pub use text::ParseSpecError;
pub use token::{Patch, TokenContent, TracedToken};
pub use trace::{BatchEntry, Candidate, NextToken, PassId, SequenceStep, Sequences, StepError, StepTrace};
pub use trace_file::{TraceFile, TraceFileError, TraceReader, lines};
pub use training::{TrainCommand, TrainEvent};
pub use wrong::{Place, Wrong};
