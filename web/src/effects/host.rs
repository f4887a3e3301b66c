//! The custom element that the page is in: its events and attributes, which inform the page around it.

use js_sys::Reflect;
use moe_trace::{BackendInfo, FinishReason, ModelInfo, ReadyDetail, RunId, Source, UserError};
use wasm_bindgen::JsValue;
use web_sys::{CustomEvent, CustomEventInit, HtmlElement};

use crate::browser::wire;
use crate::run::runs::Runs;
use crate::state::Theme;
use crate::state::engine::Progress;

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

    /// The detail is the plain object that the step came as: nothing is converted twice. A delta is sent on as the whole
    /// step that it made, the last of its run.
    pub fn emit_step(&self, plain: Option<&JsValue>, runs: &Runs) {
        let Some(plain) = plain else { return };
        let is_delta = Reflect::has(plain, &"input_start_position".into()).unwrap_or(false);
        let run = Reflect::get(plain, &"run".into()).ok().and_then(|run| run.as_f64());
        let mut of_run = runs.kept().iter().filter(|kept| Some(f64::from(kept.run().0)) == run);
        let whole = of_run.next().and_then(|kept| kept.steps.last()).filter(|_| is_delta);
        match whole.and_then(|step| wire::to_js(&**step).ok()) {
            Some(whole) => self.emit("moe-step", &whole),
            None => self.emit("moe-step", plain),
        }
    }

    pub fn emit_progress(&self, progress: Progress) {
        let Progress { loaded_bytes, total_bytes, from_cache } = progress;
        let detail = object([
            ("loaded_bytes", loaded_bytes.into()),
            ("total_bytes", total_bytes.into()),
            ("from_cache", from_cache.into()),
        ]);
        self.emit("moe-progress", &detail);
    }

    pub fn emit_finished(&self, run: RunId, reason: FinishReason) {
        let reason = wire::to_js(&reason).unwrap_or_default();
        self.emit("moe-finished", &object([("run", run.0.into()), ("reason", reason)]));
    }

    pub fn emit_error(&self, error: &UserError) {
        self.emit("moe-error", &wire::to_js(error).unwrap_or_default());
    }

    /// For the element alone, which may have promised this run to somebody.
    pub fn tell_failed(&self, error: &UserError) {
        self.dispatch("moe-run-failed", &CustomEventInit::new(), &wire::to_js(error).unwrap_or_default());
    }

    /// The detail of `moe-statechange`: an object with these texts.
    pub fn plain(attributes: &[(&'static str, String)]) -> JsValue {
        object(attributes.iter().map(|(name, text)| (*name, text.into())))
    }

    /// Something else stands on the screen.
    pub fn emit_state(&self, plain: &JsValue) {
        self.emit("moe-statechange", plain);
    }

    pub fn set_model(&self, model: &str) {
        self.set_attribute("model", model);
    }

    pub fn set_letter_keys(&self, heard: bool) {
        self.set_attribute("keys", if heard { "on" } else { "off" });
    }

    pub fn set_theme(&self, theme: Theme) {
        self.set_attribute("data-theme", theme.name());
    }

    fn set_attribute(&self, name: &str, value: &str) {
        // The state has it already; if this fails, only the page around the element does not learn of it.
        let _ = self.element.set_attribute(name, value);
    }

    /// Dispatches an event that leaves the shadow tree. `detail` is a plain object.
    fn emit(&self, name: &str, detail: &JsValue) {
        let init = CustomEventInit::new();
        init.set_bubbles(true);
        init.set_composed(true);
        self.dispatch(name, &init, detail);
    }

    fn dispatch(&self, name: &str, init: &CustomEventInit, detail: &JsValue) {
        init.set_detail(detail);
        if let Ok(event) = CustomEvent::new_with_event_init_dict(name, init) {
            // The answer only says whether a listener called preventDefault.
            let _ = self.element.dispatch_event(&event);
        }
    }
}

/// A plain object with these properties.
fn object(properties: impl IntoIterator<Item = (&'static str, JsValue)>) -> JsValue {
    let object = js_sys::Object::new();
    for (name, value) in properties {
        // A fresh object takes any property.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}
