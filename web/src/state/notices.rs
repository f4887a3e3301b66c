//! What the reader is told, and which attributes are known to be bad.

use moe_trace::UserError;

use crate::state::Effect;
use crate::words::problems::Problem;

/// One notice at a time: the latest problem. Each also becomes a `moe-error` event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Notices {
    notice: Option<Notice>,
    /// Attribute values that cannot be used, as last reported.
    bad_attributes: Vec<UserError>,
}

/// Something the reader must be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub problem: Problem,
    /// Is it over as soon as a live step arrives?
    pub until_step: bool,
}

impl Notices {
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    pub(super) fn notify(&mut self, problem: Problem, effects: &mut Vec<Effect>) {
        effects.push(Effect::EmitError(problem.say()));
        self.notice = Some(Notice { problem, until_step: false });
    }

    /// A problem that a working engine makes up for.
    pub(super) fn notify_until_step(&mut self, problem: Problem, effects: &mut Vec<Effect>) {
        effects.push(Effect::EmitError(problem.say()));
        self.notice = Some(Notice { problem, until_step: true });
    }

    /// Several attributes may be bad at once: each is told. One that was told before is not news when another changes.
    pub(super) fn notify_attributes(&mut self, errors: Vec<UserError>, effects: &mut Vec<Effect>) {
        let known = std::mem::replace(&mut self.bad_attributes, errors.clone());
        for error in errors.into_iter().filter(|error| !known.contains(error)) {
            self.notify(Problem::Told(error), effects);
        }
    }

    pub(super) fn step_came(&mut self) {
        self.notice.take_if(|notice| notice.until_step);
    }

    pub(super) fn dismiss(&mut self) {
        self.notice = None;
    }
}
