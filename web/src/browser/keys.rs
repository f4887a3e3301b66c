//! A key as it was pressed, whatever shape its event has, and whether it is pressed for itself.

use js_sys::{Function, Reflect};
use wasm_bindgen::JsCast;
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

/// The press of an event. A form filler, a test or a script of the page around sends events that are named so and are no
/// keyboard events: they lack whatever they lack, and nothing of them is asked for that could throw.
pub fn press(event: &KeyboardEvent) -> Press {
    let get = |name: &str| Reflect::get(event, &name.into()).unwrap_or_default();
    let Some(key) = get("key").as_string() else { return Press::default() };
    let flag = |name: &str| get(name).is_truthy();
    let is_on = |modifier: &str| {
        let ask = get("getModifierState").dyn_into::<Function>().ok();
        ask.and_then(|ask| ask.call1(event, &modifier.into()).ok()).is_some_and(|is_on| is_on.is_truthy())
    };
    let (alt, alt_graph, shift) = (flag("altKey"), is_on("AltGraph"), flag("shiftKey"));
    let is_alone = !(alt || alt_graph || shift);
    let of_map = is_alone.then(|| of_map(&key, &get("code").as_string().unwrap_or_default(), is_on("CapsLock")));
    Press {
        key: of_map.flatten().or(Some(key)),
        key_code: get("keyCode").as_f64().unwrap_or_default() as u32,
        ctrl: flag("ctrlKey"),
        meta: flag("metaKey"),
        alt,
        alt_graph,
        repeat: flag("repeat"),
        composing: flag("isComposing"),
        taken: flag("defaultPrevented"),
    }
}

/// The small Latin letter that the keyboard map may have for a key that types another one: a capital by Caps Lock; or on a
/// keyboard of another script the letter in its place.
fn of_map(key: &str, code: &str, caps_lock: bool) -> Option<String> {
    let mut letters = key.chars();
    let (letter, None) = (letters.next()?, letters.next()) else { return None };
    let in_its_place = code.strip_prefix("Key").filter(|place| place.len() == 1);
    // Up to here the letters are Latin ones with and without accents.
    match in_its_place.filter(|_| letter > '\u{24f}' && is_letter_or_digit(letter)) {
        Some(place) => Some(place.to_ascii_lowercase()),
        None => (caps_lock && letter.is_ascii_uppercase()).then(|| letter.to_ascii_lowercase().to_string()),
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

    #[test]
    fn letters_are_the_same_with_caps_lock_and_on_every_keyboard() {
        let check = |key: &str, code: &str, caps_lock: bool, expected: Option<&str>| {
            assert_eq!(of_map(key, code, caps_lock).as_deref(), expected, "{key} {code}");
        };
        check("D", "KeyD", true, Some("d"));
        check("D", "KeyD", false, None);
        check("d", "KeyD", true, None);
        check("?", "Slash", true, None);
        for in_place_of_d in ["в", "В", "δ", "ג", "ي", "ㅇ", "ด"] {
            check(in_place_of_d, "KeyD", false, Some("d"));
        }
        // A French keyboard has Latin letters, and an A where others have a Q.
        check("a", "KeyQ", false, None);
        check("é", "Digit2", false, None);
        check("ö", "KeyX", false, None);
        check("х", "BracketLeft", false, None);
        for odd in ["", "Dead", "Process", "Unidentified", "Enter", "ArrowLeft", "👍", "\u{301}"] {
            check(odd, "KeyD", true, None);
            check(odd, "", true, None);
        }
        for odd in ["Key", "KeyKey", "Keyé", "KeyDD", "🙂"] {
            check("в", odd, true, None);
        }
    }
}
