//! In which language the reader is spoken to: the one that is asked for, once its catalogue has come; until then, and
//! without it, in English.

use crate::state::Effect;
use crate::words::problems::Problem;
use crate::words::tongue::Language;

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Speech {
    /// By an attribute, a link or the switch; `None` leaves it to the document.
    asked: Option<Language>,
    /// The document's.
    own: Language,
    spoken: Language,
    /// Is a catalogue waited for that the reader asked for by hand?
    is_by_hand: bool,
    /// The language whose catalogue could not be had, until it is asked for again.
    lacks: Option<Language>,
}

impl Speech {
    /// What was asked for, as a link says it.
    pub fn asked(self) -> Option<Language> {
        self.asked
    }

    /// The language of every sentence now.
    pub fn spoken(self) -> Language {
        self.spoken
    }

    /// The language that the page speaks or is about to.
    pub fn chosen(self) -> Language {
        let wanted = self.wanted();
        if self.lacks == Some(wanted) { self.spoken } else { wanted }
    }

    fn wanted(self) -> Language {
        self.asked.unwrap_or(self.own)
    }

    /// As an attribute or a link says it.
    pub(super) fn take(&mut self, asked: Option<Language>, own: Language, effects: &mut Vec<Effect>) {
        self.own = own;
        self.ask(asked, effects);
    }

    /// As the reader wants it, who presses a button for it.
    pub(super) fn choose(&mut self, language: Language, effects: &mut Vec<Effect>) {
        self.ask(Some(language), effects);
        self.is_by_hand = true;
    }

    fn ask(&mut self, asked: Option<Language>, effects: &mut Vec<Effect>) {
        self.asked = asked;
        self.is_by_hand = false;
        self.lacks = None;
        match self.wanted() {
            Language::English => self.spoken = Language::English,
            wanted if wanted != self.spoken => effects.push(Effect::Learn(wanted)),
            _ => {}
        }
    }

    /// The catalogue has come, or why it cannot. The problem of which the reader must be told.
    pub(super) fn learned(&mut self, language: Language, read: Result<(), String>) -> Option<Problem> {
        if language != self.wanted() {
            return None;
        }
        match read {
            Ok(()) => {
                self.spoken = language;
                None
            }
            Err(why) => {
                self.spoken = Language::English;
                self.lacks = Some(language);
                std::mem::take(&mut self.is_by_hand).then_some(Problem::LanguageMissing { language, why })
            }
        }
    }
}
