//! What stands around the panels: around those of the whole page the top line, the prompt and the tabs; around those of a
//! figure its controls and a line; and what lies over either.

#[cfg(feature = "page")]
pub mod whole;

#[cfg(feature = "page")]
mod about;
#[cfg(feature = "page")]
mod contents;
#[cfg(feature = "page")]
mod depths;
#[cfg(feature = "page")]
mod generation;
#[cfg(feature = "page")]
mod header;
#[cfg(feature = "page")]
mod languages;
#[cfg(feature = "page")]
pub mod lesson;
#[cfg(feature = "page")]
mod model_menu;
#[cfg(feature = "page")]
mod prompt_bar;
#[cfg(feature = "page")]
mod tabs;

pub mod figure;

pub mod help;
pub mod notice;

mod chip;
mod engine;
mod prompt_field;
