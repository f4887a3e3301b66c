//! In the story a run plays once by itself: token after token takes its slots, until one finds its expert full. Never
//! against the reader: a reader who has done anything is left alone.

use crate::run::recording::Recording;
use crate::run::scene::{Scene, TokenFate};
use crate::run::shared::Shared;
use crate::settings::depth::Depth;
use crate::settings::place::Place;
use crate::settings::view::View;
use crate::state::screen::{Cursor, Extent, Screen};
use crate::state::{Action, Effect, Selection, State};

/// Where a run that plays by itself comes to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    pub step: usize,
    pub layer: usize,
    pub token: usize,
}

/// The event of a run: the first request that was turned away; without one the end of the prompt, at the step that had read it.
pub(super) fn event(run: &Shared<Recording>, layer: usize) -> Rest {
    first_drop(run).unwrap_or_else(|| {
        let prompt_len = run.prompt_len();
        let step = (0..run.steps.len()).find(|&step| run.text_len(step) >= prompt_len);
        Rest { step: step.unwrap_or_default(), layer, token: prompt_len.saturating_sub(1) }
    })
}

fn first_drop(run: &Shared<Recording>) -> Option<Rest> {
    (0..run.steps.len()).find_map(|step| {
        let scene = Scene::of(run, step)?;
        let is_lost = |layer: usize, token: usize| scene.layers[layer].fate(token) >= TokenFate::LostSome;
        (0..scene.layers.len()).find_map(|layer| {
            let token = (0..scene.tokens.len()).find(|&token| is_lost(layer, token))?;
            Some(Rest { step, layer, token })
        })
    })
}

impl State {
    /// May the run on the screen play by itself? It must be live, the page's own, and the reader new to it.
    pub(super) fn may_play(&self) -> bool {
        let is_story = self.config.view == View::Full && self.screen.depth == Depth::Story;
        let is_live = self.on_screen().is_some_and(|run| run.is_live()) && !self.is_running();
        is_story && is_live && self.config.lesson.is_none() && self.screen.is_left_alone()
    }

    pub(super) fn offer_to_play(&self, effects: &mut Vec<Effect>) {
        if self.may_play() {
            effects.push(Effect::AskToPlay);
        }
    }

    pub(super) fn play_story(&mut self) {
        if let Some(run) = self.on_screen().filter(|run| !run.steps.is_empty()).cloned() {
            self.screen.begin_tour(event(&run, self.screen.selection.layer));
        }
    }

    /// In the story a run that a reader asked for comes to rest where something happened, unless she went elsewhere.
    pub(super) fn rest_on_event(&mut self) {
        let is_story = self.config.view == View::Full && self.screen.depth == Depth::Story;
        let follows = self.screen.selection.follows && self.screen.playback.cursor == Cursor::Latest;
        let run = self.on_screen().filter(|run| is_story && follows && first_drop(run).is_some()).cloned();
        if let Some(run) = run {
            self.screen.show_first_drop(&run);
        }
    }

    /// Only the story plays by itself: at another depth it has come to rest.
    pub(super) fn set_depth(&mut self, depth: Depth, effects: &mut Vec<Effect>) {
        self.screen.depth = depth;
        if depth == Depth::Story {
            self.offer_to_play(effects);
        } else {
            self.screen.rest();
        }
    }
}

impl Action {
    /// Does the reader go somewhere, or ask for something? What the world reports is not hers.
    pub(super) fn is_of_reader(&self) -> bool {
        use Action::*;
        let goes = matches!(self, Seek(_) | Show { .. } | StepBy(_) | StepTo(_) | Select { .. } | SelectLayer(_));
        let plays = matches!(self, TogglePlay | SetSpeed(_) | SelectExpert(_) | Move(_) | Flip);
        goes || plays || matches!(self, Set(_) | Slide(_) | LetGo | Run { .. } | Stop | ChooseModel { .. })
    }
}

impl Screen {
    /// May a run play by itself?
    pub(super) fn is_left_alone(&self) -> bool {
        !self.is_touched && self.wanted == Place::default() && !self.playback.playing
    }

    /// The reader does something: nothing moves by itself any more.
    pub(super) fn hand_over(&mut self, action: &Action) {
        self.is_touched = true;
        if self.playback.tour.take().is_some() && *action != Action::TogglePlay {
            self.playback.playing = false;
        }
    }

    /// From the first token to where the run rests.
    pub(super) fn begin_tour(&mut self, rest: Rest) {
        self.is_touched = true;
        self.wanted = Place::default();
        self.playback.cursor = Cursor::Step(0);
        self.playback.playing = true;
        self.playback.tour = Some(rest);
        self.selection = Selection { token: 0, layer: rest.layer, expert: None, follows: false };
    }

    /// A beat of the tour: the next token of the step, or the next step.
    pub(super) fn tick_tour(&mut self, rest: Rest, extent: Extent, num_tokens: usize) {
        let is_there = extent.step >= rest.step && (extent.step > 0 || self.selection.token >= rest.token);
        let is_at_end = extent.step + 1 >= extent.num_steps && self.selection.token + 1 >= num_tokens;
        if is_there || is_at_end {
            self.rest();
        } else if extent.step == 0 && self.selection.token + 1 < num_tokens {
            self.selection.token += 1;
        } else {
            self.playback.cursor = Cursor::Step(extent.step + 1);
            self.selection.token = usize::MAX;
        }
    }

    /// Ends the tour where it was to end.
    pub(super) fn rest(&mut self) {
        if let Some(Rest { step, layer, token }) = self.playback.tour.take() {
            self.playback.playing = false;
            self.playback.cursor = Cursor::Step(step);
            self.selection = Selection { token, layer, ..self.selection };
        }
    }
}
