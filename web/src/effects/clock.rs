//! Timers: the rest of the controls, the patience for the recorded run, the pace of the playback.

use yew::Callback;

use crate::browser::timers::{Interval, Timeout};
use crate::effects::Report;
use crate::state::{Action, Playback};

/// A run is started only when the controls have rested for this long.
const RERUN_AFTER_MS: i32 = 160;
/// An engine that is ready waits no longer than this for the recorded run whose settings it is to take.
const REPLAY_PATIENCE_MS: i32 = 4_000;
/// Pace of the playback at speed 1.
const MS_PER_STEP: f32 = 600.0;

pub struct Clock {
    report: Callback<Report>,
    rerun: Option<Timeout>,
    patience: Option<Timeout>,
    /// The playback's speed, and its beat.
    player: Option<(f32, Interval)>,
}

impl Clock {
    pub fn new(report: Callback<Report>) -> Clock {
        Clock { report, rerun: None, patience: None, player: None }
    }

    /// Where a control moves again, the wait starts again.
    pub fn schedule_rerun(&mut self) {
        self.rerun = Some(self.after(RERUN_AFTER_MS, Action::Rerun));
    }

    pub fn await_replay(&mut self) {
        self.patience = Some(self.after(REPLAY_PATIENCE_MS, Action::ReplayIsLate));
    }

    pub fn keep_pace(&mut self, playback: Playback) {
        match &self.player {
            _ if !playback.playing => self.player = None,
            Some((speed, _)) if *speed == playback.speed => {}
            _ => {
                let report = self.report.clone();
                let every_ms = (MS_PER_STEP / playback.speed) as i32;
                let beat = Interval::new(every_ms, move || report.emit(Report::Act(Action::Tick)));
                self.player = Some((playback.speed, beat));
            }
        }
    }

    fn after(&self, ms: i32, action: Action) -> Timeout {
        let report = self.report.clone();
        Timeout::new(ms, move || report.emit(Report::Act(action)))
    }
}
