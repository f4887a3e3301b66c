//! The interface to JavaScript: `mount` draws the page into an element, and `Handle` is what the custom element holds of it.

use std::cell::RefCell;

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement};

use crate::browser::{address, languages, module_worker, panics, wire};
use crate::page::app::{AppProps, Line, Msg, ShownWindow, TraceWindow};
use crate::page::stage;
use crate::run::shared::Shared;
use crate::settings::attributes::{Config, Places};
use crate::settings::{language, models};
use crate::state::Action;
use crate::words::tongue::{self, Language};

/// A mounted page. An instance of the module has one at a time, so that a bug ends no other.
#[wasm_bindgen]
pub struct Handle {
    line: Shared<RefCell<Line>>,
    host: HtmlElement,
    places: Places,
    trace: TraceWindow,
    shown: ShownWindow,
}

/// Draws the page into `root`, an element inside the host's shadow tree. What `root` holds already is a poster: it
/// stays until there is something to show instead. Attributes are read from `host`, and events are dispatched on it;
/// `places` says where the element's files lie, starts workers, and hears of a bug.
#[wasm_bindgen]
pub fn mount(root: Element, host: HtmlElement, places: JsValue) -> Result<Handle, JsValue> {
    panics::report(function(&places, "bug"));
    module_worker::start_by(function(&places, "connect"));
    let places: Places = wire::from_js(places)?;
    let (config, errors) = read(|name| host.get_attribute(name), &host, &places);
    let trace: TraceWindow = Shared::new(RefCell::new(None));
    let shown: ShownWindow = Shared::new(RefCell::new(JsValue::NULL));
    let line = Shared::new(RefCell::new(Line::default()));
    let (of_host, of_trace) = (host.clone(), trace.clone());
    let page =
        AppProps { host: of_host, root, trace: of_trace, shown: shown.clone(), line: line.clone(), config, errors };
    stage::enter(page)?;
    Ok(Handle { line, host, places, trace, shown })
}

#[wasm_bindgen]
impl Handle {
    /// Runs the model; on a new prompt, if one is given.
    pub fn run(&self, prompt: Option<String>) {
        self.send(Msg::Act(Action::Run { prompt }));
    }

    /// Stops the run before its next step. Without a run it does nothing.
    pub fn stop(&self) {
        self.send(Msg::Act(Action::Stop));
    }

    /// The run on the screen as a plain object `{header, steps}`; `null` while there is none.
    #[wasm_bindgen(js_name = getTrace)]
    pub fn trace(&self) -> Result<JsValue, JsValue> {
        let Some(recording) = self.trace.borrow().clone() else { return Ok(JsValue::NULL) };
        let steps = js_sys::Array::new();
        for step in &recording.steps {
            steps.push(&wire::to_js(&**step));
        }
        let trace = Object::new();
        Reflect::set(&trace, &"header".into(), &wire::to_js(&recording.header()))?;
        Reflect::set(&trace, &"steps".into(), &steps)?;
        Ok(trace.into())
    }

    /// What stands on the screen, as a plain object of attributes; `null` before the first drawing.
    #[wasm_bindgen(js_name = getState)]
    pub fn state(&self) -> JsValue {
        self.shown.borrow().clone()
    }

    /// Shows what an object says that `getState` gave, or that has other attributes by name.
    #[wasm_bindgen(js_name = setState)]
    pub fn show(&self, state: &JsValue) {
        let (config, errors) = read(|name| text_of(state, name), &self.host, &self.places);
        self.send(Msg::Act(Action::Show { config: Box::new(config), errors }));
    }

    /// So many steps forward, or back.
    pub fn step(&self, steps: i32) {
        self.send(Msg::Act(Action::StepBy(steps)));
    }

    /// Goes to `{ step, layer, token, expert }`, or to as much of it as is named.
    pub fn seek(&self, place: &JsValue) {
        let (config, _) = Config::read(|name| text_of(place, name));
        self.send(Msg::Act(Action::Seek(config.place)));
    }

    /// The attributes changed.
    pub fn update(&self) {
        let (config, errors) = read(|name| self.host.get_attribute(name), &self.host, &self.places);
        self.send(Msg::Act(Action::Configured { config: Box::new(config), errors }));
    }

    /// Ends the worker, empties the element, and frees the handle with the run it holds: it must not be used afterwards.
    pub fn destroy(self) {
        stage::leave();
        *self.trace.borrow_mut() = None;
    }
}

impl Handle {
    fn send(&self, msg: Msg) {
        self.line.borrow_mut().send(msg);
    }
}

/// A property that is a function.
fn function(object: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(object, &JsValue::from_str(name)).ok()?.dyn_into().ok()
}

/// A property as a text, where it is one or a number.
fn text_of(object: &JsValue, name: &str) -> Option<String> {
    let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    value.as_string().or_else(|| value.as_f64().map(|number| number.to_string()))
}

/// What attributes with these texts say. Addresses become absolute: a link says them to other pages.
fn read(
    text_of: impl Fn(&str) -> Option<String>,
    host: &HtmlElement,
    places: &Places,
) -> (Config, Vec<moe_trace::UserError>) {
    // `setState` says nothing of the view, which stays as the author wants it.
    let is_whole = host.get_attribute("view").is_some_and(|view| view.trim() == "full");
    let tags = if is_whole { languages::of_browser() } else { languages::around(host) };
    let own_language = tags.iter().find_map(|tag| Language::of_tag(tag)).unwrap_or_default();
    // What is wrong with an attribute is said in words.
    let asked = text_of("lang").and_then(|tag| language::parse(tag.trim())).flatten();
    tongue::speak(asked.unwrap_or(own_language));
    let (config, errors) = Config::read(text_of);
    let manifest_url = models::manifest_url(
        config.model.as_deref(),
        |path| address::beside_assets(places.base_url.as_deref(), path),
        |address| address::resolve(address, &address::document_base()),
    );
    let trace_url = config.trace_url.as_deref().map(|trace| address::resolve(trace, &address::document_base()));
    let lesson = config.lesson.as_deref().map(|lesson| match models::is_plain_name(lesson) {
        true => lesson.to_owned(),
        false => address::resolve(lesson, &address::document_base()),
    });
    let Places { base_url, worker_url, lab_url } = places.clone();
    (Config { manifest_url, trace_url, base_url, worker_url, lab_url, lesson, own_language, ..config }, errors)
}
