//! What docs/FINDINGS.md says of the shipped models, for the page to show beside what it computes. `cargo xtask measure`
//! writes that document; a test holds these numbers equal to it (`web/tests/state/findings.rs`).

/// Held-out tokens, in windows of so many.
pub const NUM_TOKENS: u32 = 114_688;
pub const WINDOW: u32 = 256;

/// Points by which the last quarter of a window loses more than the first, at capacity factor 1 with the default model,
/// and two standard errors.
pub const RISE_IN_ORDER: (f64, f64) = (40.9, 0.6);
pub const RISE_BY_LOT: (f64, f64) = (0.1, 0.3);

/// What a label tells of the experts' entropy in the default model, in percent: the token's id, its kind of text, the id
/// before, its position.
pub const TOLD_ID: f64 = 40.6;
pub const TOLD_KIND: f64 = 1.3;
pub const TOLD_BEFORE: f64 = 14.1;
pub const TOLD_POSITION: f64 = 0.0;

/// Variation of demand over experts: with the default model, and with the one whose gate nothing balanced.
pub const VARIATION: f64 = 0.12;
pub const VARIATION_UNBALANCED: f64 = 0.52;

/// Experts that a layer works with, of 8, mean over the layers: in the same two models.
pub const EFFECTIVE: f64 = 7.94;
pub const EFFECTIVE_UNBALANCED: f64 = 6.83;

/// Of its last experts a token of the default model already has so many percent after 1 % and after 40 % of training;
/// chance is the last.
pub const EARLY: (f64, f64, f64) = (27.8, 80.1, 25.0);
