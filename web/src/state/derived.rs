//! What is computed from the rest of the state, each value with the key it was computed from.

use moe_trace::{RoutingGroup, RoutingSpec, RunRequest};

use crate::run::compare::{self, Change};
use crate::run::recording::Recording;
use crate::run::scene::{Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::run::tried::Tried;
use crate::run::what_if;
use crate::settings::method::Method;
use crate::state::{Cursor, State};

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Derived {
    scene: Memo<SceneKey, Shared<Scene>>,
    change: Memo<ChangeKey, Shared<Change>>,
    what_if: Memo<WhatIfKey, Shared<SceneLayer>>,
    tried: Memo<TriedKey, Shared<Tried>>,
}

/// A run that has only grown longer looks the same at an earlier step: nothing is drawn again.
type SceneKey = (Shared<RunRequest>, usize);
type ChangeKey = (Shared<Scene>, Shared<Recording>);
/// Scene, layer, token, and the routing and group that the controls ask for.
type WhatIfKey = (Shared<Scene>, usize, usize, RoutingSpec, RoutingGroup);

/// Scene, layer, token, method, and the routing whose slots it takes over.
type TriedKey = (Shared<Scene>, usize, usize, Method, RoutingSpec);

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
        self.tried.value.as_ref()
    }
}

impl State {
    /// Brings what is derived up to date with what it is derived from.
    pub(super) fn derive(&mut self, before: &State) {
        let mut derived = std::mem::take(&mut self.derived);
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

        let tried = derived.scene().cloned().zip(self.screen.method);
        let tried = tried.map(|(scene, method)| (scene, selection.layer, selection.token, method, self.routing()));
        derived.tried.renew(tried, |(scene, layer, token, method, routing)| {
            Tried::of(scene, *layer, *token, *method, routing).map(Shared::new)
        });
        self.derived = derived;
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
