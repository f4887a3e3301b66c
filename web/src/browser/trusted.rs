//! Addresses of scripts, as pages want them that take no texts for them (Trusted Types).

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

/// The policy's name, which such a page allows.
const POLICY: &str = "moe-playground";

thread_local! {
    /// Made once: a name that is taken is refused.
    static SCRIPTS: Option<JsValue> = policy();
}

/// The address as what a worker may be started from. Without Trusted Types, or where the page refuses the policy, the
/// plain text; then the browser decides.
pub fn script_address(url: &str) -> JsValue {
    let trusted = SCRIPTS.with(|policy| {
        let policy = policy.as_ref()?;
        call(policy, "createScriptURL", &[url.into()])
    });
    trusted.unwrap_or_else(|| url.into())
}

/// It lets every address pass: they are the element's own.
fn policy() -> Option<JsValue> {
    let factory = Reflect::get(&js_sys::global(), &"trustedTypes".into()).ok().filter(JsValue::is_object)?;
    let pass = Closure::<dyn Fn(JsValue) -> JsValue>::new(|url| url).into_js_value();
    let rules = Object::new();
    Reflect::set(&rules, &"createScriptURL".into(), &pass).ok()?;
    call(&factory, "createPolicy", &[POLICY.into(), rules.into()])
}

fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let method = Reflect::get(object, &method.into()).ok()?.dyn_into::<Function>().ok()?;
    method.apply(object, &arguments.iter().collect::<js_sys::Array>()).ok()
}
