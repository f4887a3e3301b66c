//! The part of ARCHITECTURE.md that follows from the tables of `tidy`, between marks: who may depend on whom.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::edges::{CLOSED, PACKAGES, RESERVED};
use super::rooms::CRATES;

/// The document, from the workspace's root.
pub const FILE: &str = "ARCHITECTURE.md";

/// A complaint where the document says something else than the tables.
pub fn complaints(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("could not read {FILE}"))?;
    let is_current = current(&text)? == text;
    Ok(if is_current { vec![] } else { vec![format!("{FILE} is stale: run `cargo xtask codegen`")] })
}

/// Writes the tables into the document.
pub fn write(root: &Path) -> Result<()> {
    let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("could not read {FILE}"))?;
    fs::write(root.join(FILE), current(&text)?).with_context(|| format!("could not write {FILE}"))
}

/// The document as it should be.
fn current(text: &str) -> Result<String> {
    let text = between(text, "packages", &packages())?;
    between(&text, "rooms", &rooms())
}

/// The text with `table` between the two marks of this name.
fn between(text: &str, name: &str, table: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let missing = || format!("{FILE} lacks the marks of its generated part: {} and {end}", begin.trim_end());
    let (before, rest) = text.split_once(&begin).with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    Ok([before, &begin, table, &end, after].concat())
}

fn packages() -> String {
    let mut table = String::from(
        "| package | may depend on (ours) | in tests also | of others' code, it alone may use |\n| --- | --- | --- | --- |\n",
    );
    for package in &PACKAGES {
        let name = package.name;
        let mut alone: Vec<String> = Vec::new();
        for reserved in RESERVED.iter().filter(|reserved| reserved.packages.contains(&name)) {
            let others: Vec<&str> = reserved.packages.iter().copied().filter(|other| *other != name).collect();
            let with = if others.is_empty() { String::new() } else { format!(" (with {})", others.join(", ")) };
            alone.push(format!("{}{with}", reserved.name));
        }
        match CLOSED.iter().find(|(closed, _)| *closed == name) {
            Some((_, [])) => alone.push("nothing from outside".to_owned()),
            Some((_, allowed)) => alone.push(format!("nothing from outside but {}", allowed.join(", "))),
            None => {}
        }
        let cells = [package.may_use.join(", "), package.tests_may_use.join(", "), alone.join(", ")];
        let cells = cells.map(|cell| if cell.is_empty() { "–".to_owned() } else { cell });
        let _ = writeln!(table, "| `{name}` | {} |", cells.join(" | "));
    }
    table
}

fn rooms() -> String {
    let mut table = String::from("| crate | its rooms, from the ground up |\n| --- | --- |\n");
    for row in &CRATES {
        let floors: Vec<String> = row.floors.iter().map(|floor| format!("`{}`", floor.join("` `"))).collect();
        let upwards: Vec<String> = row.exceptions.iter().map(|(from, to)| format!("{from} → {to}")).collect();
        let note = if upwards.is_empty() { String::new() } else { format!("; still upwards: {}", upwards.join(", ")) };
        let _ = writeln!(table, "| `{}` | {}{note} |", row.folder, floors.join(" → "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = "before\n<!-- a -->\nold\n<!-- /a -->\nafter";
        assert_eq!(between(text, "a", "new\n").expect("marks"), "before\n<!-- a -->\nnew\n<!-- /a -->\nafter");
        assert!(between("nothing", "a", "new\n").is_err());
    }
}
