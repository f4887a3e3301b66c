//! Packages from npm, by `npm pack NAME@VERSION`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use moe_model::manifest::sha256_hex;

use super::archive::{run, unpack_into};
use super::package::{Package, Unpacked};

/// Downloads and unpacks `package` at `version` into folders of `work`; both steps are skipped if done before.
pub fn fetch(package: Package, version: &str, work: &Path) -> Result<Unpacked> {
    // npm writes the scope into the name of the file: `@mdn/data` becomes `mdn-data`.
    let stem = format!("{}-{version}", package.name.trim_start_matches('@').replace('/', "-"));
    let archive = work.join(format!("{stem}.tgz"));
    if !archive.exists() {
        run(Command::new("npm").args(["pack", "--silent", &format!("{}@{version}", package.name)]).current_dir(work))?;
    }
    let folder = work.join(&stem);
    unpack_into(&folder, |into| run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(into)))?;
    let sha256 = sha256_hex(&fs::read(&archive)?);
    Ok(Unpacked { package, folder: folder.join("package"), version: version.to_owned(), sha256 })
}
