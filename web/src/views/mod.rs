//! Views: functions of data. They call back, and decide nothing.
//!
//! The page is a shell around panels. A panel is a row of a registry (`panels`), drawn into a frame from one input
//! (`panel`), which is all it gets to see of the state. Panels and shell are made of `parts`; none of them imports
//! another.

// First, since its macro is known to what follows.
#[macro_use]
pub mod parts;

pub mod page;

pub mod shell;

pub mod frame;
pub mod panel;
pub mod panels;
