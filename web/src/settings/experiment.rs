//! Experiments of the training lab as links and controls name them; what each is, [`moe_trace::experiment`] says.

use moe_trace::RunId;
use moe_trace::experiment::{self, Preset};
use moe_trace::training::{TrainRequest, TrainingText};

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
        Upcycle "upcycle"
        Merging "merging"
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
        self.name.preset().requests(runs, self.seed, &self.training_text(own), &self.probe(own))
    }

    fn training_text(self, own: &str) -> TrainingText {
        match self.text {
            TextName::Grammars => experiment::grammars(),
            TextName::Sums => TrainingText::ModularSums { moduli: MODULI.to_vec() },
            TextName::Own => TrainingText::Own { text: own.to_owned() },
        }
    }

    /// The text whose routes every snapshot shows.
    fn probe(self, own: &str) -> String {
        match self.text {
            TextName::Grammars => experiment::PROBE.to_owned(),
            TextName::Sums => "%5 3+4=2\n%13 12+6=5\n".to_owned(),
            TextName::Own => own.chars().take(32).collect(),
        }
    }
}

impl ExperimentName {
    /// What it is.
    pub fn preset(self) -> &'static Preset {
        Preset::of_name(self.as_str()).expect("every name has a preset, as a test checks")
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
    fn every_experiment_has_a_name_here() {
        assert!(ExperimentName::ALL.iter().map(|name| name.as_str()).eq(experiment::PRESETS.iter().map(|of| of.name)));
    }
}
