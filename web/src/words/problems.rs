//! What can go wrong, and how a reader is told: what happened, why, and what to do. The file to read for the page's tone.

use moe_trace::UserError;

use crate::words::tongue::{self, Language};

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
        error: UserError,
        on_cpu: bool,
        attempt: u32,
        max_attempts: u32,
    },
    /// The worker died once too often.
    EngineGivenUp {
        /// The last one's. What it would have the reader try may be empty.
        error: UserError,
        /// Was it ever ready?
        was_ready: bool,
        has_run: bool,
    },
    /// Another model cannot be loaded; the one of this name goes on.
    SwitchFailed {
        error: UserError,
        goes_on: String,
    },
    /// The model cannot be loaded, however often one asks.
    ModelMissing {
        error: UserError,
        has_others: bool,
    },
    /// The catalogue of a language that the reader asked for. Said in English, the one language that needs none.
    LanguageMissing {
        language: Language,
        why: String,
    },
}

/// What helps where a newer site has taken the place of the files that this page would need.
const RELOAD: &str = marked!("Reload the page: the site may have been updated meanwhile.");

impl Problem {
    /// Is it a reload that is advised first, because asking again would get the same? The worker advises in English.
    pub fn asks_for_reload(&self) -> bool {
        let (Problem::Told(error) | Problem::ModelMissing { error, .. }) = self else { return false };
        error.try_this.starts_with("Reload the page") || error.try_this == tongue::translated(RELOAD)
    }

    pub fn say(&self) -> UserError {
        match self {
            Problem::Told(error) => error.clone(),
            Problem::PromptEmpty => UserError::new(
                say!("The prompt is empty."),
                say!("The model continues a text that you give it."),
                say!("Type a few words first."),
            ),
            Problem::PromptTooLong { num_chars, max_chars } => UserError::new(
                say!("The prompt is too long: {num_chars} of at most {max_chars} characters.", num_chars, max_chars),
                say!("The model sees only a few hundred tokens."),
                many!(
                    num_chars.saturating_sub(*max_chars),
                    "Remove 1 character. Your text has not been changed.",
                    "Remove {n} characters. Your text has not been changed."
                ),
            ),
            Problem::PromptTooManyTokens { num_tokens, max_tokens } => UserError::new(
                say!("The prompt is too long."),
                say!("It is {num_tokens} tokens long; this model sees at most {max_tokens}.", num_tokens, max_tokens),
                say!("Shorten it. Your text has not been changed."),
            ),
            Problem::OnlyRecorded => UserError::new(
                say!("Only the recorded run can be shown."),
                say!("This page asks for backend=\"recorded\", so no engine is loaded."),
                say!("Step through the recorded run below."),
            ),
            Problem::RecordedRunMissing { why } => UserError::new(
                say!("The recorded run could not be shown."),
                why.as_str(),
                say!("Reload the page; a live run does not depend on it."),
            ),
            Problem::EngineRestarts { error, on_cpu, attempt, max_attempts } => {
                let try_this = match on_cpu {
                    true => say!(
                        "It is being started again on the CPU ({attempt} of {max_attempts}). Prompt and settings are kept.",
                        attempt,
                        max_attempts
                    ),
                    false => say!(
                        "It is being started again ({attempt} of {max_attempts}). Prompt and settings are kept.",
                        attempt,
                        max_attempts
                    ),
                };
                UserError { what: say!("The engine stopped working.").into_owned(), try_this, ..error.clone() }
            }
            Problem::EngineGivenUp { error, was_ready, has_run } => {
                let what = match was_ready {
                    true => say!("The engine keeps stopping."),
                    false => say!("The engine could not be started."),
                };
                let retry = match has_run {
                    true => say!("Press Retry to try once more; the run on the screen stays."),
                    false => say!("Press Retry to try once more."),
                };
                let try_this = format!("{retry} {}", error.try_this).trim_end().to_owned();
                UserError { what: what.into_owned(), try_this, ..error.clone() }
            }
            Problem::SwitchFailed { error, goes_on } => {
                let try_this =
                    say!("The model {goes_on} goes on running; choose another one above, or the same again.", goes_on);
                UserError { try_this, ..error.clone() }
            }
            Problem::ModelMissing { error, has_others: false } => error.clone(),
            Problem::ModelMissing { error, has_others: true } => {
                let try_this = say!("{advice} Or choose another model above.", advice = error.try_this);
                UserError { try_this, ..error.clone() }
            }
            Problem::LanguageMissing { language, why } => UserError::new(
                format!("The sentences in {} could not be loaded.", language.own_name()),
                why.as_str(),
                "The page goes on in English; choose the language again to try once more.",
            ),
        }
    }
}

/// Why a worker counts as lost. `error`: in the browser's words.
pub enum WorkerLoss<'a> {
    NotStarted { error: &'a str },
    Threw { error: &'a str },
    NotAnEvent { error: &'a str },
    Silent { seconds: f64 },
}

impl WorkerLoss<'_> {
    /// What happened and what is to be done is said where it is known how often it happened.
    pub fn say(&self) -> UserError {
        let (why, details) = match self {
            WorkerLoss::NotStarted { error } => {
                (say!("The browser did not start a worker for it.").into_owned(), Some(error))
            }
            WorkerLoss::Threw { error } => (say!("Its script met an error.").into_owned(), Some(error)),
            WorkerLoss::NotAnEvent { error } => {
                (say!("It said something that this page does not know.").into_owned(), Some(error))
            }
            WorkerLoss::Silent { seconds } => (say!("It has not answered for {seconds} seconds.", seconds), None),
        };
        let error = UserError::new(say!("The engine stopped working."), why, "");
        UserError { details: details.map(|details| (*details).to_owned()), ..error }
    }
}

/// The worker's script, which another worker would not find either. `why`: a sentence, where the file itself is at fault.
pub struct WorkerMissing {
    pub why: Option<String>,
}

impl WorkerMissing {
    pub fn say(&self) -> UserError {
        let what = say!("The engine could not be loaded.");
        match &self.why {
            Some(why) => UserError::new(what, why, tongue::translated(RELOAD)),
            None => UserError::new(
                what,
                say!("The browser does not take worker.js for a script, or the page around it forbids it."),
                say!(
                    "Its host must send it as text/javascript, and the page's policy allow what docs/EMBEDDING.md lists."
                ),
            ),
        }
    }
}

/// Why the engine runs on the CPU although the choice was the page's own.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftGpu {
    pub why: String,
}

impl LeftGpu {
    pub fn say(&self) -> String {
        say!("the GPU failed ({why}); reload the page to try it again", why = self.why.trim_end_matches('.'))
    }
}
