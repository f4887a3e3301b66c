//! Which module of a crate may import which: a table of floors, and imports run downwards only.
//!
//! A new arrow is a decision about the architecture, as a new edge between packages is: change this table and say why.
//! `cargo xtask codegen` writes it into ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::slice;

use anyhow::{Context, Result};

use super::imports;
use super::sources;

/// A crate and its rooms: the folders and files right below `src`.
pub struct Crate {
    pub folder: &'static str,
    /// From the ground up. A room may import from the floors below its own, and from nowhere else.
    pub floors: &'static [&'static [&'static str]],
    /// Arrows that are there and should not be, as `(from, to)`. One that is gone must leave the list.
    pub exceptions: &'static [(&'static str, &'static str)],
}

pub const CRATES: [Crate; 10] = [
    Crate {
        folder: "crates/moe-trace",
        floors: &[
            &["tagged"],
            &["bytes", "error", "gate_logits", "ids", "limits", "mixing", "model_entry", "prompts", "scores", "spec"],
            &["adapting", "choices", "gate_history", "intervention", "model_info", "routing", "text", "token", "wrong"],
            &["layer_trace", "request", "rows"],
            &["header", "trace", "training"],
            &["check", "compare", "delta", "experiment"],
            &["protocol"],
            &["trace_file"],
        ],
        exceptions: &[],
    },
    Crate {
        folder: "crates/moe-router",
        floors: &[
            &["decimal", "draws", "gate", "input", "request", "spec_error"],
            &["dispatch", "limits", "matrix"],
            &["capacity", "example", "measure", "padding"],
            &["metrics"],
            &["losses", "overflow"],
            &["rule"],
            &["group_choice", "token_choice"],
            &["mixing"],
            &["rules"],
            &["auxiliary", "mixer", "router"],
        ],
        exceptions: &[],
    },
    Crate {
        folder: "crates/moe-kernels",
        floors: &[
            &["constructors", "exp", "kernel", "params"],
            &["cpu", "device", "ops"],
            &["flex", "gpu"],
            &["packed"],
        ],
        exceptions: &[],
    },
    Crate {
        folder: "crates/moe-model",
        floors: &[
            &["changes", "history", "read_back", "routing_rows", "sample", "tensors", "tokenizer"],
            &["forms", "routing_inputs"],
            &["config"],
            &["packed", "possible_changes", "weights"],
            &["architecture", "fused", "reference"],
            &["checkpoint", "manifest"],
        ],
        exceptions: &[],
    },
    Crate {
        folder: "crates/moe-learn",
        floors: &[
            &["adam", "auxiliary", "batch", "chance", "clip", "loss", "recipe"],
            &["corpus"],
            &["adapting", "learner"],
            &["held_out", "saved"],
            &["reshape"],
            &["distil"],
        ],
        exceptions: &[],
    },
    Crate {
        folder: "crates/moe-lab",
        floors: &[
            &["grammars", "memory", "sums"],
            &["text"],
            &["request"],
            &["teacher"],
            &["training"],
            &["adapting", "report", "reshape", "saved"],
            &["distilling"],
            &["lab"],
        ],
        exceptions: &[],
    },
    Crate {
        folder: "crates/moe-worker",
        floors: &[&["mailbox"], &["backend", "cache"], &["fetch"], &["model"], &["gpu", "then"], &["serve"]],
        exceptions: &[],
    },
    Crate {
        folder: "crates/moe-train",
        floors: &[
            &["experiments", "prepare", "train"],
            &["compressors", "site_model", "texts"],
            &["export", "golden"],
            &["evaluate", "reshape"],
            &["findings"],
            &["workshop"],
            &["seeds", "study"],
            &["cards"],
        ],
        exceptions: &[],
    },
    Crate {
        folder: "web",
        floors: &[&["words"], &["settings"], &["browser"], &["run"], &["state"], &["effects"], &["views"], &["page"]],
        exceptions: &[],
    },
    Crate {
        folder: "xtask",
        floors: &[
            &["programs", "wasm_test_runner"],
            &["linting"],
            &["catalogues", "project"],
            &["counting", "fuzz", "lesson", "tidy", "toolchain"],
            &["codegen", "report", "wasm"],
            &["site"],
            &["hashed_names", "http", "sizes", "stripped"],
            &["oembed", "output", "serve"],
            &["dist", "package"],
            &["browser_tests"],
            &["native_gpu", "notebook", "other_browsers", "shots", "snapshot"],
            &["bench", "test"],
        ],
        exceptions: &[],
    },
];

/// Which rooms a room imports from.
pub type Arrows = BTreeMap<String, BTreeSet<String>>;

/// One complaint per arrow that the table does not allow, per room without a floor and per entry that is stale.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for row in &CRATES {
        let arrows = arrows(&root.join(row.folder).join("src"))?;
        complaints.extend(of_crate(row, &arrows));
    }
    Ok(complaints)
}

fn of_crate(row: &Crate, arrows: &Arrows) -> Vec<String> {
    let floor = |room: &str| row.floors.iter().position(|floor| floor.contains(&room));
    let mut complaints = Vec::new();
    for room in arrows.keys().filter(|room| floor(room).is_none()) {
        complaints
            .push(format!("{}: `{room}` has no floor in the table of rooms (xtask/src/tidy/rooms.rs)", row.folder));
    }
    for room in row.floors.concat().into_iter().filter(|room| !arrows.contains_key(*room)) {
        complaints.push(format!("{}: the table of rooms has `{room}`, which is not there", row.folder));
    }
    let is_exception = |from: &str, to: &str| row.exceptions.contains(&(from, to));
    for (from, to) in arrows.iter().flat_map(|(from, list)| list.iter().map(move |to| (from, to))) {
        let runs_down = floor(to) < floor(from);
        if !runs_down && !is_exception(from, to) {
            let circle = way(arrows, to, from)
                .map_or(String::new(), |way| format!("; it closes a circle: {from} → {}", way.join(" → ")));
            complaints.push(format!("{}: `{from}` may not import from `{to}`{circle}", row.folder));
        }
    }
    for (from, to) in row.exceptions {
        if !arrows.get(*from).is_some_and(|list| list.contains(*to)) {
            complaints.push(format!("{}: the arrow {from} → {to} is gone: strike the exception", row.folder));
        }
    }
    complaints
}

/// A shortest way along the arrows, both ends included.
fn way(arrows: &Arrows, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::from([from.to_owned()]);
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let end = way.last()?;
            if end == to {
                return Some(way);
            }
            for next in arrows.get(end).into_iter().flatten().filter(|next| seen.insert((*next).clone())) {
                longer.push([way.as_slice(), slice::from_ref(next)].concat());
            }
        }
        ways = longer;
    }
    None
}

/// The rooms of a crate and their arrows. Files of tests count as no room's, nor does the crate's own root.
pub fn arrows(src: &Path) -> Result<Arrows> {
    let mut files = Vec::new();
    for path in sources::files(src)? {
        let inside = path.strip_prefix(src)?.with_extension("").to_string_lossy().replace('\\', "/");
        let is_test = inside.rsplit('/').next() == Some("tests");
        if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
            files.push((inside, text));
        }
    }
    Ok(of_files(&files))
}

/// `files`: names without extension, such as `views/page`, and texts.
fn of_files(files: &[(String, String)]) -> Arrows {
    let is_root = |name: &str| name == "lib" || name == "main" || name.starts_with("bin/");
    let room = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
    let mut arrows: Arrows =
        files.iter().filter(|(name, _)| !is_root(name)).map(|(name, _)| (room(name), BTreeSet::new())).collect();
    // What the root re-exports, by its short name: `crate::Scene` leads to the room that has it.
    let mut short = BTreeMap::new();
    for (_, text) in files.iter().filter(|(name, _)| is_root(name)) {
        // There, `pub use room::Name` and `pub use crate::room::Name` are the same.
        let text = text
            .replace("pub use ", "pub use self::")
            .replace("self::crate::", "crate::")
            .replace("self::self::", "self::");
        for path in imports::of_source(&text, &[]) {
            if let [first, .., name] = path.as_slice()
                && arrows.contains_key(first)
            {
                short.insert(name.clone(), first.clone());
            }
        }
    }
    for (name, text) in files.iter().filter(|(name, _)| !is_root(name)) {
        let module: Vec<&str> = name.split('/').filter(|part| *part != "mod").collect();
        for path in imports::of_source(text, &module) {
            let Some(first) = path.first() else { continue };
            let target = if arrows.contains_key(first) { Some(first) } else { short.get(first) };
            if let Some(target) = target.filter(|target| **target != room(name)).cloned() {
                arrows.entry(room(name)).or_default().insert(target);
            }
        }
    }
    arrows
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Crate = Crate {
        folder: "house",
        floors: &[&["cellar"], &["kitchen", "hall"], &["attic"]],
        exceptions: &[("cellar", "hall")],
    };

    fn check(files: &[(&str, &str)], expected: &[&str]) {
        let empty = ["cellar", "kitchen", "hall", "attic"].map(|name| (name.to_owned(), String::new()));
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let files: Vec<(String, String)> = empty.into_iter().chain(files).collect();
        assert_eq!(of_crate(&ROW, &of_files(&files)), expected);
    }

    const EXCEPTION: (&str, &str) = ("cellar/lamp", "use crate::hall::Switch;");

    #[test]
    fn downwards_is_allowed() {
        check(&[EXCEPTION, ("attic/box", "use crate::{cellar::Wine, hall}; use super::lid;")], &[]);
    }

    #[test]
    fn upwards_and_sideways_are_not_and_circles_are_named() {
        check(&[EXCEPTION, ("kitchen", "use crate::hall::Door;")], &["house: `kitchen` may not import from `hall`"]);
        check(
            &[
                EXCEPTION,
                ("cellar/stairs", "use crate::attic;"),
                ("attic", "use super::hall;"),
                ("hall", "use crate::cellar::X;"),
            ],
            &["house: `cellar` may not import from `attic`; it closes a circle: cellar → attic → hall → cellar"],
        );
    }

    #[test]
    fn short_names_of_the_root_lead_to_their_room() {
        let root = ("lib", "mod attic; pub use attic::{Box, lid::Lid as Cover};");
        check(&[EXCEPTION, root, ("cellar", "use crate::Box;")], &["house: `cellar` may not import from `attic`"]);
        check(&[EXCEPTION, root, ("cellar", "use crate::Elsewhere;")], &[]);
    }

    #[test]
    fn the_table_is_kept_in_step() {
        check(&[], &["house: the arrow cellar → hall is gone: strike the exception"]);
        check(
            &[EXCEPTION, ("tower/bell", "")],
            &["house: `tower` has no floor in the table of rooms (xtask/src/tidy/rooms.rs)"],
        );
    }
}
