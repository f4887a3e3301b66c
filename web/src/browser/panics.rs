//! A bug of the page: reported to the element around it, which outlives the instance that has it.

use std::cell::{Cell, RefCell};
use std::sync::Once;

use js_sys::Function;
use wasm_bindgen::JsValue;

thread_local! {
    /// Who is told, by the figure that is mounted.
    static TOLD: RefCell<Option<Function>> = const { RefCell::new(None) };
    static IS_OVER: Cell<bool> = const { Cell::new(false) };
}

/// From now on a panic is reported to `told`. After one nothing of this instance runs any more.
pub fn report(told: Option<Function>) {
    static ONCE: Once = Once::new();
    TOLD.replace(told);
    ONCE.call_once(|| {
        // Not the standard library's function: Yew would put its own hook in the place of ours.
        yew::set_custom_panic_hook(Box::new(|bug| {
            // What still comes from timers may meet the same again.
            if IS_OVER.replace(true) {
                return;
            }
            let words = bug.to_string();
            web_sys::console::error_1(&format!("moe-playground: {words}").into());
            if let Some(told) = TOLD.take() {
                // What the element throws is its own affair.
                let _ = told.call1(&JsValue::UNDEFINED, &words.into());
            }
        }));
    });
}

/// Has this instance met a bug?
pub fn is_over() -> bool {
    IS_OVER.get()
}
