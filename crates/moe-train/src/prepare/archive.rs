//! Archives on disk: commands that download and unpack them, and the files inside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Runs a command to its end and returns what it printed; a failure carries what it said on the way.
pub fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!("{name} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Has `unpack` fill `folder` unless that was done before; what an interrupted run left behind is thrown away.
pub fn unpack_into(folder: &Path, unpack: impl FnOnce(&Path) -> Result<String>) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let partial = folder.with_file_name("unpacking");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    fs::create_dir_all(&partial)?;
    unpack(&partial)?;
    Ok(fs::rename(&partial, folder)?)
}

/// All files under `folder` whose name ends in `suffix`, sorted by path.
pub fn files_under(folder: &Path, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_unpacked_half_is_unpacked_again() {
        let root = std::env::temp_dir().join(format!("moe-train-unpack-{}", std::process::id()));
        let folder = root.join("package");
        let half = |into: &Path| {
            fs::write(into.join("half"), "")?;
            bail!("interrupted")
        };
        assert!(unpack_into(&folder, half).is_err() && !folder.exists());
        let whole = |into: &Path| Ok(fs::write(into.join("whole"), "").map(|()| String::new())?);
        unpack_into(&folder, whole).expect("a temporary folder can be written");
        unpack_into(&folder, half).expect("it is there already");
        assert!(folder.join("whole").exists() && !folder.join("half").exists());
        fs::remove_dir_all(&root).expect("it was made above");
    }

    #[test]
    fn a_failing_command_says_what_it_said() {
        let error =
            run(Command::new("sh").args(["-c", "echo no such thing >&2; exit 3"])).expect_err("it exits with 3");
        assert!(error.to_string().contains("no such thing"), "{error}");
    }
}
