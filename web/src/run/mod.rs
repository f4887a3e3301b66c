//! A run as data: its steps, what there is to see at one of them, and how it compares with another.

pub mod adapting;
pub mod recording;
pub mod runs;
pub mod scene;

pub mod block;
pub mod capacity;
pub mod decision;
pub mod gate_reading;
pub mod losses;
pub mod moments;
pub mod proof;
pub mod text;
pub mod training;

pub mod compare;
pub mod difference;
pub mod drops;
pub mod event;
pub mod experts;
pub mod findings;
pub mod fixed_text;
pub mod held_out;
pub mod history;
pub mod in_step;
#[cfg(feature = "page")]
pub mod observed;
pub mod pair;
pub mod policies;
pub mod positions;
pub mod tried;
pub mod what_if;

pub mod shared;
