//! Content hashes in the names of everything under `assets/`, so that a host may let browsers keep it for ever.
//!
//! A file's hash covers the names of the files it mentions, hence theirs: a new worker gives a new page, and an old
//! page never meets a new worker.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// A file's address without the leading slash, and its contents.
pub type SiteFile = (String, Vec<u8>);

const FOLDER: &str = "assets/";

/// Files that others link to by a name that must not change: pages that embed the element, and what starts the
/// worker by its plain name. Under the plain name lies one line that points to the hashed one.
const ENTRY_POINTS: [&str; 2] = ["element.js", "worker.js"];

/// Renames assets and rewrites the references to them in scripts, styles and pages.
pub fn apply(files: Vec<SiteFile>) -> Result<Vec<SiteFile>> {
    let (assets, others): (Vec<SiteFile>, Vec<SiteFile>) =
        files.into_iter().partition(|(address, _)| address.starts_with(FOLDER));
    let assets = assets.into_iter().map(|(address, bytes)| (address[FOLDER.len()..].to_owned(), bytes)).collect();
    let mut renamer = Renamer { assets, done: BTreeMap::new(), under_way: Vec::new() };
    let names: Vec<String> = renamer.assets.keys().cloned().collect();
    for name in &names {
        renamer.rename(name)?;
    }

    let mut out = Vec::new();
    for (address, bytes) in others {
        let bytes = if address.ends_with(".html") { renamer.rewrite(&address, &bytes)? } else { bytes };
        out.push((address, bytes));
    }
    for entry in ENTRY_POINTS {
        if let Some((hashed, _)) = renamer.done.get(entry) {
            out.push((format!("{FOLDER}{entry}"), format!("export * from \"./{hashed}\";\n").into_bytes()));
        }
    }
    out.extend(renamer.done.into_values().map(|(hashed, bytes)| (format!("{FOLDER}{hashed}"), bytes)));
    out.sort();
    Ok(out)
}

struct Renamer {
    /// By name within `assets/`, as built.
    assets: BTreeMap<String, Vec<u8>>,
    /// By the same name: the hashed name, and the contents with hashed names in them.
    done: BTreeMap<String, SiteFile>,
    /// The chain of references that is being followed.
    under_way: Vec<String>,
}

impl Renamer {
    /// The hashed name of an asset, after those of all it mentions.
    fn rename(&mut self, name: &str) -> Result<String> {
        if let Some((hashed, _)) = self.done.get(name) {
            return Ok(hashed.clone());
        }
        if self.under_way.iter().any(|other| other == name) {
            bail!("assets refer to each other in a circle: {} → {name}", self.under_way.join(" → "));
        }
        self.under_way.push(name.to_owned());
        let bytes = self.assets.get(name).cloned().with_context(|| format!("there is no asset {name}"))?;
        let is_text = name.ends_with(".js") || name.ends_with(".css");
        let bytes = if is_text { self.rewrite(name, &bytes)? } else { bytes };
        self.under_way.pop();

        let hash = format!("{:x}", Sha256::digest(&bytes));
        let (stem, extension) = name.rsplit_once('.').with_context(|| format!("{name} has no extension"))?;
        let hashed = format!("{stem}.{}.{extension}", &hash[..10]);
        self.done.insert(name.to_owned(), (hashed.clone(), bytes));
        Ok(hashed)
    }

    /// The text with hashed names in the place of plain ones.
    fn rewrite(&mut self, of: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut text = String::from_utf8(bytes.to_vec()).with_context(|| format!("{of} is not UTF-8"))?;
        let names: Vec<String> = self.assets.keys().filter(|name| *name != of).cloned().collect();
        for name in names {
            let mut from = 0;
            while let Some(at) = find_reference(&text, &name, from) {
                let hashed = self.rename(&name)?;
                text.replace_range(at..at + name.len(), &hashed);
                from = at + hashed.len();
            }
        }
        Ok(text.into_bytes())
    }
}

/// Where a text mentions an asset: its whole name, at the end of a quoted path or of a `url(…)`.
fn find_reference(text: &str, name: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    text[from..].match_indices(name).map(|(at, _)| from + at).find(|&at| {
        let opens = at > 0 && b"\"'`(/".contains(&bytes[at - 1]);
        let closes = bytes.get(at + name.len()).is_some_and(|next| b"\"'`)?#".contains(next));
        opens && closes
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project;
    use crate::site::{Content, Site};

    fn site(files: &[(&str, &str)]) -> Vec<SiteFile> {
        files.iter().map(|(address, text)| ((*address).to_owned(), text.as_bytes().to_vec())).collect()
    }

    /// The name and the text of the asset with this plain name. Aliases are shorter than any hashed name.
    fn hashed<'a>(files: &'a [SiteFile], plain: &str) -> (&'a str, &'a str) {
        let (stem, extension) = plain.rsplit_once('.').expect("an extension");
        let is_it = |name: &str| name.starts_with(stem) && name.ends_with(extension) && name.len() == plain.len() + 11;
        let found = files.iter().find(|(address, _)| address.strip_prefix(FOLDER).is_some_and(is_it));
        let (address, bytes) = found.expect("a hashed file");
        (&address[FOLDER.len()..], std::str::from_utf8(bytes).expect("UTF-8"))
    }

    const PAGE: [(&str, &str); 4] = [
        ("index.html", r#"<script type="module" src="assets/element.js"></script>"#),
        ("assets/element.js", r#"import("./web.js"); // element.js and web.js as words stay"#),
        ("assets/web.js", "new URL('web_bg.wasm', import.meta.url)"),
        ("assets/web_bg.wasm", "one"),
    ];

    /// Comments count too: a module that names another one for its types alone is renamed after it as well.
    #[test]
    fn modules_of_the_element_do_not_name_each_other_in_a_circle() {
        let folder = project::root().join("www/packages/moe-playground/src");
        let contents = Site::of_folder(folder).contents().expect("a folder");
        let asset =
            |(address, content): (String, Content)| (format!("{FOLDER}{address}"), content.read().expect("readable"));
        let num_modules = contents.len();
        let files = apply(contents.into_iter().map(asset).collect()).expect("no circle");
        assert_eq!(files.len(), num_modules + ENTRY_POINTS.len());
        let (_, parts) = hashed(&files, "export/parts.js");
        assert!(!parts.contains("dialog.css\""), "the style sheet of the dialogs has its hash");
    }

    #[test]
    fn references_follow_the_names() {
        let files = apply(site(&PAGE)).expect("no circle");
        let (wasm, _) = hashed(&files, "web_bg.wasm");
        let (web, web_text) = hashed(&files, "web.js");
        let (element, element_text) = hashed(&files, "element.js");
        assert_eq!(web_text, format!("new URL('{wasm}', import.meta.url)"));
        assert_eq!(element_text, format!("import(\"./{web}\"); // element.js and web.js as words stay"));
        let page = files.iter().find(|(address, _)| address == "index.html").expect("the page");
        let page_text = format!("<script type=\"module\" src=\"assets/{element}\"></script>");
        assert_eq!(page.1, page_text.into_bytes());
    }

    #[test]
    fn a_new_module_renames_all_that_lead_to_it() {
        let names = |wasm: &str| -> Vec<String> {
            let mut page = PAGE;
            page[3].1 = wasm;
            apply(site(&page)).expect("no circle").into_iter().map(|(address, _)| address).collect()
        };
        let shared: Vec<String> = names("one").into_iter().filter(|name| names("two").contains(name)).collect();
        assert_eq!(shared, ["assets/element.js", "index.html"]);
    }

    #[test]
    fn circles_are_named() {
        let error = apply(site(&[("assets/a.js", "\"./b.js\""), ("assets/b.js", "\"./a.js\"")])).expect_err("a circle");
        assert_eq!(error.to_string(), "assets refer to each other in a circle: a.js → b.js → a.js");
    }
}
