//! A trace on disk: JSON lines. A header, then one step a line.

use serde::{Deserialize, Serialize};

use crate::protocol::{ModelInfo, RunRequest};
use crate::trace::StepTrace;

/// Version of the trace format this crate writes. Readers accept this and every older one.
pub const SCHEMA_VERSION: u32 = 1;

/// First line of a trace file: everything needed to say where the steps come from and to run them again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TraceHeader {
    pub schema_version: u32,
    pub model: ModelInfo,
    pub request: RunRequest,
    pub source: Source,
}

/// Where numbers on the screen come from. Shown on every panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    LiveGpu,
    LiveCpu,
    /// A real earlier run of the same model.
    Recorded,
    /// A file the reader brought.
    Imported,
}

/// A whole recorded run.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
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
    #[error("the trace has schema version {found}; this build reads versions 1 to {SCHEMA_VERSION}")]
    Version { found: u32 },
}

impl TraceFile {
    /// Reads JSON lines as `to_json_lines` writes them. Blank lines are passed over.
    pub fn from_lines<'a, E: std::fmt::Display>(
        text: &'a str,
        parse_header: impl Fn(&'a str) -> Result<TraceHeader, E>,
        parse_step: impl Fn(&'a str) -> Result<StepTrace, E>,
    ) -> Result<TraceFile, TraceFileError> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let at = |line: usize, error: E| TraceFileError::Line { line: line + 1, reason: error.to_string() };
        let (number, first) = lines.next().ok_or(TraceFileError::Empty)?;
        let header = parse_header(first).map_err(|error| at(number, error))?;
        if header.schema_version == 0 || header.schema_version > SCHEMA_VERSION {
            return Err(TraceFileError::Version { found: header.schema_version });
        }
        let steps = lines
            .map(|(number, line)| parse_step(line).map_err(|error| at(number, error)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(TraceFile { header, steps })
    }
}
