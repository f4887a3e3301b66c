//! The training lab: an experiment, its two trainings, and what was asked of the worker that computes them.

mod adapters;
mod saved;
mod texts;

use moe_trace::adapting::ModelFiles;
use moe_trace::experiment::new_experts;
use moe_trace::training::{Distilling, KindText, TrainSetting};
use moe_trace::{RunId, TrainCommand, TrainEvent, UserError};

use crate::run::shared::Shared;
use crate::run::training::Training;
use crate::settings::experiment::{Experiment, ExperimentName, Knobs, TextName};
use crate::state::Effect;
use crate::words::tongue;
pub use adapters::{AdapterWish, Adapters};
pub use saved::{ChosenFile, MOST_BYTES};
pub use texts::Fetched;

/// How long experts teach: the time that a reader waits for.
const DISTILLING: Distilling = Distilling { layer_steps: 50, text_steps: 100 };

/// What the reader asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    Experiment(ExperimentName),
    Text(TextName),
    Seed(u32),
    /// A value of the knob with this number, for both.
    Knob {
        at: usize,
        value: u32,
    },
    /// Sizes and settings as the preset has them.
    UsualKnobs,
    OwnText(String),
    /// Both trainings, from nothing.
    Start,
    Pause,
    Resume,
    /// So many steps of each.
    Step(u32),
    /// Forget the trainings.
    Stop,
    LearningRate(f32),
    /// Of a training, the first or the second, the first of its losses.
    Coefficient {
        side: usize,
        value: f32,
    },
    /// Show this snapshot, or the newest.
    Look(Option<usize>),
    /// Go on from the snapshot that is shown.
    Rewind,
    /// Make the second a copy of the first, at the snapshot that is shown.
    Fork,
    /// Of a side with a dense feed-forward: copy it into experts.
    MakeExperts {
        side: usize,
        noise: f32,
    },
    /// Of a side with experts: average them into one.
    MergeExperts(usize),
    /// Of a side with experts: let one learn what they say.
    DistilExperts(usize),
    /// Of a worker that is gone: go on from what was saved, in another one.
    Revive,
    /// The newest state of a side, as a file.
    Save(usize),
    /// Trainings that were saved, in place of what is there.
    Open(Vec<ChosenFile>),
    /// Of adapters beside the page's model.
    Adapt(AdapterWish),
}

/// The lab's part of the state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lab {
    pub experiment: Experiment,
    /// The reader's text. It is in no link, and leaves the machine nowhere.
    pub own_text: String,
    pub trainings: Option<[Shared<Training>; 2]>,
    /// The snapshot that is shown; `None` for the newest.
    pub looks_at: Option<usize>,
    pub problem: Option<UserError>,
    /// The worker is gone, and the trainings with it; what they told is still here.
    pub is_lost: bool,
    /// Trainings that were saved and are on their way to take the place of these.
    pub opening: Option<[Shared<Training>; 2]>,
    pub adapters: Adapters,
    /// Texts that came with the page, as far as they were fetched.
    texts: Vec<KindText>,
    /// They are fetched, and then both trainings start.
    pub is_fetching: bool,
    num_runs: u32,
}

impl Lab {
    pub fn new(experiment: Option<Experiment>) -> Lab {
        Lab { experiment: experiment.unwrap_or_default(), ..Lab::default() }
    }

    /// The lab before anything was done in it: one for all who are not to see more.
    pub fn untouched() -> Shared<Lab> {
        thread_local! {
            static UNTOUCHED: Shared<Lab> = Shared::new(Lab::default());
        }
        UNTOUCHED.with(Shared::clone)
    }

    /// Does a training go on by itself?
    pub fn is_running(&self) -> bool {
        self.trainings.iter().flatten().any(|training| !training.is_resting)
    }

    /// What the first and the second are called.
    pub fn sides(&self) -> [String; 2] {
        let name = |side: usize| self.trainings.as_ref().and_then(|trainings| trainings[side].name.clone());
        [0, 1].map(|side| {
            name(side).unwrap_or_else(|| tongue::translated(self.experiment.name.preset().sides[side]).into_owned())
        })
    }

    /// Are they from files, and not the experiment that is chosen?
    pub fn is_opened(&self) -> bool {
        self.trainings.as_ref().is_some_and(|trainings| trainings[0].name.is_some())
    }

    /// How many snapshots both have.
    pub fn num_snapshots(&self) -> usize {
        self.trainings.iter().flatten().map(|training| training.snapshots.len()).min().unwrap_or(0)
    }

    /// Do both still have the state that is shown? Where there were too many, some made way.
    pub fn can_rewind(&self) -> bool {
        let is_kept = |training: &Shared<Training>| {
            training.snapshot(self.looks_at).is_some_and(|snapshot| training.kept.contains(&snapshot.snapshot))
        };
        !self.is_lost && self.trainings.as_ref().is_some_and(|trainings| trainings.iter().all(is_kept))
    }

    pub(super) fn wish(&mut self, wish: Wish, effects: &mut Vec<Effect>) {
        if self.is_lost && wish.is_for_worker() {
            return;
        }
        match wish {
            Wish::Experiment(name) => self.choose(Experiment { name, ..self.experiment }, effects),
            Wish::Text(text) => self.choose(Experiment { text, ..self.experiment }, effects),
            Wish::Seed(seed) => self.choose(Experiment { seed, ..self.experiment }, effects),
            Wish::Knob { at, value } => {
                self.choose(Experiment { knobs: self.experiment.knobs.with(at, value), ..self.experiment }, effects);
            }
            Wish::UsualKnobs => self.choose(Experiment { knobs: Knobs::default(), ..self.experiment }, effects),
            Wish::OwnText(text) => self.own_text = text,
            Wish::Start => self.start(effects),
            Wish::Pause => self.ask(effects, |training| Some(TrainCommand::Pause(training.request.run))),
            Wish::Resume => {
                self.looks_at = None;
                self.update(|training| training.is_resting = false);
                self.ask(effects, |training| Some(TrainCommand::Resume(training.request.run)));
            }
            Wish::Step(num_steps) => {
                self.looks_at = None;
                self.update(|training| training.is_resting = false);
                let step = |training: &Training| TrainCommand::Step { run: training.request.run, num_steps };
                self.ask(effects, |training| Some(step(training)));
            }
            Wish::Stop => self.stop(effects),
            Wish::LearningRate(rate) => {
                let setting = TrainSetting::LearningRate(rate);
                self.ask(effects, |training| Some(changed(training, setting.clone())));
            }
            Wish::Coefficient { side, value } => {
                let Some(training) = self.trainings.as_ref().and_then(|trainings| trainings.get(side)) else { return };
                let setting = TrainSetting::Losses(training.losses_with(0, value));
                effects.push(Effect::Train(changed(training, setting)));
            }
            Wish::Look(at) => self.looks_at = at.filter(|at| at + 1 < self.num_snapshots()),
            Wish::Rewind => {
                let at = self.looks_at.take();
                self.ask(effects, |training| {
                    let snapshot = training.snapshot(at)?.snapshot;
                    Some(TrainCommand::Rewind { run: training.request.run, snapshot })
                });
            }
            Wish::Fork => self.fork(effects),
            Wish::MakeExperts { side, noise } => {
                let experts = new_experts(noise);
                self.ask_side(side, effects, |run| TrainCommand::Upcycle { run, experts });
            }
            Wish::MergeExperts(side) => self.ask_side(side, effects, TrainCommand::Merge),
            Wish::DistilExperts(side) => {
                self.ask_side(side, effects, |run| TrainCommand::Distil { run, plan: DISTILLING });
                self.goes_on(side);
            }
            Wish::Revive => self.revive(effects),
            Wish::Save(side) => self.keep_file(side, effects),
            Wish::Open(files) => self.open(&files, effects),
            Wish::Adapt(wish) => {
                let run = self.next_run();
                self.adapters.wish(wish, &self.own_text, run, effects);
            }
        }
    }

    /// Another experiment. Trainings of the one before are over.
    pub(super) fn choose(&mut self, experiment: Experiment, effects: &mut Vec<Effect>) {
        if self.experiment != experiment {
            self.stop(effects);
            self.experiment = experiment;
        }
    }

    fn start(&mut self, effects: &mut Vec<Effect>) {
        self.stop(effects);
        if !self.has_texts(effects) {
            return;
        }
        let requests = self.experiment.requests([self.next_run(), self.next_run()], &self.own_text, &self.texts);
        effects.extend(requests.iter().cloned().map(TrainCommand::Start).map(Effect::Train));
        self.trainings = Some(requests.map(Training::new).map(Shared::new));
    }

    fn stop(&mut self, effects: &mut Vec<Effect>) {
        self.give_up_opening(effects);
        if !self.is_lost {
            self.ask(effects, |training| Some(TrainCommand::Stop(training.request.run)));
        }
        (self.trainings, self.looks_at, self.problem, self.is_lost) = (None, None, None, false);
        self.is_fetching = false;
    }

    fn fork(&mut self, effects: &mut Vec<Effect>) {
        let into = self.next_run();
        let at = self.looks_at.take();
        let [name, _] = self.sides();
        let Some([first, second]) = &mut self.trainings else { return };
        let Some(snapshot) = first.snapshot(at).map(|snapshot| snapshot.snapshot) else { return };
        effects.push(Effect::Train(TrainCommand::Stop(second.request.run)));
        let run = first.request.run;
        effects.push(Effect::Train(TrainCommand::Fork { run, snapshot, into }));
        let mut copy = Training::clone(first);
        copy.request.run = into;
        copy.name = Some(say!("copy of {name}", name));
        *second = Shared::new(copy);
    }

    pub(super) fn model_came(&mut self, run: RunId, files: Result<ModelFiles, String>, effects: &mut Vec<Effect>) {
        self.adapters.model_came(run, files, effects);
    }

    /// From the worker. What is told of a training that was given up is ignored.
    pub(super) fn told(&mut self, event: &TrainEvent, effects: &mut Vec<Effect>) {
        if self.adapters.told(event) {
            let failed = matches!(event, TrainEvent::Failed { .. });
            if failed && self.adapters.is_idle() && self.has_none() {
                effects.push(Effect::EndTrainer);
            }
            return;
        }
        match event {
            TrainEvent::Lost(error) => {
                let had_adapters = !self.adapters.is_idle();
                self.adapters.lose(error);
                if had_adapters && self.has_none() {
                    // The matter is theirs.
                    return effects.push(Effect::EndTrainer);
                }
                return self.give_up(error, effects);
            }
            _ if event.run().is_some_and(|run| self.is_opening(run)) => return self.told_opening(event, effects),
            TrainEvent::Failed { run, error, fatal } if self.is_of(*run) => {
                let has_begun = self.trainings.iter().flatten().any(|training| !training.snapshots.is_empty());
                if *fatal || !has_begun {
                    return self.give_up(error, effects);
                }
                self.problem = Some(error.clone());
                return;
            }
            _ => {}
        }
        let Some(run) = event.run() else { return };
        if matches!(event, TrainEvent::Step(_)) && self.is_of(run) {
            self.problem = None;
        }
        if self.is_lost {
            return;
        }
        if let Some(trainings) = &mut self.trainings {
            saved::take(trainings, event);
        }
        if matches!(event, TrainEvent::Saved { .. }) {
            self.forget_saved();
        }
    }

    /// One alone compares nothing, so both end, and with them the worker: the next begin in a new one. Where both were
    /// saved, they stay on the screen and can go on from there.
    fn give_up(&mut self, error: &UserError, effects: &mut Vec<Effect>) {
        self.end_worker(effects);
        (self.problem, self.opening) = (Some(error.clone()), None);
        self.is_lost = self.safe_steps().is_some();
        if self.is_lost {
            self.update(|training| training.is_resting = true);
        } else {
            (self.trainings, self.looks_at) = (None, None);
        }
    }

    /// Is there no training, and none on its way?
    fn has_none(&self) -> bool {
        self.trainings.is_none() && self.opening.is_none()
    }

    /// The worker ends, unless it has adapters: then only what else it has.
    fn end_worker(&mut self, effects: &mut Vec<Effect>) {
        if self.adapters.is_idle() {
            effects.push(Effect::EndTrainer);
        } else {
            self.give_up_opening(effects);
            self.ask(effects, |training| Some(TrainCommand::Stop(training.request.run)));
        }
    }

    fn is_opening(&self, run: RunId) -> bool {
        self.opening.iter().flatten().any(|training| training.request.run == run)
    }

    fn is_of(&self, run: RunId) -> bool {
        self.trainings.iter().flatten().any(|training| training.request.run == run)
    }

    fn next_run(&mut self) -> RunId {
        self.num_runs += 1;
        RunId(self.num_runs)
    }

    fn ask(&self, effects: &mut Vec<Effect>, command: impl Fn(&Training) -> Option<TrainCommand>) {
        let commands = self.trainings.iter().flatten().filter_map(|training| command(training));
        effects.extend(commands.map(Effect::Train));
    }

    fn ask_side(&self, side: usize, effects: &mut Vec<Effect>, command: impl Fn(RunId) -> TrainCommand) {
        let training = self.trainings.as_ref().and_then(|trainings| trainings.get(side));
        effects.extend(training.map(|training| Effect::Train(command(training.request.run))));
    }

    /// Until it says that it rests.
    fn goes_on(&mut self, side: usize) {
        if let Some(training) = self.trainings.as_mut().and_then(|trainings| trainings.get_mut(side)) {
            let mut next = Training::clone(training);
            next.is_resting = false;
            *training = Shared::new(next);
        }
    }

    fn update(&mut self, change: impl Fn(&mut Training)) {
        for training in self.trainings.iter_mut().flatten() {
            let mut next = Training::clone(training);
            change(&mut next);
            *training = Shared::new(next);
        }
    }
}

impl Wish {
    /// Does it need the worker that has the trainings?
    fn is_for_worker(&self) -> bool {
        match self {
            Wish::Pause
            | Wish::Resume
            | Wish::Step(_)
            | Wish::LearningRate(_)
            | Wish::Coefficient { .. }
            | Wish::Rewind
            | Wish::Fork
            | Wish::MakeExperts { .. }
            | Wish::MergeExperts(_)
            | Wish::DistilExperts(_) => true,
            Wish::Experiment(_)
            | Wish::Text(_)
            | Wish::Seed(_)
            | Wish::Knob { .. }
            | Wish::UsualKnobs
            | Wish::OwnText(_)
            | Wish::Start
            | Wish::Stop
            | Wish::Look(_)
            | Wish::Revive
            | Wish::Save(_)
            | Wish::Adapt(_)
            | Wish::Open(_) => false,
        }
    }
}

fn changed(training: &Training, setting: TrainSetting) -> TrainCommand {
    TrainCommand::Change { run: training.request.run, setting }
}
