//! The one place where a trace that comes from outside is checked: every field against every other, before anything is
//! made of it. Shapes that a type cannot have are refused where it is deserialised.

mod header;
mod layer;
mod model;
mod step;

pub(crate) use header::header;
use model::routing_spec;
pub use model::{model_entry, model_info};
pub(crate) use step::step;
