//! The controls that rest at a step of a lesson.

use crate::settings::Setting;
use crate::settings::offered::ControlName;
use crate::state::{Action, State};
use crate::words::{lesson as words, tongue};

impl State {
    /// Does this action move a control that rests? Then it is not carried out, and the lesson says so.
    pub(in crate::state) fn rests(&mut self, action: &Action) -> bool {
        let locked = self.locked();
        let is_locked = control_of(action).is_some_and(|control| locked.has(control));
        if is_locked {
            self.course.verdict = tongue::translated(words::RESTS).into_owned();
        }
        is_locked
    }
}

/// The control that this action is of. A run is none: a script may wait for it, and readers have no button where it rests.
fn control_of(action: &Action) -> Option<ControlName> {
    let control = match action {
        Action::Set(Setting::Prompt(_)) => ControlName::Prompt,
        Action::Set(Setting::Rule(_)) => ControlName::Rule,
        Action::Set(Setting::K(_)) => ControlName::K,
        Action::Set(Setting::Policy(_)) => ControlName::Policy,
        Action::Set(Setting::CapacityFactor(_)) | Action::Slide(_) => ControlName::Capacity,
        Action::Set(Setting::Interventions(_)) | Action::Operate(_) => ControlName::Surgery,
        Action::Set(Setting::Group(_)) => ControlName::Group,
        // How the next token is taken.
        Action::Set(_) => ControlName::Seed,
        Action::StepBy(_) | Action::StepTo(_) | Action::TogglePlay | Action::PlayStory => ControlName::Step,
        _ => return None,
    };
    Some(control)
}
