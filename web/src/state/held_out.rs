//! The held-out text of the site: fetched when it is asked for, then run in the background; and whether experts and findings
//! are judged by it, or by what the reader ran.

use crate::run::held_out::HeldOut;
use crate::run::shared::Shared;
use crate::state::background::Purpose;
use crate::state::{Effect, State};

/// By what experts and findings are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Judged {
    #[default]
    ByRuns,
    ByHeldOut,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Judging {
    file: File,
    judged: Judged,
}

#[derive(Debug, Clone, PartialEq, Default)]
enum File {
    #[default]
    Absent,
    Coming,
    Read(Shared<HeldOut>),
    Failed(String),
}

impl Judging {
    pub fn judged(&self) -> Judged {
        self.judged
    }

    pub fn texts(&self) -> Option<&Shared<HeldOut>> {
        match &self.file {
            File::Read(texts) => Some(texts),
            _ => None,
        }
    }

    /// The texts, where experts are judged by them.
    pub fn chosen(&self) -> Option<&Shared<HeldOut>> {
        self.texts().filter(|_| self.judged == Judged::ByHeldOut)
    }

    pub fn is_coming(&self) -> bool {
        self.file == File::Coming
    }

    pub fn failure(&self) -> Option<&str> {
        match &self.file {
            File::Failed(why) => Some(why),
            _ => None,
        }
    }
}

impl State {
    pub fn held_out(&self) -> &Judging {
        &self.held_out
    }

    /// Has the texts run, once they are there, and judges by them; or by the reader's runs again.
    pub(super) fn judge(&mut self, judged: Judged, effects: &mut Vec<Effect>) {
        self.held_out.judged = judged;
        // A figure's module has no panel that asks.
        if !cfg!(feature = "page") || judged == Judged::ByRuns {
            return;
        }
        match &self.held_out.file {
            File::Read(_) => self.compare(Purpose::HeldOut),
            File::Coming => {}
            File::Absent | File::Failed(_) => {
                self.held_out.file = File::Coming;
                effects.push(Effect::FetchHeldOut);
            }
        }
    }

    pub(super) fn held_out_came(&mut self, read: Result<HeldOut, String>) {
        match read {
            Ok(texts) => {
                self.held_out.file = File::Read(Shared::new(texts));
                self.compare(Purpose::HeldOut);
            }
            Err(why) => self.held_out = Judging { file: File::Failed(why), judged: Judged::ByRuns },
        }
    }
}
