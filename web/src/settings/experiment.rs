//! Experiments of the training lab: two trainings of one seed on the same batches that differ in one thing, and what to
//! look for.

use moe_trace::training::{AuxiliaryLoss, TrainRequest, TrainedRule, TrainedSizes, TrainingText, WeightedLoss};
use moe_trace::{CapacitySpec, Overflow, RouterSpec, RoutingSpec, RunId, Weighting};

use crate::settings::named::named;

named! {
    /// What differs between the two.
    ExperimentName {
        Collapse "collapse"
        Choices "choices"
        Room "room"
        Bias "bias"
        Noise "noise"
        ExpertChoice "expert-choice"
        Logits "logits"
    }
}

named! {
    /// What is learned.
    TextName {
        Grammars "grammars"
        Sums "sums"
        Own "own"
    }
}

/// An experiment as links and attributes name it: `collapse`, `room sums 7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Experiment {
    pub name: ExperimentName,
    pub text: TextName,
    /// Of initial weights, batches and draws.
    pub seed: u32,
}

impl Default for Experiment {
    fn default() -> Experiment {
        Experiment { name: ExperimentName::Collapse, text: TextName::Grammars, seed: 1 }
    }
}

/// Grammars of the text of that name.
const GRAMMARS: u32 = 4;
/// Moduli of the sums.
const MODULI: [u32; 4] = [5, 7, 11, 13];

impl Experiment {
    /// A name, and behind it in any order a text and a seed.
    pub fn parse(text: &str) -> Option<Experiment> {
        let mut words = text.split_whitespace();
        let name = ExperimentName::of_word(words.next()?)?;
        let mut experiment = Experiment { name, ..Experiment::default() };
        for word in words {
            match (TextName::of_word(word), word.parse()) {
                (Some(text), _) => experiment.text = text,
                (None, Ok(seed)) => experiment.seed = seed,
                _ => return None,
            }
        }
        Some(experiment)
    }

    /// What [`Experiment::parse`] reads, without what is as it is by default.
    pub fn text(self) -> String {
        let mut text = self.name.as_str().to_owned();
        let usual = Experiment::default();
        if self.text != usual.text {
            text = format!("{text} {}", self.text.as_str());
        }
        if self.seed != usual.seed {
            text = format!("{text} {}", self.seed);
        }
        text
    }

    /// What [`Experiment::parse`] reads, in words.
    pub fn allowed() -> String {
        format!("one of {}; behind it, if you like, one of {}, and a seed", ExperimentName::words(), TextName::words())
    }

    /// The two trainings, under these numbers. `own`: the reader's text, which only [`TextName::Own`] learns.
    pub fn requests(self, runs: [RunId; 2], own: &str) -> [TrainRequest; 2] {
        runs.map(|run| {
            let is_second = run == runs[1];
            let mut request = usual(run, self.seed, self.training_text(own), self.probe(own));
            self.name.vary(&mut request, is_second);
            request
        })
    }

    fn training_text(self, own: &str) -> TrainingText {
        match self.text {
            TextName::Grammars => TrainingText::Grammars { count: GRAMMARS },
            TextName::Sums => TrainingText::ModularSums { moduli: MODULI.to_vec() },
            TextName::Own => TrainingText::Own { text: own.to_owned() },
        }
    }

    /// The text whose routes every snapshot shows.
    fn probe(self, own: &str) -> String {
        match self.text {
            TextName::Grammars => "abcdefghikmnabcdefghikmn".to_owned(),
            TextName::Sums => "%5 3+4=2\n%13 12+6=5\n".to_owned(),
            TextName::Own => own.chars().take(32).collect(),
        }
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
        rule: TrainedRule::Assigns(dropless(top(2))),
        text,
        num_sequences: 8,
        num_tokens: 64,
        learning_rate: 3e-3,
        losses: balanced(0.01),
        bias_step: 0.0,
        seed,
        probe,
        snapshot_every: 25,
    }
}

fn top(k: u32) -> RouterSpec {
    RouterSpec::TopK { k, weighting: Weighting::Norm }
}

fn dropless(router: RouterSpec) -> RoutingSpec {
    RoutingSpec { router, overflow: Overflow::Dropless }
}

fn balanced(coefficient: f32) -> Vec<WeightedLoss> {
    vec![WeightedLoss { loss: AuxiliaryLoss::Balance, coefficient }]
}

impl ExperimentName {
    pub fn title(self) -> &'static str {
        match self {
            ExperimentName::Collapse => "Collapse and its cure",
            ExperimentName::Choices => "One expert or two",
            ExperimentName::Room => "Room for half, or for twice as many",
            ExperimentName::Bias => "Balance by a bias instead of a loss",
            ExperimentName::Noise => "Noise on the gate",
            ExperimentName::ExpertChoice => "Experts choose tokens",
            ExperimentName::Logits => "Growing logits and the z-loss",
        }
    }

    /// What to look for, in a sentence.
    pub fn look_for(self) -> &'static str {
        match self {
            ExperimentName::Collapse => {
                "Does a router without a balance loss give all tokens to few experts, and does a small loss prevent it?"
            }
            ExperimentName::Choices => "What does a second expert for each token buy, in loss and in evenness?",
            ExperimentName::Room => {
                "With slots for half of the requests, which part is turned away, and what does it cost?"
            }
            ExperimentName::Bias => {
                "A bias that only the choice sees (DeepSeek-V3) evens demand out without a loss. As well as the loss does?"
            }
            ExperimentName::Noise => "Does noise help to try all experts early, before the gate knows anything?",
            ExperimentName::ExpertChoice => {
                "Where experts take the tokens they like best, load is even by construction."
            }
            ExperimentName::Logits => {
                "Without a z-loss the gate's logits grow and its entropy falls; with it they stay."
            }
        }
    }

    /// What the first and the second are called.
    pub fn sides(self) -> [&'static str; 2] {
        match self {
            ExperimentName::Collapse => ["no balance loss", "balance loss 0.05"],
            ExperimentName::Choices => ["one expert per token", "two experts per token"],
            ExperimentName::Room => ["capacity factor 0.5", "capacity factor 2"],
            ExperimentName::Bias => ["balance loss 0.05", "selection bias, step 0.01"],
            ExperimentName::Noise => ["no noise", "noise of deviation 1"],
            ExperimentName::ExpertChoice => ["tokens choose", "experts choose"],
            ExperimentName::Logits => ["no z-loss", "z-loss 0.01"],
        }
    }

    /// Makes the first or the second of the usual training.
    fn vary(self, request: &mut TrainRequest, is_second: bool) {
        let either =
            |first: RoutingSpec, second: RoutingSpec| TrainedRule::Assigns(if is_second { second } else { first });
        match self {
            ExperimentName::Collapse => {
                request.rule = TrainedRule::Assigns(dropless(RouterSpec::Switch));
                request.losses = balanced(if is_second { 0.05 } else { 0.0 });
            }
            ExperimentName::Choices => request.rule = either(dropless(RouterSpec::Switch), dropless(top(2))),
            ExperimentName::Room => {
                let room = |factor| RoutingSpec {
                    router: top(2),
                    overflow: Overflow::Drop(CapacitySpec { factor, ..CapacitySpec::default() }),
                };
                request.rule = either(room(0.5), room(2.0));
            }
            ExperimentName::Bias => {
                let deepseek = RouterSpec::Deepseek { k: 2, groups: 1, kept: 1, scale: 1.0 };
                request.rule = TrainedRule::Assigns(dropless(deepseek));
                request.losses = balanced(if is_second { 0.0 } else { 0.05 });
                request.bias_step = if is_second { 0.01 } else { 0.0 };
            }
            ExperimentName::Noise => {
                request.rule = either(dropless(top(2)), dropless(RouterSpec::Noisy { k: 2, std: 1.0 }));
                request.losses = balanced(0.0);
            }
            ExperimentName::ExpertChoice => {
                request.rule = either(dropless(top(2)), dropless(RouterSpec::ExpertChoice { average: 2.0 }));
                request.losses = balanced(0.0);
            }
            ExperimentName::Logits => {
                let coefficient = if is_second { 0.01 } else { 0.0 };
                request.losses.push(WeightedLoss { loss: AuxiliaryLoss::Z, coefficient });
            }
        }
    }
}

impl TextName {
    pub fn title(self) -> &'static str {
        match self {
            TextName::Grammars => "four character grammars",
            TextName::Sums => "sums modulo 5, 7, 11 and 13",
            TextName::Own => "your own text",
        }
    }
}

/// Coefficients of a loss that a slider offers, by their exponents of ten; a step left of them is 0.
pub const EXPONENTS: (f32, f32) = (-4.0, 0.0);
/// From one place of that slider to the next.
pub const STEP: f32 = 0.25;

/// The slider's place of a coefficient.
pub fn exponent_of(coefficient: f32) -> f32 {
    if coefficient > 0.0 { coefficient.log10() } else { EXPONENTS.0 - STEP }
}

/// The coefficient at a place of the slider, with two digits.
pub fn coefficient_at(exponent: f32) -> f32 {
    if exponent < EXPONENTS.0 {
        return 0.0;
    }
    let power = 10f32.powf(exponent.floor());
    (10f32.powf(exponent) / power * 10.0).round() / 10.0 * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slider_has_two_digits_and_zero() {
        let found = [-4.25, -4.0, -1.25, -1.0, 0.0].map(coefficient_at);
        let expected = [0.0, 1e-4, 0.056, 0.1, 1.0];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{found:?}");
        assert_eq!(exponent_of(0.0), -4.25);
    }

    #[test]
    fn an_experiment_is_read_as_it_is_written() {
        for &name in ExperimentName::ALL {
            for &text in TextName::ALL {
                for seed in [1, 7, u32::MAX] {
                    let experiment = Experiment { name, text, seed };
                    assert_eq!(Experiment::parse(&experiment.text()), Some(experiment));
                }
            }
        }
        assert_eq!(Experiment::parse("collapse"), Some(Experiment::default()));
        for bad in ["", "sums", "collapse nonsense", "collapse -1"] {
            assert_eq!(Experiment::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_two_differ_in_what_they_say_and_in_nothing_else() {
        for &name in ExperimentName::ALL {
            let [first, mut second] = Experiment { name, ..Experiment::default() }.requests([RunId(1), RunId(2)], "");
            assert_eq!((first.run, second.run), (RunId(1), RunId(2)));
            let differences = [
                std::mem::replace(&mut second.rule, first.rule) != first.rule,
                std::mem::replace(&mut second.losses, first.losses.clone()) != first.losses,
                std::mem::replace(&mut second.bias_step, first.bias_step) != first.bias_step,
            ];
            assert!(differences.contains(&true), "{name:?}");
            second.run = first.run;
            assert_eq!(first, second, "{name:?}");
        }
    }
}
