//! A trace on disk: JSON lines. A header, then one step a line.

use crate::delta::SentStep;
use crate::header::TraceHeader;
use crate::trace::StepTrace;

/// A whole recorded run.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct TraceFile {
    pub header: TraceHeader,
    pub steps: Vec<StepTrace>,
}

/// Why a text is not a trace file.
#[derive(Debug, thiserror::Error)]
pub enum TraceFileError {
    #[error("the file is empty; a trace begins with a header line")]
    Empty,
    #[error("line {line} is not part of a trace: {reason}")]
    Line { line: usize, reason: String },
}

impl TraceFile {
    /// Reads JSON lines, of this version or an older one; steps that tell only what changed are made whole. Blank lines
    /// are passed over.
    pub fn from_lines<'a, E: std::fmt::Display>(
        text: &'a str,
        parse_header: impl Fn(&'a str) -> Result<TraceHeader, E>,
        parse_step: impl Fn(&'a str) -> Result<SentStep, E>,
    ) -> Result<TraceFile, TraceFileError> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let at = |line: usize, reason: String| TraceFileError::Line { line: line + 1, reason };
        let (number, first) = lines.next().ok_or(TraceFileError::Empty)?;
        let header = parse_header(first).map_err(|error| at(number, error.to_string()))?;
        let mut steps: Vec<StepTrace> = Vec::new();
        for (number, line) in lines {
            let sent = parse_step(line).map_err(|error| at(number, error.to_string()))?;
            steps.push(sent.expand(steps.last()).map_err(|error| at(number, error.to_string()))?);
        }
        Ok(TraceFile { header, steps })
    }
}
