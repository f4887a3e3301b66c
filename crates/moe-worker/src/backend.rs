//! The rung of the ladder: WebGPU where it works, else the CPU, with the reason.

use moe_engine::{Arithmetic, device};
use moe_trace::{BackendChoice, BackendInfo, Rung, UserError};
use wasm_bindgen::JsValue;

use moe_mailbox::patience::within;
use moe_mailbox::scope;

/// Adapter and device come within a second; a driver that hangs never answers at all.
const PATIENCE_MS: i32 = 8_000;

/// Makes a device ready, and says which and why.
pub async fn choose(choice: BackendChoice) -> Result<(Arithmetic, BackendInfo), UserError> {
    match choice {
        BackendChoice::Cpu => return Ok(cpu("you asked for the CPU")),
        BackendChoice::CpuF32 => {
            let why = "you asked for the CPU and f32";
            return Ok((Arithmetic::F32(device::cpu()), on_the_cpu("WebAssembly SIMD, f32", why)));
        }
        BackendChoice::Auto | BackendChoice::Webgpu | BackendChoice::Recorded => {}
    }
    let gpu = within(PATIENCE_MS, gpu()).await;
    let gpu = gpu.unwrap_or_else(|| Err("WebGPU did not answer for 8 seconds".to_owned()));
    match (gpu, choice) {
        (Ok(gpu), BackendChoice::Webgpu) => Ok((Arithmetic::F32(gpu.device), webgpu(gpu.name, "you asked for WebGPU"))),
        (Ok(gpu), _) => Ok((Arithmetic::F32(gpu.device), webgpu(gpu.name, "WebGPU works here"))),
        (Err(why), BackendChoice::Webgpu) => Err(UserError::new(
            "WebGPU is not available.",
            format!("{}.", capitalised(&why)),
            "This page asks for backend=\"webgpu\"; auto or cpu would run here. Or try a current Chrome, Edge or Safari.",
        )),
        (Err(why), _) => Ok(cpu(&why)),
    }
}

/// The GPU, or why there is none.
async fn gpu() -> Result<device::Gpu, String> {
    if !webgpu_exists() {
        return Err(match scope().is_secure_context() {
            true => "this browser offers no WebGPU".to_owned(),
            false => "the page came over plain http, where browsers offer no WebGPU".to_owned(),
        });
    }
    match adapter_exists().await {
        false => Err("WebGPU found no graphics adapter".to_owned()),
        true => device::gpu().await.map_err(|error| {
            // In the words of a driver, which are for its makers.
            web_sys::console::warn_1(&JsValue::from_str(&error));
            "WebGPU could not be made ready".to_owned()
        }),
    }
}

/// The CPU, and why it is that.
pub fn cpu(why: &str) -> (Arithmetic, BackendInfo) {
    (Arithmetic::Int8, on_the_cpu("WebAssembly SIMD, 8-bit matrices", why))
}

fn on_the_cpu(name: &str, why: &str) -> BackendInfo {
    let why = if compiles_late() { format!("{why}; {LATE}") } else { why.to_owned() };
    BackendInfo { rung: Rung::Cpu, name: name.to_owned(), why }
}

/// What a reader is told of an engine that compiles late. It was measured, see docs/BENCHMARKS.md: vector instructions are
/// there, and the code that is made first is what is slow.
const LATE: &str =
    "this browser makes fast code of WebAssembly only after it has run for a while, so the first runs are slower";

/// Is this the engine of WebKit? It alone gives errors the line where they were made.
fn compiles_late() -> bool {
    js_sys::Reflect::has(&js_sys::Error::new(""), &JsValue::from_str("line")).unwrap_or(false)
}

/// A reason as the beginning of a sentence.
fn capitalised(reason: &str) -> String {
    let mut chars = reason.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn webgpu(name: String, why: &str) -> BackendInfo {
    BackendInfo { rung: Rung::Webgpu, name, why: why.to_owned() }
}

/// Has this worker a `navigator.gpu`?
fn webgpu_exists() -> bool {
    js_sys::Reflect::get(&scope().navigator(), &JsValue::from_str("gpu")).is_ok_and(|gpu| gpu.is_object())
}

/// Does `navigator.gpu.requestAdapter()` give one? Asked first because a failed initialisation cannot be taken back.
async fn adapter_exists() -> bool {
    let ask = || -> Result<js_sys::Promise, JsValue> {
        let gpu = js_sys::Reflect::get(&scope().navigator(), &JsValue::from_str("gpu"))?;
        let request: js_sys::Function = js_sys::Reflect::get(&gpu, &JsValue::from_str("requestAdapter"))?.into();
        Ok(request.call0(&gpu)?.into())
    };
    match ask() {
        Ok(promise) => wasm_bindgen_futures::JsFuture::from(promise).await.is_ok_and(|adapter| adapter.is_object()),
        Err(_) => false,
    }
}
