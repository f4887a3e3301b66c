//! The page in browsers that are not Chromium: a few tests in Firefox and in WebKitGTK, where Debian's packages of them
//! are installed.

use std::path::PathBuf;

use anyhow::Result;

use crate::browser_tests;
use crate::counting::{self, Tally};
use crate::programs;
use crate::project;
use crate::report::Report;
use crate::site::Site;
use crate::wasm;

/// A browser, and what it takes to start it.
struct Browser {
    /// As the tests call it.
    name: &'static str,
    title: &'static str,
    programs: &'static [&'static str],
    packages: &'static str,
}

const BROWSERS: [Browser; 2] = [
    Browser { name: "firefox", title: "Firefox", programs: &["firefox-esr", "firefox"], packages: "firefox-esr" },
    Browser {
        name: "webkit",
        title: "WebKitGTK",
        programs: &["WebKitWebDriver"],
        packages: "webkit2gtk-driver and xvfb",
    },
];

/// Of the browsers that are there, each runs all tests whose names match `filter`; of the others a line says that they
/// are not. With `no_build` on what was built last.
pub fn test(report: &mut Report, filter: Option<&str>, no_build: bool) {
    let step = "others";
    let mut is_built = no_build;
    for browser in &BROWSERS {
        let Some(program) = program(browser) else {
            eprintln!(
                "\n== {step}: {} is not installed, so nothing is tested in it ({}) ==",
                browser.title, browser.packages
            );
            continue;
        };
        if !std::mem::replace(&mut is_built, true) {
            report.run(step, "build", || wasm::build().map(|()| Tally::default()));
        }
        report.run(step, browser.title, || run(browser, &program, filter));
    }
}

/// Its program, if nothing is missing that it needs.
fn program(browser: &Browser) -> Option<PathBuf> {
    let has_screen = browser.name != "webkit" || programs::find(&["xvfb-run"]).is_some();
    programs::find(browser.programs).filter(|_| has_screen)
}

/// How fast the same run is, again and again: Chromium beside those of the others that are there.
pub fn bench() -> Result<()> {
    let url = browser_tests::serve(Site::of_working_tree()?)?;
    println!("| browser | first run, tokens/s | second | the last five of ten |\n| --- | ---: | ---: | ---: |");
    let measure = |name: &str, program: Option<PathBuf>| {
        let mut command = browser_tests::node("browsers/bench.mjs", &url)?;
        command.env("MOE_BROWSER", name).env("MOE_PROGRAM", program.unwrap_or_default());
        project::run(&mut command)
    };
    measure("chromium", None)?;
    for browser in &BROWSERS {
        match program(browser) {
            Some(program) => measure(browser.name, Some(program))?,
            None => eprintln!("{} is not installed ({})", browser.title, browser.packages),
        }
    }
    Ok(())
}

fn run(browser: &Browser, program: &PathBuf, filter: Option<&str>) -> Result<Tally> {
    let mut command = browser_tests::node("--test", &browser_tests::serve(Site::of_working_tree()?)?)?;
    command.args(["--test-reporter=spec", "--test-concurrency=1", browser_tests::TEST_TIMEOUT]);
    command.env("MOE_BROWSER", browser.name).env("MOE_PROGRAM", program);
    command.args(filter.map(|filter| format!("--test-name-pattern={filter}")));
    Ok(counting::tests(command.arg("browsers/page.test.mjs")))
}
