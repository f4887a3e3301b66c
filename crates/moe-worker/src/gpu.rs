//! The rung of WebGPU: made ready, compared with the CPU, and where the page may choose, timed beside it.

use moe_engine::{Arithmetic, Engine, device};
use moe_mailbox::now_ms;
use moe_mailbox::patience::within;
use moe_trace::{BackendInfo, Rung, UserError};
use wasm_bindgen::JsValue;

use crate::backend::{self, PATIENCE_MS};
use crate::model::{Failure, Model};

/// A GPU that makes at least this share of the CPU's steps a second takes its place: the page's thread and other tabs then
/// have the processor.
const LEAST_SHARE: f32 = 0.5;

/// The model on the GPU, because somebody asked for it.
pub async fn asked_for(model: &Model) -> Result<(Engine, BackendInfo), Failure> {
    let gpu = gpu().await.map_err(|why| {
        let try_this =
            "This page asks for backend=\"webgpu\"; auto or cpu would run here. Or try a current Chrome, Edge or Safari.";
        Failure::lasting(UserError::new("WebGPU is not available.", format!("{}.", capitalised(&why)), try_this))
    })?;
    let mut engine = model.engine(&Arithmetic::F32(gpu.device)).await?;
    match difference(&mut engine, model).await? {
        Some(difference) => {
            let why = format!("It computes something else than the CPU: {difference}.");
            let try_this = "With backend=\"auto\" or \"cpu\" the model runs on the CPU.";
            Err(Failure::lasting(UserError::new("This GPU cannot be trusted.", why, try_this)))
        }
        None => Ok((engine, info(gpu.name, "you asked for WebGPU".to_owned()))),
    }
}

/// The model on the GPU, if it is right there and fast enough; else why the CPU is to go on.
pub async fn tried(model: &Model) -> Result<Result<(Engine, BackendInfo), String>, Failure> {
    let gpu = match gpu().await {
        Ok(gpu) => gpu,
        Err(why) => return Ok(Err(why)),
    };
    let mut engine = model.engine(&Arithmetic::F32(gpu.device)).await?;
    if let Some(difference) = difference(&mut engine, model).await? {
        return Ok(Err(format!("the GPU computes something else: {difference}")));
    }
    let on_gpu = engine.steps_per_second(now_ms).await?;
    // As the CPU would go on: with 8-bit matrices, in a worker like this one.
    let on_cpu = model.engine(&Arithmetic::Int8).await?.steps_per_second(now_ms).await?;
    let (Some(on_gpu), Some(on_cpu)) = (on_gpu, on_cpu) else {
        return Ok(Err("this model could not be timed on the GPU".to_owned()));
    };
    let rates = format!("{on_gpu:.0} steps a second, and the CPU {on_cpu:.0}");
    Ok(match on_gpu >= LEAST_SHARE * on_cpu {
        true => {
            let why = format!("it computes what the CPU does, and makes {rates} (backend=\"cpu\" stays there)");
            Ok((engine, info(gpu.name, why)))
        }
        false => Err(format!("WebGPU ({}) makes {rates} (backend=\"webgpu\" takes it all the same)", gpu.name)),
    })
}

fn info(name: String, why: String) -> BackendInfo {
    BackendInfo { rung: Rung::Webgpu, name, why }
}

/// What the engine computes otherwise than the CPU.
async fn difference(engine: &mut Engine, model: &Model) -> Result<Option<String>, Failure> {
    let mut trusted = model.engine(&Arithmetic::F32(device::cpu())).await?;
    Ok(engine.differs_from(&mut trusted).await?)
}

/// The GPU, or why there is none.
async fn gpu() -> Result<device::Gpu, String> {
    let gpu = within(PATIENCE_MS, async {
        // Asked first because a failed initialisation cannot be taken back.
        backend::adapter().await?;
        device::gpu().await.map_err(|error| {
            // In the words of a driver, which are for its makers.
            web_sys::console::warn_1(&JsValue::from_str(&error));
            "WebGPU could not be made ready".to_owned()
        })
    });
    gpu.await.unwrap_or_else(|| Err(backend::SILENT.to_owned()))
}

/// A reason as the beginning of a sentence.
fn capitalised(reason: &str) -> String {
    let mut chars = reason.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
