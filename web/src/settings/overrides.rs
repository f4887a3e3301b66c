//! What the page's author fixed.

use std::mem::discriminant;

use crate::settings::Setting;

/// Settings that the page's author fixed, each at most once; everything else comes from the recorded run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides(Vec<Setting>);

impl Overrides {
    /// Fixes a setting. What was fixed of the same setting before counts no more.
    pub fn fix(&mut self, setting: Setting) {
        self.0.retain(|known| discriminant(known) != discriminant(&setting));
        self.0.push(setting);
    }

    /// Is this setting fixed, to whatever value?
    pub fn fixes(&self, kind: &Setting) -> bool {
        self.0.iter().any(|fixed| discriminant(fixed) == discriminant(kind))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.0.iter()
    }
}

impl FromIterator<Setting> for Overrides {
    fn from_iter<I: IntoIterator<Item = Setting>>(settings: I) -> Overrides {
        let mut overrides = Overrides::default();
        for setting in settings {
            overrides.fix(setting);
        }
        overrides
    }
}
