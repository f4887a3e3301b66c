//! What can go wrong, and how a reader is told: what happened, why, and what to do. The file to read for the page's tone.

use moe_trace::UserError;

use crate::words::numbers::count;

/// Something that a reader must be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// In the words of the engine, or of the reader of attributes.
    Told(UserError),
    PromptEmpty,
    PromptTooLong {
        num_chars: usize,
        max_chars: usize,
    },
    PromptTooManyTokens {
        num_tokens: u32,
        max_tokens: u32,
    },
    /// A run was asked for where the page's author wants the recorded run only.
    OnlyRecorded,
    RecordedRunMissing {
        why: String,
    },
    /// The worker died, and another one takes over.
    EngineRestarts {
        why: String,
        on_cpu: bool,
        attempt: u32,
        max_attempts: u32,
    },
    /// The worker died once too often.
    EngineGivenUp {
        why: String,
        /// Was it ever ready?
        was_ready: bool,
        has_run: bool,
        /// What the engine itself would try; may be empty.
        advice: String,
    },
    /// The model cannot be loaded, however often one asks.
    ModelMissing {
        error: UserError,
        has_others: bool,
    },
}

impl Problem {
    pub fn say(&self) -> UserError {
        match self {
            Problem::Told(error) => error.clone(),
            Problem::PromptEmpty => UserError::new(
                "The prompt is empty.",
                "The model continues a text that you give it.",
                "Type a few words first.",
            ),
            Problem::PromptTooLong { num_chars, max_chars } => UserError::new(
                format!("The prompt is too long: {num_chars} of at most {max_chars} characters."),
                "The model sees only a few hundred tokens.",
                format!(
                    "Remove {}. Your text has not been changed.",
                    count(num_chars.saturating_sub(*max_chars), "character", "characters")
                ),
            ),
            Problem::PromptTooManyTokens { num_tokens, max_tokens } => UserError::new(
                "The prompt is too long.",
                format!("It is {num_tokens} tokens long; this model sees at most {max_tokens}."),
                "Shorten it. Your text has not been changed.",
            ),
            Problem::OnlyRecorded => UserError::new(
                "Only the recorded run can be shown.",
                "This page asks for backend=\"recorded\", so no engine is loaded.",
                "Step through the recorded run below.",
            ),
            Problem::RecordedRunMissing { why } => UserError::new(
                "The recorded run could not be shown.",
                why.as_str(),
                "Reload the page; a live run does not depend on it.",
            ),
            Problem::EngineRestarts { why, on_cpu, attempt, max_attempts } => {
                let place = if *on_cpu { " on the CPU" } else { "" };
                UserError::new(
                    "The engine stopped working.",
                    as_sentence(why),
                    format!(
                        "It is being started again{place} ({attempt} of {max_attempts}). Prompt and settings are kept."
                    ),
                )
            }
            Problem::EngineGivenUp { why, was_ready, has_run, advice } => {
                let what = match was_ready {
                    true => "The engine keeps stopping.",
                    false => "The engine could not be started.",
                };
                let retry = match has_run {
                    true => "Press Retry to try once more; the run on the screen stays.",
                    false => "Press Retry to try once more.",
                };
                UserError::new(what, as_sentence(why), format!("{retry} {advice}").trim_end())
            }
            Problem::ModelMissing { error, has_others: false } => error.clone(),
            Problem::ModelMissing { error, has_others: true } => {
                UserError { try_this: format!("{} Or choose another model above.", error.try_this), ..error.clone() }
            }
        }
    }
}

/// Why a worker counts as lost. `error`: in the browser's words.
pub enum WorkerLoss<'a> {
    NotStarted { url: &'a str, error: &'a str },
    NotLoaded { url: &'a str },
    NotAnEvent { error: &'a str },
    Silent { seconds: f64 },
}

impl WorkerLoss<'_> {
    pub fn say(&self) -> String {
        match self {
            WorkerLoss::NotStarted { url, error } => {
                format!("The browser did not start {url}: {}.", error.trim_end_matches('.'))
            }
            WorkerLoss::NotLoaded { url } => format!("{url} could not be loaded."),
            WorkerLoss::NotAnEvent { error } => format!("It sent a message that is not an event: {error}."),
            WorkerLoss::Silent { seconds } => format!("It has not answered for {seconds} seconds."),
        }
    }
}

/// Why the engine runs on the CPU although the choice was the page's own.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftGpu {
    /// Was it ready there, or did it not even start?
    pub was_ready: bool,
    pub why: String,
}

impl LeftGpu {
    pub fn say(&self) -> String {
        let from = if self.was_ready { "the GPU failed" } else { "the automatic choice did not start" };
        format!("{from} ({}); reload the page to try it again", self.why.trim_end_matches('.'))
    }
}

fn as_sentence(why: &str) -> String {
    if why.ends_with(['.', '!', '?']) { why.to_owned() } else { format!("{why}.") }
}
