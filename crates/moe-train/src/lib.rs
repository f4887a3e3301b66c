//! Native work on models: prepare the corpus, train, evaluate, export, measure, record golden runs.
//!
//! What a step of training does is in `moe-learn`. Here are files, the corpus, checkpoints and logs around it, and what is
//! made of trained models.

pub mod cards;
pub mod compressors;
pub mod evaluate;
pub mod experiments;
pub mod export;
pub mod findings;
pub mod golden;
pub mod prepare;
pub mod reshape;
pub mod seeds;
pub mod site_model;
pub mod study;
pub mod texts;
pub mod train;
pub mod workshop;
