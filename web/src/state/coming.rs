//! What comes from the engine and from the recorded run, and which of it still counts.

use moe_trace::{Event, FinishReason, RunId, SentStep, UserError};

use crate::run::recording::{RECORDED_RUN, Recording};
use crate::run::shared::Shared;
use crate::state::engine::Kept;
use crate::state::progress::Arrived;
use crate::state::worker::Loss;
use crate::state::{Effect, State};
use crate::words::problems::Problem;

impl State {
    pub(super) fn on_event(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Progress { part, loaded_bytes, total_bytes, from_cache, at_ms } => {
                self.worker.progress(part, Arrived { loaded_bytes, total_bytes, from_cache }, at_ms);
                effects.extend(self.waiting().map(Effect::EmitProgress));
            }
            Event::Ready { model, backend } => {
                if self.worker.ready(model, backend) {
                    self.on_ready(effects);
                }
            }
            Event::Step { trace, elapsed_ms } => self.on_step(trace, elapsed_ms, effects),
            Event::Counted { text, num_tokens } => self.controls.count_came(text, num_tokens),
            Event::RoutedThen(history) => self.time_machine.take_history(history),
            Event::Finished { run, reason } => self.on_finished(run, reason, effects),
            Event::Failed { run, error, fatal } => self.on_failed(run, error, fatal, effects),
            Event::Kept { bytes, why_not } => self.kept = Some(Kept { bytes, why_not }),
            Event::Offered { .. } => self.on_offered(),
            Event::Declined { why } => self.decline(why, effects),
            Event::Unstartable(error) => self.cannot_load(Problem::Told(error), effects),
            // The page has no trainer yet, so nobody says anything of one.
        }
    }

    /// What the worker says that loads another model, or tries another rung.
    pub(super) fn on_next_event(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            event if self.is_trying() => self.on_trial_event(event, effects),
            Event::Progress { part, loaded_bytes, total_bytes, from_cache, at_ms } => {
                if let Some(next) = &mut self.worker.next {
                    let arrived = Arrived { loaded_bytes, total_bytes, from_cache };
                    next.progress.get_or_insert_default().hear(part, arrived, at_ms);
                }
                effects.extend(self.waiting().map(Effect::EmitProgress));
            }
            Event::Ready { model, backend } => {
                if self.worker.take_over(model, backend, effects) {
                    self.runs.end_live();
                    self.on_ready(effects);
                }
            }
            // There may not be room for two.
            Event::Failed { fatal: true, .. } if self.next().is_some() => self.change_engine(effects),
            Event::Failed { error, .. } | Event::Unstartable(error) => self.next_failed(error, effects),
            Event::Kept { .. } => self.on_event(event, effects),
            // It was not asked for anything else.
            Event::Step { .. }
            | Event::RoutedThen(_)
            | Event::Counted { .. }
            | Event::Finished { .. }
            | Event::Offered { .. }
            | Event::Declined { .. } => {}
        }
    }

    /// The engine goes on, and so does its choice.
    fn next_failed(&mut self, error: UserError, effects: &mut Vec<Effect>) {
        let Some(before) = self.worker.end_next(effects) else { return };
        self.config.manifest_url = before.manifest_url;
        self.config.model = before.model.clone();
        effects.push(Effect::SetModel(before.model.unwrap_or_default()));
        let goes_on = self.model().map(|model| model.name.clone()).unwrap_or_default();
        self.notices.notify(Problem::SwitchFailed { error, goes_on }, effects);
    }

    fn on_ready(&mut self, effects: &mut Vec<Effect>) {
        self.route_as_trained();
        // The recorded run turns live: the same request, on this machine.
        if self.awaits_replay {
            effects.push(Effect::AwaitReplay);
        } else {
            self.run_unasked(effects);
        }
        if let Some(source) = self.worker.loaded().map(|loaded| loaded.source()) {
            self.worker.announce(source, None, effects);
        }
    }

    /// A step of the engine's job, or of a recorded run; any other is a stale worker's.
    fn on_step(&mut self, trace: SentStep, elapsed_ms: f32, effects: &mut Vec<Effect>) {
        if self.background.take_step(&trace, elapsed_ms) {
            return;
        }
        let run = trace.run();
        let is_live = self.engine().is_at(run);
        match self.runs.get(run) {
            None => {
                let Some(began) = self.coming().and_then(|coming| coming.with_step(trace, Some(elapsed_ms))) else {
                    return;
                };
                self.runs.begin(began);
                self.notices.step_came();
            }
            Some(kept) if is_live || !kept.is_live() => {
                if !self.runs.add_step(trace, is_live.then_some(elapsed_ms)) {
                    return;
                }
                if let Some(recorded) = self.runs.get(run).filter(|run| !run.is_live() && run.steps.len() == 1) {
                    self.screen.show_first_drop(recorded);
                }
            }
            Some(_) => return,
        }
        let taken = self.runs.get(run).and_then(|run| run.steps.last());
        effects.extend(taken.cloned().map(Effect::EmitStep));
    }

    fn on_finished(&mut self, run: RunId, reason: FinishReason, effects: &mut Vec<Effect>) {
        if self.background.take_end(run, reason) {
            return;
        }
        if self.worker.end_job(run) {
            // Only a whole run is proof: one that dies at every second step would be started again for ever.
            self.worker.forgive();
            self.job_is_over(effects);
            effects.push(Effect::EmitFinished { run, reason });
            self.offer_to_play(effects);
            self.rest_on_event();
        }
        self.runs.finish(run, reason);
        if let Some(ended) = self.runs.get(run).filter(|ended| ended.is_live()) {
            self.positions.count(ended);
        }
        if run != RECORDED_RUN {
            return;
        }
        if !self.engine().is_expected() {
            self.announce_recorded(effects);
        }
        // The step that lost a request may have arrived after the first one was shown.
        let is_calm = |scene: &crate::run::scene::Scene| {
            !scene.recording.is_live() && scene.step == 0 && scene.totals().lost == 0
        };
        if let Some(shown) = self.runs.latest()
            && self.derived.scene().is_some_and(|scene| is_calm(scene))
        {
            self.screen.show_first_drop(shown);
        }
    }

    fn on_failed(&mut self, run: Option<RunId>, error: UserError, fatal: bool, effects: &mut Vec<Effect>) {
        match run {
            _ if fatal => self.engine_lost(error, effects),
            Some(run) => {
                if self.background.take_failure(run, &error) || self.time_machine.take_failure(run, &error) {
                    return;
                }
                if self.worker.end_job(run) {
                    self.runs.end_live();
                    self.controls.refuse();
                    self.job_is_over(effects);
                    self.notices.notify_failure(Problem::Told(error), effects);
                }
            }
            // A missing model stays missing, however often one asks.
            None if self.engine().is_loading() => {
                let has_others = self.menu().is_some_and(|menu| menu.choices().len() > 1);
                let problem = Problem::ModelMissing { error, has_others };
                self.cannot_load(problem, effects);
            }
            None => self.notices.notify(Problem::Told(error), effects),
        }
    }

    /// Another worker would meet the same.
    fn cannot_load(&mut self, problem: Problem, effects: &mut Vec<Effect>) {
        if self.engine().is_loading() {
            self.worker.give_up(problem.clone(), effects);
            self.engine_given_up(problem, effects);
        }
    }

    fn job_is_over(&self, effects: &mut Vec<Effect>) {
        if self.awaits_replay {
            effects.push(Effect::AwaitReplay);
        }
    }

    /// What `error` would have the reader try counts once the engine is given up.
    pub(super) fn engine_lost(&mut self, error: UserError, effects: &mut Vec<Effect>) {
        if !self.engine().is_expected() {
            return;
        }
        self.background.take_loss(&error);
        self.time_machine.take_loss(&error);
        self.worker.end_next(effects);
        self.worker.trial.end(effects);
        self.runs.end_live();
        let has_run = self.runs.latest().is_some();
        match self.worker.lose(error, self.config.backend, has_run, effects) {
            Loss::Restarted(problem) => self.notices.notify(problem, effects),
            Loss::GivenUp(problem) => self.engine_given_up(problem, effects),
        }
    }

    fn engine_given_up(&mut self, problem: Problem, effects: &mut Vec<Effect>) {
        self.runs.end_live();
        self.announce_recorded(effects);
        self.notices.notify_failure(problem, effects);
    }

    /// Another recorded run is to be shown. The one before stays until then.
    pub(super) fn change_replay(&mut self, effects: &mut Vec<Effect>) {
        self.awaits_replay = true;
        effects.push(Effect::FetchReplay);
        if !self.engine().is_expected() {
            self.worker.unannounce();
        }
    }

    /// A recorded run stands on the screen before its first step is there; a live run is never replaced by it.
    pub(super) fn replay_began(&mut self, recorded: Shared<Recording>, effects: &mut Vec<Effect>) {
        let nothing_came = self.runs.latest().is_none() && self.engine().job().is_none();
        // One that comes too late changes nothing any more, unless there is nothing else.
        if self.awaits_replay || nothing_came {
            let loaded = self.worker.loaded().map(|loaded| loaded.model.clone());
            self.controls.adopt(&recorded, loaded.as_deref(), &self.config.overrides);
            self.route_as_trained();
            self.runs.end_recorded();
            if self.runs.latest().is_none_or(|latest| !latest.is_live()) {
                self.runs.replace_recorded(recorded);
                self.screen.rewind();
            }
        }
        self.stop_awaiting_replay(effects);
    }

    pub(super) fn replay_failed(&mut self, why: String, effects: &mut Vec<Effect>) {
        if self.runs.latest().is_none_or(|latest| !latest.is_live()) {
            self.notices.notify(Problem::RecordedRunMissing { why }, effects);
        }
        self.stop_awaiting_replay(effects);
    }

    /// The first live run waits for the recorded one's settings, and repeats it; so it does when another is recorded.
    pub(super) fn stop_awaiting_replay(&mut self, effects: &mut Vec<Effect>) {
        let is_news = std::mem::take(&mut self.awaits_replay);
        if is_news && self.engine().is_ready() {
            let live = self.runs.latest().filter(|latest| latest.is_live()).map(|latest| &*latest.request);
            let live = self.engine().job().map(|job| &job.request).or(live);
            let wanted = |run: RunId| self.controls.settings.request(run, &self.trained_routing());
            if live.is_none_or(|live| *live != wanted(live.run)) {
                self.run_unasked(effects);
            }
        }
    }

    fn route_as_trained(&mut self) {
        if let Some(loaded) = self.worker.loaded().cloned()
            && self.controls.route_as_trained(&loaded.model, &self.config.overrides)
        {
            self.surgery.forget();
        }
    }
}
