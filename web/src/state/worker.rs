//! The worker that holds the engine: given work, and replaced when it fails, but not for ever.

use std::rc::Rc;

use moe_trace::{BackendChoice, BackendInfo, Command, Download, ModelInfo, RunId, RunRequest, Rung, Source, UserError};

use crate::settings::activate::Activate;
use crate::state::Effect;
use crate::state::engine::{Engine, Job, Loaded};
use crate::state::progress::{Arrived, Progress};
use crate::state::trial::Trial;
use crate::words::problems::{LeftGpu, Problem};

/// How often a failing engine is started again before the page gives up.
pub const MAX_RESTARTS: u32 = 2;

/// The worker, and those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Worker {
    pub engine: Engine,
    /// The model that is loaded beside the one that works.
    pub next: Option<Next>,
    /// WebGPU beside the CPU. It and `next` would be one worker's, and are never at once.
    pub trial: Trial,
    /// What the worker before had made ready, while another one takes its place.
    before: Option<Loaded>,
    /// Failures in a row, without a run that came to its end or that the reader asked for between them.
    restarts: u32,
    left_gpu: Option<LeftGpu>,
    /// The source that `moe-ready` last announced, while it holds.
    announced_source: Option<Source>,
    num_runs: u32,
}

/// A model that another worker loads while the engine goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    pub progress: Option<Progress>,
    /// The choice of the engine that goes on, which holds again if this one fails.
    pub before: Chosen,
}

/// Which model is asked for: the attribute, and the address it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    pub model: Option<String>,
    pub manifest_url: String,
}

/// What is done about a worker that died.
pub(super) enum Loss {
    Restarted(Problem),
    GivenUp(Problem),
}

impl Worker {
    pub(super) fn new(choice: BackendChoice, activate: Activate) -> Worker {
        let engine = match (choice, activate) {
            (BackendChoice::Recorded, _) => Engine::Absent,
            (_, Activate::Auto) => Engine::Starting,
            (_, Activate::Interaction | Activate::Manual) => Engine::Held,
        };
        Worker {
            engine,
            next: None,
            trial: Trial::None,
            before: None,
            restarts: 0,
            left_gpu: None,
            announced_source: None,
            num_runs: 0,
        }
    }

    /// Model and backend, also of the worker that is being replaced.
    pub fn loaded(&self) -> Option<&Loaded> {
        self.engine.loaded().or(self.before.as_ref())
    }

    /// What the next worker is to run on, where this was asked for.
    pub fn backend_to_load(&self, asked: BackendChoice) -> BackendChoice {
        match asked {
            BackendChoice::Auto if self.left_gpu.is_some() => BackendChoice::Cpu,
            // Nothing is loaded then.
            BackendChoice::Recorded => BackendChoice::Auto,
            choice => choice,
        }
    }

    pub(super) fn progress(&mut self, part: Download, arrived: Arrived, at_ms: f32) {
        if let Engine::Starting = self.engine {
            self.engine = Engine::Loading(Progress::default());
        }
        if let Engine::Loading(progress) = &mut self.engine {
            progress.hear(part, arrived, at_ms);
        }
    }

    /// The model is loaded. Does anybody still wait for it?
    pub(super) fn ready(&mut self, model: ModelInfo, backend: BackendInfo) -> bool {
        let was_loading = self.engine.is_loading();
        if was_loading {
            self.set_ready(model, backend);
        }
        was_loading
    }

    fn set_ready(&mut self, model: ModelInfo, mut backend: BackendInfo) {
        if let Some(left_gpu) = &self.left_gpu {
            // The worker was told to take the CPU, and does not know why.
            backend.why = left_gpu.say();
        }
        let loaded = Loaded { model: Rc::new(model), backend: Rc::new(backend) };
        self.before = None;
        self.engine = Engine::Ready { loaded, job: None };
    }

    /// Has another worker load the model at `wanted`; the engine goes on until then. `before`: the choice so far.
    pub(super) fn load_beside(&mut self, before: Chosen, wanted: &str, effects: &mut Vec<Effect>) {
        let before = self.next.take().map_or(before, |next| next.before);
        self.trial.put_off();
        if before.manifest_url == wanted {
            effects.push(Effect::EndNext);
        } else {
            self.next = Some(Next { progress: None, before });
            effects.push(Effect::StartNext);
        }
    }

    /// The model that was loaded beside takes the engine's place. Does anybody still wait for it?
    pub(super) fn take_over(&mut self, model: ModelInfo, backend: BackendInfo, effects: &mut Vec<Effect>) -> bool {
        let is_awaited = self.next.take().is_some();
        if is_awaited {
            self.change_places(model, backend, effects);
        }
        is_awaited
    }

    /// The worker beside takes the place of the one that worked.
    pub(super) fn change_places(&mut self, model: ModelInfo, backend: BackendInfo, effects: &mut Vec<Effect>) {
        self.set_ready(model, backend);
        self.trial = Trial::None;
        self.restarts = 0;
        self.announced_source = None;
        effects.push(Effect::TakeOver);
    }

    /// Nothing is loaded beside any more: the choice before, if something was.
    pub(super) fn end_next(&mut self, effects: &mut Vec<Effect>) -> Option<Chosen> {
        let next = self.next.take()?;
        effects.push(Effect::EndNext);
        Some(next.before)
    }

    /// The number of the next run. Runs are counted over all workers.
    pub(super) fn next_run(&mut self) -> RunId {
        self.num_runs += 1;
        RunId(self.num_runs)
    }

    /// Gives an engine that is ready something to do; whatever it was doing is given up.
    pub(super) fn work_on(&mut self, request: RunRequest, effects: &mut Vec<Effect>) {
        if let Engine::Ready { job, .. } = &mut self.engine {
            *job = Some(Job { request: request.clone(), stopping: false });
            effects.push(Effect::Post(Command::Run(request)));
        }
    }

    /// Stops the job before its next step; the worker is told so once.
    pub(super) fn stop(&mut self, effects: &mut Vec<Effect>) {
        if let Engine::Ready { job: Some(job), .. } = &mut self.engine
            && !std::mem::replace(&mut job.stopping, true)
        {
            effects.push(Effect::Post(Command::Stop(job.request.run)));
        }
    }

    /// The job is over, if this was it.
    pub(super) fn end_job(&mut self, run: RunId) -> bool {
        let ends = self.engine.is_at(run);
        if let Engine::Ready { job, .. } = &mut self.engine {
            job.take_if(|_| ends);
        }
        ends
    }

    /// Failures so far do not count any more: a run came to its end, or the reader asked for one.
    pub(super) fn forgive(&mut self) {
        self.restarts = 0;
    }

    /// The worker is beyond repair: another one takes over, but not for ever.
    pub(super) fn lose(
        &mut self,
        error: UserError,
        asked: BackendChoice,
        has_run: bool,
        effects: &mut Vec<Effect>,
    ) -> Loss {
        let on_cpu = self.leave_gpu(&error.why, asked);
        self.announced_source = None;
        if self.restarts < MAX_RESTARTS {
            self.restarts += 1;
            self.before = self.loaded().cloned();
            self.engine = Engine::Starting;
            effects.push(Effect::StartEngine);
            let (attempt, max_attempts) = (self.restarts, MAX_RESTARTS);
            return Loss::Restarted(Problem::EngineRestarts { error, on_cpu, attempt, max_attempts });
        }
        let was_ready = self.loaded().is_some();
        let problem = Problem::EngineGivenUp { error, was_ready, has_run };
        self.give_up(problem.clone(), effects);
        Loss::GivenUp(problem)
    }

    /// Where the page may choose, the CPU takes over from a GPU that failed.
    fn leave_gpu(&mut self, why: &str, asked: BackendChoice) -> bool {
        let was_on_gpu = self.loaded().is_some_and(|loaded| loaded.backend.rung == Rung::Webgpu);
        let leaves = was_on_gpu && self.backend_to_load(asked) == BackendChoice::Auto;
        if leaves {
            self.left_gpu = Some(LeftGpu { why: why.to_owned() });
        }
        leaves
    }

    pub(super) fn give_up(&mut self, problem: Problem, effects: &mut Vec<Effect>) {
        self.before = None;
        self.trial = Trial::None;
        self.engine = Engine::Failed(problem);
        effects.push(Effect::EndEngine);
    }

    /// Starts an engine again that was given up. Was it?
    pub(super) fn retry(&mut self, effects: &mut Vec<Effect>) -> bool {
        let has_failed = matches!(self.engine, Engine::Failed(_));
        if has_failed {
            self.restarts = 0;
            self.left_gpu = None;
            self.engine = Engine::Starting;
            effects.push(Effect::StartEngine);
        }
        has_failed
    }

    /// Another model or backend is asked for. An engine that somebody needed before is needed still.
    pub(super) fn change(&mut self, asked: BackendChoice, activate: Activate, effects: &mut Vec<Effect>) {
        let activate = match self.engine {
            Engine::Absent | Engine::Held => activate,
            _ => Activate::Auto,
        };
        let goes_on =
            Worker { left_gpu: self.left_gpu.take(), num_runs: self.num_runs, ..Worker::new(asked, activate) };
        let before = std::mem::replace(self, goes_on);
        if self.engine.is_expected() {
            effects.push(Effect::StartEngine);
        } else {
            self.announced_source = before.announced_source;
            effects.push(Effect::EndEngine);
        }
    }

    /// Somebody needs the engine.
    pub(super) fn wake(&mut self, effects: &mut Vec<Effect>) {
        if self.engine == Engine::Held {
            self.engine = Engine::Starting;
            effects.push(Effect::StartEngine);
        }
    }

    /// The author asks for another backend: the GPU may be tried again.
    pub(super) fn forget_left_gpu(&mut self) {
        self.left_gpu = None;
    }

    /// Tells the page around the element what its numbers come from now, unless it knows. `model`: of the run on the
    /// screen, where no engine has one.
    pub(super) fn announce(&mut self, source: Source, model: Option<&Rc<ModelInfo>>, effects: &mut Vec<Effect>) {
        if self.announced_source.replace(source) == Some(source) {
            return;
        }
        let loaded = self.loaded();
        let model = loaded.map(|loaded| &loaded.model).or(model).map(|model| ModelInfo::clone(model));
        let backend = loaded.map(|loaded| BackendInfo::clone(&loaded.backend));
        effects.push(Effect::EmitReady { source, model, backend });
    }

    /// What was announced no longer holds.
    pub(super) fn unannounce(&mut self) {
        self.announced_source = None;
    }
}
