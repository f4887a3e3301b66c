//! What the reader changes inside the model, change by change: what was asked for before, and can be asked for again.

use moe_trace::Intervention;

use crate::settings::interventions::Interventions;

/// So many steps can be taken back.
const MOST: usize = 100;

/// A step of the reader's.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Makes a change, or takes it back where it is made.
    Toggle(Intervention),
    /// Makes a change in the place of another about the same thing.
    Make(Intervention),
    /// Takes back what is changed about this, however.
    TakeBack(Intervention),
    Reset,
    Undo,
    Redo,
}

/// The latest are last. What a link or another run brought is not a step, and an undo goes to the last list of the reader's
/// that differs from what is asked for now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Surgery {
    before: Vec<Interventions>,
    undone: Vec<Interventions>,
}

impl Surgery {
    /// What is asked for after this.
    pub(super) fn operate(&mut self, now: &Interventions, operation: Operation) -> Interventions {
        let next = match operation {
            Operation::Undo => return step(&mut self.before, &mut self.undone, now),
            Operation::Redo => return step(&mut self.undone, &mut self.before, now),
            Operation::Toggle(change) => now.toggled(change),
            Operation::Make(change) => now.with(change),
            Operation::TakeBack(change) => now.without(&change),
            Operation::Reset => Interventions::default(),
        };
        if next != *now {
            self.before.push(now.clone());
            self.undone.clear();
            let too_many = self.before.len().saturating_sub(MOST);
            self.before.drain(..too_many);
        }
        next
    }

    pub fn can_undo(&self, now: &Interventions) -> bool {
        self.before.iter().any(|before| before != now)
    }

    pub fn can_redo(&self, now: &Interventions) -> bool {
        self.undone.iter().any(|undone| undone != now)
    }

    /// Another model has other experts.
    pub(super) fn forget(&mut self) {
        *self = Surgery::default();
    }
}

/// The latest of one list that differs from now; what is left behind goes to the other.
fn step(from: &mut Vec<Interventions>, to: &mut Vec<Interventions>, now: &Interventions) -> Interventions {
    let Some(at) = from.iter().rposition(|other| other != now) else { return now.clone() };
    to.push(now.clone());
    let there = from[at].clone();
    from.truncate(at);
    there
}

#[cfg(test)]
mod tests {
    use moe_trace::{ExpertIdx, LayerIdx};

    use super::*;

    fn mute(expert: u32) -> Intervention {
        Intervention::Mute { layer: LayerIdx(0), expert: ExpertIdx(expert) }
    }

    #[test]
    fn what_was_undone_can_be_made_again_until_something_else_is() {
        let (mut surgery, mut now) = (Surgery::default(), Interventions::default());
        let mut check = |operation: Operation, expected: &str, can: (bool, bool)| {
            now = surgery.operate(&now, operation);
            assert_eq!(now.text(), expected);
            assert_eq!((surgery.can_undo(&now), surgery.can_redo(&now)), can, "{expected}");
        };
        check(Operation::Undo, "none", (false, false));
        check(Operation::TakeBack(mute(1)), "none", (false, false));
        check(Operation::Toggle(mute(1)), "mute:0,1", (true, false));
        check(Operation::Toggle(mute(2)), "mute:0,1 mute:0,2", (true, false));
        check(Operation::Reset, "none", (true, false));
        check(Operation::Undo, "mute:0,1 mute:0,2", (true, true));
        check(Operation::Undo, "mute:0,1", (true, true));
        check(Operation::Redo, "mute:0,1 mute:0,2", (true, true));
        check(Operation::Undo, "mute:0,1", (true, true));
        check(Operation::Toggle(mute(3)), "mute:0,1 mute:0,3", (true, false));
        check(Operation::Redo, "mute:0,1 mute:0,3", (true, false));
        check(Operation::TakeBack(mute(1)), "mute:0,3", (true, false));
    }

    #[test]
    fn what_another_run_brought_is_no_step() {
        let (mut surgery, none) = (Surgery::default(), Interventions::default());
        let muted = surgery.operate(&none, Operation::Toggle(mute(1)));
        // On the run before, which had no change, there is nothing to undo; on the run after there still is.
        assert!(!surgery.can_undo(&none) && surgery.can_undo(&muted));
        assert_eq!(surgery.operate(&none, Operation::Undo), none);
        assert_eq!(surgery.operate(&muted, Operation::Undo), none);
    }
}
