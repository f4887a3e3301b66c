//! The training lab: an experiment, its two trainings, and what was asked of the worker that computes them.

use moe_trace::training::TrainSetting;
use moe_trace::{RunId, TrainCommand, TrainEvent, UserError};

use crate::run::shared::Shared;
use crate::run::training::Training;
use crate::settings::experiment::{Experiment, ExperimentName, TextName};
use crate::state::Effect;

/// What the reader asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    Experiment(ExperimentName),
    Text(TextName),
    Seed(u32),
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

    /// How many snapshots both have.
    pub fn num_snapshots(&self) -> usize {
        self.trainings.iter().flatten().map(|training| training.snapshots.len()).min().unwrap_or(0)
    }

    /// Do both still have the state that is shown? Where there were too many, some made way.
    pub fn can_rewind(&self) -> bool {
        let is_kept = |training: &Shared<Training>| {
            training.snapshot(self.looks_at).is_some_and(|snapshot| training.kept.contains(&snapshot.snapshot))
        };
        self.trainings.as_ref().is_some_and(|trainings| trainings.iter().all(is_kept))
    }

    pub(super) fn wish(&mut self, wish: Wish, effects: &mut Vec<Effect>) {
        match wish {
            Wish::Experiment(name) => self.choose(Experiment { name, ..self.experiment }, effects),
            Wish::Text(text) => self.choose(Experiment { text, ..self.experiment }, effects),
            Wish::Seed(seed) => self.choose(Experiment { seed, ..self.experiment }, effects),
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
        let requests = self.experiment.requests([self.next_run(), self.next_run()], &self.own_text);
        effects.extend(requests.iter().cloned().map(TrainCommand::Start).map(Effect::Train));
        self.trainings = Some(requests.map(Training::new).map(Shared::new));
    }

    fn stop(&mut self, effects: &mut Vec<Effect>) {
        self.ask(effects, |training| Some(TrainCommand::Stop(training.request.run)));
        (self.trainings, self.looks_at, self.problem) = (None, None, None);
    }

    fn fork(&mut self, effects: &mut Vec<Effect>) {
        let into = self.next_run();
        let at = self.looks_at.take();
        let Some([first, second]) = &mut self.trainings else { return };
        let Some(snapshot) = first.snapshot(at).map(|snapshot| snapshot.snapshot) else { return };
        effects.push(Effect::Train(TrainCommand::Stop(second.request.run)));
        let run = first.request.run;
        effects.push(Effect::Train(TrainCommand::Fork { run, snapshot, into }));
        let mut copy = Training::clone(first);
        copy.request.run = into;
        *second = Shared::new(copy);
    }

    /// From the worker. What is told of a training that was given up is ignored.
    pub(super) fn told(&mut self, event: &TrainEvent, effects: &mut Vec<Effect>) {
        match event {
            TrainEvent::Lost(error) => return self.give_up(error, effects),
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
        for training in self.trainings.iter_mut().flatten().filter(|training| training.request.run == run) {
            let mut next = Training::clone(training);
            next.take(event);
            *training = Shared::new(next);
        }
    }

    /// One alone compares nothing, so both end, and with them the worker: the next begin in a new one.
    fn give_up(&mut self, error: &UserError, effects: &mut Vec<Effect>) {
        self.problem = Some(error.clone());
        (self.trainings, self.looks_at) = (None, None);
        effects.push(Effect::EndTrainer);
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

    fn update(&mut self, change: impl Fn(&mut Training)) {
        for training in self.trainings.iter_mut().flatten() {
            let mut next = Training::clone(training);
            change(&mut next);
            *training = Shared::new(next);
        }
    }
}

fn changed(training: &Training, setting: TrainSetting) -> TrainCommand {
    TrainCommand::Change { run: training.request.run, setting }
}
