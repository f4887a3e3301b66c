//! Small pieces that panels and shell are made of: plain functions from data to HTML.

#[macro_use]
pub mod woven;

pub mod at_rest;
pub mod badges;
pub mod citation;
pub mod column_words;
pub mod comparison_bar;
pub mod fates;
pub mod glyph;
pub mod hover;
pub mod in_sight;
pub mod lane;
pub mod math;
pub mod popup;
pub mod ramp;
pub mod routing_controls;
pub mod rule_fields;
pub mod section;
pub mod sized;
pub mod slider;
pub mod speaking;
pub mod spoken;
pub mod stripe;
pub mod surgery;
pub mod table;
pub mod term;
pub mod transport;
