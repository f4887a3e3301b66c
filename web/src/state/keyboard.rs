//! The keyboard map, as data: which key does what.

use crate::state::{Action, Motion};

/// What a key asks for.
#[allow(clippy::large_enum_variant, reason = "one is made a key press, and none is kept")]
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Act(Action),
    /// Put the focus on the capacity slider.
    FocusCapacity,
    /// Copy the link to what is on the screen.
    CopyLink,
}

/// Keys and what they do, as the help shows them.
pub const MAP: [(&str, &str); 10] = [
    ("← →", marked!("token")),
    ("↑ ↓", marked!("layer")),
    ("[ ]", marked!("expert")),
    ("Space", marked!("play or pause")),
    (", .", marked!("one step back or forward")),
    ("d", marked!("next request turned away")),
    ("c", marked!("capacity slider")),
    ("x", marked!("this run or the previous one")),
    ("l", marked!("copy the link")),
    ("?", marked!("this list; Esc closes it")),
];

/// Does the key only type a character? Speech input sends such keys all the time. Such keys can be switched off
/// (WCAG 2.1.4).
pub fn is_character(key: &str) -> bool {
    key != " " && key.chars().count() == 1
}

/// Does it act again and again while it is held? A switch does not.
pub fn may_repeat(key: &str) -> bool {
    key.starts_with("Arrow") || matches!(key, "[" | "]" | "," | "." | "d")
}

/// `right_to_left`: the text runs from right to left, and so do the arrow keys.
pub fn command(key: &str, right_to_left: bool) -> Option<Command> {
    let forward = if right_to_left { -1 } else { 1 };
    let action = match key {
        "ArrowRight" => Action::Move(Motion::Token(forward)),
        "ArrowLeft" => Action::Move(Motion::Token(-forward)),
        "ArrowUp" => Action::Move(Motion::Layer(-1)),
        "ArrowDown" => Action::Move(Motion::Layer(1)),
        "Home" => Action::Move(Motion::FirstToken),
        "End" => Action::Move(Motion::LastToken),
        "[" => Action::Move(Motion::Expert(-1)),
        "]" => Action::Move(Motion::Expert(1)),
        " " => Action::TogglePlay,
        "," => Action::StepBy(-1),
        "." => Action::StepBy(1),
        "d" => Action::Move(Motion::NextDrop),
        "x" => Action::Flip,
        "?" => Action::ToggleHelp,
        "Escape" => Action::CloseHelp,
        "c" => return Some(Command::FocusCapacity),
        "l" => return Some(Command::CopyLink),
        _ => return None,
    };
    Some(Command::Act(action))
}

/// Where the focus is, as far as it matters for who gets a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// A text field: every key is its own.
    Text,
    /// A slider or menu: arrows, Home and End are its own, and so are letters for a menu.
    Range,
    Menu,
    /// A button of a set of which one is chosen: arrows and Space are its own.
    Radio,
    /// A button or link: Space and Enter are its own.
    Button,
    /// A token, a cell, or nothing in particular.
    View,
}

/// Does the focused thing want this key for itself?
pub fn is_taken(key: &str, focus: Focus) -> bool {
    match focus {
        Focus::Text => true,
        Focus::Menu => key != "?" && key != "Escape",
        Focus::Range => key.starts_with("Arrow") || key == "Home" || key == "End",
        Focus::Radio => key.starts_with("Arrow") || key == " ",
        Focus::Button => key == " ",
        Focus::View => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_of_the_help_is_the_map_of_the_keys() {
        for (keys, _) in MAP {
            for key in keys.split(' ') {
                let key = match key {
                    "←" => "ArrowLeft",
                    "→" => "ArrowRight",
                    "↑" => "ArrowUp",
                    "↓" => "ArrowDown",
                    "Space" => " ",
                    other => other,
                };
                assert!(command(key, false).is_some(), "{key}");
            }
        }
        assert_eq!(command("q", false), None);
    }

    /// Which keys of the map only type a character, and which go on while they are held.
    #[test]
    fn every_key_of_the_map_is_of_a_kind() {
        let check = |keys: &str, character: bool, repeats: bool| {
            for key in keys.split(' ') {
                let key = if key == "Space" { " " } else { key };
                assert!(command(key, false).is_some(), "{key}");
                assert_eq!((is_character(key), may_repeat(key)), (character, repeats), "{key}");
            }
        };
        check("ArrowLeft ArrowRight ArrowUp ArrowDown", false, true);
        check("[ ] , . d", true, true);
        check("x c l ?", true, false);
        check("Space Home End Escape", false, false);
    }

    #[test]
    fn arrows_follow_the_direction_of_the_text() {
        assert_eq!(command("ArrowRight", false), Some(Command::Act(Action::Move(Motion::Token(1)))));
        assert_eq!(command("ArrowRight", true), Some(Command::Act(Action::Move(Motion::Token(-1)))));
    }

    #[test]
    fn a_text_field_keeps_its_keys() {
        assert!(is_taken("d", Focus::Text));
        assert!(is_taken("ArrowLeft", Focus::Range));
        assert!(!is_taken("d", Focus::Range));
        assert!(is_taken("ArrowLeft", Focus::Radio) && is_taken(" ", Focus::Radio));
        assert!(!is_taken("d", Focus::Radio));
        assert!(is_taken(" ", Focus::Button));
        assert!(!is_taken(" ", Focus::View));
    }
}
