//! Where training computes.

use anyhow::Result;
use burn::tensor::{Device, DeviceKind};
use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeviceChoice {
    /// burn-flex on all cores.
    Cpu,
    /// The best GPU that wgpu finds (Vulkan, Metal or DirectX).
    Gpu,
}

impl DeviceChoice {
    pub fn init(self) -> Result<Device> {
        Ok(match self {
            DeviceChoice::Cpu => Device::flex(),
            DeviceChoice::Gpu => Device::wgpu(DeviceKind::DefaultDevice),
        })
    }
}
