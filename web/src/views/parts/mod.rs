//! Small pieces that panels and shell are made of: plain functions from data to HTML.

pub mod at_rest;
pub mod badges;
pub mod citation;
pub mod glyph;
pub mod hover;
pub mod in_sight;
pub mod math;
pub mod popup;
pub mod ramp;
pub mod routing_controls;
pub mod section;
pub mod sized;
pub mod spoken;
pub mod table;
pub mod transport;
