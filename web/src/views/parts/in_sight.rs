//! Scrolling within a view, never the page around it.

use web_sys::Element;

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
