//! The experiments of the training lab as data: two trainings of one seed on the same batches that differ in one thing,
//! what to look for, and what came out where they were measured over many seeds.

use crate::ids::RunId;
use crate::spec::{CapacitySpec, MixerSpec, Overflow, RouterSpec, RoutingSpec, Weighting};
use crate::training::{
    AuxiliaryLoss, NewExperts, TrainRequest, TrainedRule, TrainedSizes, TrainingText, Upcycling, WeightedLoss,
};

/// Two trainings that differ in one thing.
pub struct Preset {
    /// What links and commands call it.
    pub name: &'static str,
    pub title: &'static str,
    /// What to look for, in a sentence.
    pub look_for: &'static str,
    /// What the first and the second are called.
    pub sides: [&'static str; 2],
    /// Makes the first of the usual training, or the second.
    vary: fn(&mut TrainRequest, bool),
}

/// All of them, in the order in which a reader meets them.
pub static PRESETS: [Preset; 9] = [
    Preset {
        name: "collapse",
        title: "Collapse and its cure",
        look_for: "Does a router without a balance loss give all tokens to few experts, and does a small loss prevent it?",
        sides: ["no balance loss", "balance loss 0.05"],
        vary: |request, is_second| {
            request.rule = dropless(RouterSpec::Switch);
            request.losses = balanced(if is_second { 0.05 } else { 0.0 });
        },
    },
    Preset {
        name: "choices",
        title: "One expert or two",
        look_for: "What does a second expert for each token buy, in loss and in evenness?",
        sides: ["one expert per token", "two experts per token"],
        vary: |request, is_second| request.rule = dropless(if is_second { top(2) } else { RouterSpec::Switch }),
    },
    Preset {
        name: "room",
        title: "Room for half, or for twice as many",
        look_for: "With slots for half of the requests, which part is turned away, and what does it cost?",
        sides: ["capacity factor 0.5", "capacity factor 2"],
        vary: |request, is_second| {
            let factor = if is_second { 2.0 } else { 0.5 };
            let overflow = Overflow::Drop(CapacitySpec { factor, ..CapacitySpec::default() });
            request.rule = RoutingSpec { router: top(2), overflow }.into();
        },
    },
    Preset {
        name: "bias",
        title: "Balance by a bias instead of a loss",
        look_for: "A bias that only the choice sees (DeepSeek-V3) evens demand out without a loss. As well as the loss does?",
        sides: ["balance loss 0.05", "selection bias, step 0.01"],
        vary: |request, is_second| {
            request.rule = dropless(RouterSpec::Deepseek { k: 2, groups: 1, kept: 1, scale: 1.0 });
            request.losses = balanced(if is_second { 0.0 } else { 0.05 });
            request.bias_step = if is_second { 0.01 } else { 0.0 };
        },
    },
    Preset {
        name: "noise",
        title: "Noise on the gate",
        look_for: "Does noise help to try all experts early, before the gate knows anything?",
        sides: ["no noise", "noise of deviation 1"],
        vary: |request, is_second| {
            request.rule = dropless(if is_second { RouterSpec::Noisy { k: 2, std: 1.0 } } else { top(2) });
            request.losses = balanced(0.0);
        },
    },
    Preset {
        name: "expert-choice",
        title: "Experts choose tokens",
        look_for: "Where experts take the tokens they like best, load is even by construction.",
        sides: ["tokens choose", "experts choose"],
        vary: |request, is_second| {
            request.rule = dropless(if is_second { RouterSpec::ExpertChoice { average: 2.0 } } else { top(2) });
            request.losses = balanced(0.0);
        },
    },
    Preset {
        name: "logits",
        title: "Growing logits and the z-loss",
        look_for: "Without a z-loss the gate's logits grow and its entropy falls; with it they stay.",
        sides: ["no z-loss", "z-loss 0.01"],
        vary: |request, is_second| {
            let coefficient = if is_second { 0.01 } else { 0.0 };
            request.losses.push(WeightedLoss { loss: AuxiliaryLoss::Z, coefficient });
        },
    },
    Preset {
        name: "upcycle",
        title: "Experts made of a dense model",
        look_for: "After 100 steps the second's feed-forward is copied into eight experts. The loss does not jump; do the \
                   copies part, and does that pay?",
        sides: ["dense throughout", "eight experts after 100 steps"],
        vary: |request, is_second| {
            request.model.num_experts = 1;
            request.rule = dropless(RouterSpec::Dense);
            let experts = new_experts(0.0);
            request.upcycling = is_second.then_some(Upcycling { after_steps: 100, experts });
        },
    },
    Preset {
        name: "merging",
        title: "Experts merged for each text",
        look_for: "SMEAR runs one expert a sequence, whose weights are the mean of all by the gate: no choice, no balance \
                   loss. Against one expert chosen for each token? (Its mean sees the whole sequence, the end included.)",
        sides: ["one expert per token", "one merged expert per sequence"],
        vary: |request, is_second| {
            request.rule = if is_second { MixerSpec::Smear.into() } else { dropless(RouterSpec::Switch) };
            if is_second {
                request.losses.clear();
            }
        },
    },
];

/// Eight copies of a dense feed-forward, two for each token, whose weights sum to 1.
pub fn new_experts(noise: f32) -> NewExperts {
    NewExperts { num_experts: 8, noise, rule: dropless(top(2)) }
}

/// The text of most experiments: so many grammars over the same letters.
pub fn grammars() -> TrainingText {
    TrainingText::Grammars { count: 4 }
}

/// Letters of all grammars, whose routes every snapshot shows.
pub const PROBE: &str = "abcdefghikmnabcdefghikmn";

impl Preset {
    pub fn of_name(name: &str) -> Option<&'static Preset> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The two trainings, under these numbers.
    pub fn requests(&self, runs: [RunId; 2], seed: u32, text: &TrainingText, probe: &str) -> [TrainRequest; 2] {
        [false, true].map(|is_second| {
            let run = runs[usize::from(is_second)];
            let mut request = usual(run, seed, text.clone(), probe.to_owned());
            (self.vary)(&mut request, is_second);
            request
        })
    }

    /// What came out where it was measured; nothing where it was not.
    pub fn measured(&self) -> Vec<Measured> {
        parse(MEASURED).into_iter().filter(|row| row.preset == self.name).collect()
    }
}

/// Two layers of eight experts, two for each token, as balanced as Switch's coefficient makes them; nobody is turned away.
fn usual(run: RunId, seed: u32, text: TrainingText, probe: String) -> TrainRequest {
    TrainRequest {
        run,
        model: TrainedSizes {
            d_model: 64,
            num_layers: 2,
            num_heads: 4,
            num_experts: 8,
            d_expert: 64,
            num_shared_experts: 0,
        },
        rule: dropless(top(2)),
        text,
        num_sequences: 8,
        num_tokens: 64,
        learning_rate: 3e-3,
        losses: balanced(0.01),
        bias_step: 0.0,
        seed,
        probe,
        snapshot_every: 25,
        upcycling: None,
    }
}

fn top(k: u32) -> RouterSpec {
    RouterSpec::TopK { k, weighting: Weighting::Norm }
}

fn dropless(router: RouterSpec) -> TrainedRule {
    RoutingSpec { router, overflow: Overflow::Dropless }.into()
}

fn balanced(coefficient: f32) -> Vec<WeightedLoss> {
    vec![WeightedLoss { loss: AuxiliaryLoss::Balance, coefficient }]
}

/// A number of both sides over many seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub preset: String,
    /// What was measured, in words.
    pub what: String,
    pub num_seeds: u32,
    pub num_steps: u32,
    /// Of the first, of the second, and of the second less the first of the same seed.
    pub estimates: [Interval; 3],
}

/// A mean and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// What `cargo xtask train experiments` wrote: a line for each number, tabs between its fields.
const MEASURED: &str = include_str!("experiment/measured.tsv");

/// The first line of such a file.
pub const HEADER: &str = "preset\twhat\tseeds\tsteps\tfirst\tlow\thigh\tsecond\tlow\thigh\tdifference\tlow\thigh";

impl Measured {
    /// Its line.
    pub fn line(&self) -> String {
        let Measured { preset, what, num_seeds, num_steps, estimates } = self;
        let numbers = estimates.iter().flat_map(|of| [of.mean, of.low, of.high]).map(|number| format!("\t{number:.4}"));
        format!("{preset}\t{what}\t{num_seeds}\t{num_steps}{}", numbers.collect::<String>())
    }
}

/// The lines that are whole.
pub fn parse(file: &str) -> Vec<Measured> {
    file.lines().skip(1).filter_map(measured).collect()
}

fn measured(line: &str) -> Option<Measured> {
    let mut fields = line.split('\t');
    let (preset, what) = (fields.next()?.to_owned(), fields.next()?.to_owned());
    let (num_seeds, num_steps) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let numbers = fields.map(with_four_decimals).collect::<Option<Vec<f64>>>()?;
    let &[a, b, c, d, e, f, g, h, i] = &numbers[..] else { return None };
    let estimates = [[a, b, c], [d, e, f], [g, h, i]].map(|[mean, low, high]| Interval { mean, low, high });
    Some(Measured { preset, what, num_seeds, num_steps, estimates })
}

/// A number as [`Measured::line`] writes it. By hand, for the general parser and its tables would come to the page.
fn with_four_decimals(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.').filter(|(_, decimals)| decimals.len() == 4)?;
    let ten_thousandths: i64 = [whole, decimals].concat().parse().ok()?;
    Some(ten_thousandths as f64 / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_differ_in_what_they_say_and_in_nothing_else() {
        for preset in &PRESETS {
            let [first, mut second] = preset.requests([RunId(1), RunId(2)], 7, &grammars(), PROBE);
            assert_eq!((first.run, second.run, first.seed, second.seed), (RunId(1), RunId(2), 7, 7));
            assert_ne!(preset.sides[0], preset.sides[1]);
            let differences = [
                std::mem::replace(&mut second.rule, first.rule) != first.rule,
                std::mem::replace(&mut second.losses, first.losses.clone()) != first.losses,
                std::mem::replace(&mut second.bias_step, first.bias_step) != first.bias_step,
                std::mem::replace(&mut second.upcycling, first.upcycling) != first.upcycling,
            ];
            assert!(differences.contains(&true), "{}", preset.name);
            second.run = first.run;
            assert_eq!(first, second, "{}", preset.name);
            assert!(std::ptr::eq(Preset::of_name(preset.name).expect("its name"), preset));
        }
    }

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let interval = |mean: f64| Interval { mean, low: mean - 0.25, high: mean + 0.25 };
        let row = Measured {
            preset: "room".to_owned(),
            what: "held-out loss, nats per byte".to_owned(),
            num_seeds: 20,
            num_steps: 300,
            estimates: [interval(2.5), interval(2.0), interval(-0.5)],
        };
        let file = format!("{HEADER}\n{}\nhalf a line\n", row.line());
        assert_eq!(parse(&file), [row]);
        for text in ["0.0000", "-0.2500", "-0.0001", "12.3456", "1234567.8901"] {
            assert_eq!(with_four_decimals(text), text.parse().ok(), "{text}");
        }
        for text in ["", "1", "1.25", ".", "NaN", "inf", "1.2e-3", "1.-250", "- 1.0000"] {
            assert_eq!(with_four_decimals(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_committed_is_whole() {
        assert_eq!(MEASURED.lines().next(), Some(HEADER));
        let rows = parse(MEASURED);
        assert_eq!(rows.len(), MEASURED.lines().count() - 1);
        for row in rows {
            assert!(Preset::of_name(&row.preset).is_some() && row.num_seeds > 1, "{row:?}");
            assert!(row.estimates.iter().all(|of| of.low <= of.mean && of.mean <= of.high), "{row:?}");
        }
    }
}
