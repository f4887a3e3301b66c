//! What is computed from the rest of the state, each value with the key it was computed from.

use std::rc::Rc;

use moe_trace::{GateHistory, RoutingGroup, RoutingSpec, RunRequest};

use crate::run::compare::{self, Change};
use crate::run::drops::Drops;
use crate::run::experts::muting::Muting;
use crate::run::experts::sample::Sample;
use crate::run::experts::{Experts, open_expert};
use crate::run::findings::{Findings, Measured};
use crate::run::history::{self, Entry};
use crate::run::in_step::InStep;
use crate::run::moments::Moments;
use crate::run::pair::Pair;
use crate::run::policies::PolicyLab;
use crate::run::positions::{ByPosition, Positions};
use crate::run::recording::Recording;
use crate::run::runs::Runs;
use crate::run::scene::{Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::run::tried::Tried;
use crate::run::what_if;
use crate::settings::depth::Depth;
use crate::settings::method::Method;
use crate::settings::view::View;
use crate::state::background::EngineKey;
use crate::state::{Cursor, State};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Derived {
    scene: Memo<SceneKey, Shared<Scene>>,
    change: Memo<ChangeKey, Shared<Change>>,
    what_if: Memo<WhatIfKey, Shared<SceneLayer>>,
    for_lab: ForLab,
}

/// What only panels of the lab show.
#[derive(Debug, Clone, PartialEq, Default)]
struct ForLab {
    tried: Memo<TriedKey, Shared<Tried>>,
    policy_lab: Memo<PolicyLabKey, Shared<PolicyLab>>,
    drops: Memo<DropsKey, Shared<Drops>>,
    in_step: Memo<InStepKey, Shared<InStep>>,
    history: Memo<Runs, Rc<[Entry]>>,
    pair: Memo<PairKey, Shared<Pair>>,
    by_position: Memo<ByPositionKey, Shared<ByPosition>>,
    sample: Memo<SampleKey, Shared<Sample>>,
    experts: Memo<(Shared<Sample>, usize), Shared<Experts>>,
    muting: Memo<MutingKey, Shared<Muting>>,
    measured: Memo<Shared<Sample>, Shared<Measured>>,
    findings: Memo<FindingsKey, Shared<Findings>>,
    moments: Memo<(Shared<GateHistory>, Shared<Scene>), Shared<Moments>>,
}

/// A run that has only grown longer looks the same at an earlier step: nothing is drawn again.
type SceneKey = (Shared<RunRequest>, usize);
type ChangeKey = (Shared<Scene>, Shared<Recording>);
/// Scene, layer, token, and the routing and group that the controls ask for.
type WhatIfKey = (Shared<Scene>, usize, usize, RoutingSpec, RoutingGroup);

/// Scene, layer, token, method, and the routing whose slots it takes over.
type TriedKey = (Shared<Scene>, usize, usize, Method, RoutingSpec);
/// The run on the screen and how far it has come, the engine, and the version of what was computed.
type DropsKey = (Shared<RunRequest>, usize, EngineKey, u32);
/// The same, and the lab's capacity factor.
type PolicyLabKey = (DropsKey, f32);
/// The run on the screen, the engine, the version of what was computed, and the texts.
type InStepKey = (Shared<RunRequest>, EngineKey, u32, Rc<[String]>);
/// The earlier run and the later one.
type PairKey = (Shared<Recording>, Shared<Recording>);
/// The runs it is of, and the one on the screen.
type SampleKey = (Vec<Shared<Recording>>, Shared<RunRequest>);
/// What it is of, the expert, the engine, and the version of what was computed.
type FindingsKey = (Shared<Sample>, Shared<Measured>, EngineKey, u32);
type MutingKey = (Shared<Experts>, usize, EngineKey, u32);
type ByPositionKey = (Shared<Recording>, Positions);

impl Derived {
    /// What the run on the screen looks like at the playback's step.
    pub fn scene(&self) -> Option<&Shared<Scene>> {
        self.scene.value.as_ref()
    }

    /// How it compares with the run that it is compared with.
    pub fn change(&self) -> Option<&Shared<Change>> {
        self.change.value.as_ref()
    }

    /// The selected layer under the controls' routing, while they ask for another than the latest run had and that run is
    /// on the screen.
    pub fn what_if(&self) -> Option<&Shared<SceneLayer>> {
        self.what_if.value.as_ref()
    }

    /// The method that is tried on the selected layer.
    pub fn tried(&self) -> Option<&Shared<Tried>> {
        self.for_lab.tried.value.as_ref()
    }

    /// The text of the run on the screen under several policies.
    pub fn policy_lab(&self) -> Option<&Shared<PolicyLab>> {
        self.for_lab.policy_lab.value.as_ref()
    }

    /// What its losses cost, once it was computed.
    pub fn drops(&self) -> Option<&Shared<Drops>> {
        self.for_lab.drops.value.as_ref()
    }

    /// Several texts that share capacity, once they were run.
    pub fn in_step(&self) -> Option<&Shared<InStep>> {
        self.for_lab.in_step.value.as_ref()
    }

    /// The kept runs, oldest first.
    pub fn history(&self) -> &[Entry] {
        self.for_lab.history.value.as_deref().unwrap_or_default()
    }

    pub fn pair(&self) -> Option<&Shared<Pair>> {
        self.for_lab.pair.value.as_ref()
    }

    pub fn by_position(&self) -> Option<&Shared<ByPosition>> {
        self.for_lab.by_position.value.as_ref()
    }

    /// The experts of the selected layer, as far as runs have ended.
    pub fn experts(&self) -> Option<&Shared<Experts>> {
        self.for_lab.experts.value.as_ref()
    }

    /// What the literature says, tried on the same text.
    pub fn findings(&self) -> Option<&Shared<Findings>> {
        self.for_lab.findings.value.as_ref()
    }

    /// How the gates of earlier moments would route the text.
    pub fn moments(&self) -> Option<&Shared<Moments>> {
        self.for_lab.moments.value.as_ref()
    }

    /// What the expert whose page is open is worth.
    pub fn muting(&self) -> Option<&Shared<Muting>> {
        self.for_lab.muting.value.as_ref()
    }
}

impl State {
    /// Brings what is derived up to date with what it is derived from.
    pub(super) fn derive(&mut self, before: &State) {
        let mut derived = std::mem::take(&mut self.derived);
        // Some of it is said in words.
        if self.speech.spoken() != before.speech.spoken() {
            derived = Derived::default();
        }
        self.screen.seek_step();
        let on_screen = self.on_screen().filter(|run| !run.steps.is_empty());
        let scene_of = on_screen.map(|run| {
            let last = run.steps.len() - 1;
            let step = match self.screen.playback.cursor {
                Cursor::Step(step) => step.min(last),
                Cursor::Latest => last,
            };
            (run.request.clone(), step)
        });
        derived.scene.renew(scene_of, |(_, step)| Scene::of(on_screen?, *step).map(Shared::new));

        let cursor = |state: &State| state.screen.playback.cursor;
        let has_moved = self.on_screen() != before.on_screen() || cursor(self) != cursor(before);
        if let Some(scene) = derived.scene() {
            self.screen.seek_selection();
            self.screen.hold_selection(scene, has_moved);
        }

        let compared = derived.scene().cloned().zip(self.against().cloned());
        derived.change.renew(compared, |(scene, against)| compare::change(against, scene).map(Shared::new));

        let selection = self.screen.selection;
        // What a change inside the model does is not known before it runs.
        let is_same_inside = self.on_screen().is_some_and(|run| self.is_same_inside(run));
        let differs = !self.runs.looks_back() && is_same_inside && self.settings_differ_from_shown();
        let asked = derived.scene().filter(|_| differs).map(|scene| {
            let routing = self.routing();
            (scene.clone(), selection.layer, selection.token, routing, self.controls.settings.group)
        });
        derived.what_if.renew(asked, |(scene, layer, token, routing, group)| {
            what_if::layer(scene, *layer, *token, routing, *group).map(Shared::new)
        });

        // A figure's module has none of the panels that show these, and is smaller without.
        if cfg!(feature = "page") && self.shows_lab() {
            self.derive_for_lab(&mut derived);
        } else {
            derived.for_lab = ForLab::default();
        }
        self.derived = derived;
    }

    /// Can one of the lab's panels be in sight? They cost time at every step.
    fn shows_lab(&self) -> bool {
        match &self.config.view {
            View::Full => self.screen.depth == Depth::Lab,
            View::Panels(names) => names.iter().any(|name| name.feature().is_some()),
        }
    }

    /// What only panels of the page's module show.
    fn derive_for_lab(&self, derived: &mut Derived) {
        let selection = self.selection();
        let tried = derived.scene().cloned().zip(self.screen.method);
        let tried = tried.map(|(scene, method)| (scene, selection.layer, selection.token, method, self.routing()));
        derived.for_lab.tried.renew(tried, |(scene, layer, token, method, routing)| {
            Tried::of(scene, *layer, *token, *method, routing).map(Shared::new)
        });
        let engine = self.comparing_engine();
        let computed = self
            .on_screen()
            .zip(engine)
            .map(|(run, engine)| (run.request.clone(), run.steps.len(), engine, self.background.version()));
        let in_step = computed.clone();
        let in_step = in_step.map(|(request, _, engine, version)| (request, engine, version, self.texts_in_step()));
        derived
            .for_lab
            .in_step
            .renew(in_step, |(_, engine, _, texts)| self.in_step_of(self.on_screen()?, engine, texts).map(Shared::new));
        let at_factor = computed.clone().map(|computed| (computed, self.lab_factor()));
        derived.for_lab.policy_lab.renew(at_factor, |((_, _, engine, _), factor)| {
            self.policy_lab_of(self.on_screen()?, engine, *factor).map(Shared::new)
        });
        derived
            .for_lab
            .drops
            .renew(computed, |(_, _, engine, _)| self.drops_of(self.on_screen()?, engine).map(Shared::new));
        derived.for_lab.history.renew(Some(self.runs.clone()), |runs| Some(history::history(runs).into()));
        let mut pair = self.against().cloned().zip(self.on_screen().cloned());
        if self.runs.is_flipped() {
            pair = pair.map(|(later, earlier)| (earlier, later));
        }
        let pair = pair.filter(|(earlier, later)| earlier.finished.is_some() && later.finished.is_some());
        derived.for_lab.pair.renew(pair, |(earlier, later)| Pair::of(earlier, later).map(Shared::new));
        let counted = self.on_screen().map(|run| (run.clone(), self.positions.clone()));
        derived.for_lab.by_position.renew(counted, |(run, positions)| positions.like(run).map(Shared::new));
        let then = self.gate_history().cloned().zip(derived.scene().cloned());
        derived.for_lab.moments.renew(then, |(history, scene)| Moments::of(history, scene).map(Shared::new));
        self.derive_experts(derived);
    }

    /// Runs that have ended are read once, however the cursor moves.
    fn derive_experts(&self, derived: &mut Derived) {
        let runs = self.sampled_runs();
        let on_screen = self.on_screen().map(|run| run.request.clone());
        derived.for_lab.sample.renew(on_screen.map(|on_screen| (runs, on_screen)), |(runs, _)| {
            Sample::of(runs, self.on_screen(), self.held_out.texts().map(|texts| &**texts)).map(Shared::new)
        });
        let version = self.background.version();
        derived
            .for_lab
            .measured
            .renew(derived.for_lab.sample.value.clone(), |sample| Some(Shared::new(Measured::of(sample))));
        let tried = derived
            .for_lab
            .sample
            .value
            .clone()
            .zip(derived.for_lab.measured.value.clone())
            .zip(self.comparing_engine());
        let tried = tried.map(|((sample, measured), engine)| (sample, measured, engine, version));
        derived.for_lab.findings.renew(tried, |(sample, measured, engine, _)| {
            Some(Shared::new(self.findings_of(sample, measured, engine)))
        });
        let selection = self.selection();
        let of_layer = derived.for_lab.sample.value.clone().map(|sample| (sample, selection.layer));
        derived.for_lab.experts.renew(of_layer, |(sample, layer)| Experts::of(sample, *layer).map(Shared::new));
        let layer = derived.scene().and_then(|scene| scene.layers.get(selection.layer));
        let expert = layer.map_or(0, |layer| open_expert(layer, selection.token, selection.expert));
        let asked = derived.experts().cloned().zip(self.comparing_engine());
        let asked = asked.map(|(experts, engine)| (experts, expert, engine, self.background.version()));
        derived
            .for_lab
            .muting
            .renew(asked, |(experts, expert, engine, _)| self.muting_of(experts, *expert, engine).map(Shared::new));
    }
}

/// A value that is computed again only when its key changes. No key, no value.
#[derive(Debug, Clone, PartialEq)]
struct Memo<K, V> {
    key: Option<K>,
    value: Option<V>,
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Memo<K, V> {
        Memo { key: None, value: None }
    }
}

impl<K: PartialEq, V> Memo<K, V> {
    fn renew(&mut self, key: Option<K>, make: impl FnOnce(&K) -> Option<V>) {
        if self.key != key {
            self.value = key.as_ref().and_then(make);
            self.key = key;
        }
    }
}
