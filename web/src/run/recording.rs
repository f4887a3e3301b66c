//! A run as the page holds it: its request, its steps so far, and where they come from.

use std::rc::Rc;

use moe_router::rules;
use moe_trace::{FinishReason, ModelInfo, RoutingGroup, RunId, RunRequest, SentStep, Source, StepTrace, TraceHeader};

use crate::run::shared::Shared;

/// The number of every recorded run; live runs count from 1.
pub const RECORDED_RUN: RunId = RunId(0);

/// Steps of one run, live or replayed; `source` says which.
#[derive(Debug, Clone)]
pub struct Recording {
    pub source: Source,
    pub model: Rc<ModelInfo>,
    /// Of a run that another program recorded: all that is known of it. Of its model the sizes above that nobody wrote
    /// down are 0, and are not shown.
    pub foreign: Option<Rc<TraceHeader>>,
    /// Compared by identity: the same allocation is the same run, however many steps it has.
    pub request: Shared<RunRequest>,
    pub steps: Vec<Rc<StepTrace>>,
    /// Wall time of each step; empty for a recorded run.
    pub elapsed_ms: Vec<f32>,
    /// Why no more steps will come; `None` while they may.
    pub finished: Option<FinishReason>,
}

impl Recording {
    pub fn new(source: Source, model: Rc<ModelInfo>, request: RunRequest) -> Recording {
        let request = Shared::new(request);
        let (steps, elapsed_ms) = (Vec::new(), Vec::new());
        Recording { source, model, foreign: None, request, steps, elapsed_ms, finished: None }
    }

    /// Another program's run, as its header tells of it.
    pub fn of_others(header: TraceHeader, model: ModelInfo, request: RunRequest) -> Recording {
        let recording = Recording::new(Source::Imported, Rc::new(model), request);
        Recording { foreign: Some(Rc::new(header)), ..recording }
    }

    pub fn run(&self) -> RunId {
        self.request.run
    }

    /// Does it come from an engine on this machine, and not from a file?
    pub fn is_live(&self) -> bool {
        matches!(self.source, Source::LiveGpu | Source::LiveCpu)
    }

    /// The same run with one more step, whole or told by what changed. Steps out of order are a stale worker's and are
    /// left out.
    pub fn with_step(&self, step: impl Into<SentStep>, elapsed_ms: Option<f32>) -> Option<Recording> {
        let step: SentStep = step.into();
        if self.finished.is_some() || step.run() != self.run() || step.step() as usize != self.steps.len() {
            return None;
        }
        let step = step.expand(self.steps.last().map(|last| &**last)).ok()?;
        let mut next = self.clone();
        next.steps.push(Rc::new(step));
        next.elapsed_ms.extend(elapsed_ms);
        Some(next)
    }

    pub fn finished(&self, reason: FinishReason) -> Recording {
        Recording { finished: self.finished.or(Some(reason)), ..self.clone() }
    }

    /// Length of the text at a step, in tokens.
    pub fn text_len(&self, step: usize) -> usize {
        self.steps.get(step).map_or(0, |step| step.first_position() as usize + step.tokens.len())
    }

    /// Tokens in layers, over all steps: what a run weighs.
    pub fn num_rows(&self) -> usize {
        self.steps.iter().map(|step| step.tokens.len() * step.layers.len()).sum()
    }

    /// The step at which the text is so long.
    pub fn step_of_len(&self, text_len: usize) -> Option<usize> {
        (0..self.steps.len()).find(|&step| self.text_len(step) == text_len)
    }

    /// How many of the tokens so far are the prompt's. With the group `decode step` even the prompt is read one token a
    /// step; there the tokens are the prompt's until their bytes are all of it.
    pub fn prompt_len(&self) -> usize {
        if self.request.group == RoutingGroup::ThisText {
            return self.text_len(0);
        }
        let mut num_bytes = 0;
        let is_given = |token: &&moe_trace::TracedToken| {
            let is_given = num_bytes < self.request.prompt.len();
            num_bytes += token.bytes().len();
            is_given
        };
        self.steps.iter().flat_map(|step| &step.tokens).take_while(is_given).count()
    }

    /// Steps per second over the latest steps; the first step, which may read the whole prompt, counts only while alone.
    pub fn tokens_per_second(&self) -> Option<f32> {
        let latest = match self.elapsed_ms.as_slice() {
            [only] => std::slice::from_ref(only),
            [_, rest @ ..] => &rest[rest.len().saturating_sub(16)..],
            [] => return None,
        };
        let total_ms: f32 = latest.iter().sum();
        (total_ms > 0.0).then(|| 1000.0 * latest.len() as f32 / total_ms)
    }

    /// The header of a trace file of this run.
    pub fn header(&self) -> TraceHeader {
        if let Some(header) = &self.foreign {
            return TraceHeader::clone(header);
        }
        let top_k = rules::facts(&self.request.routing.router).top_k(self.model.num_experts);
        TraceHeader::of_run(self.source, ModelInfo::clone(&self.model), RunRequest::clone(&self.request), top_k)
    }

    /// Would both requests give the same steps? Their numbers do not matter.
    pub fn same_request(&self, other: &Recording) -> bool {
        let unnumbered = |request: &RunRequest| RunRequest { run: RunId(0), ..request.clone() };
        self.model.weights_sha256 == other.model.weights_sha256
            && self.foreign == other.foreign
            && unnumbered(&self.request) == unnumbered(&other.request)
    }
}
