//! Tests of the kernels on a graphics adapter of this machine, without a browser: on lavapipe, Mesa's software adapter for
//! Vulkan, where Debian's package of it is installed. It is another compiler of shaders than Chromium's software adapter.

use std::fs;
use std::path::{Path, PathBuf};

use crate::counting::{self, Tally};
use crate::project;
use crate::report::Report;

/// Where Vulkan's loader finds the descriptions of drivers.
const DRIVERS: [&str; 3] = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/// The tests that need an adapter; a plain `cargo test` passes them over.
const TARGETS: [&str; 6] = ["--test", "twins", "--test", "on_a_gpu", "--test", "calls"];

pub fn test(report: &mut Report, filter: Option<&str>) {
    let step = "gpu";
    match DRIVERS.iter().find_map(|folder| lavapipe(Path::new(folder))) {
        Some(driver) => report.run(step, "kernels and models on lavapipe", || Ok(run(&driver, filter))),
        None => eprintln!(
            "\n== {step}: lavapipe is not installed, so nothing is tested on it (mesa-vulkan-drivers and libvulkan1) =="
        ),
    }
}

/// Vulkan's loader is shown this driver alone, so that the same is tested on every machine.
fn run(driver: &Path, filter: Option<&str>) -> Tally {
    let mut tests = project::cargo("test");
    tests.args(project::NATIVE_PACKAGES).args(TARGETS).arg("--").arg("--ignored").args(filter);
    counting::tests(tests.env("VK_DRIVER_FILES", driver).env("VK_ICD_FILENAMES", driver))
}

/// Its description in a folder of them, as `lvp_icd.x86_64.json` or `lvp_icd.json`.
fn lavapipe(folder: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.find(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lvp_icd") && name.ends_with(".json")
    })
}
