//! `cargo xtask tidy`: the rules of the layout that no compiler checks. It is a test too.

pub mod document;
mod edges;
mod imports;
mod rooms;
mod said;
mod sources;
mod words;

use anyhow::{Result, bail};

use crate::project;

pub fn command() -> Result<()> {
    check()?;
    println!("tidy: nothing to complain about");
    Ok(())
}

/// Fails with every complaint, a line each.
pub fn check() -> Result<()> {
    let mut complaints = edges::complaints(&project::metadata(&["--no-deps"])?)?;
    complaints.extend(rooms::complaints(project::root())?);
    complaints.extend(document::complaints(project::root())?);
    complaints.extend(sources::complaints(project::root())?);
    complaints.extend(words::complaints(project::root())?);
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("tidy has {} complaints:\n  {}", complaints.len(), complaints.join("\n  "));
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        if let Err(error) = super::check() {
            panic!("{error:#}");
        }
    }
}
