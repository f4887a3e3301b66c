//! What a picture says of the place under the mouse. A picture of many cells is one element, so its title changes.

use web_sys::Element;
use yew::prelude::*;

pub fn say_on_hover(event: &MouseEvent, words: &str) {
    if let Some(picture) = event.target_dyn_into::<Element>() {
        // Without it only the tooltip is missing; a click says the same and more.
        let _ = picture.set_attribute("title", words);
    }
}
