//! All tests of this crate that use its public face, in one program: linked once.

mod common;

mod capacity;
mod edges;
mod empty_groups;
mod examples;
mod facts;
mod laws;
mod mixers;
mod oracle;
mod padded_losses;
mod readable;
mod refusals;
mod table;
mod texts;
