//! Where the engine stands: one value for the whole life of a worker.

use std::rc::Rc;

use moe_trace::{BackendInfo, ModelInfo, RunId, RunRequest, Rung, Source};

use crate::run::recording::Recording;
use crate::state::progress::Progress;
use crate::words::problems::Problem;

/// Where the engine stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Engine {
    /// The page's author asked for the recorded run only.
    Absent,
    /// It starts when somebody needs it.
    Held,
    Starting,
    Loading(Progress),
    Ready {
        loaded: Loaded,
        job: Option<Job>,
    },
    /// It was given up; what is on the screen stays.
    Failed(Problem),
}

/// What the browser keeps of models for later visits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub bytes: u32,
    /// Why what was loaded last is not among it.
    pub why_not: Option<String>,
}

/// What a worker has made ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub model: Rc<ModelInfo>,
    pub backend: Rc<BackendInfo>,
}

/// What the engine is working on.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub request: RunRequest,
    /// Was it told to stop?
    pub stopping: bool,
}

impl Engine {
    /// Can the model be run, now or as soon as it is loaded?
    pub fn can_run(&self) -> bool {
        !matches!(self, Engine::Absent | Engine::Failed(_))
    }

    /// Is it there, or on its way without anybody asking?
    pub fn is_expected(&self) -> bool {
        self.can_run() && *self != Engine::Held
    }

    pub fn is_ready(&self) -> bool {
        matches!(self, Engine::Ready { .. })
    }

    pub fn is_loading(&self) -> bool {
        matches!(self, Engine::Starting | Engine::Loading(_))
    }

    /// Model and backend, once they are ready.
    pub fn loaded(&self) -> Option<&Loaded> {
        match self {
            Engine::Ready { loaded, .. } => Some(loaded),
            _ => None,
        }
    }

    pub fn job(&self) -> Option<&Job> {
        match self {
            Engine::Ready { job, .. } => job.as_ref(),
            _ => None,
        }
    }

    /// Is it working on this run?
    pub fn is_at(&self, run: RunId) -> bool {
        self.job().is_some_and(|job| job.request.run == run)
    }

    /// Does it owe an answer? Only then may its silence be held against it.
    pub fn owes_answer(&self) -> bool {
        self.is_loading() || self.job().is_some()
    }
}

impl Loaded {
    /// Where the numbers of its runs come from.
    pub fn source(&self) -> Source {
        match self.backend.rung {
            Rung::Webgpu => Source::LiveGpu,
            Rung::Cpu => Source::LiveCpu,
        }
    }

    /// A run of this request, before its first step.
    pub fn recording(&self, request: RunRequest) -> Recording {
        Recording::new(self.source(), self.model.clone(), request)
    }
}
