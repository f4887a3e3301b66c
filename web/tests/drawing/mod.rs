//! What the views say, drawn natively.

use yew::{BaseComponent, ServerRenderer};

mod adapters;
mod comparisons;
mod directions;
mod glossary;
mod hostile;
mod lab;
mod large;
mod menu;
mod methods;
mod panels;
mod rule_note;
mod rules;
mod story;
mod surgery;

/// A component as HTML. `props` is called on the renderer's thread.
pub(crate) fn html<C: BaseComponent>(props: impl FnOnce() -> C::Properties + Send + 'static) -> String {
    let renderer = ServerRenderer::<C>::with_props(props).hydratable(false);
    pollster::block_on(renderer.render()).replace('\u{202f}', " ").replace("<!-- -->", "")
}
