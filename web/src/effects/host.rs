//! The custom element that the page is in: its events and attributes, which inform the page around it.

use std::rc::Rc;

use js_sys::{Object, Reflect};
use moe_trace::{
    Assignment, BackendInfo, Fate, FinishReason, LayerIdx, ModelInfo, ReadyDetail, RunId, Source, StepTrace, UserError,
};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CustomEvent, CustomEventInit, HtmlElement};

use crate::browser::wire;
use crate::state::Theme;
use crate::state::progress::Waiting;

pub struct Host {
    element: HtmlElement,
}

impl Host {
    pub fn new(element: HtmlElement) -> Host {
        Host { element }
    }

    pub fn emit_ready(&self, source: Source, model: Option<ModelInfo>, backend: Option<BackendInfo>) {
        let detail = ReadyDetail { source, model, backend };
        self.emit("moe-ready", &wire::to_js(&detail));
    }

    /// A step, and what was turned away in it.
    pub fn emit_step(&self, step: Rc<StepTrace>) {
        let (run, has_lost) = (step.run, lost(&step).next().is_some());
        let whole = step.clone();
        self.emit_of_run("moe-step", run, Box::new(move || wire::to_js(&*whole)));
        if has_lost {
            self.emit_of_run("moe-overflow", run, Box::new(move || overflow(&step)));
        }
    }

    /// The detail is made when a listener first asks for it: the plain object of a long text is large, and most pages do
    /// not listen. The element, which does, only wants to know the run.
    fn emit_of_run(&self, name: &str, run: RunId, make: Box<dyn Fn() -> JsValue>) {
        let Some(event) = event(name, &leaving(), &JsValue::UNDEFINED) else { return };
        let mut made = None;
        let detail = Closure::<dyn FnMut() -> JsValue>::new(move || JsValue::clone(made.get_or_insert_with(&make)));
        // It hides the detail of the event's class, and is freed with the event.
        let property = object([("get", detail.into_js_value())]);
        let _ = Reflect::define_property(&event, &"detail".into(), property.unchecked_ref());
        let _ = Reflect::set(&event, &"run".into(), &run.0.into());
        self.dispatch(&event);
    }

    pub fn emit_progress(&self, waiting: Waiting) {
        let Waiting { loaded_bytes, total_bytes, from_cache, .. } = waiting;
        let detail = object([
            ("loaded_bytes", loaded_bytes.into()),
            ("total_bytes", total_bytes.into()),
            ("from_cache", from_cache.into()),
        ]);
        self.emit("moe-progress", &detail);
    }

    pub fn emit_finished(&self, run: RunId, reason: FinishReason) {
        let reason = wire::to_js(&reason);
        self.emit("moe-finished", &object([("run", run.0.into()), ("reason", reason)]));
    }

    pub fn emit_error(&self, error: &UserError) {
        self.emit("moe-error", &wire::to_js(error));
    }

    /// For the element alone, which may have promised this run to somebody.
    pub fn tell_failed(&self, error: &UserError) {
        let detail = wire::to_js(error);
        if let Some(event) = event("moe-run-failed", &CustomEventInit::new(), &detail) {
            self.dispatch(&event);
        }
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

    pub fn set_lesson(&self, lesson: &str) {
        self.set_attribute("lesson", lesson);
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

    /// Dispatches an event with a plain object as its detail.
    fn emit(&self, name: &str, detail: &JsValue) {
        if let Some(event) = event(name, &leaving(), detail) {
            self.dispatch(&event);
        }
    }

    fn dispatch(&self, event: &CustomEvent) {
        // The answer only says whether a listener called preventDefault.
        let _ = self.element.dispatch_event(event);
    }
}

/// Of an event that leaves the shadow tree.
fn leaving() -> CustomEventInit {
    let init = CustomEventInit::new();
    init.set_bubbles(true);
    init.set_composed(true);
    init
}

fn event(name: &str, init: &CustomEventInit, detail: &JsValue) -> Option<CustomEvent> {
    init.set_detail(detail);
    CustomEvent::new_with_event_init_dict(name, init).ok()
}

/// The requests that were turned away, with their layers.
fn lost(step: &StepTrace) -> impl Iterator<Item = (LayerIdx, &Assignment)> {
    let routings = step.layers.iter().filter_map(|layer| Some((layer.layer, layer.routing()?)));
    let requests =
        routings.flat_map(|(layer, routing)| routing.assignments.iter().map(move |request| (layer, request)));
    requests.filter(|(_, request)| request.fate == Fate::Lost)
}

/// The detail of `moe-overflow`.
fn overflow(step: &StepTrace) -> JsValue {
    let plain = |(layer, request): (LayerIdx, &Assignment)| {
        object([
            ("layer", layer.0.into()),
            ("token", request.token.into()),
            ("rank", request.rank.into()),
            ("expert", request.expert.0.into()),
        ])
    };
    let lost: js_sys::Array = lost(step).map(plain).collect();
    object([("run", step.run.0.into()), ("step", step.step.into()), ("lost", lost.into())])
}

/// A plain object with these properties.
fn object(properties: impl IntoIterator<Item = (&'static str, JsValue)>) -> JsValue {
    let object = Object::new();
    for (name, value) in properties {
        // A fresh object takes any property.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}
