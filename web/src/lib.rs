//! The page: one reducer, small views, and a worker at arm's length. Mounted by the custom element `<moe-playground>`.
//!
//! Reading order: what the element asks for ([`attributes`]), what the page knows ([`state`]), what there is to see of
//! it ([`scene`], [`gate_reading`], [`compare`], [`wording`], [`text`]), where it comes from ([`replay`], [`models`],
//! `engine_client`), and how it is drawn ([`views`]).

pub mod attributes;
pub mod state;

pub mod compare;
pub mod gate_reading;
pub mod models;
pub mod scene;
pub mod shared;
pub mod text;
pub mod what_if;
pub mod wording;

mod engine_client;
mod fetch;
mod menu_fetch;
pub mod replay;
mod replay_fetch;
mod timers;
mod wire;

mod app;
mod dom;
mod keyboard;
mod mount;
pub mod views;

pub use mount::{Handle, mount};
