//! Texts that come with the page: fetched when a training is to learn them, and kept.

use moe_trace::UserError;
use moe_trace::training::KindText;

use super::Lab;
use crate::state::Effect;

/// What came of the texts that were asked for; of a failure, why.
pub type Fetched = Result<Vec<KindText>, String>;

impl Lab {
    /// Are all texts of the experiment here? Those that are not are fetched, and then it starts.
    pub(super) fn has_texts(&mut self, effects: &mut Vec<Effect>) -> bool {
        let is_here = |kind: &&str| self.texts.iter().any(|text| text.kind == **kind);
        let missing: Vec<&'static str> =
            self.experiment.kinds().iter().copied().filter(|kind| !is_here(kind)).collect();
        self.is_fetching = !missing.is_empty();
        if self.is_fetching {
            effects.push(Effect::FetchTexts(missing));
        }
        !self.is_fetching
    }

    /// What nobody waits for any more is kept all the same.
    pub(in crate::state) fn fetched(&mut self, fetched: &Fetched, effects: &mut Vec<Effect>) {
        match fetched {
            Ok(texts) => {
                let known = |text: &&KindText| !self.texts.iter().any(|other| other.kind == text.kind);
                let new: Vec<KindText> = texts.iter().filter(known).cloned().collect();
                self.texts.extend(new);
                if self.is_fetching {
                    self.start(effects);
                }
            }
            Err(why) if self.is_fetching => {
                self.is_fetching = false;
                self.problem = Some(UserError::new(
                    say!("The training did not start."),
                    why.clone(),
                    say!("Try again, or choose another text."),
                ));
            }
            Err(_) => {}
        }
    }
}
