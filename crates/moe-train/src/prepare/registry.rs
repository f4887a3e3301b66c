//! How a package is downloaded from its registry.

use std::path::Path;

use anyhow::{Context, Result};

use super::package::{Package, Registry, Unpacked};
use super::{debian, npm};

/// Downloads a package into `work` unless it is there already, and unpacks it.
pub fn fetch(package: Package, work: &Path) -> Result<Unpacked> {
    let Package { registry, name, .. } = package;
    match registry {
        Registry::Npm { version } => npm::fetch(package, version, work),
        Registry::Debian => debian::fetch(package, work),
    }
    .with_context(|| format!("the package {name} ({}) could not be downloaded", registry.label()))
}
