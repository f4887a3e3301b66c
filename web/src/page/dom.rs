//! Keys in, the focus, and the poster.

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Document, Element, Event, HtmlElement, KeyboardEvent};

use crate::browser::focus::focus_in_place;
use crate::browser::keys::press;
use crate::browser::panics;
use crate::state::keyboard::{self, Focus};

/// What has the focus, seen from inside the shadow tree.
fn focus_of(target: &Element) -> Focus {
    match target.tag_name().to_ascii_lowercase().as_str() {
        "textarea" => Focus::Text,
        "select" => Focus::Menu,
        "input" => match target.get_attribute("type").as_deref() {
            Some("range") => Focus::Range,
            Some("radio") => Focus::Radio,
            Some("checkbox") => Focus::Button,
            _ => Focus::Text,
        },
        // Tokens and cells are buttons too, but Space plays there.
        "button" | "a" | "summary" if !target.has_attribute("data-view") => Focus::Button,
        _ => Focus::View,
    }
}

/// The key that this playground is to act on, which then nobody else does. Only while the event is being dispatched has
/// it a path and can be held back; a message may be read much later, when the page has drawn something long.
fn take_key(host: &HtmlElement, event: &KeyboardEvent) -> Option<String> {
    let press = press(event);
    let key = press.plain()?;
    let path = event.composed_path();
    let target = path.get(0).dyn_into::<Element>().ok()?;
    let is_ours = path.includes(host, 0) || hears_idle_keys(host);
    let is_off = keyboard::is_character(key) && host.get_attribute("keys").as_deref() == Some("off");
    if !is_ours || is_off || keyboard::is_taken(key, focus_of(&target)) {
        return None;
    }
    keyboard::command(key, false)?;
    // Escape is the host's, whose dialog it may close, but for where there is something of ours to close.
    if key == "Escape" && !shows_help(host) {
        return None;
    }
    event.prevent_default();
    // A key that is held is kept from the page around, too, though it acts once.
    (!press.repeat || keyboard::may_repeat(key)).then(|| key.to_owned())
}

fn shows_help(host: &HtmlElement) -> bool {
    host.shadow_root().is_some_and(|root| root.query_selector(".help").is_ok_and(|help| help.is_some()))
}

/// Hears the document's keys until it is dropped.
pub struct Keys {
    document: Document,
    on_key: Closure<dyn FnMut(KeyboardEvent)>,
}

impl Keys {
    /// `press` gets the keys that this playground is to act on. `None` where there is no document: then only the keyboard
    /// map is missing, and the controls keep working.
    pub fn listen(host: HtmlElement, press: impl Fn(String) + 'static) -> Option<Keys> {
        let document = web_sys::window()?.document()?;
        let on_key = Closure::new(move |event: KeyboardEvent| {
            if panics::is_over() {
                return;
            }
            if let Some(key) = take_key(&host, &event) {
                press(key);
            }
        });
        document.add_event_listener_with_callback("keydown", on_key.as_ref().unchecked_ref()).ok()?;
        Some(Keys { document, on_key })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A listener that is not there needs no removing.
        let _ = self.document.remove_event_listener_with_callback("keydown", self.on_key.as_ref().unchecked_ref());
    }
}

/// Puts the focus on the first element that the selector finds.
pub fn focus_first(root: &Element, selector: &str) {
    if let Ok(Some(found)) = root.query_selector(selector)
        && let Ok(found) = found.dyn_into::<HtmlElement>()
    {
        // An element that cannot take the focus leaves it where it is.
        let _ = found.focus();
    }
}

/// Asks the element around for what is its own to do.
pub fn ask(root: &Element, what: &str) {
    if let Ok(event) = Event::new(what) {
        // The answer only says whether a listener called preventDefault.
        let _ = root.dispatch_event(&event);
    }
}

/// Does this playground hear keys while nothing has the focus? Only the first one that is the page's whole view does: in
/// any other page Space, arrows, Home and End scroll.
fn hears_idle_keys(host: &HtmlElement) -> bool {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return false };
    let is_idle = document.active_element().is_none_or(|active| active.tag_name().eq_ignore_ascii_case("body"));
    let first = document.query_selector(&format!("{}[view=full]", host.tag_name())).ok().flatten();
    is_idle && first.is_some_and(|first| first.is_same_node(Some(host)))
}

/// Shows only the notice of what was mounted, or hides it again; the poster stays.
pub fn show_notice(root: &Element, has_notice: bool) {
    if let Ok(Some(mounted)) = root.query_selector(":scope > .is-waiting") {
        mounted.set_class_name(if has_notice {
            "moe-container is-waiting is-told"
        } else {
            "moe-container is-waiting"
        });
    }
}

/// Shows what was mounted, and takes the poster away in the same frame.
pub fn reveal(root: &Element) {
    let children = root.children();
    for number in (0..children.length()).rev() {
        let Some(child) = children.item(number) else { continue };
        if child.class_name().starts_with("moe-container") {
            child.set_class_name("moe-container");
        } else {
            child.remove();
        }
    }
}

/// Within a grid one element is a stop of the Tab key: the selected one. The focus, if it is there, goes on with it.
pub fn rove_focus(root: &Element) {
    if let Ok(Some(left)) = root.query_selector("[data-grid][tabindex=\"-1\"]:focus")
        && let Some(grid) = left.get_attribute("data-grid")
        && let Ok(Some(next)) = root.query_selector(&format!("[data-grid={grid}][tabindex=\"0\"]"))
        && let Ok(next) = next.dyn_into::<HtmlElement>()
    {
        focus_in_place(&next);
    }
}
