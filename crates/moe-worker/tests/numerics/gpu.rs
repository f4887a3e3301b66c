//! The one WebGPU device of this worker. A browser without WebGPU fails these tests: they are about WebGPU.

use std::cell::RefCell;

use moe_model::{Device, device};

thread_local! {
    static DEVICE: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// The device, made ready by whoever asks first.
pub async fn gpu() -> Device {
    if let Some(device) = DEVICE.with_borrow(Clone::clone) {
        return device;
    }
    let gpu = device::gpu().await.expect("WebGPU works in this browser");
    DEVICE.set(Some(gpu.device.clone()));
    gpu.device
}
