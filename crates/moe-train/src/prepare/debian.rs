//! Packages from Debian, by `apt-get download NAME` and `dpkg-deb -x`: nothing is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use moe_model::manifest::sha256_hex;

use super::archive::{run, unpack_into};
use super::package::{Package, Unpacked};

/// Downloads and unpacks `package` into folders of `work`; both steps are skipped if done before.
pub fn fetch(package: Package, work: &Path) -> Result<Unpacked> {
    let archive = match downloaded(package.name, work)? {
        Some(archive) => archive,
        None => {
            download(package.name, work)?;
            downloaded(package.name, work)?.context("apt-get download said nothing, yet left no file")?
        }
    };
    let folder = work.join(package.name);
    unpack_into(&folder, |into| run(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(into)))?;
    let version = run(Command::new("dpkg-deb").arg("-f").arg(&archive).arg("Version"))?.trim().to_owned();
    Ok(Unpacked { package, folder, version, sha256: sha256_hex(&fs::read(&archive)?) })
}

/// A fresh machine has no package lists, so a first failure is answered by `apt-get update`.
fn download(name: &str, work: &Path) -> Result<()> {
    let download = || run(Command::new("apt-get").args(["download", name]).current_dir(work));
    if download().is_err() {
        run(Command::new("apt-get").arg("update"))?;
        download()?;
    }
    Ok(())
}

/// Debian names its files `NAME_VERSION_ARCHITECTURE.deb`, and no name holds an underscore.
fn downloaded(name: &str, work: &Path) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(work)? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if file.split('_').next() == Some(name) && file.ends_with(".deb") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
