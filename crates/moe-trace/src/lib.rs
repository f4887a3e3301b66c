//! The nouns of the project: what a Mixture-of-Experts layer decided, and how page and worker talk about it.
//!
//! Every type that is ever serialised lives here, so a live run, an exported file, a recorded run of the site and the
//! detail of a DOM event are the same records. There are no tensors, files, clocks or random sources in this crate.

mod compare;
pub mod error;
pub mod examples;
pub mod gate_logits;
pub mod ids;
pub mod mixing;
pub mod protocol;
pub mod routing;
pub mod spec;
pub mod text;
pub mod trace;
pub mod trace_file;

pub use error::UserError;
pub use gate_logits::{GateLogits, ShapeError};
pub use ids::{ExpertIdx, LayerIdx, RunId, TokenId};
pub use mixing::Mixing;
pub use protocol::{
    BackendChoice, BackendInfo, Command, Event, FinishReason, ModelInfo, ReadyDetail, RunRequest, Rung, Sampling,
};
pub use routing::{Assignment, Fate, Routing, RoutingError};
pub use spec::{
    BaseSolver, CapacitySpec, MixerSpec, Normalise, Overflow, Policy, Priority, Rounding, RouterSpec, RoutingGroup,
    RoutingSpec, SecondExpert, SharedGate, SinkhornChoice, SlotOrder, Weighting,
};
pub use text::ParseSpecError;
pub use trace::{Candidate, LayerTrace, NextToken, StepTrace, TracedToken};
pub use trace_file::{SCHEMA_VERSION, Source, TraceFile, TraceFileError, TraceHeader};
