//! What the page's author fixed.

use moe_trace::{Policy, RoutingGroup};

/// Settings that the page's author fixed; everything else comes from the recorded run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides {
    pub prompt: Option<String>,
    pub seed: Option<u32>,
    pub capacity_factor: Option<f32>,
    pub policy: Option<Policy>,
    pub group: Option<RoutingGroup>,
}
