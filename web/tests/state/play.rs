//! Actions applied one after the other, with the state after them and the effects of the last one.

use moe_trace::{
    BackendChoice, BackendInfo, Command, Event, FinishReason, RoutingGroup, RoutingSpec, RunRequest, Rung, StepTrace,
    TraceFile,
};
use web::run::scene::Scene;
use web::run::shared::Shared;
use web::settings::Setting;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::state::{Action, Effect, State, replay};

use crate::fixture;

pub struct Play {
    pub state: State,
    pub effects: Vec<Effect>,
}

impl Play {
    pub fn new(backend: BackendChoice) -> Play {
        Play::with(Config { backend, ..Config::default() })
    }

    /// At the depth of the lab, whose panels' numbers are not computed elsewhere.
    pub fn in_lab(backend: BackendChoice) -> Play {
        Play::with(Config { backend, depth: Depth::Lab, ..Config::default() })
    }

    pub fn with(config: Config) -> Play {
        let (state, effects) = State::new(config, Vec::new());
        Play { state, effects }
    }

    pub fn act(&mut self, action: Action) -> &mut Play {
        (self.state, self.effects) = self.state.apply(action);
        self
    }

    pub fn hear(&mut self, event: Event) -> &mut Play {
        self.act(Action::Engine(event))
    }

    pub fn set(&mut self, setting: Setting) -> &mut Play {
        self.act(Action::Set(setting))
    }

    pub fn configure(&mut self, config: &Config) -> &mut Play {
        self.act(Action::Configured { config: Box::new(config.clone()), errors: Vec::new() })
    }

    pub fn replay(&mut self, file: &TraceFile) -> &mut Play {
        self.act(replay::began(file.header.clone()).expect("a run of ours"));
        for step in &file.steps {
            self.act(replay::step(step.clone()));
        }
        self.act(replay::finished())
    }

    pub fn ready(&mut self) -> &mut Play {
        let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: "asked for".to_owned() };
        self.hear(Event::Ready { model: fixture::model(), backend })
    }

    /// Lets an engine that runs a text in one step answer until nothing is asked for; the requests with their answers.
    pub fn answer_all(&mut self, answer: impl Fn(&RunRequest) -> StepTrace) -> Vec<(RunRequest, StepTrace)> {
        let mut answered = Vec::new();
        while let Some(request) = self.posted() {
            let step = answer(&request);
            self.hear(Event::Step { trace: step.clone().into(), elapsed_ms: 10.0 });
            self.hear(Event::Finished { run: request.run, reason: FinishReason::Length });
            answered.push((request, step));
        }
        answered
    }

    /// The request that the last action posted.
    pub fn posted(&self) -> Option<RunRequest> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::Post(Command::Run(request)) => Some(request.clone()),
            _ => None,
        })
    }

    /// The engine executes a request: the fixture's steps under its routing.
    pub fn execute(&mut self, request: &RunRequest, steps: usize) -> &mut Play {
        for trace in executed(request).into_iter().take(steps) {
            self.hear(Event::Step { trace: trace.into(), elapsed_ms: 10.0 });
        }
        self
    }

    /// Steps of the latest run.
    pub fn num_steps(&self) -> usize {
        self.state.latest().map_or(0, |latest| latest.steps.len())
    }

    pub fn scene(&self) -> Shared<Scene> {
        self.state.scene().cloned().expect("a scene")
    }
}

pub fn recorded() -> TraceFile {
    fixture::default_trace(RoutingSpec::default(), RoutingGroup::ThisText)
}

pub fn executed(request: &RunRequest) -> Vec<StepTrace> {
    let file = fixture::default_trace(request.routing, request.group);
    file.steps.into_iter().map(|step| StepTrace { run: request.run, ..step }).collect()
}
