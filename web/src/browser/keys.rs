//! A key as it was pressed, whatever shape its event has, and whether it is pressed for itself.

use js_sys::Reflect;
use web_sys::KeyboardEvent;

use crate::browser::letters::is_letter_or_digit;

/// A key as it was pressed: all that decides whether it is meant for a playground.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Press {
    /// Browsers that fill in a form send key events without a key.
    pub key: Option<String>,
    /// 229 while an input method takes the keys, even where nothing else says so.
    pub key_code: u32,
    pub ctrl: bool,
    pub meta: bool,
    /// Alt, or Option.
    pub alt: bool,
    /// The third level of many keyboards: AltGr, or Ctrl and Alt together.
    pub alt_graph: bool,
    /// Held down: the event is a repetition.
    pub repeat: bool,
    /// Between the first key of a composed character and its last.
    pub composing: bool,
    /// Somebody else acted on it.
    pub taken: bool,
}

impl Press {
    /// Its key, if it is pressed for itself: not as part of a shortcut of browser or system, nor of a character that is being
    /// composed.
    pub fn plain(&self) -> Option<&str> {
        let key = self.key.as_deref()?;
        if self.taken || self.composing || self.key_code == 229 || self.meta {
            return None;
        }
        // Brackets lie behind AltGr or Option on half of all keyboards; a letter with Alt is a shortcut of the browser.
        let is_sign = key.chars().count() == 1 && key.chars().all(|c| !is_letter_or_digit(c) && !c.is_whitespace());
        let is_third_level = is_sign && (self.alt_graph || self.alt);
        ((!self.ctrl && !self.alt) || is_third_level).then_some(key)
    }

    /// Does Enter start a run in a text field? With Shift it breaks the line.
    pub fn runs(&self, shift: bool) -> bool {
        !shift && self.plain() == Some("Enter")
    }
}

/// The press of an event. A browser's form filler sends events that are not keyboard events, though named so: of these
/// only the key is read.
pub fn press(event: &KeyboardEvent) -> Press {
    let key = Reflect::get(event, &"key".into()).ok().and_then(|key| key.as_string());
    if key.is_none() {
        return Press::default();
    }
    Press {
        key,
        key_code: event.key_code(),
        ctrl: event.ctrl_key(),
        meta: event.meta_key(),
        alt: event.alt_key(),
        alt_graph: event.get_modifier_state("AltGraph"),
        repeat: event.repeat(),
        composing: event.is_composing(),
        taken: event.default_prevented(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of every shape, and the key that a playground hears of each.
    #[test]
    fn only_keys_that_are_pressed_for_themselves_are_heard() {
        let of = |key: &str| Press { key: Some(key.to_owned()), ..Press::default() };
        let bracket = || of("]");
        let heard: [(Press, Option<&str>); 20] = [
            (of("d"), Some("d")),
            (of(" "), Some(" ")),
            (of("Enter"), Some("Enter")),
            (bracket(), Some("]")),
            (Press::default(), None),
            (Press { key_code: 229, ..of("Enter") }, None),
            (Press { composing: true, ..of("Enter") }, None),
            (Press { taken: true, ..of("d") }, None),
            (Press { meta: true, ..bracket() }, None),
            (Press { ctrl: true, ..of("c") }, None),
            (Press { ctrl: true, ..bracket() }, None),
            (Press { alt: true, ..of("d") }, None),
            (Press { alt: true, ..of("ArrowLeft") }, None),
            (Press { alt: true, ..of(" ") }, None),
            (Press { alt_graph: true, ..of("e") }, Some("e")),
            (Press { alt_graph: true, ..bracket() }, Some("]")),
            (Press { alt: true, ..bracket() }, Some("]")),
            (Press { alt: true, ctrl: true, ..bracket() }, Some("]")),
            (Press { alt: true, ctrl: true, alt_graph: true, ..bracket() }, Some("]")),
            (Press { alt: true, meta: true, ..bracket() }, None),
        ];
        for (press, expected) in heard {
            assert_eq!(press.plain(), expected, "{press:?}");
        }
        assert!(of("Enter").runs(false) && !of("Enter").runs(true));
        assert!(
            !Press { key_code: 229, ..of("Enter") }.runs(false) && !Press { ctrl: true, ..of("Enter") }.runs(false)
        );
    }
}
