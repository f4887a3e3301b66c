//! Timers: the rest of the controls, the patience for the recorded run, the pace of the playback.

use web_sys::HtmlElement;
use yew::Callback;

use crate::browser::motion;
use crate::browser::sight::Sight;
use crate::browser::timers::{Interval, Timeout};
use crate::effects::Report;
use crate::state::{Action, Playback};

/// A run is started only when the controls have rested for this long.
const RERUN_AFTER_MS: i32 = 160;
/// An engine that is ready waits no longer than this for the recorded run whose settings it is to take.
const REPLAY_PATIENCE_MS: i32 = 4_000;
/// Pace of the playback at speed 1.
const MS_PER_STEP: f32 = 600.0;
/// Tokens that go to their experts, in the story, in the time of a step.
const TOKENS_PER_STEP: f32 = 2.5;

pub struct Clock {
    report: Callback<Report>,
    rerun: Option<Timeout>,
    patience: Option<Timeout>,
    /// The playback's speed, and its beat.
    player: Option<(f32, Interval)>,
    sight: Sight,
}

impl Clock {
    /// `host`: what plays, as its reader sees it.
    pub fn new(host: &HtmlElement, report: Callback<Report>) -> Clock {
        Clock { report, rerun: None, patience: None, player: None, sight: Sight::of(host) }
    }

    /// Where motion is welcome, a run may play by itself: its reader is asked nothing.
    pub fn ask_to_play(&self) {
        if motion::is_welcome() {
            self.report.emit(Report::Act(Action::MayPlay));
        }
    }

    /// Where a control moves again, the wait starts again.
    pub fn schedule_rerun(&mut self) {
        self.rerun = Some(self.after(RERUN_AFTER_MS, Action::Rerun));
    }

    pub fn await_replay(&mut self) {
        self.patience = Some(self.after(REPLAY_PATIENCE_MS, Action::ReplayIsLate));
    }

    /// What nobody sees does not play on: it goes on from there once it is seen again.
    pub fn keep_pace(&mut self, playback: Playback) {
        // A token is taken in sooner than a step.
        let pace = if playback.tour.is_some() { playback.speed * TOKENS_PER_STEP } else { playback.speed };
        match &self.player {
            _ if !playback.playing => self.player = None,
            Some((before, _)) if *before == pace => {}
            _ => {
                let (report, seen) = (self.report.clone(), self.sight.seen());
                let every_ms = (MS_PER_STEP / pace) as i32;
                let beat = Interval::new(every_ms, move || {
                    if seen.is_so() {
                        report.emit(Report::Act(Action::Tick));
                    }
                });
                self.player = Some((pace, beat));
            }
        }
    }

    fn after(&self, ms: i32, action: Action) -> Timeout {
        let report = self.report.clone();
        Timeout::new(ms, move || report.emit(Report::Act(action)))
    }
}
