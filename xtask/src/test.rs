//! `cargo xtask test`: everything that must hold, in steps that can be chosen, with a table of what took how long.

use std::process::Command;
use std::thread;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::browser_tests::{self, Rung};
use crate::counting::{self, Tally};
use crate::report::Report;
use crate::{linting, native_gpu, notebook, other_browsers, project, tidy, toolchain, wasm};

#[derive(Args)]
pub struct Options {
    /// Only these [default: all, in this order]
    steps: Vec<Step>,
    /// Only tests whose names contain this
    #[arg(long)]
    filter: Option<String>,
    /// Of the end-to-end tests, only this rung
    #[arg(long)]
    rung: Option<Rung>,
    /// Let the tests of the page run on what was built last
    #[arg(long)]
    no_build: bool,
}

/// In the order they run: what fails soonest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    Lint,
    Unit,
    Gpu,
    Wasm,
    E2e,
    Others,
}

/// Native and wasm builds go on at the same time where at least so much memory is free: four compilers of the tensor
/// library take about half of it.
const MEMORY_FOR_TWO_BUILDS_BYTES: u64 = 12 << 30;

pub fn command(options: &Options) -> Result<()> {
    let is_chosen = |step: Step| options.steps.is_empty() || options.steps.contains(&step);
    let filter = options.filter.as_deref();
    let mut report = Report::default();
    if is_chosen(Step::Lint) {
        lint(&mut report, is_chosen(Step::Unit) && is_chosen(Step::Wasm));
    }
    if is_chosen(Step::Unit) {
        unit(&mut report, filter);
    }
    if is_chosen(Step::Gpu) {
        native_gpu::test(&mut report, filter);
    }
    if is_chosen(Step::Wasm) {
        report.run("wasm", "the engine in a browser", || browser_tests::wasm(filter));
    }
    if is_chosen(Step::E2e) {
        browser_tests::e2e(&mut report, filter, options.rung, options.no_build);
        if options.rung.is_none() {
            notebook::test(&mut report, filter);
        }
    }
    if is_chosen(Step::Others) {
        other_browsers::test(&mut report, filter, options.no_build || is_chosen(Step::E2e));
    }
    report.finish();
    Ok(())
}

/// Formatting, the rules of `tidy`, clippy for both kinds of target, and the documentation that teaches. Where all is
/// compiled for tests anyway, clippy looks on (see `linting`); else it checks, which is soon done for a small change.
fn lint(report: &mut Report, while_compiling: bool) {
    let step = "lint";
    report.run(step, "format", || Ok(counting::check(project::cargo("fmt").args(["--all", "--check"]))));
    report.run(step, "layout", || tidy::check().map(|()| Tally { passed: 1, failed: 0 }));
    report.run(step, "scripts and styles", scripts_and_styles);
    if while_compiling {
        compile_and_lint(report);
    } else {
        let deny = ["--", "-D", "warnings"];
        report.run(step, "clippy, native", || {
            let mut clippy = project::cargo("clippy");
            Ok(counting::check(clippy.args(project::NATIVE_PACKAGES).arg("--all-targets").args(deny)))
        });
        report.run(step, "clippy, wasm", || {
            toolchain::ensure_wasm_target()?;
            let mut tally = Tally::default();
            for mut clippy in wasm::workers("clippy") {
                tally += counting::check(clippy.args(["--lib", "--tests"]).args(deny));
            }
            for mut clippy in wasm::views("clippy") {
                tally += counting::check(clippy.args(deny));
            }
            Ok(tally)
        });
    }
    report.run(step, "docs that teach", || {
        let mut docs = project::cargo("doc");
        docs.args(["--no-deps", "-p", "moe-router", "-p", "moe-trace"]).env("RUSTDOCFLAGS", "-D warnings");
        Ok(counting::check(&mut docs))
    });
}

/// Everything that the later steps run, for this machine and for the browser, without a warning.
fn compile_and_lint(report: &mut Report) {
    let native = || {
        toolchain::ensure_clippy()?;
        let mut tests = project::cargo("test");
        tests.args(["--no-run", "--all-targets", linting::MESSAGES]).args(project::NATIVE_PACKAGES);
        Ok(counting::compilation(&mut tests))
    };
    let wasm = || {
        toolchain::ensure_wasm_target()?;
        let mut tally = Tally::default();
        for mut rustc in wasm::views("rustc") {
            tally += counting::compilation(rustc.arg(linting::MESSAGES));
        }
        for mut build in wasm::workers("build") {
            tally += counting::compilation(build.arg(linting::MESSAGES));
        }
        for mut tests in browser_tests::wasm_tests()? {
            tally += counting::compilation(tests.args(["--no-run", linting::MESSAGES]));
        }
        Ok(tally)
    };
    // Cargo locks one folder for each profile, and these are two.
    if free_memory_bytes().is_some_and(|bytes| bytes >= MEMORY_FOR_TWO_BUILDS_BYTES) {
        let mut beside = Report::default();
        thread::scope(|scope| {
            scope.spawn(|| beside.run("lint", "compile and clippy, wasm", wasm));
            report.run("lint", "compile and clippy, native", native);
        });
        report.append(beside);
    } else {
        report.run("lint", "compile and clippy, native", native);
        report.run("lint", "compile and clippy, wasm", wasm);
    }
}

/// `None` where the system does not say it in Linux's way.
fn free_memory_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Formatting, lints and types of JavaScript and CSS.
fn scripts_and_styles() -> Result<Tally> {
    let www = project::root().join("www");
    toolchain::ensure_npm_packages(&www)?;
    // Their types.
    toolchain::ensure_npm_packages(&www.join("e2e"))?;
    let tool = |name: &str| {
        let mut command = Command::new(www.join("node_modules/.bin").join(name));
        command.current_dir(project::root());
        command
    };
    let mut tally = counting::check(tool("biome").args(["ci", "--error-on-warnings"]));
    for project in ["www/packages", "www/e2e"] {
        tally += counting::check(tool("tsc").args(["--project", project]));
    }
    Ok(tally)
}

/// Unit, property and oracle tests; and that the generated files are current.
fn unit(report: &mut Report, filter: Option<&str>) {
    let step = "unit";
    let tests = || project::cargo("test");
    report.run(step, "all packages", || Ok(counting::tests(tests().args(project::NATIVE_PACKAGES).args(filter))));
    if filter.is_none() {
        report.run(step, "reference numbers compared", || {
            // The packages are named as above: by itself, moe-router would have its dependencies compiled once more.
            let oracle = ["--test", "it", "oracle::", "--", "--nocapture"];
            Ok(counting::tests(tests().args(project::NATIVE_PACKAGES).args(oracle)))
        });
        report.run(step, "TypeScript and JSON Schema", || {
            let types = ["-p", "moe-trace", "--features", "codegen", "--examples"];
            Ok(counting::tests(tests().args(types)))
        });
    }
}
