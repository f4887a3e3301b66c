//! The rungs of the ladder: the CPU, which is always there, and whether the browser offers WebGPU beside it.

use moe_engine::{Arithmetic, device};
use moe_mailbox::patience::within;
use moe_mailbox::scope;
use moe_trace::{BackendChoice, BackendInfo, Rung};
use wasm_bindgen::JsValue;

/// Adapter and device come within a second; a driver that hangs never answers at all.
pub const PATIENCE_MS: i32 = 8_000;

/// Of a driver that hangs.
pub const SILENT: &str = "WebGPU did not answer for 8 seconds";

/// How the CPU computes for this choice, and why it is the CPU.
pub fn cpu(choice: BackendChoice) -> (Arithmetic, BackendInfo) {
    let why = match choice {
        BackendChoice::CpuF32 => {
            let info = on_the_cpu("WebAssembly SIMD, f32", "you asked for the CPU and f32");
            return (Arithmetic::F32(device::cpu()), info);
        }
        BackendChoice::Cpu => "you asked for the CPU".to_owned(),
        BackendChoice::Auto | BackendChoice::Webgpu | BackendChoice::Recorded => match webgpu() {
            Ok(_) => "it was ready first, and WebGPU is tried when nothing runs".to_owned(),
            Err(why) => why,
        },
    };
    (Arithmetic::Int8, on_the_cpu("WebAssembly SIMD, 8-bit matrices", &why))
}

fn on_the_cpu(name: &str, why: &str) -> BackendInfo {
    BackendInfo { rung: Rung::Cpu, name: name.to_owned(), why: for_the_cpu(why) }
}

/// A reason for the CPU, and what is to be known of it in this browser.
pub fn for_the_cpu(why: &str) -> String {
    if compiles_late() { format!("{why}; {LATE}") } else { why.to_owned() }
}

/// What a reader is told of an engine that compiles late. It was measured, see docs/BENCHMARKS.md: vector instructions are
/// there, and the code that is made first is what is slow.
const LATE: &str =
    "this browser makes fast code of WebAssembly only after it has run for a while, so the first runs are slower";

/// Is this the engine of WebKit? It alone gives errors the line where they were made.
fn compiles_late() -> bool {
    js_sys::Reflect::has(&js_sys::Error::new(""), &JsValue::from_str("line")).unwrap_or(false)
}

/// This worker's `navigator.gpu`, or why there is none.
pub fn webgpu() -> Result<JsValue, String> {
    let gpu = js_sys::Reflect::get(&scope().navigator(), &JsValue::from_str("gpu"));
    gpu.ok().filter(JsValue::is_object).ok_or_else(|| match scope().is_secure_context() {
        true => "this browser offers no WebGPU".to_owned(),
        false => "the page came over plain http, where browsers offer no WebGPU".to_owned(),
    })
}

/// Does WebGPU have a graphics adapter? If not, why not.
pub async fn adapter() -> Result<(), String> {
    let gpu = webgpu()?;
    let ask = || -> Result<js_sys::Promise, JsValue> {
        let request: js_sys::Function = js_sys::Reflect::get(&gpu, &JsValue::from_str("requestAdapter"))?.into();
        Ok(request.call0(&gpu)?.into())
    };
    let answer = match ask() {
        Ok(promise) => within(PATIENCE_MS, wasm_bindgen_futures::JsFuture::from(promise)).await,
        Err(error) => Some(Err(error)),
    };
    match answer {
        Some(Ok(adapter)) if adapter.is_object() => Ok(()),
        Some(_) => Err("WebGPU found no graphics adapter".to_owned()),
        None => Err(SILENT.to_owned()),
    }
}
