//! What was tested, how long it took, and how it ended: the table at the end of `cargo xtask test`.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::counting::{self, Tally};

#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

struct Row {
    step: &'static str,
    part: &'static str,
    time: Duration,
    tally: Tally,
}

impl Report {
    /// Does a part of a step. What keeps it from being done counts as a failure, and the next part goes on.
    pub fn run(&mut self, step: &'static str, part: &'static str, work: impl FnOnce() -> Result<Tally>) {
        eprintln!("\n== {step}: {part} ==");
        let start = Instant::now();
        let tally = work().unwrap_or_else(|error| counting::failure(&error));
        self.rows.push(Row { step, part, time: start.elapsed(), tally });
    }

    /// Adds what was done meanwhile.
    pub fn append(&mut self, mut other: Report) {
        self.rows.append(&mut other.rows);
    }

    /// Prints the table; ends the process with status 1 if anything failed.
    pub fn finish(&self) {
        print!("\n{}", self.table());
        if self.rows.iter().any(|row| row.tally.failed > 0) {
            std::process::exit(1);
        }
    }

    fn table(&self) -> String {
        let mut lines = vec![format!("{:<6}{:<28}{:>10}{:>9}{:>9}", "step", "part", "time", "passed", "failed")];
        let mut total = Tally::default();
        for Row { step, part, time, tally } in &self.rows {
            total += *tally;
            let (passed, failed) = (tally.passed, tally.failed);
            lines.push(format!("{step:<6}{part:<28}{:>10}{passed:>9}{failed:>9}", minutes(*time)));
        }
        lines.push(format!("\n{} passed, {} failed\n", total.passed, total.failed));
        lines.join("\n")
    }
}

/// `2 min 05 s`
fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds < 60 => format!("{:.1} s", time.as_secs_f32()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_row_and_a_failure_stops_nothing() {
        let mut report = Report::default();
        report.run("lint", "format", || anyhow::bail!("no formatter"));
        report.run("unit", "all packages", || Ok(Tally { passed: 7, failed: 0 }));
        let table = report.table();
        let words = |line: usize| table.lines().nth(line).map(|line| line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(words(1), Some(vec!["lint", "format", "0.0", "s", "0", "1"]));
        assert_eq!(words(2), Some(vec!["unit", "all", "packages", "0.0", "s", "7", "0"]));
        assert!(table.ends_with("7 passed, 1 failed\n"));
        assert_eq!(minutes(Duration::from_secs(125)), "2 min 05 s");
    }
}
