//! Scrolling: within a view, or, where a reader asks for another view, to that one.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::browser::focus::focus_in_place;
use crate::browser::timers::Frame;

/// Scrolls a list sideways until a cell of it is in sight, `margin` pixels from its edges: with the next frame, for now
/// the browser would have to lay everything out to say where the cell is. Not if the frame is dropped before.
pub fn keep_in_sight(list: &Element, cell: &Element, margin: f64) -> Frame {
    let (list, cell) = (list.clone(), cell.clone());
    Frame::new(move || {
        let (frame, cell) = (list.get_bounding_client_rect(), cell.get_bounding_client_rect());
        let beyond = if cell.left() < frame.left() + margin {
            cell.left() - frame.left() - margin
        } else if cell.right() > frame.right() - margin {
            cell.right() - frame.right() + margin
        } else {
            return;
        };
        list.set_scroll_left(list.scroll_left() + beyond as i32);
    })
}

/// Keeps a token's column in sight of a frame that begins with [`column_words`](super::column_words::column_words), whenever
/// another is selected or `anew` changes: what is behind another tab cannot scroll, and does once it is in front.
#[hook]
pub fn use_column_in_sight<K: PartialEq + 'static>(frame: &NodeRef, token: usize, anew: K) {
    use_effect_with((token, anew), {
        let frame = frame.clone();
        move |&(token, _)| {
            let word = |frame: &Element| frame.first_element_child()?.children().item(token as u32);
            // Names of rows stand still at one of its edges.
            let scroll = |frame: Element| Some(keep_in_sight(&frame, &word(&frame)?, 48.0));
            let scrolled = frame.cast().and_then(scroll);
            move || drop(scrolled)
        }
    });
}

/// Scrolls to the part of `root` that a reader asked for and puts the focus on it, with the next frame: for now it may not be
/// drawn yet. Not if the frame is dropped before.
pub fn bring_before(root: Element, selector: String) -> Frame {
    Frame::new(move || {
        let found = root.query_selector(&selector).ok().flatten().and_then(|it| it.dyn_into::<HtmlElement>().ok());
        if let Some(part) = found {
            let _ = part.set_attribute("tabindex", "-1");
            part.scroll_into_view();
            focus_in_place(&part);
        }
    })
}
