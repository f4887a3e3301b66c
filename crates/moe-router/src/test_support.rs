//! The running example under the name by which unit tests know it.

pub(crate) use crate::example::gate_logits as running_example;
