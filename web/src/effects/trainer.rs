//! The training lab's worker. It is started by the first command that needs it, and ends with the last training.

use moe_trace::{TrainCommand, TrainEvent, UserError};
use yew::Callback;

use crate::browser::module_worker::{Fault, ModuleWorker};
use crate::browser::wire;
use crate::effects::{Report, lab_url};
use crate::state::{Action, State};

pub struct TrainerRunner {
    report: Callback<Report>,
    worker: Option<ModuleWorker>,
}

impl TrainerRunner {
    pub fn new(report: Callback<Report>) -> TrainerRunner {
        TrainerRunner { report, worker: None }
    }

    pub fn post(&mut self, command: &TrainCommand, state: &State) {
        if self.worker.is_none() && is_a_beginning(command) {
            self.start(state);
        }
        if let Some(worker) = &self.worker {
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

    fn start(&mut self, state: &State) {
        let tell = {
            let report = self.report.clone();
            move |event| report.emit(Report::Act(Action::Trained(Box::new(event))))
        };
        let on_message = {
            let tell = tell.clone();
            move |message| {
                tell(
                    wire::from_js::<TrainEvent>(message).unwrap_or_else(|error| lost("It was not understood.", error)),
                );
            }
        };
        let on_fault = {
            let tell = tell.clone();
            move |fault| {
                tell(match fault {
                    Fault::Missing(why) => lost("Its script could not be loaded.", why.unwrap_or_default()),
                    Fault::Threw(error) => lost("It threw an error.", error),
                });
            }
        };
        match ModuleWorker::start(&lab_url(state.config()), on_message, on_fault) {
            Ok(worker) => self.worker = Some(worker),
            Err(error) => tell(lost("The browser started no worker.", error)),
        }
    }
}

/// Does it need a worker where there is none?
fn is_a_beginning(command: &TrainCommand) -> bool {
    matches!(command, TrainCommand::Start(_) | TrainCommand::Open { .. } | TrainCommand::Adapt(_))
}

fn lost(why: &str, details: impl std::fmt::Display) -> TrainEvent {
    let error =
        UserError::new("The training lab stopped working.", why, "Start the training again, or reload the page.");
    TrainEvent::Lost(error.with_details(details))
}
