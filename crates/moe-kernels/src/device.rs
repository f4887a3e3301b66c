//! The devices a model can run on.

use burn::tensor::Device;

use crate::constructors;

/// A GPU that is ready, and what its driver calls it.
#[cfg(feature = "gpu")]
#[derive(Debug, Clone)]
pub struct Gpu {
    pub device: Device,
    pub name: String,
}

/// The CPU, by the kernels' Rust twins.
pub fn cpu() -> Device {
    constructors::run_once();
    Device::flex()
}

/// Launches and uploads that are gathered before they are submitted; a read-back submits what there is. A pass through any
/// model we ship has fewer.
#[cfg(feature = "gpu")]
const TASKS_OF_A_SUBMISSION: usize = 256;

/// The GPU that wgpu prefers: WebGPU in a browser, Vulkan, Metal or DirectX natively. A message where there is none.
/// May be called once per process, or worker.
#[cfg(feature = "gpu")]
pub async fn gpu() -> Result<Gpu, String> {
    constructors::run_once();
    let options = Device::wgpu_options().tasks_max(TASKS_OF_A_SUBMISSION);
    let (device, setup) = options.init_with_setup_async().await.map_err(|error| error.to_string())?;
    let info = setup.adapter.get_info();
    let name = match (info.name.as_str(), info.driver.as_str()) {
        ("", "") => "this machine's GPU (the browser hides its name)".to_owned(),
        ("", driver) => driver.to_owned(),
        (name, _) => name.to_owned(),
    };
    Ok(Gpu { device, name })
}
