//! Is an element where its reader can see it? The browser tells, also of what a carousel, a frame or another tab hides.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry};

/// Watches an element until it is dropped.
pub struct Sight {
    seen: Seen,
    /// Where the browser has none, everything counts as seen.
    observer: Option<IntersectionObserver>,
    _closure: Closure<dyn FnMut(Array)>,
}

impl Sight {
    pub fn of(element: &Element) -> Sight {
        let seen = Seen(Rc::new(Cell::new(true)));
        let Seen(told) = seen.clone();
        let closure: Closure<dyn FnMut(Array)> = Closure::new(move |entries: Array| {
            // The last one is the newest.
            let newest: IntersectionObserverEntry = entries.get(entries.length().saturating_sub(1)).unchecked_into();
            told.set(newest.is_intersecting());
        });
        let observer = IntersectionObserver::new(closure.as_ref().unchecked_ref()).ok();
        if let Some(observer) = &observer {
            observer.observe(element);
        }
        Sight { seen, observer, _closure: closure }
    }

    /// For whoever asks later, again and again.
    pub fn seen(&self) -> Seen {
        self.seen.clone()
    }
}

/// What is known of it by now.
#[derive(Clone)]
pub struct Seen(Rc<Cell<bool>>);

impl Seen {
    /// Does any of it lie in a window that is not behind others? As long as the browser has not looked, it does.
    pub fn is_so(&self) -> bool {
        let document = web_sys::window().and_then(|window| window.document());
        self.0.get() && !document.is_some_and(|document| document.hidden())
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
    }
}
