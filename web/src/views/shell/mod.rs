//! What stands around the panels: the top line, the prompt, and what lies over the page.

pub mod contents;
pub mod depths;
pub mod figure;
pub mod header;
pub mod model_menu;

pub mod generation;
pub mod prompt_bar;
pub mod prompt_field;

pub mod help;
pub mod notice;
pub mod tabs;

mod chip;
