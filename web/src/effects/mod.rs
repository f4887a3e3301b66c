//! What the state asks of the world, carried out: a file per outside world.

pub mod models;
pub mod replay;
