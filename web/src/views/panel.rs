//! What a panel is, and what it is drawn from.

use std::rc::Rc;

use moe_trace::{FinishReason, Intervention, RoutingGroup, RoutingSpec, Source, UserError};
use yew::prelude::*;

use crate::run::compare::Change;
use crate::run::difference;
use crate::run::drops::Drops;
use crate::run::experts::Experts;
use crate::run::experts::muting::Muting;
use crate::run::findings::Findings;
use crate::run::history::Entry;
use crate::run::in_step::InStep;
use crate::run::moments::Moments;
use crate::run::pair::Pair;
use crate::run::policies::PolicyLab;
use crate::run::positions::ByPosition;
use crate::run::scene::{Group, Scene, SceneLayer};
use crate::run::shared::Shared;
use crate::run::text::plain;
use crate::run::tried::Tried;
pub use crate::settings::depth::Depth;
use crate::settings::interventions::Interventions;
use crate::settings::micro_step::MicroStep;
use crate::settings::offered::{ControlName, Offered};
use crate::settings::view::{PanelName, View};
use crate::state::background::{Progress, Purpose};
use crate::state::held_out::Judging;
use crate::state::lab::Lab;
use crate::state::{Action, Playback, Selection, State};
use crate::words::names;

/// A row of the registry. The frame around a panel, the page, its tabs and its empty places are drawn from it.
pub struct Panel {
    pub name: PanelName,
    /// What kind of view it is, marked to be translated: "Capacity lanes".
    pub kind: &'static str,
    /// Its place in the page's grid, as the style sheet names it (`web/style/page.css`).
    pub area: &'static str,
    pub tab: Tab,
    /// The depth of the whole page from which on it is there; what is of the story is there alone.
    pub depth: Depth,
    pub sees: Sees,
    /// What the run lacks for this picture, in a marked sentence that then stands in its place.
    pub lacks: fn(&PanelInput) -> Option<&'static str>,
    /// The kind of view, and what of the run it shows: "Capacity lanes · layer 2".
    pub topic: fn(&PanelInput) -> String,
    /// The title: what there is to see, in a sentence.
    pub finding: fn(&PanelInput) -> String,
    /// Beside the topic.
    pub badges: fn(&PanelInput) -> Html,
    pub picture: fn(&PanelInput) -> Html,
    /// The same as a table; `None` where the picture is one.
    pub table: Option<fn(&PanelInput) -> Html>,
}

/// Where a narrow screen, which has room for one panel at a time, shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Above all tabs.
    Always,
    /// In a tab of its own with these words on it, marked.
    Own(&'static str),
    /// In the tab of another panel.
    Of(PanelName),
}

/// What a panel shows besides the run: it is not drawn again while anything else moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sees {
    Run,
    /// The controls as they stand, too.
    Controls,
    /// What was computed for comparisons.
    Comparisons,
    /// The kept runs.
    History,
    /// The training lab.
    Lab,
}

/// All that a panel gets to see. Equal inputs draw the same, and comparing them is cheap.
#[derive(Clone, PartialEq)]
pub struct PanelInput {
    /// A step of the run on the screen, with one layer at least.
    pub scene: Shared<Scene>,
    pub selection: Selection,
    /// The step that the routing microscope has open.
    pub micro_step: MicroStep,
    /// The run's model, where the reader might think that it is another one.
    pub foreign_model: Option<AttrValue>,

    pub playback: Playback,
    pub num_steps: usize,
    /// Why the run has no more steps.
    pub finished: Option<FinishReason>,
    /// Is there a previous run, and is it on the screen?
    pub can_flip: bool,
    pub flipped: bool,
    /// What the step to the run on the screen did to the loss; if `flipped`, the step back to it.
    pub change: Option<Shared<Change>>,
    /// What was changed between the previous run and this one, whichever is on the screen; empty without a previous one.
    pub changed: AttrValue,

    pub controls: Controls,
    pub what_if: Option<WhatIf>,
    pub lab: Shared<Lab>,
    /// The routing method that is tried on the selected layer.
    pub tried: Option<Shared<Tried>>,
    /// Is there an engine that would run the model again?
    pub can_run: bool,
    pub surgery: Surgery,
    /// For the panels that compare runs of their own; nothing for all others.
    pub comparisons: Comparisons,
    /// For the panels that look at several runs of the reader's.
    pub history: History,

    /// The tab in front, on narrow screens.
    pub tab: PanelName,
    /// What the element shows.
    pub view: View,
    /// Brings another panel that it shows before the reader.
    pub open: Callback<PanelName>,
    pub dispatch: Callback<Action>,
}

/// The controls of the routing as they stand.
#[derive(Clone, PartialEq)]
pub struct Controls {
    pub capacity_factor: f32,
    pub group: RoutingGroup,
    /// The routing that the model in question was trained with, and the one they ask for.
    pub trained: RoutingSpec,
    pub routing: RoutingSpec,
    /// Of the engine's model, or for want of one of the run on the screen.
    pub num_experts: usize,
    /// What stands between the controls and the picture; empty where they agree.
    pub status: AttrValue,
    /// Those that there are.
    pub offered: Offered,
}

/// Those that the author names; else all that there are at this depth.
fn offered(state: &State) -> Offered {
    let is_story = state.config().view == View::Full && state.screen().depth == Depth::Story;
    let of_depth = if is_story { Offered::ALL.without(ControlName::Surgery) } else { Offered::ALL };
    let offered = state.config().controls.unwrap_or(of_depth);
    #[cfg(feature = "page")]
    let offered = offered.except(state.locked());
    offered
}

/// What is changed inside the model, as it is asked for. The run on the screen may have been made before.
#[derive(Clone, PartialEq)]
pub struct Surgery {
    pub asked: Interventions,
    pub can_undo: bool,
    pub can_redo: bool,
    /// What stands between what is asked for and the run on the screen; empty where they agree.
    pub status: AttrValue,
    /// Draws the noise.
    pub seed: u32,
}

impl Surgery {
    fn of(state: &State) -> Surgery {
        let asked = &state.settings().interventions;
        let is_shown = state.on_screen().is_none_or(|run| state.is_same_inside(run));
        Surgery {
            asked: asked.clone(),
            can_undo: state.surgery().can_undo(asked),
            can_redo: state.surgery().can_redo(asked),
            status: if is_shown { "".into() } else { state.rerun_status().into() },
            seed: state.settings().seed,
        }
    }
}

/// The kept runs, and what they say together.
#[derive(Clone, PartialEq, Default)]
pub struct History {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// The run on the screen beside the one that it is compared with.
    pub pair: Option<Shared<Pair>>,
    pub by_position: Option<Shared<ByPosition>>,
}

/// What was computed for comparisons, and how that goes on.
#[derive(Clone, PartialEq, Default)]
pub struct Comparisons {
    /// Where its numbers come from.
    pub source: Option<Source>,
    /// Why nothing can be computed now.
    pub cannot: Option<AttrValue>,
    /// Is the engine at a run of the reader's, which goes first?
    pub waits: bool,
    /// The capacity factor of the policy lab.
    pub factor: f32,
    pub policies: Option<Shared<PolicyLab>>,
    pub policies_progress: Option<Progress>,
    pub drops: Option<Shared<Drops>>,
    pub drops_progress: Option<Progress>,
    pub in_step: Option<Shared<InStep>>,
    pub in_step_progress: Option<Progress>,
    /// The texts that are to be run in step, and the step of theirs that is looked at.
    pub texts: Rc<[String]>,
    pub step_in_step: Option<usize>,
    /// The experts of the selected layer.
    pub experts: Option<Shared<Experts>>,
    pub more_text_progress: Option<Progress>,
    /// What experts are judged by, where it is not what the reader ran.
    pub held_out: Judging,
    pub held_out_progress: Option<Progress>,
    /// Was all of it run?
    pub is_held_out_whole: bool,
    pub muting: Option<Shared<Muting>>,
    pub muting_progress: Option<Progress>,
    pub findings: Option<Shared<Findings>>,
    pub findings_progress: Option<Progress>,
    pub then: Then,
}

/// The routing time machine.
#[derive(Clone, PartialEq, Default)]
pub struct Then {
    pub moments: Option<Shared<Moments>>,
    /// The moment that is shown.
    pub at: usize,
    /// Is an answer still to come?
    pub waits: bool,
    /// Why the last question had none.
    pub failure: Option<UserError>,
}

/// The selected layer under the controls' routing.
#[derive(Clone, PartialEq)]
pub struct WhatIf {
    pub layer: Shared<SceneLayer>,
    pub routing: RoutingSpec,
}

impl PartialEq for Panel {
    fn eq(&self, other: &Panel) -> bool {
        self.name == other.name
    }
}

impl Panel {
    /// Does a narrow screen show it while this tab is in front?
    pub fn is_in_front(&self, tab: PanelName) -> bool {
        match self.tab {
            Tab::Always => true,
            Tab::Own(_) => tab == self.name,
            Tab::Of(other) => tab == other,
        }
    }
}

impl Comparisons {
    fn of(state: &State) -> Comparisons {
        let progress = |purpose: Purpose| state.background().progress(purpose);
        Comparisons {
            source: state.comparing_source(),
            cannot: state.cannot_compare().map(AttrValue::from),
            waits: state.is_running(),
            factor: state.lab_factor(),
            policies: state.policy_lab().cloned(),
            policies_progress: progress(Purpose::Policies),
            drops: state.drops().cloned(),
            drops_progress: progress(Purpose::Drops),
            in_step: state.in_step().cloned(),
            in_step_progress: progress(Purpose::InStep),
            texts: state.texts_in_step(),
            step_in_step: state.step_in_step(),
            experts: state.experts().cloned(),
            more_text_progress: progress(Purpose::MoreText),
            held_out: state.held_out().clone(),
            held_out_progress: progress(Purpose::HeldOut),
            is_held_out_whole: state.is_held_out_whole(),
            muting: state.muting().cloned(),
            muting_progress: progress(Purpose::Muting),
            findings: state.findings().cloned(),
            findings_progress: progress(Purpose::Findings),
            then: Then {
                moments: state.moments().cloned(),
                at: state.moment(),
                waits: state.time_machine().waits(),
                failure: state.time_machine_failure().cloned(),
            },
        }
    }
}

impl PanelInput {
    /// The only place where a panel's data are taken out of the state; `None` while there is no step to see.
    pub fn of(state: &State, dispatch: &Callback<Action>, open: &Callback<PanelName>) -> Option<PanelInput> {
        let scene = state.scene().filter(|scene| !scene.layers.is_empty())?.clone();
        let on_screen = state.on_screen();
        let (mut pair, flipped) = (state.against().zip(on_screen), state.runs().is_flipped());
        if flipped {
            pair = pair.map(|(this, previous)| (previous, this));
        }
        let changed = pair.map(|(previous, this)| names::listed(difference::differences(previous, this)));
        let settings = state.settings();
        Some(PanelInput {
            selection: state.selection(),
            micro_step: state.screen().micro_step,
            foreign_model: on_screen.and_then(|run| state.foreign_model(run)).map(|name| plain(name).into()),
            playback: state.playback(),
            num_steps: on_screen.map_or(0, |run| run.steps.len()),
            finished: on_screen.and_then(|run| run.finished),
            can_flip: state.against().is_some(),
            flipped,
            change: state.change().cloned(),
            changed: changed.unwrap_or_default().into(),
            controls: Controls {
                capacity_factor: settings.capacity_factor,
                group: settings.group,
                trained: state.trained_routing(),
                routing: state.routing(),
                num_experts: state.model().map_or(scene.num_experts(), |model| model.num_experts as usize),
                status: state.rerun_status().into(),
                offered: offered(state),
            },
            what_if: state.what_if().cloned().map(|layer| WhatIf { layer, routing: state.routing() }),
            lab: state.lab().clone(),
            tried: state.tried().cloned(),
            can_run: state.engine().is_ready(),
            surgery: Surgery::of(state),
            comparisons: Comparisons::of(state),
            history: History {
                entries: state.history().to_vec(),
                pair: state.pair().cloned(),
                by_position: state.by_position().cloned(),
            },
            tab: state.screen().tab,
            view: state.config().view.clone(),
            open: open.clone(),
            dispatch: dispatch.clone(),
            scene,
        })
    }

    /// The same for a panel that sees only a part of it: to others the lab is as it is at the beginning, nothing was
    /// compared, and the controls stand as the run was made.
    pub fn seen_by(&self, sees: Sees) -> PanelInput {
        let is = |of: Sees| sees == of;
        let of_run = if is(Sees::Controls) { self.clone() } else { self.of_run_only() };
        PanelInput {
            lab: if is(Sees::Lab) { self.lab.clone() } else { Lab::untouched() },
            comparisons: if is(Sees::Comparisons) { self.comparisons.clone() } else { Comparisons::default() },
            history: if is(Sees::History) { self.history.clone() } else { History::default() },
            ..of_run
        }
    }

    fn of_run_only(&self) -> PanelInput {
        let run = &self.scene.recording;
        let controls = Controls {
            capacity_factor: 1.0,
            group: run.request.group,
            trained: run.model.trained_routing,
            routing: run.request.routing,
            num_experts: self.scene.num_experts(),
            status: "".into(),
            offered: self.controls.offered,
        };
        PanelInput { controls, what_if: None, tried: None, can_run: false, ..self.clone() }
    }

    /// Where the numbers of a panel with this input come from.
    pub fn source(&self) -> Source {
        // What is trained is computed while one looks, whatever run is on the screen.
        let trained = self.lab.trainings.as_ref().map(|_| Source::LiveCpu);
        trained.or(self.comparisons.source).unwrap_or(self.scene.source())
    }

    /// The selected layer, as the run routed it.
    pub fn layer(&self) -> &SceneLayer {
        &self.scene.layers[self.selection.layer]
    }

    /// What was changed inside the model when the run was made.
    pub fn changes(&self) -> &[Intervention] {
        &self.scene.recording.request.interventions
    }

    /// The group of the selected token: its index, and itself.
    pub fn group(&self) -> (usize, Group) {
        let group_idx = self.scene.tokens.get(self.selection.token).map_or(0, |token| token.group);
        (group_idx, self.scene.groups[group_idx])
    }
}
