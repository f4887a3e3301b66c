//! The reducer as lists of actions: what happens, and what is then true.

mod activate;
mod attributes;
mod background;
mod depths;
mod experts;
mod failures;
mod findings;
mod in_step;
mod lab;
mod lab_adapters;
mod lab_saved;
mod lab_texts;
mod links;
mod methods;
mod models;
mod notices;
pub(crate) mod play;
mod policies;
mod positions;
mod progress;
mod replay;
mod runs;
mod speech;
mod story;
mod surgery;
mod time_machine;
mod trial;
