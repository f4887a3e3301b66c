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
    /// An attribute stays bad until it is mended; everything else is over as soon as a live step arrives.
    pub is_of_attribute: bool,
}

impl Notices {
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    pub(super) fn notify(&mut self, problem: Problem, effects: &mut Vec<Effect>) {
        effects.push(Effect::EmitError(problem.say()));
        self.notice = Some(Notice { problem, is_of_attribute: false });
    }

    /// The run that somebody may wait for will not come.
    pub(super) fn notify_failure(&mut self, problem: Problem, effects: &mut Vec<Effect>) {
        let error = problem.say();
        self.notify(problem, effects);
        effects.push(Effect::EmitFailed(error));
    }

    /// Several attributes may be bad at once: each is told. One that was told before is not news when another changes.
    pub(super) fn notify_attributes(&mut self, errors: Vec<UserError>, effects: &mut Vec<Effect>) {
        let known = std::mem::replace(&mut self.bad_attributes, errors.clone());
        let of_attribute = |error| Notice { problem: Problem::Told(error), is_of_attribute: true };
        let is_mended = |error: &UserError| !self.bad_attributes.contains(error);
        // One that is still bad takes the place of one that is mended.
        if self.notice.as_ref().is_some_and(|notice| notice.is_of_attribute && is_mended(&notice.problem.say())) {
            self.notice = self.bad_attributes.last().cloned().map(of_attribute);
        }
        for error in errors.into_iter().filter(|error| !known.contains(error)) {
            effects.push(Effect::EmitError(error.clone()));
            self.notice = Some(of_attribute(error));
        }
    }

    pub(super) fn step_came(&mut self) {
        self.notice.take_if(|notice| !notice.is_of_attribute);
    }

    pub(super) fn dismiss(&mut self) {
        self.notice = None;
    }
}
