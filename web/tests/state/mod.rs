//! The reducer as lists of actions: what happens, and what is then true.

mod activate;
mod attributes;
mod depths;
mod failures;
mod links;
mod models;
mod notices;
mod play;
mod progress;
mod replay;
mod runs;
