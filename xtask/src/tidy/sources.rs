//! Rules about source files: every module says its idea, every shader has its twin, nothing unfinished, no number
//! invented in a view, and no style set in one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Folders with sources of ours.
const FOLDERS: [&str; 5] = ["crates", "web", "xtask", "shaders", "www"];

/// Folders that hold what others wrote or a tool made.
const SKIPPED: [&str; 4] = ["target", "node_modules", "dist", "shots"];

/// Where the CPU twins of `shaders/<name>.wgsl` lie, as `<name>.rs`.
const TWINS: &str = "crates/moe-kernels/src/cpu";

/// Marks of unfinished work; split so that this file does not hold them itself.
const UNFINISHED: [&str; 3] = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];

/// Ways to get a random number in the page. Views show what was computed, never what was drawn.
const RANDOM: [&str; 6] =
    ["Math::random", "Math.random", "getrandom", "get_random_values", "getRandomValues", "rand::"];

/// What decides or computes about routing. Views ask `run` and the router's metrics, and show what these say.
const ARITHMETIC: [&str; 13] = [
    ".ceil()",
    ".floor()",
    ".exp()",
    ".ln()",
    "div_ceil",
    "softmax(",
    "sigmoid(",
    "Router::",
    "RouterInput",
    ".factor *",
    "* factor",
    "by_formula",
    "moe_router::gate",
];

/// One complaint per broken rule, with the file it is about.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for folder in FOLDERS {
        for path in files(&root.join(folder))? {
            let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if !["rs", "wgsl", "js", "mjs", "json"].contains(&extension) {
                continue;
            }
            let text = fs::read_to_string(&path).with_context(|| format!("could not read {name}"))?;
            let twin_exists = |shader: &str| root.join(TWINS).join(format!("{shader}.rs")).is_file();
            complaints
                .extend(of_file(&name, &text, twin_exists).into_iter().map(|complaint| format!("{name}: {complaint}")));
        }
    }
    Ok(complaints)
}

fn of_file(name: &str, text: &str, twin_exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    if name.ends_with(".rs") {
        if !text.starts_with("//! ") {
            complaints.push("the first line says the module's one idea and begins with `//! `".to_owned());
        }
        for mark in UNFINISHED.into_iter().filter(|mark| text.contains(mark)) {
            complaints.push(format!("`{mark}…)` is left"));
        }
    }
    if let Some(shader) = name.strip_prefix("shaders/").and_then(|name| name.strip_suffix(".wgsl")) {
        if !text.starts_with("// ") {
            complaints.push("the first line is a comment that says what the shader computes".to_owned());
        }
        if !twin_exists(shader) {
            complaints.push(format!("its CPU twin {TWINS}/{shader}.rs is missing"));
        }
    }
    if (name.ends_with(".js") || name.ends_with(".mjs")) && !text.starts_with("// ") && !text.starts_with("#!") {
        complaints.push("the first line is a comment that says the file's one idea".to_owned());
    }
    if name.starts_with("web/src/views/") {
        for way in RANDOM.into_iter().filter(|way| text.contains(way)) {
            complaints.push(format!("a view shows no random number, and here is `{way}`"));
        }
        let of_router = ARITHMETIC.into_iter().filter(|mark| text.contains(mark));
        complaints.extend(of_router.map(|mark| format!("a view computes nothing about routing, and here is `{mark}`")));
        if text.contains("style={") || text.contains("style=\"") {
            complaints
                .push("a view sets no inline style: strict security policies drop it (see parts/sized.rs)".to_owned());
        }
    }
    if name.ends_with("package-lock.json") && text.contains("\"resolved\"") {
        complaints
            .push("the lock file names a registry; `omit-lockfile-registry-resolved=true` keeps that out".to_owned());
    }
    complaints
}

/// Every file below a folder, in order.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // A folder may not be there yet.
        let Ok(entries) = folder.read_dir() else { continue };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !SKIPPED.contains(&name.as_ref()) && !name.starts_with('.') {
                folders.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str, num_complaints: usize) {
        let complaints = of_file(name, text, |shader| shader == "gate_top_k");
        assert_eq!(complaints.len(), num_complaints, "{name}: {complaints:?}");
    }

    #[test]
    fn modules_say_their_idea_and_are_finished() {
        check("crates/a/src/lib.rs", "//! An idea.\n", 0);
        check("crates/a/src/lib.rs", "use std::fmt;\n", 1);
        check("crates/a/src/lib.rs", &format!("//! An idea.\nfn f() {{ {}) }}\n", UNFINISHED[0]), 1);
    }

    #[test]
    fn shaders_have_a_header_and_a_twin() {
        check("shaders/gate_top_k.wgsl", "// Top-k gating.\n", 0);
        check("shaders/lonely.wgsl", "@compute\n", 2);
    }

    #[test]
    fn views_invent_nothing() {
        check("web/src/views/lanes.rs", "//! Lanes.\nlet x = js_sys::Math::random();\n", 1);
        check("web/src/state.rs", "//! State.\nlet x = js_sys::Math::random();\n", 0);
        let formula = "//! Lanes.\nlet slots = (slots.factor * share).ceil();\n";
        check("web/src/views/lanes.rs", formula, 2);
        check("web/src/run/capacity.rs", formula, 0);
    }

    #[test]
    fn views_set_no_inline_style() {
        check("web/src/views/lanes.rs", "//! Lanes.\nhtml! { <i style={width} /> };\n", 1);
        check("web/src/views/lanes.rs", "//! Lanes.\nhtml! { <i style=\"left:0\" /> };\n", 1);
        check("web/src/views/lanes.rs", "//! Lanes.\nhtml! { <i class={style} /> };\n", 0);
    }

    #[test]
    fn lock_files_name_no_host() {
        check("www/e2e/package-lock.json", r#"{ "resolved": "somewhere" }"#, 1);
    }
}
