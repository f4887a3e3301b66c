//! A lab that is steered by hand, and a small training for it.

use moe_lab::{Device, Lab};
use moe_trace::training::{
    AuxiliaryLoss, TrainCommand, TrainEvent, TrainRequest, TrainSnapshot, TrainStep, TrainedRule, TrainedSizes,
    TrainingText, WeightedLoss,
};
use moe_trace::{Bytes, Overflow, RouterSpec, RoutingSpec, RunId};

/// A lab and all that it has told.
pub struct Trial {
    pub lab: Lab,
    /// But for what was saved.
    pub told: Vec<TrainEvent>,
    /// By run and the step that comes next.
    pub saved: Vec<(RunId, u32, Bytes)>,
}

impl Trial {
    pub fn new() -> Trial {
        Trial { lab: Lab::new(Device::flex()), told: Vec::new(), saved: Vec::new() }
    }

    pub fn obey(&mut self, command: TrainCommand) {
        let Trial { lab, told, saved } = self;
        pollster::block_on(lab.obey(command, &mut |event| note(event, told, saved)));
    }

    /// Until all rest.
    pub fn go_on(&mut self) {
        while self.lab.is_busy() {
            let Trial { lab, told, saved } = self;
            pollster::block_on(lab.advance(&|| 0.0, &mut |event| note(event, told, saved)));
        }
    }

    /// So many steps of a run, which then rests.
    pub fn step(&mut self, run: u32, num_steps: u32) {
        self.obey(TrainCommand::Step { run: RunId(run), num_steps });
        self.go_on();
    }

    pub fn start(&mut self, request: TrainRequest) {
        let run = request.run;
        self.obey(TrainCommand::Start(request));
        self.obey(TrainCommand::Pause(run));
    }

    /// The losses of a run's steps, in the order they were told.
    pub fn losses(&self, run: u32) -> Vec<f32> {
        self.steps(run).map(|step| step.next_token).collect()
    }

    pub fn steps(&self, run: u32) -> impl Iterator<Item = &TrainStep> {
        self.told.iter().filter_map(move |event| match event {
            TrainEvent::Step(step) if step.run == RunId(run) => Some(step),
            _ => None,
        })
    }

    pub fn snapshots(&self) -> Vec<&TrainSnapshot> {
        let snapshots = self.told.iter().filter_map(|event| match event {
            TrainEvent::Snapshot(snapshot) => Some(snapshot),
            _ => None,
        });
        snapshots.collect()
    }

    /// Why the last command was refused.
    pub fn refusal(&self) -> String {
        match self.told.last() {
            Some(TrainEvent::Failed { error, fatal: false, .. }) => error.to_string(),
            other => panic!("it was not refused: {other:?}"),
        }
    }
}

fn note(event: TrainEvent, told: &mut Vec<TrainEvent>, saved: &mut Vec<(RunId, u32, Bytes)>) {
    match event {
        TrainEvent::Saved { run, next_step, saved: bytes } => saved.push((run, next_step, bytes)),
        event => told.push(event),
    }
}

/// A small model over two grammars, top-1 of four experts, nobody turned away.
pub fn request(run: u32) -> TrainRequest {
    let router = RouterSpec::Switch;
    TrainRequest {
        run: RunId(run),
        model: TrainedSizes {
            d_model: 16,
            num_layers: 1,
            num_heads: 2,
            num_experts: 4,
            d_expert: 16,
            num_shared_experts: 0,
        },
        rule: TrainedRule::Assigns(RoutingSpec { router, overflow: Overflow::Dropless }),
        text: TrainingText::Grammars { count: 2 },
        num_sequences: 4,
        num_tokens: 24,
        learning_rate: 1e-2,
        losses: vec![WeightedLoss { loss: AuxiliaryLoss::Balance, coefficient: 0.01 }],
        bias_step: 0.0,
        seed: 1,
        probe: "abcdef".to_owned(),
        snapshot_every: 0,
        upcycling: None,
    }
}
