//! The texts that the panel `batch` runs in step: the reader's, else the first prompts that the page offers for the model.

use std::rc::Rc;

use moe_trace::prompts;

use crate::state::State;

/// Texts to begin with.
const NUM_TEXTS: usize = 4;

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct TextsInStep {
    /// The reader's; `None` before anything was typed.
    pub texts: Option<Rc<[String]>>,
    /// The step that is looked at, where the reader chose one.
    pub step: Option<usize>,
}

impl TextsInStep {
    pub fn of(texts: Option<&[String]>) -> TextsInStep {
        TextsInStep { texts: texts.map(Rc::from), step: None }
    }
}

impl State {
    /// The texts that are to be run in step.
    pub fn texts_in_step(&self) -> Rc<[String]> {
        let offered = || {
            let name = self.model().map(|model| &*model.name).unwrap_or_default();
            prompts::of_model(name).into_iter().take(NUM_TEXTS).map(|(_, prompt)| prompt.to_owned()).collect()
        };
        // A figure's module has no panel that shows them.
        match &self.in_step.texts {
            Some(texts) => texts.clone(),
            None if cfg!(feature = "page") => offered(),
            None => Rc::default(),
        }
    }

    /// The step of theirs that is looked at, where the reader chose one.
    pub fn step_in_step(&self) -> Option<usize> {
        self.in_step.step
    }
}
