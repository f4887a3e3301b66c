//! The served site: which address is which file, or which files together. Nothing is copied while one works on it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};

use crate::{catalogues, project, wasm};

/// The files of `web/style` that make the style sheet, in its order: of two rules of one weight the later counts. After
/// them come those of the panels, which have nothing to do with each other, by their names.
const STYLES: [&str; 15] = [
    "colors.css",
    "base.css",
    "page.css",
    "frame.css",
    "parts.css",
    "routing.css",
    "surgery.css",
    "shell/chip.css",
    "shell/header.css",
    "shell/prompt.css",
    "shell/figure.css",
    "shell/overlay.css",
    "shell/lesson.css",
    "contrast.css",
    "print.css",
];

/// The folder of `web/style` with a file for each panel.
const PANEL_STYLES: &str = "panels";

/// Of these figures have nothing.
const PAGE_STYLES: [&str; 3] = ["page.css", "shell/header.css", "shell/lesson.css"];

/// The whole page's, and that of figures, which also lacks the panels that only the page's module has.
const STYLE_SHEET: &str = "/assets/playground.css";
const FIGURE_STYLE_SHEET: &str = "/assets/figure.css";

/// Lists the panels of figures; the part is generated from their registry.
const ELEMENT: &str = "www/packages/moe-playground/src/element.js";

/// Stands in a page where the first paint belongs, which `cargo xtask codegen` draws into a file of its own.
const FIRST_PAINT_MARK: &str = "<!-- first-paint -->";

/// Folders laid over each other, of which the earlier counts where two have a file of one address; before them all,
/// what is put together from several files.
pub struct Site {
    made: Vec<(String, Content)>,
    mounts: Vec<Mount>,
}

/// What stands at an address. It is read anew each time, so that a reload shows what was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    File(PathBuf),
    /// One after the other.
    Joined(Vec<PathBuf>),
    /// The sentences of a language, joined from the files of its folder.
    Catalogue(PathBuf),
    /// A page with the first paint in the place of its mark.
    Page {
        page: PathBuf,
        first_paint: PathBuf,
    },
}

impl Content {
    pub fn read(&self) -> io::Result<Vec<u8>> {
        match self {
            Content::File(path) => fs::read(path),
            Content::Joined(paths) => {
                let texts: Vec<Vec<u8>> = paths.iter().map(fs::read).collect::<io::Result<_>>()?;
                Ok(texts.concat())
            }
            Content::Catalogue(folder) => catalogues::joined(folder).map_err(io::Error::other),
            Content::Page { page, first_paint } => {
                let first_paint = fs::read_to_string(first_paint)?;
                Ok(fs::read_to_string(page)?.replacen(FIRST_PAINT_MARK, first_paint.trim_end(), 1).into_bytes())
            }
        }
    }

    /// The file whose name tells the kind of content.
    pub fn path(&self) -> &Path {
        match self {
            // Every catalogue is JSON.
            Content::Catalogue(_) => Path::new("catalogue.json"),
            Content::File(path) | Content::Page { page: path, .. } => path,
            Content::Joined(paths) => paths.first().map_or(Path::new(""), PathBuf::as_path),
        }
    }
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
        let styles = styles(&root.join("web/style"))?;
        let figure = of_figures(&styles, &figure_panels(&fs::read_to_string(root.join(ELEMENT))?)?);
        let page = root.join("www/site/index.html");
        let mut made = vec![
            (STYLE_SHEET.to_owned(), Content::Joined(styles)),
            (FIGURE_STYLE_SHEET.to_owned(), Content::Joined(figure)),
            ("/index.html".to_owned(), Content::Page { page, first_paint: root.join("www/first-paint.html") }),
        ];
        for language in catalogues::languages(root)? {
            let folder = root.join(catalogues::FOLDER).join(&language);
            made.push((format!("/words/{language}.json"), Content::Catalogue(folder)));
        }
        Ok(Site {
            made,
            mounts: vec![
                mount("/assets/", root.join("www/packages/moe-playground/src")),
                mount("/assets/", wasm::generated_dir()?),
                mount("/", root.join("www/site")),
            ],
        })
    }

    /// A folder that holds the whole site, such as the output of `dist`.
    pub fn of_folder(folder: PathBuf) -> Site {
        Site { made: Vec::new(), mounts: vec![Mount { address: "/", folder }] }
    }

    /// What stands at a decoded path such as `/assets/element.js`. A folder stands for its `index.html`.
    pub fn content(&self, path: &str) -> Option<Content> {
        let whole = if path == "/" { "/index.html" } else { path };
        if let Some((_, content)) = self.made.iter().find(|(address, _)| *address == whole) {
            return Some(content.clone());
        }
        self.mounts.iter().find_map(|mount| {
            let inside = Path::new(path.strip_prefix(mount.address)?);
            if !inside.components().all(|part| matches!(part, Component::Normal(_))) || !is_public(inside) {
                return None;
            }
            let file = mount.folder.join(inside);
            let file = if file.is_dir() { file.join("index.html") } else { file };
            file.is_file().then_some(Content::File(file))
        })
    }

    /// Everything of the site by its address without the leading slash, in order.
    pub fn contents(&self) -> Result<BTreeMap<String, Content>> {
        let plain = |address: &str| address.trim_start_matches('/').to_owned();
        let mut contents: BTreeMap<String, Content> =
            self.made.iter().map(|(address, content)| (plain(address), content.clone())).collect();
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
                        contents.entry(plain(&address)).or_insert(Content::File(path));
                    }
                }
            }
        }
        Ok(contents)
    }
}

/// The style sheet's files in its order.
fn styles(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut of_panels = Vec::new();
    for entry in folder.join(PANEL_STYLES).read_dir().context("web/style has no folder of the panels")? {
        of_panels.push(entry?.path());
    }
    of_panels.sort();
    Ok(STYLES.iter().map(|name| folder.join(name)).chain(of_panels).collect())
}

/// Those that figures need.
fn of_figures(styles: &[PathBuf], panels: &[String]) -> Vec<PathBuf> {
    let is_needed = |path: &&PathBuf| {
        let is_panel = path.parent().is_some_and(|folder| folder.ends_with(PANEL_STYLES));
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_of_page = PAGE_STYLES.iter().any(|file| path.ends_with(file));
        !is_of_page && (!is_panel || panels.iter().any(|panel| *panel == name))
    };
    styles.iter().filter(is_needed).cloned().collect()
}

/// The names between the marks.
fn figure_panels(element: &str) -> Result<Vec<String>> {
    let (_, rest) = element.split_once("// panels: generated").context("the element lists no panels")?;
    let (list, _) = rest.split_once("// panels: end").context("the list of panels has no end")?;
    Ok(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// Hidden files, the build's own stamps and TypeScript declarations are not part of the site.
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
        assert!(site.content("/").is_some_and(|content| content.path().ends_with("index.html")));
        for path in
            ["/../../Cargo.toml", "/../site/index.html", "//etc/passwd", "/.hidden", "/missing.html", "index.html"]
        {
            assert_eq!(site.content(path), None, "{path}");
        }
    }

    #[test]
    fn the_style_sheet_is_all_styles_one_after_the_other() {
        let folder = project::root().join("web/style");
        let listed = styles(&folder).expect("there are styles");
        let mut there = Vec::new();
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { folders.push(path) } else { there.push(path) }
            }
        }
        there.sort();
        let mut sorted = listed.clone();
        sorted.sort();
        assert_eq!(there, sorted, "the files of web/style and the list of them in this file");

        let site = Site::of_working_tree().expect("a target folder");
        let joined = site.content(STYLE_SHEET).expect("a style sheet").read().expect("readable");
        let lengths = listed.iter().map(|path| fs::read(path).expect("readable").len());
        assert_eq!(joined.len(), lengths.sum::<usize>());
    }

    #[test]
    fn figures_have_the_styles_of_their_panels() {
        let element = "// panels: generated by x\nconst FIGURE_PANELS = [\"lanes\", \"strip\"];\n// panels: end\n";
        let panels = figure_panels(element).expect("marks");
        assert_eq!(panels, ["lanes", "strip"]);
        let styles = ["base.css", "panels/lanes.css", "panels/lab.css", "shell/header.css"];
        let styles = styles.map(|file| PathBuf::from("web/style").join(file));
        assert_eq!(of_figures(&styles, &panels), styles[..2]);
        let site = Site::of_working_tree().expect("a target folder");
        let read = |address| site.content(address).expect("a style sheet").read().expect("readable");
        assert!(!read(FIGURE_STYLE_SHEET).is_empty() && read(FIGURE_STYLE_SHEET).len() <= read(STYLE_SHEET).len());
    }

    #[test]
    fn the_first_paint_takes_the_place_of_its_mark() {
        let site = Site::of_working_tree().expect("a target folder");
        let page = String::from_utf8(site.content("/").expect("a page").read().expect("readable")).expect("UTF-8");
        assert!(!page.contains(FIRST_PAINT_MARK) && page.contains(r#"<div id="root" part="root"><div inert"#));
        assert_eq!(site.content("/first-paint.html"), None);
    }
}
