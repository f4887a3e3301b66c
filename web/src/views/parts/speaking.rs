//! In which language a component draws. Figures of one document may speak different ones, and a component may be drawn
//! without the page around it: each says its language first, and is drawn again when it becomes another.

use yew::prelude::*;

use crate::words::tongue::{self, Language};

/// The first line of every component that says something, or draws what does. The page provides the language.
#[hook]
pub fn use_tongue() {
    let language = use_context::<Language>();
    tongue::speak(language.unwrap_or_default());
}
