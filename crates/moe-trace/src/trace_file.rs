//! A trace on disk: JSON lines. A header, then one step a line. A file is read whole and checked, or refused.

use crate::check;
use crate::delta::{DeltaError, SentStep};
use crate::header::TraceHeader;
use crate::limits::{NUMBERS, STEPS};
use crate::trace::StepTrace;
use crate::wrong::{Place, Wrong};

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
    #[error("the file has a header and no steps")]
    NoSteps,
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
        let mut lines = lines(text);
        let at = |line: usize, reason: String| TraceFileError::Line { line, reason };
        let (line, first) = lines.next().ok_or(TraceFileError::Empty)?;
        let header = parse_header(first).map_err(|error| at(line, error.to_string()))?;
        let mut reader = TraceReader::new(header).map_err(|error| at(line, error.to_string()))?;
        let mut steps: Vec<StepTrace> = Vec::new();
        for (line, text) in lines {
            let sent = parse_step(text).map_err(|error| at(line, error.to_string()))?;
            steps.push(reader.read(sent).map_err(|error| at(line, error.to_string()))?);
        }
        match steps.is_empty() {
            true => Err(TraceFileError::NoSteps),
            false => Ok(TraceFile { header: reader.header, steps }),
        }
    }
}

/// The lines of a file that say something, with their numbers from 1. The first is the header, all others are steps.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().enumerate().map(|(number, line)| (number + 1, line)).filter(|(_, line)| !line.trim().is_empty())
}

/// Reads a file's steps one after the other, so that a caller can do other things in between. What it gives is checked:
/// against the header, against the step before, and every field of a step against its others.
#[derive(Debug, Clone)]
pub struct TraceReader {
    header: TraceHeader,
    /// As the file numbers it.
    previous: Option<StepTrace>,
    /// The number of the first step.
    first: u32,
    num_steps: u32,
    /// In all steps so far.
    num_numbers: u64,
}

/// Why a step does not belong into a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Wrong(#[from] Wrong),
    #[error(transparent)]
    Delta(#[from] DeltaError),
}

impl TraceReader {
    pub fn new(header: TraceHeader) -> Result<TraceReader, Wrong> {
        check::header(&header)?;
        Ok(TraceReader { header, previous: None, first: 0, num_steps: 0, num_numbers: 0 })
    }

    pub fn header(&self) -> &TraceHeader {
        &self.header
    }

    pub fn num_steps(&self) -> u32 {
        self.num_steps
    }

    /// The next step, whole and counted from 0, whether the file counts from 0 or from 1.
    pub fn read(&mut self, sent: SentStep) -> Result<StepTrace, ReadError> {
        let number = sent.step();
        let at = Place::of_step(number);
        if self.previous.is_none() {
            at.at_most(format_args!("the number of the first step"), number.into(), "the format", 1)?;
            self.first = number;
        }
        at.equal(format_args!("its number"), number.into(), "the next one", (self.first + self.num_steps).into())?;
        at.index(format_args!("its place in the file"), self.num_steps.into(), "the number of steps", STEPS)?;
        if let Some(previous) = &self.previous {
            at.equal(format_args!("run"), sent.run().0.into(), "that of the step before", previous.run.0.into())?;
        }
        // Before it is made whole: a short line may stand for a long step.
        let kept = if sent.is_whole() { 0 } else { self.previous.as_ref().map_or(0, StepTrace::num_numbers) };
        self.num_numbers += kept + sent.num_numbers();
        at.at_most(format_args!("the count of numbers so far"), self.num_numbers, "the format", NUMBERS)?;
        let step = sent.expand(self.previous.as_ref())?;
        check::step(&step, &self.header, self.previous.as_ref())?;
        let counted = self.num_steps;
        self.num_steps += 1;
        self.previous = Some(step.clone());
        Ok(StepTrace { step: counted, ..step })
    }
}
