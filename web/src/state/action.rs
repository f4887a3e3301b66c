//! Everything that can happen to the state.

use std::rc::Rc;

use moe_trace::adapting::ModelFiles;
use moe_trace::{Event, RunId, TrainEvent, UserError};

use crate::run::held_out::HeldOut;
use crate::run::recording::Recording;
use crate::run::shared::Shared;
use crate::settings::Setting;
use crate::settings::attributes::Config;
use crate::settings::depth::Depth;
use crate::settings::method::Method;
use crate::settings::micro_step::MicroStep;
use crate::settings::models::Menu;
use crate::settings::place::Place;
use crate::settings::theme::Theme;
use crate::settings::view::PanelName;
use crate::state::background::Purpose;
#[cfg(feature = "page")]
use crate::state::course::Turn;
use crate::state::held_out::Judged;
use crate::state::lab::{Fetched, Wish};
use crate::state::surgery::Operation;
use crate::words::tongue::Language;

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The attributes changed.
    Configured {
        config: Box<Config>,
        errors: Vec<UserError>,
    },

    /// Show what a link or `setState` says, and of all else the default.
    Show {
        config: Box<Config>,
        errors: Vec<UserError>,
    },
    Seek(Place),

    /// The list of models has arrived.
    MenuRead(Menu),
    /// Load this model of the list instead.
    ChooseModel {
        manifest_url: String,
    },

    /// A recorded run begins, still without steps; they follow as engine events of run 0.
    ReplayBegan(Shared<Recording>),
    ReplayFailed {
        why: String,
    },
    /// The engine is ready and has waited long enough for the recorded run.
    ReplayIsLate,
    /// From the worker, or from the recorded run.
    Engine(Event),
    /// From the worker that loads another model, or tries another rung.
    NextEngine(Event),
    /// The worker died, or has been silent for too long.
    EngineLost(UserError),
    NextEngineLost(UserError),
    /// Start the engine again after it was given up.
    Retry,
    /// Remove what the browser keeps of models.
    RemoveKept,

    /// Run the model on the prompt, if given on a new one.
    Run {
        prompt: Option<String>,
    },
    /// A change of a setting has rested for a moment: run the model again.
    Rerun,
    Stop,
    Set(Setting),
    /// Change something inside the model, or take that back.
    Operate(Operation),
    /// The capacity's slider is on its way; the model is run again when it is let go.
    Slide(f32),
    LetGo,

    TogglePlay,
    /// Play the run from its first token to where somebody is turned away.
    PlayStory,
    /// The reader has nothing against motion: the run may play by itself.
    MayPlay,
    /// The playback's clock.
    Tick,
    /// Steps forward or back; stops playing.
    StepBy(i32),
    StepTo(usize),
    SetSpeed(f32),
    /// Between the run on the screen and the one that it is compared with.
    Flip,
    /// Put a kept run on the screen.
    ShowRun(RunId),
    /// Compare the run on the screen with this one.
    CompareWith(RunId),

    /// Have the runs computed that this comparison needs, while nobody else needs the engine.
    Compare(Purpose),
    /// Compute no more of them.
    StopComparing(Purpose),
    /// Judge experts and findings by the reader's runs, or by held-out text, which is then run.
    Judge(Judged),
    /// The file of held-out text, or why it is not there.
    HeldOutCame(Result<HeldOut, String>),
    /// The capacity factor of all policies in the policy lab.
    SetLabFactor(f32),
    /// The texts that are run in step.
    SetTextsInStep(Rc<[String]>),
    /// The step of theirs that is looked at.
    SelectStepInStep(usize),
    /// Ask the engine how the gates of earlier moments of the training would route the text on the screen.
    RouteThen,
    /// The moment that the time machine shows, counted from the beginning of the training.
    SetMoment(u32),

    Select {
        token: usize,
        layer: Option<usize>,
        expert: Option<usize>,
    },
    SelectLayer(usize),
    SelectExpert(Option<usize>),
    Move(Motion),

    ToggleHelp,
    CloseHelp,
    /// Hear keys that type a character, or leave them alone.
    SetLetterKeys(bool),
    SetTheme(Theme),
    /// The reader wants to be spoken to in this language.
    SetLanguage(Language),
    /// The sentences of a language can be said from now on; or why they cannot.
    Learned {
        language: Language,
        read: Result<(), String>,
    },
    /// Try a routing method on what the run recorded, or none.
    Try(Option<Method>),
    /// Show the same run at another depth.
    SetDepth(Depth),
    SetTab(PanelName),
    /// Of the training lab.
    Lab(Wish),
    /// From the training lab's worker.
    Trained(Box<TrainEvent>),
    /// The files of the page's model, for this run of the training lab; or why there are none.
    ModelCame {
        run: RunId,
        files: Result<ModelFiles, String>,
    },
    /// Texts that the training lab asked for.
    LabTexts(Fetched),
    OpenMicroStep(MicroStep),
    DismissNotice,
    /// Of the lesson that is open.
    #[cfg(feature = "page")]
    Lesson(Turn),
}

/// Moves of the selection, as the keyboard makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    Token(i32),
    Layer(i32),
    Expert(i32),
    FirstToken,
    LastToken,
    NextDrop,
}
