//! The worker: one at a time, numbered, so that messages of an earlier one are recognised.

use moe_trace::Command;
use yew::Callback;

use crate::browser::engine_client::{EngineClient, WorkerMessage};
use crate::effects::{Report, resolve};
use crate::state::{Action, State};

pub struct EngineRunner {
    report: Callback<Report>,
    client: Option<EngineClient>,
    num_workers: u32,
}

impl EngineRunner {
    pub fn new(report: Callback<Report>) -> EngineRunner {
        EngineRunner { report, client: None, num_workers: 0 }
    }

    pub fn start(&mut self, state: &State) {
        self.client = None;
        self.num_workers += 1;
        let worker = self.num_workers;
        let on_event = {
            let report = self.report.clone();
            move |message| report.emit(Report::Worker { worker, message })
        };
        let config = state.config();
        match EngineClient::start(&resolve(config, config.worker_url.as_deref(), "worker.js"), on_event) {
            Ok(client) => {
                let manifest_url = config.manifest_url.clone();
                client.post(&Command::Load { manifest_url, backend: state.backend_to_load() });
                self.client = Some(client);
            }
            Err(why) => self.report.emit(Report::Act(Action::EngineLost { why })),
        }
    }

    pub fn end(&mut self) {
        self.client = None;
    }

    pub fn post(&self, command: &Command) {
        if let Some(client) = &self.client {
            client.post(command);
        }
    }

    /// Silence is held against a worker only while it owes an answer.
    pub fn expect_answer(&self, owes_answer: bool) {
        if let Some(client) = &self.client {
            client.expect(owes_answer);
        }
    }

    /// The action that a worker's message amounts to.
    pub fn receive(&self, worker: u32, message: WorkerMessage) -> Option<Action> {
        if worker != self.num_workers {
            return None;
        }
        Some(match message {
            WorkerMessage::Lost { why } => Action::EngineLost { why },
            WorkerMessage::Event(event) => Action::Engine(event),
        })
    }
}
