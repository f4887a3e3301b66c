//! The workers: the one that works, and beside it one that loads another model or tries another rung. They are numbered, so that
//! messages of earlier ones are recognised.

use moe_trace::{Command, Event};
use yew::Callback;

use crate::browser::engine_client::{EngineClient, WorkerMessage};
use crate::effects::{Report, resolve};
use crate::state::{Action, State};

pub struct EngineRunner {
    report: Callback<Report>,
    client: Option<Numbered>,
    next: Option<Numbered>,
    num_workers: u32,
}

type Numbered = (u32, EngineClient);

impl EngineRunner {
    pub fn new(report: Callback<Report>) -> EngineRunner {
        EngineRunner { report, client: None, next: None, num_workers: 0 }
    }

    pub fn start(&mut self, state: &State) {
        self.end();
        self.client = self.started(state, &loading(state), Action::EngineLost);
    }

    /// Loads another model while the worker goes on.
    pub fn start_next(&mut self, state: &State) {
        self.next = None;
        self.next = self.started(state, &loading(state), Action::NextEngineLost);
    }

    /// Tries another rung while the worker goes on.
    pub fn start_trial(&mut self, state: &State) {
        let command = Command::Try { manifest_url: state.config().manifest_url.clone() };
        self.next = self.started(state, &command, Action::NextEngineLost);
    }

    /// A worker and what it is told first.
    fn started(
        &mut self,
        state: &State,
        command: &Command,
        lost: fn(moe_trace::UserError) -> Action,
    ) -> Option<Numbered> {
        self.num_workers += 1;
        let worker = self.num_workers;
        let on_event = {
            let report = self.report.clone();
            move |message| report.emit(Report::Worker { worker, message })
        };
        let config = state.config();
        let url = resolve(config, config.worker_url.as_deref(), "worker.js");
        match EngineClient::start(&url, command, on_event) {
            Ok(client) => Some((worker, client)),
            Err(error) => {
                self.report.emit(Report::Act(lost(error)));
                None
            }
        }
    }

    pub fn end(&mut self) {
        self.client = None;
        self.next = None;
    }

    pub fn end_next(&mut self) {
        self.next = None;
    }

    pub fn take_over(&mut self) {
        self.client = self.next.take();
    }

    /// `is_patient`: a run that gives way to those of other figures.
    pub fn post(&self, command: &Command, is_patient: bool) {
        if let Some((_, client)) = &self.client {
            client.post(command, is_patient);
        }
    }

    /// Silence is held against a worker only while it owes an answer; one that loads does.
    pub fn expect_answer(&self, owes_answer: bool) {
        if let Some((_, client)) = &self.client {
            client.expect(owes_answer);
        }
    }

    /// The action that a worker's message amounts to.
    pub fn receive(&self, worker: u32, message: WorkerMessage) -> Option<Action> {
        if let (Some((number, next)), WorkerMessage::Event(Event::Ready { .. })) = (&self.next, &message)
            && *number == worker
        {
            // It waits for its turn, and owes nothing meanwhile.
            next.expect(false);
        }
        let is = |numbered: &Option<Numbered>| numbered.as_ref().is_some_and(|(number, _)| *number == worker);
        Some(match message {
            WorkerMessage::Event(event) if is(&self.client) => Action::Engine(event),
            WorkerMessage::Event(event) if is(&self.next) => Action::NextEngine(event),
            WorkerMessage::Lost(error) if is(&self.client) => Action::EngineLost(error),
            WorkerMessage::Lost(error) if is(&self.next) => Action::NextEngineLost(error),
            _ => return None,
        })
    }
}

/// Has a worker make ready what the attributes ask for.
fn loading(state: &State) -> Command {
    Command::Load { manifest_url: state.config().manifest_url.clone(), backend: state.backend_to_load() }
}
