//! The Python package in a notebook: executed, exported and opened in Chromium. Python's packages come as
//! `www/e2e/notebook/requirements.txt` pins them, into an environment of their own outside of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::browser_tests;
use crate::counting::{self, Tally};
use crate::report::Report;
use crate::site::Site;
use crate::{programs, project};

/// Pandas needs it.
const MIN_PYTHON: (u32, u32) = (3, 11);

/// All tests whose names match `filter`; a line where Python is not there, or too old.
pub fn test(report: &mut Report, filter: Option<&str>) {
    let step = "e2e";
    match python() {
        Some(python) => report.run(step, "the notebook", || run(&python, filter)),
        None => {
            let (major, minor) = MIN_PYTHON;
            eprintln!(
                "\n== {step}: there is no Python {major}.{minor} with venv, so the notebook is not tested (python3-venv) =="
            );
        }
    }
}

fn run(python: &Path, filter: Option<&str>) -> Result<Tally> {
    let python = environment(python)?;
    let url = browser_tests::serve(Site::of_working_tree()?)?;
    let mut command = browser_tests::node_tests(&url, "cpu", filter)?;
    Ok(counting::tests(
        command.env("MOE_PYTHON", python).args(["notebook/notebook.test.mjs", "notebook/data.test.mjs"]),
    ))
}

/// One that is new enough and can make an environment.
fn python() -> Option<PathBuf> {
    let (major, minor) = MIN_PYTHON;
    let program = programs::find(&["python3", "python"])?;
    let code = format!("import sys, venv, ensurepip; sys.exit(sys.version_info < ({major}, {minor}))");
    let output = Command::new(&program).args(["-c", &code]).output().ok()?;
    output.status.success().then_some(program)
}

/// The Python of an environment with exactly the packages that are pinned; made anew where they changed.
fn environment(python: &Path) -> Result<PathBuf> {
    let wanted = project::root().join("www/e2e/notebook/requirements.txt");
    let folder = cache().join("moe-playground/python");
    let (installed, program) = (folder.join("installed.txt"), folder.join("bin/python"));
    let text = fs::read(&wanted).with_context(|| format!("could not read {}", wanted.display()))?;
    if program.is_file() && fs::read(&installed).is_ok_and(|before| before == text) {
        return Ok(program);
    }
    eprintln!("installing Python's packages in {} …", folder.display());
    project::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(&program);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&wanted);
    project::run(&mut pip)?;
    fs::write(&installed, text).with_context(|| format!("could not write {}", installed.display()))?;
    Ok(program)
}

/// Where programs keep what they can make again.
fn cache() -> PathBuf {
    let of_home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(of_home).unwrap_or_else(std::env::temp_dir)
}
