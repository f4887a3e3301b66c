//! The reducer as lists of actions: what happens, and what is then true.

mod attributes;
mod failures;
mod links;
mod models;
mod notices;
mod play;
mod progress;
mod replay;
mod runs;
mod surgery;
