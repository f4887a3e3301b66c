//! The reducer: the state after an action, and what the world is asked for. Pure, so a test is a list of actions.

use std::rc::Rc;

use moe_trace::{Command, Source, UserError};

use crate::run::runs::Runs;
use crate::run::shared::Shared;
use crate::settings::activate::Activate;
use crate::settings::attributes::Config;
use crate::settings::{Setting, models};
use crate::state::in_step::TextsInStep;
use crate::state::lab::Lab;
use crate::state::worker::Chosen;
use crate::state::{Action, Effect, Engine, State};
use crate::words::problems::Problem;
use crate::words::tongue;

/// The model that the attributes ask for.
fn chosen(config: Config) -> Chosen {
    Chosen { model: config.model, manifest_url: config.manifest_url }
}

impl State {
    /// The state after `action`, and what to do then, in order.
    pub fn apply(&self, action: Action) -> (State, Vec<Effect>) {
        let mut next = self.clone();
        let mut effects = Vec::new();
        tongue::speak(self.speech.spoken());
        next.take(action, &mut effects);
        tongue::speak(next.speech.spoken());
        #[cfg(feature = "page")]
        next.go_on_with_lesson(&mut effects);
        next.count_prompt(&mut effects);
        #[cfg(feature = "page")]
        next.go_on_comparing(&mut effects);
        next.go_on_with_trial(&mut effects);
        next.go_on_in_background(&mut effects);
        next.derive(self);
        (next, effects)
    }

    /// Only an engine that is ready knows how long a prompt is.
    fn count_prompt(&mut self, effects: &mut Vec<Effect>) {
        match &self.worker.engine {
            Engine::Ready { loaded, .. } => self.controls.ask_for_count(loaded.model.max_tokens, effects),
            _ => self.controls.forget_count(),
        }
    }

    /// Comparisons have the engine while nobody else needs it.
    fn go_on_in_background(&mut self, effects: &mut Vec<Effect>) {
        let is_quiet = !self.awaits_replay && !self.controls.is_moving();
        if cfg!(feature = "page") {
            self.time_machine.go_on(&mut self.worker, effects);
            self.background.go_on(&mut self.worker, is_quiet, effects);
        }
    }

    /// Hands the action to the machine it is for.
    fn take(&mut self, action: Action, effects: &mut Vec<Effect>) {
        if action.is_of_reader() {
            self.screen.hand_over(&action);
        }
        #[cfg(feature = "page")]
        if self.rests(&action) {
            return;
        }
        #[cfg(feature = "page")]
        self.leave_comparison(&action, effects);
        self.is_used |= action.uses_engine();
        match action {
            Action::Configured { config, errors } => self.configure(*config, errors, effects),
            Action::Show { config, errors } => self.show(*config, errors, effects),
            Action::Seek(place) => self.screen.seek(place),
            Action::MenuRead(menu) => self.menu = Some(Rc::new(menu)),
            Action::ChooseModel { manifest_url } => self.choose_model(&manifest_url, effects),

            Action::ReplayBegan(recorded) => self.replay_began(recorded, effects),
            Action::ReplayFailed { why } => self.replay_failed(why, effects),
            Action::ReplayIsLate => self.stop_awaiting_replay(effects),
            Action::Engine(event) => self.on_event(event, effects),
            Action::NextEngine(event) => self.on_next_event(event, effects),
            Action::NextEngineLost(error) => {
                if self.is_trying() {
                    self.trial_failed(&error, effects);
                } else if self.next().is_some() {
                    self.change_engine(effects);
                }
            }
            Action::EngineLost(error) => self.engine_lost(error, effects),
            Action::Retry => self.retry(effects),
            Action::RemoveKept => effects.push(Effect::Post(Command::RemoveKept)),

            Action::Run { prompt } => {
                self.controls.ask_for_run(prompt);
                self.screen.follow_latest();
                self.worker.forgive();
                self.run(effects);
            }
            Action::Rerun => {
                if self.controls.take_rerun() {
                    self.worker.forgive();
                    self.run(effects);
                }
            }
            Action::Stop => self.worker.stop(effects),
            Action::Set(setting) => self.set(setting, effects),
            Action::Operate(operation) => {
                let next = self.surgery.operate(&self.controls.settings.interventions, operation);
                self.set(Setting::Interventions(next), effects);
            }
            Action::Slide(factor) => {
                let (trained, has_model) = (self.trained_routing(), self.model().is_some());
                self.controls.slide(factor, &trained, has_model);
            }
            Action::LetGo => {
                if self.controls.let_go() {
                    self.wake(effects);
                    if self.engine().is_ready() {
                        self.controls.rerun_after_rest(effects);
                    }
                }
            }

            Action::TogglePlay => {
                if let Some(extent) = self.extent() {
                    self.screen.toggle_play(extent);
                }
            }
            Action::PlayStory => self.play_story(),
            Action::MayPlay => {
                if self.may_play() {
                    self.play_story();
                }
            }
            Action::Tick => {
                if let Some(extent) = self.extent() {
                    let num_tokens = self.scene().map_or(0, |scene| scene.tokens.len());
                    self.screen.tick(extent, num_tokens);
                }
            }
            Action::StepBy(steps) => {
                let step = self.scene().map_or(0, |scene| scene.step);
                self.screen.go_to(step.saturating_add_signed(steps as isize), self.num_steps());
            }
            Action::StepTo(step) => self.screen.go_to(step, self.num_steps()),
            Action::SetSpeed(speed) => self.screen.playback.speed = speed,
            Action::Flip => self.bring_to_screen(Runs::flip),
            Action::ShowRun(run) => self.bring_to_screen(|runs| runs.show(run)),
            Action::CompareWith(run) => self.runs.compare_with(run),

            Action::Compare(purpose) => self.compare(purpose),
            Action::StopComparing(purpose) => self.stop_comparing(purpose, effects),
            Action::SetLabFactor(factor) => self.screen.lab_factor = Some(factor),
            Action::SetTextsInStep(texts) => self.in_step = TextsInStep { texts: Some(texts), step: None },
            Action::SelectStepInStep(step) => self.in_step.step = Some(step),
            Action::Judge(judged) => self.judge(judged, effects),
            Action::HeldOutCame(read) => self.held_out_came(read),
            Action::RouteThen => self.ask_time_machine(),
            Action::SetMoment(moment) => self.screen.moment = Some(moment),

            Action::Select { token, layer, expert } => self.screen.select(token, layer, expert),
            Action::SelectLayer(layer) => self.screen.select_layer(layer),
            Action::SelectExpert(expert) => self.screen.select_expert(expert),
            Action::Move(motion) => {
                if let Some(scene) = self.derived.scene() {
                    self.screen.move_selection(motion, scene);
                }
            }

            Action::ToggleHelp => self.screen.help_open = !self.screen.help_open,
            Action::CloseHelp => self.screen.help_open = false,
            Action::SetLetterKeys(heard) => {
                self.config.no_letter_keys = !heard;
                effects.push(Effect::SetLetterKeys(heard));
            }
            Action::SetTheme(theme) => self.screen.set_theme(theme, effects),
            Action::SetLanguage(language) => self.speech.choose(language, effects),
            Action::Learned { language, read } => {
                if let Some(problem) = self.speech.learned(language, read) {
                    self.notices.notify(problem, effects);
                }
            }
            Action::Try(method) => self.screen.method = method,
            Action::SetDepth(depth) => self.set_depth(depth, effects),
            Action::SetTab(tab) => self.screen.tab = tab,
            Action::OpenMicroStep(step) => self.screen.micro_step = step,
            Action::DismissNotice => self.notices.dismiss(),
            #[cfg(feature = "page")]
            Action::Lesson(turn) => self.turn(turn, effects),
            Action::Lab(wish) => self.in_lab(|lab| lab.wish(wish, effects)),
            Action::ModelCame { run, files } => self.in_lab(|lab| lab.model_came(run, files, effects)),
            Action::Trained(event) => self.in_lab(|lab| lab.told(&event, effects)),
            Action::LabTexts(fetched) => self.in_lab(|lab| lab.fetched(&fetched, effects)),
        }
    }

    /// Another run comes to the screen, and the controls say how it was made: a change begins from there.
    fn bring_to_screen(&mut self, bring: impl FnOnce(&mut Runs)) {
        let left = self.on_screen().map(|run| run.request.prompt.clone());
        bring(&mut self.runs);
        let Some(run) = self.on_screen().cloned() else { return };
        // What was moved a moment ago and is not run yet was meant for the other one.
        self.controls.take_rerun();
        if self.model().is_none_or(|model| models::are_same(model, &run.model)) {
            self.controls.show_run(&run.request, left.as_deref(), &run.model.trained_routing);
        }
    }

    pub(super) fn in_lab(&mut self, change: impl FnOnce(&mut Lab)) {
        // A figure's module has no panel that asks for a training.
        if !cfg!(feature = "page") {
            return;
        }
        let mut lab = Lab::clone(&self.lab);
        change(&mut lab);
        if lab != *self.lab {
            self.lab = Shared::new(lab);
        }
    }

    pub(super) fn set(&mut self, setting: Setting, effects: &mut Vec<Effect>) {
        // What is moved while another model loads is meant for that one too.
        let has_model = self.model().is_some() && self.next().is_none();
        let (trained, can_rerun) = (self.trained_routing(), self.engine().is_ready());
        if self.controls.set(setting, &trained, has_model, can_rerun, effects) {
            self.wake(effects);
        }
    }

    /// The reader did something that an engine would answer; it may have waited for that.
    pub(super) fn wake(&mut self, effects: &mut Vec<Effect>) {
        if self.config.activate() == Activate::Interaction {
            self.worker.wake(effects);
        }
    }

    /// Asks for a run with the settings as they are, or says why there cannot be one.
    fn run(&mut self, effects: &mut Vec<Effect>) {
        self.controls.take_rerun();
        if let Some(problem) = self.prompt_problem() {
            return self.notices.notify_failure(problem.into(), effects);
        }
        match &self.worker.engine {
            Engine::Ready { .. } => {
                let run = self.worker.next_run();
                let request = self.controls.settings.request(run, &self.trained_routing());
                self.runs.end_live();
                self.worker.work_on(request, effects);
            }
            // It runs with the settings of that moment as soon as the engine is ready.
            Engine::Held => self.worker.wake(effects),
            Engine::Starting | Engine::Loading(_) => {}
            Engine::Absent => self.notices.notify_failure(Problem::OnlyRecorded, effects),
            Engine::Failed(problem) => self.notices.notify_failure(problem.clone(), effects),
        }
    }

    /// A run that nobody asked for just now. A prompt that cannot run is explained when somebody does.
    pub(super) fn run_unasked(&mut self, effects: &mut Vec<Effect>) {
        if self.prompt_problem().is_none() {
            self.run(effects);
        }
    }

    fn configure(&mut self, config: Config, errors: Vec<UserError>, effects: &mut Vec<Effect>) {
        let before = std::mem::replace(&mut self.config, config);
        let trained = self.trained_routing();
        let has_new_settings = self.controls.take_overrides(&before.overrides, &self.config.overrides, &trained);
        if before.theme != self.config.theme {
            self.screen.set_theme(self.config.theme, effects);
        }
        if (before.language, before.own_language) != (self.config.language, self.config.own_language) {
            self.speech.take(self.config.language, self.config.own_language, effects);
        }
        if before.depth != self.config.depth {
            self.screen.depth = self.config.depth;
        }
        if before.method != self.config.method {
            self.screen.method = self.config.method;
        }
        if before.place != self.config.place {
            self.screen.seek(self.config.place);
        }
        if before.experiment != self.config.experiment {
            let experiment = self.config.experiment.unwrap_or_default();
            self.in_lab(|lab| lab.choose(experiment, effects));
        }
        if before.batch != self.config.batch {
            self.in_step = TextsInStep::of(self.config.batch.as_deref());
        }
        #[cfg(feature = "page")]
        if before.against != self.config.against {
            self.await_against(self.config.against.clone(), effects);
        }
        if before.lab_factor != self.config.lab_factor {
            self.screen.lab_factor = self.config.lab_factor;
        }
        if before.moment != self.config.moment {
            self.screen.moment = self.config.moment;
        }
        if before.micro_step != self.config.micro_step {
            self.screen.micro_step = self.config.micro_step.unwrap_or_default();
        }
        self.take_lesson(before.lesson.as_ref(), effects);
        let has_new_replay = before.trace_url != self.config.trace_url;
        if has_new_replay {
            self.change_replay(effects);
        }
        if before.backend != self.config.backend {
            self.worker.forget_left_gpu();
        }
        let engine_of = |config: &Config| (config.backend, config.base_url.clone());
        if engine_of(&before) != engine_of(&self.config) {
            self.change_engine(effects);
        } else if before.manifest_url != self.config.manifest_url {
            self.change_model(chosen(before), effects);
        } else if has_new_settings && self.engine().is_ready() {
            self.controls.rerun_after_rest(effects);
        }
        match self.config.activate() {
            Activate::Auto => self.worker.wake(effects),
            // It is how a page answers a reader.
            Activate::Interaction if has_new_settings => self.worker.wake(effects),
            Activate::Interaction | Activate::Manual => {}
        }
        if has_new_replay && self.engine().is_ready() && self.engine().job().is_none() {
            effects.push(Effect::AwaitReplay);
        }
        self.notices.notify_attributes(errors, effects);
    }

    /// The inverse of `shown`. Recorded run and backend stay as the author wants them; panels are the element's to show,
    /// since another module may have them.
    fn show(&mut self, config: Config, errors: Vec<UserError>, effects: &mut Vec<Effect>) {
        if config.manifest_url != self.config.manifest_url {
            let before = chosen(self.config.clone());
            self.config.manifest_url = config.manifest_url;
            self.config.model = config.model.clone();
            self.change_model(before, effects);
            effects.push(Effect::SetModel(config.model.unwrap_or_default()));
        }
        let (trained, has_model) = (self.trained_routing(), self.model().is_some());
        if self.controls.replace(&config.overrides, &trained, has_model) {
            if self.engine().is_ready() {
                self.controls.rerun_after_rest(effects);
            } else if self.scene().is_some() {
                self.wake(effects);
            }
        }
        self.screen.set_theme(config.theme, effects);
        self.speech.take(config.language, config.own_language, effects);
        self.screen.depth = config.depth;
        self.screen.method = config.method;
        if self.in_step.texts.as_deref() != config.batch.as_deref() {
            self.in_step = TextsInStep::of(config.batch.as_deref());
        }
        #[cfg(feature = "page")]
        {
            self.runs.stand_alone();
            self.await_against(config.against, effects);
        }
        self.screen.lab_factor = config.lab_factor;
        self.screen.moment = config.moment;
        self.screen.show_place(config.place);
        self.in_lab(|lab| lab.choose(config.experiment.unwrap_or_default(), effects));
        self.screen.micro_step = config.micro_step.unwrap_or_default();
        if config.lesson != self.config.lesson {
            let before = std::mem::replace(&mut self.config.lesson, config.lesson);
            effects.push(Effect::SetLesson(self.config.lesson.clone().unwrap_or_default()));
            self.take_lesson(before.as_ref(), effects);
        }
        self.notices.notify_attributes(errors, effects);
    }

    /// Opens the lesson of the configuration, where it was another before. A figure's module has none: the element loads
    /// the page's for it.
    fn take_lesson(&mut self, before: Option<&String>, effects: &mut Vec<Effect>) {
        #[cfg(feature = "page")]
        if self.config.lesson.as_ref() != before {
            self.open_lesson(self.config.lesson.clone(), effects);
        }
        #[cfg(not(feature = "page"))]
        let _ = (before, effects);
    }

    /// The reader chooses from the menu. The one that failed to load may be chosen again.
    pub(super) fn choose_model(&mut self, manifest_url: &str, effects: &mut Vec<Effect>) {
        let Some(choice) = self.menu().and_then(|menu| menu.find(manifest_url)) else { return };
        if manifest_url == self.config.manifest_url {
            return self.retry(effects);
        }
        let attribute = choice.attribute();
        let before = chosen(self.config.clone());
        self.config.model = Some(attribute.clone());
        self.config.manifest_url = manifest_url.to_owned();
        self.change_model(before, effects);
        self.worker.wake(effects);
        effects.push(Effect::SetModel(attribute));
    }

    /// Another model starts with its own routing. Until it is ready an engine that works goes on, and the controls
    /// describe the run on the screen.
    fn change_model(&mut self, before: Chosen, effects: &mut Vec<Effect>) {
        if self.engine().is_ready() {
            self.controls.forget_moved();
            return self.worker.load_beside(before, &self.config.manifest_url, effects);
        }
        self.change_engine(effects);
        if let Some(shown) = self.runs.latest() {
            self.controls.show(&shown.request, &shown.model.trained_routing);
        }
    }

    /// Another model or backend is asked for, and nothing can go on meanwhile.
    pub(super) fn change_engine(&mut self, effects: &mut Vec<Effect>) {
        self.runs.end_live();
        if matches!(self.engine(), Engine::Failed(_)) {
            self.notices.dismiss();
        }
        self.controls.forget_moved();
        self.worker.change(self.config.backend, self.config.activate(), effects);
        if !self.engine().is_expected() {
            self.announce_recorded(effects);
        }
    }

    fn retry(&mut self, effects: &mut Vec<Effect>) {
        if self.worker.retry(effects) {
            self.notices.dismiss();
        }
    }

    /// Without an engine the run on the screen is all there is.
    pub(super) fn announce_recorded(&mut self, effects: &mut Vec<Effect>) {
        match self.runs.latest() {
            // An earlier live run is a recorded one now.
            Some(shown) if shown.is_live() => self.worker.announce(Source::Recorded, Some(&shown.model), effects),
            Some(shown) => self.worker.announce(shown.source, Some(&shown.model), effects),
            None => self.worker.unannounce(),
        }
    }
}
