//! A bug of the page: reported to the elements around it, which outlive the module that has it.

use std::panic;
use std::sync::Once;

use web_sys::{CustomEvent, CustomEventInit};

/// Dispatched on the window; the element listens to this name, which tells the module.
const EVENT: &str = if cfg!(feature = "page") { "moe-web-bug" } else { "moe-figure-bug" };

/// From now on a panic is reported. After one nothing of this module runs any more, for any of its figures.
pub fn report() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|bug| {
            let words = bug.to_string();
            web_sys::console::error_1(&format!("moe-playground: {words}").into());
            let init = CustomEventInit::new();
            init.set_detail(&words.into());
            let event = CustomEvent::new_with_event_init_dict(EVENT, &init);
            if let (Some(window), Ok(event)) = (web_sys::window(), event) {
                // The answer only says whether a listener called preventDefault.
                let _ = window.dispatch_event(&event);
            }
        }));
    });
}
