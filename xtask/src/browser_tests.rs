//! Tests in a real browser: the engine's numbers inside a worker, and the page as a reader meets it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::json;

use crate::counting::{self, Tally};
use crate::project::{self, WASM_TARGET};
use crate::report::Report;
use crate::site::Site;
use crate::{dist, http, package, sizes, toolchain, wasm};

/// What the page's engine runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rung {
    Webgpu,
    Cpu,
}

/// Chromium gives WebGPU without a GPU only where it is told to, on its software adapter.
const WEBGPU_FLAGS: [&str; 2] = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/// Test files that hold for any way to serve the site; they are run once more on the output of `dist`.
const DIST_FILES: [&str; 4] = ["bugs.test.mjs", "element.test.mjs", "server.test.mjs", "worker.test.mjs"];

/// Test files of what no engine computes, or the one on the CPU: hosts, files, layout, keys, and what a recorded run is
/// enough for. Without WebGPU they say the same as with it and are sooner done, so they are run there alone.
const ONCE_FILES: [&str; 32] = [
    "activate.test.mjs",
    "axe.test.mjs",
    "bugs.test.mjs",
    "calm.test.mjs",
    "download.test.mjs",
    "element.test.mjs",
    "elsewhere.test.mjs",
    "embedding.test.mjs",
    "examples.test.mjs",
    "export.test.mjs",
    "export_files.test.mjs",
    "files.test.mjs",
    "frame.test.mjs",
    "guest.test.mjs",
    "hidden.test.mjs",
    "hosts.test.mjs",
    "keys.test.mjs",
    "layout.test.mjs",
    "links.test.mjs",
    "looks.test.mjs",
    "modules.test.mjs",
    "readers.test.mjs",
    "security.test.mjs",
    "server.test.mjs",
    "shapes.test.mjs",
    "sharing.test.mjs",
    "snapshot.test.mjs",
    "steps.test.mjs",
    "touch.test.mjs",
    "training.test.mjs",
    "turns.test.mjs",
    "worker.test.mjs",
];

/// Test files of the npm package, by itself and in pages that bundlers make.
const PACKAGE_FILES: [&str; 2] = ["package/package.test.mjs", "package/bundlers.test.mjs"];

/// No file of tests may take longer, in milliseconds: Node.js counts a file as a test too. What waits in a page for an
/// answer that never comes fails long before.
pub const TEST_TIMEOUT: &str = "--test-timeout=1800000";

/// The worker's tests, compiled like what is shipped, run in a dedicated worker of the browser.
pub fn wasm(filter: Option<&str>) -> Result<Tally> {
    toolchain::ensure_wasm_target()?;
    let chromium = toolchain::ensure_chromium()?;
    let driver = toolchain::ensure_chromedriver()?;
    let runner = build_runner()?;

    let config = project::target_dir()?.join("webdriver.json");
    let options = json!({ "goog:chromeOptions": { "binary": chromium, "args": WEBGPU_FLAGS } });
    fs::write(&config, options.to_string()).with_context(|| format!("could not write {}", config.display()))?;
    let mut tally = Tally::default();
    for mut command in wasm_tests()? {
        command
            .args(filter)
            .env(format!("CARGO_TARGET_{}_RUNNER", WASM_TARGET.to_uppercase().replace('-', "_")), &runner)
            .env("CHROMEDRIVER", &driver)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &config)
            // Seconds. The software adapter takes its time, and so does a machine that does something else as well.
            .env("WASM_BINDGEN_TEST_TIMEOUT", "900")
            .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60");
        tally += counting::tests(&mut command);
    }
    Ok(tally)
}

/// `cargo test` of the tests that run in a browser: of engines and lab. The page's own run natively.
pub fn wasm_tests() -> Result<Vec<Command>> {
    let with_targets = |(package, mut command): (&str, Command)| {
        command.args(test_targets(package)?.iter().flat_map(|target| ["--test", target]));
        Ok(command)
    };
    wasm::worker_tests().into_iter().map(with_targets).collect()
}

/// The page in Chromium: with WebGPU, without it, and as `dist` writes it. Only tests whose names match `filter`, only
/// the `chosen` rung, and with `no_build` on what was built last.
pub fn e2e(report: &mut Report, filter: Option<&str>, chosen: Option<Rung>, no_build: bool) {
    let step = "e2e";
    if !no_build {
        report.run(step, "build", || wasm::build().map(|()| Tally::default()));
    }
    for (rung, name, part) in
        [(Rung::Webgpu, "webgpu", "the page on WebGPU"), (Rung::Cpu, "cpu", "the page on the CPU")]
    {
        if chosen.is_none_or(|only| only == rung) {
            let is_of_rung = |name: &str| rung == Rung::Cpu || !ONCE_FILES.contains(&name);
            report.run(step, part, || {
                run_node(&test_files(is_of_rung)?, &serve(Site::of_working_tree()?)?, name, filter)
            });
        }
    }
    if chosen.is_none() {
        report.run(step, "the page as dist writes it", || {
            let folder = project::target_dir()?.join("e2e-dist");
            dist::write(&folder)?;
            sizes::ensure_page_fits(&folder)?;
            let files = test_files(|name| DIST_FILES.contains(&name))?;
            run_node(&files, &serve(Site::of_folder(folder))?, "cpu", filter)
        });
        report.run(step, "the npm package", || {
            let folder = project::target_dir()?.join("e2e-package");
            package::write(&folder)?;
            let mut tests = node_tests(&serve(Site::of_working_tree()?)?, "cpu", filter)?;
            Ok(counting::tests(tests.env("MOE_PACKAGE", folder).args(PACKAGE_FILES)))
        });
    }
}

/// A Node.js script of `www/e2e` with the site's address in its environment.
pub fn node(script: &str, url: &str) -> Result<Command> {
    let chromium = toolchain::ensure_chromium()?;
    toolchain::ensure_npm_packages(&e2e_dir())?;
    let mut command = Command::new("node");
    command.current_dir(e2e_dir()).arg(script).env("MOE_URL", url).env("CHROMIUM", chromium);
    command.env("MOE_WEBGPU_FLAGS", WEBGPU_FLAGS.join(" "));
    Ok(command)
}

/// Serves a site on a free port for as long as this process lives.
pub fn serve(site: Site) -> Result<String> {
    Ok(format!("http://{}/", http::spawn(site, "127.0.0.1", 0)?))
}

fn run_node(files: &[PathBuf], url: &str, rung: &str, filter: Option<&str>) -> Result<Tally> {
    Ok(counting::tests(node_tests(url, rung, filter)?.args(files)))
}

/// Node.js's test runner on a rung, still without files.
pub fn node_tests(url: &str, rung: &str, filter: Option<&str>) -> Result<Command> {
    let mut command = node("--test", url)?;
    command.args(["--test-reporter=spec", "--test-concurrency=1", TEST_TIMEOUT]).env("MOE_RUNG", rung);
    command.args(filter.map(|filter| format!("--test-name-pattern={filter}")));
    Ok(command)
}

fn test_files(keep: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in e2e_dir().join("tests").read_dir().context("there are no end-to-end tests")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".test.mjs") && keep(&name) {
            files.push(Path::new("tests").join(name));
        }
    }
    files.sort();
    Ok(files)
}

/// Names of the files and folders in a package's `tests`.
fn test_targets(package: &str) -> Result<Vec<String>> {
    let metadata = project::metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let package = packages.iter().find(|it| it["name"] == package).with_context(|| format!("there is no {package}"))?;
    let targets = package["targets"].as_array().context("a package without targets")?;
    let tests = targets.iter().filter(|target| target["kind"][0] == "test");
    Ok(tests.filter_map(|target| target["name"].as_str().map(str::to_owned)).collect())
}

fn e2e_dir() -> PathBuf {
    project::root().join("www/e2e")
}

/// The runner is of the very version that the project's wasm-bindgen has, because it is built from the same lock file.
fn build_runner() -> Result<PathBuf> {
    let name = "wasm-test-runner";
    project::run(project::cargo("build").args(["-p", "xtask", "--features", name, "--bin", name]))?;
    Ok(project::target_dir()?.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_are_named_are_there() {
        for names in [&ONCE_FILES[..], &DIST_FILES] {
            let found = test_files(|name| names.contains(&name)).expect("tests");
            assert_eq!(found.len(), names.len(), "{names:?}");
        }
    }
}
