//! The training lab's worker. It is started by the first command that needs it, and ends with the last training.

use std::cell::Cell;
use std::rc::Rc;

use moe_trace::{TrainCommand, TrainEvent, UserError};
use yew::Callback;

use crate::browser::module_worker::{Fault, ModuleWorker};
use crate::browser::watchdog::{Patience, Pulse, Watchdog};
use crate::browser::wire;
use crate::effects::{Report, lab_url};
use crate::state::lab::Lab;
use crate::state::{Action, State};

/// The largest models take a few seconds a step, and a snapshot as long as many steps.
const PATIENCE: Patience = Patience { first_word_ms: 120_000.0, silence_ms: 30_000.0 };

pub struct TrainerRunner {
    report: Callback<Report>,
    worker: Option<Watched>,
}

/// The worker, and who notices when it is gone.
struct Watched {
    worker: ModuleWorker,
    pulse: Pulse,
    /// It was asked something since it last said anything.
    is_asked: Rc<Cell<bool>>,
    _watchdog: Watchdog,
}

impl TrainerRunner {
    pub fn new(report: Callback<Report>) -> TrainerRunner {
        TrainerRunner { report, worker: None }
    }

    pub fn post(&mut self, command: &TrainCommand, state: &State) {
        if self.worker.is_none() && is_a_beginning(command) {
            self.start(state);
        }
        if let Some(Watched { worker, pulse, is_asked, .. }) = &self.worker {
            is_asked.set(true);
            pulse.expect(true);
            worker.post(command);
        }
        // Nothing is left to compute or to go back to.
        if state.lab().trainings.is_none() && state.lab().opening.is_none() && state.lab().adapters.is_idle() {
            self.end();
        }
    }

    pub fn end(&mut self) {
        self.worker = None;
    }

    /// Silence is held against the worker while it trains, and while it owes an answer.
    pub fn follow(&self, lab: &Lab) {
        if let Some(Watched { pulse, is_asked, .. }) = &self.worker {
            pulse.expect(is_asked.get() || lab.is_running() || lab.opening.is_some());
        }
    }

    fn start(&mut self, state: &State) {
        let (pulse, is_asked) = (Pulse::default(), Rc::<Cell<bool>>::default());
        let tell = {
            let report = self.report.clone();
            move |event| report.emit(Report::Act(Action::Trained(Box::new(event))))
        };
        let on_message = {
            let (tell, pulse, is_asked) = (tell.clone(), pulse.clone(), is_asked.clone());
            move |message| {
                pulse.heard();
                is_asked.set(false);
                tell(
                    wire::from_js::<TrainEvent>(message)
                        .unwrap_or_else(|error| lost(say!("It was not understood."), error)),
                );
            }
        };
        let on_fault = {
            let tell = tell.clone();
            move |fault| {
                tell(match fault {
                    Fault::Missing(why) => lost(say!("Its script could not be loaded."), why.unwrap_or_default()),
                    Fault::Threw(error) => lost(say!("It threw an error."), error),
                });
            }
        };
        match ModuleWorker::start(&lab_url(state.config()), None, on_message, on_fault) {
            Ok(worker) => {
                let on_silence = move |seconds| {
                    tell(lost(
                        say!("Its worker was ended, or is stuck."),
                        say!("It said nothing for {seconds} seconds.", seconds),
                    ));
                };
                let watchdog = Watchdog::new(pulse.clone(), PATIENCE, on_silence);
                self.worker = Some(Watched { worker, pulse, is_asked, _watchdog: watchdog });
            }
            Err(error) => tell(lost(say!("The browser started no worker."), error)),
        }
    }
}

/// Does it need a worker where there is none?
fn is_a_beginning(command: &TrainCommand) -> bool {
    matches!(command, TrainCommand::Start(_) | TrainCommand::Open { .. } | TrainCommand::Adapt(_))
}

fn lost(why: impl Into<String>, details: impl std::fmt::Display) -> TrainEvent {
    let error = UserError::new(
        say!("The training lab stopped working."),
        why,
        say!("Start the training again, or reload the page."),
    );
    TrainEvent::Lost(error.with_details(details))
}
