//! What the engine tells, and how the page lives with a worker that fails.

use std::rc::Rc;

use moe_trace::{BackendChoice, BackendInfo, Event, FinishReason, RunId, Rung, SentStep, Source, UserError};

use crate::run::recording::RECORDED_RUN;
use crate::run::shared::Shared;
use crate::state::{MAX_RESTARTS, Phase, State};

pub(super) fn source_of(backend: &BackendInfo) -> Source {
    match backend.rung {
        Rung::Webgpu => Source::LiveGpu,
        Rung::Cpu => Source::LiveCpu,
    }
}

impl State {
    pub(super) fn hear(&mut self, event: Event) {
        match event {
            Event::Progress { loaded_bytes, total_bytes, from_cache } => {
                if matches!(self.phase, Phase::Starting | Phase::Loading { .. }) {
                    self.phase = Phase::Loading { loaded_bytes, total_bytes, from_cache };
                }
            }
            Event::Ready { model, mut backend } => {
                if matches!(self.phase, Phase::Starting | Phase::Loading { .. }) {
                    if let Some(why) = &self.internals.gpu_failed {
                        // The worker was told to take the CPU, and does not know why.
                        backend.why.clone_from(why);
                    }
                    self.internals.announced = Some(source_of(&backend));
                    self.model = Some(Rc::new(model));
                    self.backend = Some(Rc::new(backend));
                    self.phase = Phase::Idle;
                    self.route_as_trained();
                    // The recorded run turns live: the same request, on this machine.
                    if self.internals.replay_settled {
                        self.run_unasked();
                    }
                }
            }
            Event::Step { trace, elapsed_ms } => self.step(trace, elapsed_ms),
            Event::Finished { run, reason } => self.finish(run, reason),
            Event::Failed { run, error, fatal } => self.failed(run, error, fatal),
            // The page has no trainer yet, so nobody says anything of one.
            Event::Train(_) => {}
        }
    }

    fn step(&mut self, trace: SentStep, elapsed_ms: f32) {
        let run = trace.run();
        if run != RECORDED_RUN && self.phase != Phase::Running(run) {
            return;
        }
        let elapsed = (run != RECORDED_RUN).then_some(elapsed_ms);
        if let Some(coming) = self.coming.take_if(|coming| coming.run() == run) {
            let Some(began) = coming.with_step(trace, elapsed).map(Shared::new) else { return };
            let before = self.shown.replace(began.clone());
            // The same request again, now live, is not "before".
            if let Some(before) = before
                && !before.steps.is_empty()
                && !before.same_request(&began)
            {
                self.previous = Some(before);
            }
            self.flipped = false;
            self.notice = self.notice.take().filter(|notice| !notice.until_step);
            return;
        }
        let held = [&mut self.shown, &mut self.previous].into_iter().flatten().find(|held| held.run() == run);
        let Some(held) = held else { return };
        let Some(longer) = held.with_step(trace, elapsed) else { return };
        let is_first_recorded = run == RECORDED_RUN && longer.steps.len() == 1;
        *held = Shared::new(longer);
        if is_first_recorded {
            self.show_first_drop();
        }
    }

    fn finish(&mut self, run: RunId, reason: FinishReason) {
        if self.phase == Phase::Running(run) {
            self.phase = Phase::Idle;
            self.coming = None;
            // Only a whole run is proof: one that dies at every second step would be started again for ever.
            self.internals.restarts = 0;
        }
        for held in [&mut self.shown, &mut self.previous] {
            if let Some(recording) = held
                && recording.run() == run
            {
                *held = Some(Shared::new(recording.finished(reason)));
            }
        }
        if run == RECORDED_RUN && !self.has_engine() {
            self.internals.announced = Some(Source::Recorded);
        }
        // Until now the first step with a loss may not have been there.
        let is_calm = self
            .scene
            .as_ref()
            .is_some_and(|scene| scene.recording.run() == RECORDED_RUN && scene.step == 0 && scene.totals().lost == 0);
        if run == RECORDED_RUN && is_calm {
            self.show_first_drop();
        }
    }

    fn failed(&mut self, run: Option<RunId>, error: UserError, fatal: bool) {
        if fatal {
            return self.engine_lost(&error.why, &error.try_this);
        }
        match (&self.phase, run) {
            (Phase::Running(running), Some(run)) if *running == run => {
                self.phase = Phase::Idle;
                self.coming = None;
                self.end_shown();
                self.tell(error, true);
            }
            (_, Some(_)) => {}
            // A missing model stays missing, however often one asks.
            (Phase::Starting | Phase::Loading { .. }, None) => self.give_up(self.with_other_models(error)),
            (_, None) => self.tell(error, true),
        }
    }

    /// The worker is beyond repair: another one takes over, but not for ever. `advice` is for when none does.
    pub(super) fn engine_lost(&mut self, why: &str, advice: &str) {
        if !self.has_engine() {
            return;
        }
        self.stop_expecting();
        let leaves_gpu = self.leave_gpu(why.trim_end_matches('.'));
        let why = if why.ends_with(['.', '!', '?']) { why.to_owned() } else { format!("{why}.") };
        if self.internals.restarts < MAX_RESTARTS {
            self.internals.restarts += 1;
            self.internals.engine_generation += 1;
            self.phase = Phase::Starting;
            let place = if leaves_gpu { " on the CPU" } else { "" };
            let count = format!("It is being started again{place} ({} of {MAX_RESTARTS}).", self.internals.restarts);
            let message = UserError::new("The engine stopped working.", why, count + " Prompt and settings are kept.");
            self.tell_until_step(message);
        } else {
            let what = match self.model {
                Some(_) => "The engine could not be kept running.",
                None => "The engine could not be started.",
            };
            let retry = match self.shown {
                Some(_) => "Press Retry to try once more; the run on the screen stays.",
                None => "Press Retry to try once more.",
            };
            self.give_up(UserError::new(what, why, format!("{retry} {advice}").trim_end()));
        }
    }

    /// Down the ladder: where the page may choose, what failed on the GPU goes on on the CPU. What fails when all is
    /// loaded and nothing is ready fails at the device that was chosen.
    fn leave_gpu(&mut self, why: &str) -> bool {
        let from = match (&self.backend, &self.phase) {
            (Some(backend), _) if backend.rung == Rung::Webgpu => "the GPU failed",
            (None, Phase::Loading { loaded_bytes, total_bytes, .. }) if loaded_bytes == total_bytes => {
                "the automatic choice did not start"
            }
            _ => return false,
        };
        if self.backend_to_load() != BackendChoice::Auto {
            return false;
        }
        self.internals.gpu_failed = Some(format!("{from} ({why}); reload the page to try it again"));
        true
    }

    /// The advice also names the menu, where there is one.
    fn with_other_models(&self, error: UserError) -> UserError {
        match self.menu() {
            Some(menu) if menu.choices().len() > 1 => {
                UserError { try_this: format!("{} Or choose another model above.", error.try_this), ..error }
            }
            _ => error,
        }
    }

    fn give_up(&mut self, error: UserError) {
        self.stop_expecting();
        self.phase = Phase::Failed(error.clone());
        self.model = None;
        self.backend = None;
        // The worker, if there is one left, is ended together with its generation.
        self.internals.engine_generation += 1;
        if self.shown.is_some() {
            self.internals.announced = Some(Source::Recorded);
        }
        self.tell(error, true);
    }

    fn stop_expecting(&mut self) {
        self.coming = None;
        self.internals.stopping = None;
        self.internals.announced = None;
        self.end_shown();
    }

    /// Whatever the live run on the screen might still send is stale.
    pub(super) fn end_shown(&mut self) {
        if let Some(shown) = &self.shown
            && shown.run() != RECORDED_RUN
            && shown.finished.is_none()
        {
            self.shown = Some(Shared::new(shown.finished(FinishReason::Stopped)));
        }
    }

    pub(super) fn retry(&mut self) {
        if matches!(self.phase, Phase::Failed(_)) {
            self.internals.restarts = 0;
            self.internals.gpu_failed = None;
            self.internals.engine_generation += 1;
            self.phase = Phase::Starting;
            self.notice = None;
        }
    }

    /// The reader chooses from the menu. The one that failed to load may be chosen again.
    pub(super) fn choose_model(&mut self, manifest_url: &str) {
        let Some(choice) = self.menu().and_then(|menu| menu.find(manifest_url)) else { return };
        if manifest_url == self.config.manifest_url {
            return self.retry();
        }
        self.config.model = Some(choice.attribute());
        self.config.manifest_url = manifest_url.to_owned();
        self.internals.choices += 1;
        self.change_model();
    }

    /// Another model starts with its own routing. Until then the controls describe the run on the screen.
    pub(super) fn change_model(&mut self) {
        self.change_engine();
        if let Some(shown) = &self.shown {
            self.settings.show(&shown.request.routing);
        }
    }

    /// Another model or backend is asked for.
    pub(super) fn change_engine(&mut self) {
        self.stop_expecting();
        if matches!(self.phase, Phase::Failed(_)) {
            self.notice = None;
        }
        self.internals.touched.clear();
        self.internals.restarts = 0;
        self.internals.engine_generation += 1;
        self.model = None;
        self.backend = None;
        let recorded = self.config.backend == BackendChoice::Recorded;
        self.phase = if recorded { Phase::Recorded } else { Phase::Starting };
        if recorded && self.shown.is_some() {
            self.internals.announced = Some(Source::Recorded);
        }
    }
}
