//! Runs a test command with its output on our terminal, and counts what passed and failed in it.

use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::project;

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u32,
    pub failed: u32,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs a command that is one check by itself, such as a linter.
pub fn check(command: &mut Command) -> Tally {
    match project::run(command) {
        Ok(()) => Tally { passed: 1, failed: 0 },
        Err(error) => failure(&error),
    }
}

/// Compiles, with cargo's messages as JSON: passed if nobody had anything to say, else a failure for each warning and
/// error in our packages.
pub fn compilation(command: &mut Command) -> Tally {
    let mut num_complaints = 0;
    let mut line = |line: &str| {
        let Ok(message) = serde_json::from_str::<Value>(line) else { return };
        if message["reason"] == "compiler-message" {
            eprint!("{}", message["message"]["rendered"].as_str().unwrap_or_default());
            num_complaints += u32::from(is_complaint(&message["message"]));
        }
    };
    match lines(command, &mut line) {
        Ok(true) if num_complaints == 0 => Tally { passed: 1, failed: 0 },
        Ok(_) => Tally { passed: 0, failed: num_complaints.max(1) },
        Err(error) => failure(&error),
    }
}

/// A warning or an error about a place in the source, not the sum at the end.
fn is_complaint(message: &Value) -> bool {
    ["warning", "error"].iter().any(|level| message["level"] == *level)
        && message["spans"].as_array().is_some_and(|spans| !spans.is_empty())
}

/// Something that should have been a test did not get that far.
pub fn failure(error: &anyhow::Error) -> Tally {
    eprintln!("error: {error:#}");
    Tally { passed: 0, failed: 1 }
}

/// Runs a test runner and counts its tests: cargo's, wasm-bindgen's or Node's. A runner that fails without a failed
/// test (say, because something does not compile) counts as one failure.
pub fn tests(command: &mut Command) -> Tally {
    match run(command) {
        Ok(tally) => tally,
        Err(error) => failure(&error),
    }
}

fn run(command: &mut Command) -> Result<Tally> {
    let mut tally = Tally::default();
    let succeeded = lines(command, &mut |line| {
        println!("{line}");
        tally += summary_line(line);
    })?;
    if !succeeded && tally.failed == 0 {
        eprintln!("error: the tests ended with an error");
        tally.failed = 1;
    }
    Ok(tally)
}

/// Runs a command and reads its output line by line; did it succeed?
fn lines(command: &mut Command, each: &mut impl FnMut(&str)) -> Result<bool> {
    eprintln!("$ {}", project::display(command));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("it did not start")?;
    let output = child.stdout.take().context("it has no output")?;
    for line in BufReader::new(output).split(b'\n') {
        each(&String::from_utf8_lossy(&line?));
    }
    Ok(child.wait()?.success())
}

/// The counts of a line such as `test result: ok. 3 passed; 0 failed; …` or, from Node, `ℹ pass 3`.
fn summary_line(line: &str) -> Tally {
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if let Some((_, counts)) = line.split_once("test result: ") {
        let mut tally = Tally::default();
        for part in counts.split(['.', ';']) {
            tally.passed += number(part.trim().strip_suffix(" passed"));
            tally.failed += number(part.trim().strip_suffix(" failed"));
        }
        return tally;
    }
    let node = line.strip_prefix("ℹ ").unwrap_or_default();
    let passed = number(node.strip_prefix("pass "));
    let failed = number(node.strip_prefix("fail ")) + number(node.strip_prefix("cancelled "));
    Tally { passed, failed }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn warnings_are_complaints_and_their_sum_is_none() {
        let spans = json!([{ "line_start": 1 }]);
        assert!(is_complaint(&json!({ "level": "warning", "spans": spans })));
        assert!(!is_complaint(&json!({ "level": "warning", "spans": [] })));
        assert!(!is_complaint(&json!({ "level": "note", "spans": spans })));
    }

    #[test]
    fn summaries_of_three_runners() {
        let check = |line: &str, passed: u32, failed: u32| {
            assert_eq!(summary_line(line), Tally { passed, failed }, "{line}");
        };
        check("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s", 12, 0);
        check("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 filtered out", 3, 2);
        check("ℹ pass 11", 11, 0);
        check("ℹ fail 2", 0, 2);
        check("✔ a test about pass 7 (12 ms)", 0, 0);
    }
}
