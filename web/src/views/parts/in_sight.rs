//! Scrolling within a view, never the page around it.

use web_sys::Element;

/// Scrolls a list sideways until a cell of it is in sight, `margin` pixels from its edges.
pub fn keep_in_sight(list: &Element, cell: &Element, margin: f64) {
    let (frame, cell) = (list.get_bounding_client_rect(), cell.get_bounding_client_rect());
    let beyond = if cell.left() < frame.left() + margin {
        cell.left() - frame.left() - margin
    } else if cell.right() > frame.right() - margin {
        cell.right() - frame.right() + margin
    } else {
        return;
    };
    list.set_scroll_left(list.scroll_left() + beyond as i32);
}
