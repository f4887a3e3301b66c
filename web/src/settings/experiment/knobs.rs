//! Sizes and settings of both trainings, each from a list of values: what is offered can be held in memory by itself, and
//! what cannot together, the trainer refuses in words.

use moe_router::decimal;
use moe_trace::training::{TrainRequest, TrainedRule};
use moe_trace::{CapacitySpec, Overflow, RouterSpec, RoutingSpec};

/// A number that both trainings share.
pub struct Knob {
    /// In links: `experts=16`.
    pub word: &'static str,
    pub name: &'static str,
    /// In whole parts of `1 / scale`, in the order of the slider.
    pub values: &'static [u32],
    scale: f64,
    /// `None` where there is nothing to set.
    get: fn(&TrainRequest) -> Option<u32>,
    set: fn(&mut TrainRequest, u32),
}

/// Of the capacity: as much room as is asked for.
const ALL: u32 = 0;

pub const NUM_KNOBS: usize = 8;

pub static KNOBS: [Knob; NUM_KNOBS] = [
    Knob {
        word: "width",
        name: marked!("Width"),
        values: &[16, 32, 48, 64, 96, 128],
        scale: 1.0,
        get: |request| Some(request.model.d_model),
        set: |request, value| request.model.d_model = value,
    },
    Knob {
        word: "layers",
        name: marked!("Layers"),
        values: &[1, 2, 3, 4],
        scale: 1.0,
        get: |request| Some(request.model.num_layers),
        set: |request, value| request.model.num_layers = value,
    },
    Knob {
        word: "experts",
        name: marked!("Experts"),
        values: &[2, 4, 8, 16, 32],
        scale: 1.0,
        get: |request| (request.model.num_experts > 1).then_some(request.model.num_experts),
        set: |request, value| request.model.num_experts = value,
    },
    Knob {
        word: "k",
        name: marked!("Experts per token"),
        values: &[1, 2, 3, 4, 8],
        scale: 1.0,
        get: |request| choices(&mut { request.rule }).copied(),
        set: |request, value| {
            if let Some(k) = choices(&mut request.rule) {
                *k = value;
            }
        },
    },
    Knob {
        word: "d-expert",
        name: marked!("Expert's width"),
        values: &[16, 32, 64, 128, 256],
        scale: 1.0,
        get: |request| Some(request.model.d_expert),
        set: |request, value| request.model.d_expert = value,
    },
    Knob {
        word: "capacity",
        name: marked!("Capacity factor"),
        values: &[25, 50, 75, 100, 125, 150, 200, 300, ALL],
        scale: 100.0,
        get: |request| match request.rule {
            TrainedRule::Assigns(RoutingSpec { overflow: Overflow::Dropless, .. }) => Some(ALL),
            TrainedRule::Assigns(RoutingSpec { overflow: Overflow::Drop(capacity), .. }) => {
                Some((capacity.factor * 100.0).round() as u32)
            }
            _ => None,
        },
        set: |request, value| {
            if let TrainedRule::Assigns(spec) = &mut request.rule {
                let factor = value as f32 / 100.0;
                spec.overflow = match value {
                    ALL => Overflow::Dropless,
                    _ => Overflow::Drop(CapacitySpec { factor, ..CapacitySpec::default() }),
                };
            }
        },
    },
    Knob {
        word: "batch",
        name: marked!("Sequences a step"),
        values: &[1, 2, 4, 8, 16, 32],
        scale: 1.0,
        get: |request| Some(request.num_sequences),
        set: |request, value| request.num_sequences = value,
    },
    Knob {
        word: "rate",
        name: marked!("Learning rate"),
        values: &[100, 300, 1_000, 3_000, 10_000, 30_000],
        scale: 1e6,
        get: |request| Some((f64::from(request.learning_rate) * 1e6).round() as u32),
        set: |request, value| request.learning_rate = (f64::from(value) / 1e6) as f32,
    },
];

/// How many experts a token asks, where the rule leaves that open.
fn choices(rule: &mut TrainedRule) -> Option<&mut u32> {
    let TrainedRule::Assigns(RoutingSpec { router, .. }) = rule else { return None };
    match router {
        RouterSpec::TopK { k, .. } | RouterSpec::Noisy { k, .. } | RouterSpec::Deepseek { k, .. } => Some(k),
        _ => None,
    }
}

impl Knob {
    /// A value in words.
    pub fn shown(&self, value: u32) -> String {
        match (self.word, value) {
            ("capacity", ALL) => say!("room for all").into_owned(),
            _ => (f64::from(value) / self.scale).to_string(),
        }
    }

    /// What a training has; `None` where there is nothing to set.
    pub fn of(&self, request: &TrainRequest) -> Option<u32> {
        (self.get)(request)
    }

    /// What both have; `None` where it is what they differ in, or there is nothing to set.
    pub fn common(&self, [first, second]: &[TrainRequest; 2]) -> Option<u32> {
        self.of(first).filter(|value| self.of(second) == Some(*value))
    }
}

/// The values that were set, in the order of [`KNOBS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Knobs([Option<u32>; NUM_KNOBS]);

impl Knobs {
    /// With one of them set; one that is not offered changes nothing.
    pub fn with(mut self, at: usize, value: u32) -> Knobs {
        if let Some(slot) = self.0.get_mut(at).filter(|_| KNOBS[at].values.contains(&value)) {
            *slot = Some(value);
        }
        self
    }

    /// As a word of a link says it: `experts=16`.
    pub fn with_word(self, word: &str) -> Option<Knobs> {
        let (name, value) = word.split_once('=')?;
        let at = KNOBS.iter().position(|knob| knob.word == name)?;
        let value = (decimal::read(value)? * KNOBS[at].scale).round() as u32;
        KNOBS[at].values.contains(&value).then(|| self.with(at, value))
    }

    /// What [`Knobs::with_word`] reads.
    pub fn words(self) -> String {
        let word =
            |(knob, value): (&Knob, Option<u32>)| Some(format!(" {}={}", knob.word, f64::from(value?) / knob.scale));
        KNOBS.iter().zip(self.0).filter_map(word).collect()
    }

    /// Sets what both share. What they differ in stays.
    pub fn set(self, requests: &mut [TrainRequest; 2]) {
        for (knob, value) in KNOBS.iter().zip(self.0) {
            if let Some(value) = value.filter(|_| knob.common(requests).is_some()) {
                requests.iter_mut().for_each(|request| (knob.set)(request, value));
            }
        }
    }
}
