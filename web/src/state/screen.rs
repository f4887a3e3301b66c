//! Where the reader is: the step, the selection, and what of the page is open.

use crate::run::recording::Recording;
use crate::run::scene::Scene;
use crate::run::shared::Shared;
use crate::settings::depth::Depth;
use crate::settings::method::Method;
use crate::settings::micro_step::MicroStep;
use crate::settings::place::Place;
use crate::settings::view::PanelName;
use crate::state::tour::{self, Rest};
use crate::state::{Effect, Motion, Theme};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Screen {
    pub playback: Playback,
    pub selection: Selection,
    pub theme: Theme,
    pub depth: Depth,
    /// The routing method that is tried on what the run recorded.
    pub method: Option<Method>,
    /// The panel whose tab is in front, on narrow screens.
    pub tab: PanelName,
    pub help_open: bool,
    /// Has the reader gone anywhere, or asked for anything? Then nothing moves by itself.
    pub(super) is_touched: bool,
    /// The capacity factor of the policy lab, where it is not that of the run on the screen.
    pub lab_factor: Option<f32>,
    /// The moment of the training that the time machine shows, where the reader chose one.
    pub moment: Option<u32>,
    /// The step that the routing microscope has open.
    pub micro_step: MicroStep,
    /// Where an attribute, a link or a script pointed, until the reader goes elsewhere. Its step may still be to come.
    pub(super) wanted: Place,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Playback {
    pub cursor: Cursor,
    pub playing: bool,
    /// Times the natural pace.
    pub speed: f32,
    /// In the story a run plays token by token, until it rests here.
    pub tour: Option<Rest>,
}

/// Which step of the run is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    Step(usize),
    /// Whichever came last.
    Latest,
}

/// One selection that all views share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    pub token: usize,
    pub layer: usize,
    pub expert: Option<usize>,
    /// Does the selection move on with the newest token?
    pub follows: bool,
}

/// How far the run on the screen goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// The step that is drawn.
    pub step: usize,
    pub num_steps: usize,
    /// May there be more steps soon?
    pub grows: bool,
}

impl Default for Screen {
    fn default() -> Screen {
        Screen {
            playback: Playback { cursor: Cursor::Step(0), playing: false, speed: 1.0, tour: None },
            selection: Selection::default(),
            theme: Theme::default(),
            depth: Depth::default(),
            method: None,
            tab: PanelName::default(),
            help_open: false,
            is_touched: false,
            lab_factor: None,
            moment: None,
            micro_step: MicroStep::default(),
            wanted: Place::default(),
        }
    }
}

impl Screen {
    pub(super) fn toggle_play(&mut self, extent: Extent) {
        self.wanted.step = None;
        self.playback.playing = !self.playback.playing;
        if self.playback.playing {
            // At the end, play begins again from the start.
            let from_start = extent.step + 1 >= extent.num_steps && !extent.grows;
            self.playback.cursor = Cursor::Step(if from_start { 0 } else { extent.step });
            self.selection.follows = true;
        }
    }

    /// The playback's clock.
    pub(super) fn tick(&mut self, extent: Extent, num_tokens: usize) {
        if !self.playback.playing {
            return;
        }
        if let Some(rest) = self.playback.tour {
            self.tick_tour(rest, extent, num_tokens);
        } else if extent.step + 1 < extent.num_steps {
            self.playback.cursor = Cursor::Step(extent.step + 1);
        } else if !extent.grows {
            self.playback.playing = false;
        }
    }

    /// Stops playing at a step.
    pub(super) fn go_to(&mut self, step: usize, num_steps: usize) {
        self.wanted.step = None;
        self.playback.playing = false;
        self.playback.cursor = Cursor::Step(step.min(num_steps.saturating_sub(1)));
    }

    /// A run was asked for: its newest token is followed.
    pub(super) fn follow_latest(&mut self) {
        self.wanted = Place::default();
        self.playback = Playback { cursor: Cursor::Latest, playing: false, ..self.playback };
        self.selection.follows = true;
    }

    /// Another run begins to be read from its start.
    pub(super) fn rewind(&mut self) {
        self.playback = Playback { cursor: Cursor::Step(0), playing: false, ..self.playback };
    }

    /// Goes to a run's first lost request, or without one to the end of its prompt.
    pub(super) fn show_first_drop(&mut self, run: &Shared<Recording>) {
        let Rest { step, layer, token } = tour::event(run, self.selection.layer);
        self.playback.cursor = Cursor::Step(step);
        self.selection = Selection { token, layer, ..self.selection };
    }

    pub(super) fn select(&mut self, token: usize, layer: Option<usize>, expert: Option<usize>) {
        self.keep_place();
        let before = self.selection;
        self.selection = Selection {
            token,
            layer: layer.unwrap_or(before.layer),
            expert: expert.or(before.expert.filter(|_| layer.is_none())),
            follows: false,
        };
    }

    pub(super) fn select_layer(&mut self, layer: usize) {
        self.keep_place();
        self.selection.layer = layer;
    }

    pub(super) fn select_expert(&mut self, expert: Option<usize>) {
        self.keep_place();
        self.selection.expert = expert;
    }

    pub(super) fn move_selection(&mut self, motion: Motion, scene: &Scene) {
        self.keep_place();
        let selection = &mut self.selection;
        let shift = |at: usize, by: i32, len: usize| at.saturating_add_signed(by as isize).min(len.saturating_sub(1));
        match motion {
            Motion::Token(by) => selection.token = shift(selection.token, by, scene.tokens.len()),
            Motion::Layer(by) => selection.layer = shift(selection.layer, by, scene.layers.len()),
            Motion::Expert(by) => {
                selection.expert = Some(match selection.expert {
                    Some(expert) => shift(expert, by, scene.num_experts()),
                    None if by > 0 => 0,
                    None => scene.num_experts().saturating_sub(1),
                });
            }
            Motion::FirstToken => selection.token = 0,
            Motion::LastToken => selection.token = scene.tokens.len().saturating_sub(1),
            Motion::NextDrop => {
                if let Some((token, layer)) = scene.next_drop(selection.token, selection.layer) {
                    (selection.token, selection.layer) = (token, layer);
                }
            }
        }
        selection.follows = false;
    }

    /// Points to a place, for as long as the reader does not go elsewhere.
    pub(super) fn seek(&mut self, place: Place) {
        self.wanted = place.or(self.wanted);
        self.playback.playing &= self.wanted.step.is_none();
    }

    /// Goes to the place of a state, which names all there is to it: no expert is none.
    pub(super) fn show_place(&mut self, place: Place) {
        self.wanted = Place::default();
        if place != Place::default() {
            self.selection.expert = None;
        }
        self.seek(place);
    }

    /// The step that was pointed to, as far as the run has come.
    pub(super) fn seek_step(&mut self) {
        if let Some(step) = self.wanted.step {
            self.playback.cursor = Cursor::Step(step as usize);
        }
    }

    /// The rest of the place that was pointed to.
    pub(super) fn seek_selection(&mut self) {
        let Place { layer, token, expert, .. } = self.wanted;
        let selection = &mut self.selection;
        if let Some(token) = token {
            (selection.token, selection.follows) = (token as usize, false);
        }
        selection.layer = layer.map_or(selection.layer, |layer| layer as usize);
        selection.expert = expert.map(|expert| expert as usize).or(selection.expert);
    }

    /// The reader goes elsewhere within the step.
    fn keep_place(&mut self) {
        self.wanted = Place { step: self.wanted.step, ..Place::default() };
    }

    /// Keeps the selection within what is drawn; with the newest token, if it follows and the picture `has_moved`.
    pub(super) fn hold_selection(&mut self, scene: &Scene, has_moved: bool) {
        let selection = &mut self.selection;
        let last_token = scene.tokens.len().saturating_sub(1);
        let token = if selection.follows && has_moved { last_token } else { selection.token };
        selection.token = token.min(last_token);
        selection.layer = selection.layer.min(scene.layers.len().saturating_sub(1));
        selection.expert = selection.expert.filter(|&expert| expert < scene.num_experts());
    }

    pub(super) fn set_theme(&mut self, theme: Theme, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.theme, theme) != theme {
            effects.push(Effect::SetTheme(theme));
        }
    }
}
