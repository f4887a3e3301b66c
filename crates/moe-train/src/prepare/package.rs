//! A registry package that text comes from: where it is, its name, its licence.

use std::path::PathBuf;

#[derive(Clone, Copy, Debug)]
pub enum Registry {
    Npm {
        version: &'static str,
    },
    /// Debian keeps one version per release, so we take what there is and write down which.
    Debian,
}

#[derive(Clone, Copy, Debug)]
pub struct Package {
    pub registry: Registry,
    pub name: &'static str,
    pub licence: &'static str,
}

/// A package on disk.
#[derive(Clone, Debug)]
pub struct Unpacked {
    pub package: Package,
    pub folder: PathBuf,
    pub version: String,
    /// Of the archive as it was downloaded, in hex.
    pub sha256: String,
}

impl Registry {
    pub fn label(self) -> &'static str {
        match self {
            Registry::Npm { .. } => "npm",
            Registry::Debian => "Debian",
        }
    }
}
