//! The served site: which address is which file. Nothing is copied while one works on it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::{project, wasm};

/// Folders laid over each other; of two files with one address the earlier folder's counts.
pub struct Site {
    mounts: Vec<Mount>,
}

/// The files of a folder under an address that ends in a slash.
struct Mount {
    address: &'static str,
    folder: PathBuf,
}

impl Site {
    /// The site as it lies in the working tree, with the modules as built last.
    pub fn of_working_tree() -> Result<Site> {
        let root = project::root();
        let mount = |address, folder| Mount { address, folder };
        Ok(Site {
            mounts: vec![
                mount("/assets/", root.join("www/packages/moe-playground/src")),
                mount("/assets/", root.join("web/style")),
                mount("/assets/", wasm::generated_dir()?),
                mount("/", root.join("www/site")),
            ],
        })
    }

    /// A folder that holds the whole site, such as the output of `dist`.
    pub fn of_folder(folder: PathBuf) -> Site {
        Site { mounts: vec![Mount { address: "/", folder }] }
    }

    /// The file at a decoded path such as `/assets/element.js`. A folder stands for its `index.html`.
    pub fn file(&self, path: &str) -> Option<PathBuf> {
        self.mounts.iter().find_map(|mount| {
            let inside = Path::new(path.strip_prefix(mount.address)?);
            if !inside.components().all(|part| matches!(part, Component::Normal(_))) || !is_public(inside) {
                return None;
            }
            let file = mount.folder.join(inside);
            let file = if file.is_dir() { file.join("index.html") } else { file };
            file.is_file().then_some(file)
        })
    }

    /// Every file of the site by its address without the leading slash, in order.
    pub fn files(&self) -> Result<BTreeMap<String, PathBuf>> {
        let mut files = BTreeMap::new();
        for mount in &self.mounts {
            let mut folders = vec![mount.folder.clone()];
            while let Some(folder) = folders.pop() {
                let Ok(entries) = folder.read_dir() else { continue };
                for entry in entries {
                    let path = entry?.path();
                    let inside = path.strip_prefix(&mount.folder).context("a file outside its folder")?;
                    if !is_public(inside) {
                        continue;
                    }
                    let address = format!("{}{}", mount.address, inside.to_string_lossy().replace('\\', "/"));
                    if path.is_dir() {
                        folders.push(path);
                    } else {
                        files.entry(address.trim_start_matches('/').to_owned()).or_insert(path);
                    }
                }
            }
        }
        Ok(files)
    }
}

/// Hidden files, the build's own stamps and TypeScript declarations are no part of the site.
fn is_public(inside: &Path) -> bool {
    let hidden = inside.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
    let name = inside.to_string_lossy();
    !hidden && !name.ends_with(".input-sha256") && !name.ends_with(".d.ts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_site_is_served() {
        let site = Site::of_folder(project::root().join("www/site"));
        assert!(site.file("/").is_some_and(|file| file.ends_with("index.html")));
        for path in
            ["/../../Cargo.toml", "/../site/index.html", "//etc/passwd", "/.hidden", "/missing.html", "index.html"]
        {
            assert_eq!(site.file(path), None, "{path}");
        }
    }
}
