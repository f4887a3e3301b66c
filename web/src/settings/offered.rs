//! The controls that a figure offers.

use crate::settings::named::named;

named! {
    /// A control, as `controls="capacity step"` names it.
    ControlName {
        Prompt "prompt"
        Run "run"
        Seed "seed"
        Step "step"
        Capacity "capacity"
        Policy "policy"
        Group "group"
        K "k"
        Rule "rule"
        Surgery "surgery"
        Save "save"
    }
}

/// A set of controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered(u16);

impl Offered {
    pub const NONE: Offered = Offered(0);
    pub const ALL: Offered = Offered(u16::MAX);

    /// `none`, or names of controls with blanks between them.
    pub fn parse(text: &str) -> Option<Offered> {
        if text.trim() == "none" {
            return Some(Offered::NONE);
        }
        let mut offered = Offered::NONE;
        for word in text.split_whitespace() {
            offered.0 |= 1 << ControlName::of_word(word)? as u16;
        }
        (offered != Offered::NONE).then_some(offered)
    }

    /// Every word that [`Offered::parse`] knows, for the message where it does not.
    pub fn allowed() -> String {
        say!("none, or one or more of {words}", words = ControlName::words())
    }

    pub fn without(self, control: ControlName) -> Offered {
        Offered(self.0 & !(1 << control as u16))
    }

    pub fn with(self, control: ControlName) -> Offered {
        Offered(self.0 | 1 << control as u16)
    }

    /// Those of this set that are not in the other.
    pub fn except(self, others: Offered) -> Offered {
        Offered(self.0 & !others.0)
    }

    pub fn has(self, control: ControlName) -> bool {
        self.0 & (1 << control as u16) != 0
    }

    pub fn has_any(self, controls: &[ControlName]) -> bool {
        controls.iter().any(|&control| self.has(control))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_named_one_by_one() {
        let check = |text: &str, expected: Option<&[ControlName]>| {
            let offered = Offered::parse(text);
            assert_eq!(offered.is_some(), expected.is_some(), "{text:?}");
            for control in ControlName::ALL {
                let is_named = expected.is_some_and(|expected| expected.contains(control));
                assert_eq!(offered.is_some_and(|offered| offered.has(*control)), is_named, "{text:?}: {control:?}");
            }
        };
        check("none", Some(&[]));
        check(" capacity  step ", Some(&[ControlName::Capacity, ControlName::Step]));
        check("capacity none", None);
        check("volume", None);
        check("", None);
    }
}
