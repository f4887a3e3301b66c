//! Runs for comparisons, which the engine computes while nobody else needs it. What was computed is kept: the same request
//! has the same answer. These runs never come to the screen by themselves.
//!
//! A batch is what one comparison asks for. Its runs are posted one by one, each when the engine has nothing else to do;
//! a run of the reader's goes first, and the one that it interrupts is asked for again afterwards.

use std::rc::Rc;

use moe_trace::{Command, FinishReason, RoutingGroup, RunId, RunRequest, SentStep, Source, UserError};

use crate::run::recording::Recording;
use crate::run::shared::Shared;
use crate::state::Effect;
use crate::state::engine::{Engine, Loaded};
use crate::state::worker::Worker;

/// So many results are kept that no batch asks for any more.
const MAX_KEPT: usize = 96;

/// What runs are asked for by: each has one batch at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The same text under several overflow policies.
    Policies,
    /// The same text with and without what its requests lost.
    Drops,
    /// Several texts in step, and each alone.
    InStep,
    /// Longer texts, to see what experts are asked by.
    MoreText,
    /// Held-out text that the site ships.
    HeldOut,
    /// The same texts with one expert after the other muted.
    Muting,
    /// The same texts served in order, and by lot.
    Findings,
    /// The run that a link or an attribute compares with, all its steps.
    #[cfg(feature = "page")]
    Against,
}

impl Purpose {
    /// Is a run shown step by step, and not only what became of its text?
    fn wants_all_steps(self) -> bool {
        match self {
            #[cfg(feature = "page")]
            Purpose::Against => true,
            _ => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Background {
    /// In the order in which they were asked for.
    batches: Vec<Batch>,
    /// The run that the engine is at.
    at: Option<Shared<Recording>>,
    /// Finished runs, oldest first.
    kept: Vec<Shared<Recording>>,
    /// Grows with every change of what can be seen of all this.
    version: u32,
}

/// The runs of one comparison, and how they go.
#[derive(Debug, Clone, PartialEq)]
struct Batch {
    purpose: Purpose,
    engine: EngineKey,
    /// Each once, numbered 0.
    requests: Rc<[RunRequest]>,
    end: Option<End>,
}

/// Why a batch went no further.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    Cancelled,
    Failed(UserError),
}

/// Model and device: numbers of another engine are not compared with these.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineKey {
    pub source: Source,
    pub weights_sha256: String,
}

impl EngineKey {
    pub fn of(loaded: &Loaded) -> EngineKey {
        EngineKey { source: loaded.source(), weights_sha256: loaded.model.weights_sha256.clone() }
    }

    pub fn is_of(&self, run: &Recording) -> bool {
        self.source == run.source && self.weights_sha256 == run.model.weights_sha256
    }
}

/// How far a batch has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub num_done: usize,
    pub num_runs: usize,
    /// What those that are done took the engine, together.
    pub spent_ms: f32,
    /// Tokens of each run, where they have the same number.
    pub num_tokens: Option<usize>,
    pub end: Option<End>,
}

impl Progress {
    pub fn is_under_way(&self) -> bool {
        self.end.is_none() && self.num_done < self.num_runs
    }

    /// What the rest will take if it takes as long as those before; `None` before the first is done.
    pub fn remaining_ms(&self) -> Option<f32> {
        let per_run = (self.num_done > 0).then(|| self.spent_ms / self.num_done as f32)?;
        Some(per_run * (self.num_runs - self.num_done) as f32)
    }
}

impl Background {
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Is the engine at one of these runs?
    pub fn is_working(&self) -> bool {
        self.at.is_some()
    }

    /// Is there more to compute?
    pub fn is_under_way(&self) -> bool {
        self.is_working() || self.wanted().next().is_some()
    }

    /// Has this engine compared anything?
    pub fn was_asked(&self) -> bool {
        !self.batches.is_empty()
    }

    /// The finished run of this request.
    pub fn result(&self, engine: &EngineKey, request: &RunRequest) -> Option<&Shared<Recording>> {
        self.kept.iter().find(|kept| engine.is_of(kept) && is_same(&kept.request, request))
    }

    /// Everything that was computed and is kept, oldest first.
    pub fn kept(&self) -> &[Shared<Recording>] {
        &self.kept
    }

    pub fn progress(&self, purpose: Purpose) -> Option<Progress> {
        let batch = self.batches.iter().find(|batch| batch.purpose == purpose)?;
        let done: Vec<_> = batch.requests.iter().filter_map(|request| self.result(&batch.engine, request)).collect();
        let whole = done.iter().filter(|run| run.request.group == RoutingGroup::ThisText);
        let lengths: Vec<usize> = whole.map(|run| run.text_len(0)).collect();
        Some(Progress {
            num_done: done.len(),
            num_runs: batch.requests.len(),
            spent_ms: done.iter().flat_map(|run| &run.elapsed_ms).fold(0.0, |sum, ms| sum + ms),
            num_tokens: lengths.first().copied().filter(|first| lengths.iter().all(|length| length == first)),
            end: batch.end.clone(),
        })
    }

    /// Asks for these runs, in this order, instead of what was asked for by the same purpose before.
    pub(super) fn ask(&mut self, purpose: Purpose, requests: Vec<RunRequest>, loaded: &Loaded) {
        let mut each_once: Vec<RunRequest> = Vec::new();
        for request in requests {
            if !each_once.iter().any(|known| is_same(known, &request)) {
                each_once.push(request);
            }
        }
        let batch = Batch { purpose, engine: EngineKey::of(loaded), requests: each_once.into(), end: None };
        match self.batches.iter_mut().find(|known| known.purpose == purpose) {
            Some(known) => *known = batch,
            None => self.batches.push(batch),
        }
        self.version += 1;
    }

    /// What is done stays; the rest is not computed.
    pub(super) fn cancel(&mut self, purpose: Purpose, effects: &mut Vec<Effect>) {
        self.end(End::Cancelled, |batch| batch.purpose == purpose);
        self.leave_unwanted(effects);
    }

    /// The engine may have something else to do, or nothing; then it gets the next run. `is_quiet`: nothing of the
    /// reader's is about to be run.
    pub(super) fn go_on(&mut self, worker: &mut Worker, is_quiet: bool, effects: &mut Vec<Effect>) {
        let Engine::Ready { loaded, job } = &worker.engine else {
            self.at = None;
            return;
        };
        let (loaded, is_free) = (loaded.clone(), job.is_none());
        if !is_free {
            self.at = None;
        }
        if self.at.as_ref().is_some_and(|at| !Rc::ptr_eq(&at.model, &loaded.model)) {
            self.at = None;
        }
        let key = EngineKey::of(&loaded);
        let num_batches = self.batches.len();
        self.batches.retain(|batch| batch.engine == key);
        self.version += u32::from(self.batches.len() < num_batches);
        self.leave_unwanted(effects);
        let next = self.wanted().next().cloned();
        if self.at.is_none()
            && is_free
            && is_quiet
            && let Some(request) = next
        {
            let request = RunRequest { run: worker.next_run(), ..request };
            effects.push(Effect::Post(Command::Run(request.clone())));
            self.at = Some(Shared::new(loaded.recording(request)));
        }
    }

    /// Takes a step of the run that the engine is at. Was it one?
    pub(super) fn take_step(&mut self, step: &SentStep, elapsed_ms: f32) -> bool {
        let Some(at) = self.at.as_mut().filter(|at| at.run() == step.run()) else { return false };
        if let Some(longer) = at.with_step(step.clone(), Some(elapsed_ms)) {
            *at = Shared::new(longer);
        }
        true
    }

    /// Takes the end of the run that the engine is at. Was it that one's?
    pub(super) fn take_end(&mut self, run: RunId, reason: FinishReason) -> bool {
        let Some(at) = self.at.take_if(|at| at.run() == run) else { return false };
        // One that was stopped is not done, and is asked for again where it is still wanted.
        if reason != FinishReason::Stopped {
            let wants = |batch: &Batch| batch.requests.iter().any(|request| is_same(request, &at.request));
            if at.steps.is_empty() {
                self.fail(&at.request, nothing_came());
            } else if self.batches.iter().any(|batch| batch.purpose.wants_all_steps() && wants(batch)) {
                self.keep(at.finished(reason));
            } else {
                self.keep(whole_texts(at.finished(reason)));
            }
        }
        true
    }

    /// The run that the engine is at cannot be run. Was it that one?
    pub(super) fn take_failure(&mut self, run: RunId, error: &UserError) -> bool {
        let Some(at) = self.at.take_if(|at| at.run() == run) else { return false };
        self.fail(&at.request, error.clone());
        true
    }

    /// The worker died. What it was at may be why, and is not tried again.
    pub(super) fn take_loss(&mut self, error: &UserError) {
        if let Some(at) = self.at.take() {
            self.fail(&at.request, error.clone());
        }
    }

    /// The finished run of this request with all its steps. What is kept here of it is as of all others.
    #[cfg(feature = "page")]
    pub(super) fn take_whole(&mut self, engine: &EngineKey, request: &RunRequest) -> Option<Shared<Recording>> {
        let is_it = |kept: &&mut Shared<Recording>| engine.is_of(kept) && is_same(&kept.request, request);
        let kept = self.kept.iter_mut().find(is_it).filter(|kept| has_all_steps(kept))?;
        let whole = Shared::new(whole_texts(Recording::clone(kept)));
        Some(std::mem::replace(kept, whole))
    }

    /// Nobody asked for what was asked for by this purpose.
    #[cfg(feature = "page")]
    pub(super) fn forget(&mut self, purpose: Purpose, effects: &mut Vec<Effect>) {
        let num_batches = self.batches.len();
        self.batches.retain(|batch| batch.purpose != purpose);
        self.version += u32::from(self.batches.len() < num_batches);
        self.leave_unwanted(effects);
    }

    /// What is still to be computed, in order.
    fn wanted(&self) -> impl Iterator<Item = &RunRequest> {
        let open = self.batches.iter().filter(|batch| batch.end.is_none());
        open.flat_map(move |batch| {
            let is_there = |run: &Shared<Recording>| !batch.purpose.wants_all_steps() || has_all_steps(run);
            batch.requests.iter().filter(move |request| !self.result(&batch.engine, request).is_some_and(is_there))
        })
    }

    /// Stops the run that the engine is at, if nobody wants it any more.
    fn leave_unwanted(&mut self, effects: &mut Vec<Effect>) {
        let is_wanted = |at: &Recording| self.wanted().any(|request| is_same(request, &at.request));
        if let Some(at) = self.at.as_ref().filter(|at| !is_wanted(at)) {
            effects.push(Effect::Post(Command::Stop(at.run())));
            self.at = None;
        }
    }

    fn fail(&mut self, request: &RunRequest, error: UserError) {
        self.end(End::Failed(error), |batch| batch.requests.iter().any(|wanted| is_same(wanted, request)));
    }

    fn end(&mut self, end: End, which: impl Fn(&Batch) -> bool) {
        for batch in self.batches.iter_mut().filter(|batch| batch.end.is_none() && which(batch)) {
            batch.end = Some(end.clone());
        }
        self.version += 1;
    }

    fn keep(&mut self, run: Recording) {
        // Parts of it that were enough until now.
        let key = EngineKey { source: run.source, weights_sha256: run.model.weights_sha256.clone() };
        self.kept.retain(|kept| !key.is_of(kept) || !is_same(&kept.request, &run.request));
        self.kept.push(Shared::new(run));
        self.version += 1;
        let is_asked_for = |kept: &Recording| {
            self.batches.iter().any(|batch| batch.requests.iter().any(|request| is_same(request, &kept.request)))
        };
        while self.kept.len() > MAX_KEPT
            && let Some(oldest) = self.kept.iter().position(|kept| !is_asked_for(kept))
        {
            self.kept.remove(oldest);
        }
    }
}

/// Do both ask for the same? Their numbers do not matter.
pub(super) fn is_same(one: &RunRequest, other: &RunRequest) -> bool {
    let RunRequest { run: _, prompt, companions, max_new_tokens, sampling, routing, group, seed, interventions } = one;
    // What most of them differ in is compared first, and what takes longest last.
    *routing == other.routing
        && *interventions == other.interventions
        && (*max_new_tokens, *sampling, *group, *seed)
            == (other.max_new_tokens, other.sampling, other.group, other.seed)
        && *prompt == other.prompt
        && *companions == other.companions
}

fn has_all_steps(run: &Recording) -> bool {
    run.steps.first().is_some_and(|first| first.step == 0)
}

/// Without the steps in which a text was shorter, where each has all of it: they weigh more than all the rest.
fn whole_texts(mut run: Recording) -> Recording {
    if run.request.group == RoutingGroup::ThisText {
        run.steps = run.steps.split_off(run.steps.len().saturating_sub(1));
    }
    run
}

fn nothing_came() -> UserError {
    UserError::new(
        say!("A comparison run brought nothing."),
        say!("The engine ended it before its first step."),
        say!("Start the comparison again; the run on the screen is not affected."),
    )
}
