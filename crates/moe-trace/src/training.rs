//! What page and trainer say to each other: a protocol of its own, beside that of the engine, for a worker of its own.

mod distilling;
mod shipped;

use serde::{Deserialize, Serialize};

pub use distilling::{Distilling, Taught};
pub use shipped::{KindText, SharedText};

use crate::adapting::{AdaptLook, AdaptStart, AdaptStep, Adaptation};
use crate::bytes::Bytes;
use crate::error::UserError;
use crate::ids::{LayerIdx, RunId};
use crate::layer_trace::LayerTrace;
use crate::spec::{MixerSpec, RoutingSpec};

/// From the page to a trainer. A training is a run and has a run's number; a fork is a run of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrainCommand {
    /// Begin, and go on until something else is said.
    Start(TrainRequest),
    /// Rest after the step in progress.
    Pause(RunId),
    /// Of a resting run: so many steps, then rest again.
    Step {
        run: RunId,
        num_steps: u32,
    },
    Resume(RunId),
    /// From the next step on.
    Change {
        run: RunId,
        setting: TrainSetting,
    },
    /// Keep the state after the step in progress, and tell what it is like.
    Snapshot(RunId),
    /// Go back to a snapshot, exactly, and rest there.
    Rewind {
        run: RunId,
        snapshot: SnapshotId,
    },
    /// A second run from a snapshot of the first, with the same batches to come; it rests.
    Fork {
        run: RunId,
        snapshot: SnapshotId,
        into: RunId,
    },
    /// Go on with a run that was saved, under this number, until something else is said.
    Open {
        run: RunId,
        saved: Bytes,
    },
    /// Copy the dense feed-forward of each layer into experts, and go on with them.
    Upcycle {
        run: RunId,
        experts: NewExperts,
    },
    /// Average the experts of each layer into one, by how often held-out text asks each, and go on with it.
    Merge(RunId),
    /// Freeze a model, add adapters, and train only these until something else is said. Those that are there already end,
    /// unless these cannot be.
    /// It is paused, stepped, resumed and stopped as any run; of its settings, learning rate and probe may change.
    Adapt(Box<Adaptation>),
    /// Merge the experts, and let the one learn from them for so many steps; then rest.
    Distil {
        run: RunId,
        plan: Distilling,
    },
    /// End the run and forget it.
    Stop(RunId),
}

/// A kept state of a training, counted from 0 within its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(transparent)]
pub struct SnapshotId(pub u32);

/// A training, completely described: the same request gives the same losses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct TrainRequest {
    pub run: RunId,
    pub model: TrainedSizes,
    pub rule: TrainedRule,
    pub text: TrainingText,
    /// Sequences per step; each is one routing group.
    pub num_sequences: u32,
    /// Tokens per sequence.
    pub num_tokens: u32,
    pub learning_rate: f32,
    /// Auxiliary losses with their coefficients; none twice.
    pub losses: Vec<WeightedLoss>,
    /// By how much a step moves the selection bias (arXiv:2408.15664, algorithm 1); 0 for none.
    pub bias_step: f32,
    /// Of initial weights, batches and draws.
    pub seed: u32,
    /// The text whose routes every snapshot tells.
    pub probe: String,
    /// Steps between two snapshots that the trainer makes of itself; 0 for none.
    pub snapshot_every: u32,
    /// Of a model with one expert: when it becomes many.
    #[serde(default)]
    pub upcycling: Option<Upcycling>,
}

/// A dense feed-forward that becomes experts while it learns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Upcycling {
    pub after_steps: u32,
    pub experts: NewExperts,
}

/// Experts that are made of a dense feed-forward (sparse upcycling, arXiv:2212.05055): each is a copy of it. Where the
/// rule's weights sum to 1, the model says what it said before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct NewExperts {
    pub num_experts: u32,
    /// Deviation of what is added to the copies, as a part of the root mean square of each matrix; 0 for none.
    pub noise: f32,
    pub rule: TrainedRule,
}

/// Sizes of a model that is trained from nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct TrainedSizes {
    pub d_model: u32,
    pub num_layers: u32,
    pub num_heads: u32,
    pub num_experts: u32,
    pub d_expert: u32,
    /// Beside the routed ones; every token asks them.
    pub num_shared_experts: u32,
}

/// The rule of a layer: of requests, or of shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrainedRule {
    Assigns(RoutingSpec),
    Mixes(MixerSpec),
}

impl From<RoutingSpec> for TrainedRule {
    fn from(spec: RoutingSpec) -> TrainedRule {
        TrainedRule::Assigns(spec)
    }
}

impl From<MixerSpec> for TrainedRule {
    fn from(spec: MixerSpec) -> TrainedRule {
        TrainedRule::Mixes(spec)
    }
}

/// What is learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TrainingText {
    /// Texts that come with the page, in equal shares.
    Shipped { texts: Vec<KindText> },
    /// The reader's own.
    Own { text: String },
    /// So many character grammars, mixed: the right specialisation is known.
    Grammars { count: u32 },
    /// Sums modulo each of these numbers.
    ModularSums { moduli: Vec<u32> },
}

/// Losses beside that of the next token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuxiliaryLoss {
    Importance,
    Load,
    Balance,
    DeviceBalance,
    SequenceBalance,
    LocalizedBalance,
    Z,
    Entropy,
    MutualInformation,
    SecondPlace,
    L1,
}

/// A loss and what it is multiplied with; or, in an event, what it came to before that.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct WeightedLoss {
    pub loss: AuxiliaryLoss,
    pub coefficient: f32,
}

/// What may change while a training runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrainSetting {
    LearningRate(f32),
    Losses(Vec<WeightedLoss>),
    BiasStep(f32),
    /// The sizes stay; the rule must fit them.
    Rule(TrainedRule),
    NumSequences(u32),
    Probe(String),
}

/// From a trainer to the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrainEvent {
    /// The model is made; `floor` is the loss of knowing only how frequent each token is, nats per token.
    Started {
        run: RunId,
        num_parameters: u32,
        floor: f32,
    },
    Step(TrainStep),
    Snapshot(TrainSnapshot),
    /// A run that was saved is there again, with these settings; the next step has this number.
    Opened {
        run: RunId,
        request: TrainRequest,
        next_step: u32,
    },
    /// All that the run needs to go on from here, bit for bit, in this worker or another one. Told with every snapshot and
    /// whenever the run comes to rest at one.
    Saved {
        run: RunId,
        next_step: u32,
        saved: Bytes,
    },
    /// The model has another number of experts from the next step on.
    Reshaped {
        run: RunId,
        request: TrainRequest,
        num_parameters: u32,
        /// Held-out nats per token before and after, where experts were made or merged; `None` after going back to a state
        /// with another number.
        held_out: Option<[f32; 2]>,
    },
    /// The steps of distilling are done. Held-out nats per token: of the experts, of their mean where the steps began, and of
    /// the one feed-forward as it now is.
    Distilled {
        run: RunId,
        held_out: [f32; 3],
    },
    /// A kept state made way for newer ones.
    Forgotten {
        run: RunId,
        snapshot: SnapshotId,
    },
    Changed {
        run: RunId,
        setting: TrainSetting,
    },
    /// It rests: paused, its steps done, rewound or just forked. The next step has this number.
    Resting {
        run: RunId,
        next_step: u32,
    },
    Stopped {
        run: RunId,
    },
    /// Of adapters beside a frozen model.
    Adapting(AdaptStart),
    AdaptStep(AdaptStep),
    /// Told before the first step, whenever it is due, and wherever they come to rest.
    Adapted(AdaptLook),
    /// After a `fatal` failure this run is over.
    Failed {
        run: RunId,
        error: UserError,
        fatal: bool,
    },
    /// The trainer did not start or is gone, and all runs with it.
    Lost(UserError),
}

/// One optimiser step. Losses in nats per token, over the batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct TrainStep {
    pub run: RunId,
    /// Counted from 0; after a rewind they are counted again from there.
    pub step: u32,
    /// Of the next token, without the auxiliary losses.
    pub next_token: f32,
    /// Before their coefficients, mean over groups and layers, in the order of the request.
    pub auxiliary: Vec<f32>,
    pub gradient_norm: f32,
    pub tokens_per_second: f32,
    /// One per MoE layer.
    pub layers: Vec<TrainedLayer>,
    /// Where experts are distilled: how far from them the step found the model.
    #[serde(default)]
    pub taught: Option<Taught>,
}

/// How a layer routed the batch of a step. Every list is `[experts]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct TrainedLayer {
    pub layer: LayerIdx,
    /// Requests.
    pub demand: Vec<u32>,
    /// Requests served.
    pub load: Vec<u32>,
    /// Tokens that lost all their experts.
    pub num_dropped_tokens: u32,
    /// Mean entropy of the gate, in nats; absent where the rule reads no gate.
    pub gate_entropy: Option<f32>,
    /// Of a rule that mixes, which makes no requests: each expert's share of what tokens are given, of the slots' outputs
    /// or of the merged weights.
    #[serde(default)]
    pub shares: Option<Vec<f32>>,
}

/// A kept state, and what it is like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct TrainSnapshot {
    pub run: RunId,
    pub snapshot: SnapshotId,
    /// The steps done before it.
    pub num_steps: u32,
    /// Loss of held-out text, nats per token: mean over the kinds of text.
    pub held_out: f32,
    pub held_out_bits_per_byte: f32,
    /// The same by kind of text, and whom each kind asks.
    pub kinds: Vec<KindOfText>,
    /// The probe's tokens, each as bytes.
    pub probe_tokens: Vec<Vec<u8>>,
    /// The probe routed: one entry per MoE layer.
    pub probe_layers: Vec<LayerTrace>,
    /// The gates, one per MoE layer.
    pub gates: Vec<GateWeights>,
    /// How far each layer's experts are from each other, `[layers]`: root mean square distance from their mean, as a part
    /// of their root mean square; 0 where all are the same.
    pub spread: Vec<f32>,
    /// A text that the model writes now.
    pub sample: String,
}

/// A kind of held-out text under a kept state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct KindOfText {
    pub name: String,
    /// Nats a token.
    pub held_out: f32,
    /// Requests per expert, for each MoE layer: `[layers][experts]`.
    pub demand: Vec<Vec<u32>>,
}

/// A layer's gate: what a token's state is multiplied with to get its logits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct GateWeights {
    pub layer: LayerIdx,
    pub num_experts: u32,
    /// `[experts, d_model]`, row-major.
    pub values: Vec<f32>,
}

impl TrainCommand {
    /// The run that is meant.
    pub fn run(&self) -> RunId {
        match self {
            TrainCommand::Start(request) => request.run,
            TrainCommand::Adapt(adaptation) => adaptation.request.run,
            TrainCommand::Pause(run)
            | TrainCommand::Resume(run)
            | TrainCommand::Snapshot(run)
            | TrainCommand::Merge(run)
            | TrainCommand::Stop(run)
            | TrainCommand::Step { run, .. }
            | TrainCommand::Change { run, .. }
            | TrainCommand::Rewind { run, .. }
            | TrainCommand::Upcycle { run, .. }
            | TrainCommand::Distil { run, .. }
            | TrainCommand::Open { run, .. }
            | TrainCommand::Fork { run, .. } => *run,
        }
    }
}

impl TrainEvent {
    /// The run that is spoken of; `None` where it is all of them.
    pub fn run(&self) -> Option<RunId> {
        Some(match self {
            TrainEvent::Lost(_) => return None,
            TrainEvent::Step(step) => step.run,
            TrainEvent::Snapshot(snapshot) => snapshot.run,
            TrainEvent::Adapting(start) => start.run,
            TrainEvent::AdaptStep(step) => step.run,
            TrainEvent::Adapted(look) => look.run,
            TrainEvent::Started { run, .. }
            | TrainEvent::Opened { run, .. }
            | TrainEvent::Saved { run, .. }
            | TrainEvent::Reshaped { run, .. }
            | TrainEvent::Distilled { run, .. }
            | TrainEvent::Forgotten { run, .. }
            | TrainEvent::Changed { run, .. }
            | TrainEvent::Resting { run, .. }
            | TrainEvent::Stopped { run }
            | TrainEvent::Failed { run, .. } => *run,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_objects_with_one_key() {
        let check = |command: TrainCommand, json: &str| {
            assert_eq!(serde_json::to_string(&command).expect("serialises"), json);
            assert_eq!(serde_json::from_str::<TrainCommand>(json).expect("parses"), command);
            assert_eq!(command.run(), RunId(3));
        };
        check(TrainCommand::Pause(RunId(3)), r#"{"pause":3}"#);
        let step = TrainCommand::Step { run: RunId(3), num_steps: 10 };
        check(step, r#"{"step":{"run":3,"num_steps":10}}"#);
        let losses = vec![WeightedLoss { loss: AuxiliaryLoss::Balance, coefficient: 0.5 }];
        let change = TrainCommand::Change { run: RunId(3), setting: TrainSetting::Losses(losses) };
        check(change, r#"{"change":{"run":3,"setting":{"losses":[{"loss":"balance","coefficient":0.5}]}}}"#);
    }
}
