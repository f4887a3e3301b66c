//! A place in a run, as an attribute, a link or a script names it.

/// What is named of it; the rest stays as it is. All count from 0, as in traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    pub step: Option<u32>,
    pub layer: Option<u32>,
    pub token: Option<u32>,
    pub expert: Option<u32>,
}

/// Larger than any step, layer, token or expert that is ever drawn.
pub const MOST: u32 = 1 << 16;

impl Place {
    /// This place, and of `other` what this one does not name.
    pub fn or(self, other: Place) -> Place {
        Place {
            step: self.step.or(other.step),
            layer: self.layer.or(other.layer),
            token: self.token.or(other.token),
            expert: self.expert.or(other.expert),
        }
    }
}
