//! What the world must be asked for after an action. The reducer only says it; `crate::effects` carries it out.

use std::rc::Rc;

use moe_trace::{
    BackendInfo, Bytes, Command, FinishReason, ModelInfo, RunId, Source, StepTrace, TrainCommand, UserError,
};

use crate::state::Theme;
use crate::state::progress::Waiting;
use crate::words::tongue::Language;

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// End the worker, if there is one, and start another that loads the model.
    StartEngine,
    EndEngine,
    /// Start a worker beside the one that works, which loads the model.
    StartNext,
    /// Start a worker beside the one that works, which tries WebGPU.
    StartTrial,
    EndNext,
    /// End the worker, and let the one beside it take its place.
    TakeOver,
    Post(Command),
    /// To the training lab's worker, which is started where it must.
    Train(TrainCommand),
    /// Give up the training lab's worker, whatever it is doing.
    EndTrainer,
    /// Fetch the files of the page's model for this run of the training lab, and dispatch `ModelCame`.
    FetchModel(RunId),
    /// Fetch the lab's texts of these kinds.
    FetchTexts(Vec<&'static str>),
    /// Let the browser keep a file.
    KeepFile {
        name: String,
        bytes: Bytes,
    },

    /// Fetch the recorded run that the attributes name now.
    FetchReplay,
    /// Fetch the lesson of this name or address.
    #[cfg(feature = "page")]
    FetchLesson(String),
    /// Fetch the held-out text that the site ships.
    FetchHeldOut,
    /// Fetch the sentences of a language, unless they are known, and dispatch `Learned`.
    Learn(Language),
    /// Dispatch `ReplayIsLate` after a few seconds.
    AwaitReplay,
    /// Dispatch `Rerun` once the controls have rested for a moment.
    ScheduleRerun,

    /// Dispatch `MayPlay`, unless the reader wants no motion.
    AskToPlay,

    /// Let the element's attribute say which model was chosen.
    SetModel(String),
    /// Let the element's attribute say which lesson is open; empty for none.
    SetLesson(String),
    /// Let the element's attribute say whether keys that type a character are heard.
    SetLetterKeys(bool),
    /// Let the element say which colours it has.
    SetTheme(Theme),
    EmitReady {
        source: Source,
        model: Option<ModelInfo>,
        backend: Option<BackendInfo>,
    },
    /// This step was taken up.
    EmitStep(Rc<StepTrace>),
    EmitProgress(Waiting),
    /// A live run has come to its end.
    EmitFinished {
        run: RunId,
        reason: FinishReason,
    },
    EmitError(UserError),
    /// The run that was asked for will not come, or will not go on. The error was told by itself.
    EmitFailed(UserError),
}
