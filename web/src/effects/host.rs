//! The custom element that the page is in: its events and attributes, through which the page around it learns of things.

use moe_trace::{BackendInfo, ModelInfo, ReadyDetail, Source, UserError};
use wasm_bindgen::JsValue;
use web_sys::{CustomEvent, CustomEventInit, HtmlElement};

use crate::browser::wire;
use crate::state::Theme;

pub struct Host {
    element: HtmlElement,
}

impl Host {
    pub fn new(element: HtmlElement) -> Host {
        Host { element }
    }

    pub fn emit_ready(&self, source: Source, model: Option<ModelInfo>, backend: Option<BackendInfo>) {
        let detail = ReadyDetail { source, model, backend };
        self.emit("moe-ready", &wire::to_js(&detail).unwrap_or_default());
    }

    /// A step is told as the plain object that it came as: nothing is converted twice.
    pub fn emit_step(&self, plain: Option<&JsValue>) {
        if let Some(plain) = plain {
            self.emit("moe-step", plain);
        }
    }

    pub fn emit_error(&self, error: &UserError) {
        self.emit("moe-error", &wire::to_js(error).unwrap_or_default());
    }

    pub fn set_model(&self, model: &str) {
        self.set_attribute("model", model);
    }

    pub fn set_theme(&self, theme: Theme) {
        self.set_attribute("data-theme", theme.name());
    }

    fn set_attribute(&self, name: &str, value: &str) {
        // What it says counts already; only the page around the element could miss it.
        let _ = self.element.set_attribute(name, value);
    }

    /// Dispatches an event that leaves the shadow tree. `detail` is a plain object.
    fn emit(&self, name: &str, detail: &JsValue) {
        let init = CustomEventInit::new();
        init.set_bubbles(true);
        init.set_composed(true);
        init.set_detail(detail);
        if let Ok(event) = CustomEvent::new_with_event_init_dict(name, &init) {
            // The answer only says whether a listener called preventDefault.
            let _ = self.element.dispatch_event(&event);
        }
    }
}
