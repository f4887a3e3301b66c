//! The reducer as lists of actions: what happens, and what is then true.

mod activate;
mod attributes;
mod background;
mod depths;
mod failures;
mod lab;
mod lab_saved;
mod links;
mod methods;
mod models;
mod notices;
mod play;
mod policies;
mod positions;
mod progress;
mod replay;
mod runs;
mod story;
mod surgery;
