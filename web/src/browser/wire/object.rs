//! Plain JavaScript values, as they are read and made: every name of a field becomes a text of JavaScript's once.

use std::cell::RefCell;

use js_sys::{Array, Object, Reflect, Symbol, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::browser::wire::read::Plain;
use crate::browser::wire::write::Made;

#[wasm_bindgen]
extern "C" {
    type Record;

    /// Plain data has no getter that could throw, as `Reflect` allows for.
    #[wasm_bindgen(method, indexing_getter)]
    fn field(this: &Record, name: &JsValue) -> JsValue;

    #[wasm_bindgen(method, indexing_setter)]
    fn set_field(this: &Record, name: &JsValue, value: &JsValue);
}

thread_local! {
    /// The names that were used so far, by where in memory they lie: there are as many as the protocol has.
    static NAMES: RefCell<Vec<((usize, usize), JsValue)>> = const { RefCell::new(vec![]) };
}

fn as_text(name: &'static str) -> JsValue {
    let place = (name.as_ptr() as usize, name.len());
    NAMES.with_borrow_mut(|names| match names.binary_search_by_key(&place, |(place, _)| *place) {
        Ok(at) => names[at].1.clone(),
        Err(at) => {
            let text = JsValue::from_str(name);
            names.insert(at, (place, text.clone()));
            text
        }
    })
}

impl Plain for JsValue {
    const ABSENT: JsValue = JsValue::UNDEFINED;

    fn is_absent(&self) -> bool {
        self.is_undefined()
    }

    fn is_nothing(&self) -> bool {
        self.is_undefined() || self.is_null()
    }

    fn truth(&self) -> Option<bool> {
        self.as_bool()
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn text(&self) -> Option<String> {
        self.as_string()
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        self.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
    }

    fn elements(&self) -> Option<Vec<JsValue>> {
        if let Some(list) = self.dyn_ref::<Array>() {
            return Some(list.iter().collect());
        }
        let is_iterable = self.is_object() && Reflect::has(self, &Symbol::iterator()).unwrap_or_default();
        is_iterable.then(|| Array::from(self).iter().collect())
    }

    fn fields(&self, names: &'static [&'static str]) -> Option<Vec<JsValue>> {
        let record: &Record = self.is_object().then(|| self.unchecked_ref())?;
        Some(names.iter().map(|name| record.field(&as_text(name))).collect())
    }

    fn entries(&self) -> Option<Vec<(String, JsValue)>> {
        let record: &Object = self.is_object().then(|| self.unchecked_ref())?;
        let entry = |entry: JsValue| {
            let entry: Array = entry.unchecked_into();
            (entry.get(0).as_string().unwrap_or_default(), entry.get(1))
        };
        Some(Object::entries(record).iter().map(entry).collect())
    }
}

impl Made for JsValue {
    fn nothing() -> JsValue {
        JsValue::NULL
    }

    fn truth(value: bool) -> JsValue {
        value.into()
    }

    fn number(value: f64) -> JsValue {
        value.into()
    }

    fn text(value: &str) -> JsValue {
        value.into()
    }

    fn bytes(value: &[u8]) -> JsValue {
        Uint8Array::from(value).into()
    }

    fn list() -> JsValue {
        Array::new().into()
    }

    fn record() -> JsValue {
        Object::new().into()
    }

    fn name(name: &'static str) -> JsValue {
        as_text(name)
    }

    fn push(&mut self, element: JsValue) {
        self.unchecked_ref::<Array>().push(&element);
    }

    fn set(&mut self, name: JsValue, value: JsValue) {
        self.unchecked_ref::<Record>().set_field(&name, &value);
    }
}
