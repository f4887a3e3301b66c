//! Experiments of the training lab as links and controls name them; what each is, [`moe_trace::experiment`] says.

mod knobs;

use std::borrow::Cow;

use moe_trace::RunId;
use moe_trace::experiment::{self, Preset};
use moe_trace::training::{KindText, TrainRequest, TrainingText};

use crate::settings::named::named;
pub use knobs::{KNOBS, Knobs, NUM_KNOBS};

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
        Kinds "kinds"
        Prose "prose"
        Speech "speech"
        Spanish "spanish"
        Rust "rust"
        Json "json"
        Arithmetic "arithmetic"
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
    /// Sizes and settings that are not the preset's.
    pub knobs: Knobs,
}

impl Default for Experiment {
    fn default() -> Experiment {
        Experiment { name: ExperimentName::Collapse, text: TextName::Grammars, seed: 1, knobs: Knobs::default() }
    }
}

/// Moduli of the sums.
const MODULI: [u32; 4] = [5, 7, 11, 13];

impl Experiment {
    /// A name, and behind it in any order a text, a seed and settings such as `experts=16`.
    pub fn parse(text: &str) -> Option<Experiment> {
        let mut words = text.split_whitespace();
        let name = ExperimentName::of_word(words.next()?)?;
        let mut experiment = Experiment { name, ..Experiment::default() };
        for word in words {
            match (TextName::of_word(word), word.parse()) {
                (Some(text), _) => experiment.text = text,
                (None, Ok(seed)) => experiment.seed = seed,
                _ => experiment.knobs = experiment.knobs.with_word(word)?,
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
        text + &self.knobs.words()
    }

    /// What [`Experiment::parse`] reads, in words.
    pub fn allowed() -> String {
        let knobs: Vec<&str> = KNOBS.iter().map(|knob| knob.word).collect();
        say!(
            "one of {names}; behind it, if you like, one of {texts}, a seed, and settings such as experts=16 (of {knobs})",
            names = ExperimentName::words(),
            texts = TextName::words(),
            knobs = knobs.join(", "),
        )
    }

    /// The two trainings, under these numbers. `own`: the reader's text, which only [`TextName::Own`] learns. `shipped`:
    /// those of [`Experiment::kinds`].
    pub fn requests(self, runs: [RunId; 2], own: &str, shipped: &[KindText]) -> [TrainRequest; 2] {
        let text = self.training_text(own, shipped);
        let mut requests = self.name.preset().requests(runs, self.seed, &text, &self.probe(own));
        self.knobs.set(&mut requests);
        requests
    }

    /// What both trainings have of each of [`KNOBS`]; `None` where they differ in it or the rule has none.
    pub fn settings(self) -> [Option<u32>; NUM_KNOBS] {
        let requests = self.requests([RunId(1), RunId(2)], "", &[]);
        std::array::from_fn(|at| KNOBS[at].common(&requests))
    }

    /// The texts that come with the page and are learned, by their kinds.
    pub fn kinds(self) -> &'static [&'static str] {
        const KINDS: [&str; 6] = [
            marked!("prose"),
            marked!("speech"),
            marked!("spanish"),
            marked!("rust"),
            marked!("json"),
            marked!("arithmetic"),
        ];
        match self.text {
            TextName::Kinds => &KINDS,
            TextName::Prose => &KINDS[..1],
            TextName::Speech => &KINDS[1..2],
            TextName::Spanish => &KINDS[2..3],
            TextName::Rust => &KINDS[3..4],
            TextName::Json => &KINDS[4..5],
            TextName::Arithmetic => &KINDS[5..],
            TextName::Grammars | TextName::Sums | TextName::Own => &[],
        }
    }

    fn training_text(self, own: &str, shipped: &[KindText]) -> TrainingText {
        match self.text {
            TextName::Grammars => experiment::grammars(),
            TextName::Sums => TrainingText::ModularSums { moduli: MODULI.to_vec() },
            TextName::Own => TrainingText::Own { text: own.to_owned() },
            _ => {
                let learned = shipped.iter().filter(|text| self.kinds().contains(&text.kind.as_str()));
                TrainingText::Shipped { texts: learned.cloned().collect() }
            }
        }
    }

    /// The text whose routes every snapshot shows.
    fn probe(self, own: &str) -> String {
        match self.text {
            TextName::Grammars => experiment::PROBE.to_owned(),
            TextName::Sums => "%5 3+4=2\n%13 12+6=5\n".to_owned(),
            TextName::Own => own.chars().take(32).collect(),
            TextName::Kinds => "She said: let x = 3; la casa {\"a\": 4} 12 + 5 = 17".to_owned(),
            TextName::Prose => "She could not help smiling at it.".to_owned(),
            TextName::Speech => "My fellow citizens, this Congress".to_owned(),
            TextName::Spanish => "Y dijo Dios: Sea la luz".to_owned(),
            TextName::Rust => "pub fn len(&self) -> usize {".to_owned(),
            TextName::Json => "{\"version_added\": \"12\"}".to_owned(),
            TextName::Arithmetic => "17 + 25 = 42\nsort 7 3 9 = 3 7 9".to_owned(),
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
    pub fn title(self) -> Cow<'static, str> {
        match self {
            TextName::Grammars => say!("four character grammars"),
            TextName::Sums => say!("sums modulo 5, 7, 11 and 13"),
            TextName::Kinds => say!("six kinds of text, mixed"),
            TextName::Prose => say!("prose: novels"),
            TextName::Speech => say!("speech: addresses to Congress"),
            TextName::Spanish => say!("Spanish: the Bible of 1909"),
            TextName::Rust => say!("Rust source"),
            TextName::Json => say!("JSON"),
            TextName::Arithmetic => say!("arithmetic"),
            TextName::Own => say!("your own text"),
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
                    let knobs = Knobs::default().with(2, 16).with(5, 125).with(7, 300);
                    let experiment = Experiment { name, text, seed, knobs };
                    assert_eq!(Experiment::parse(&experiment.text()), Some(experiment));
                }
            }
        }
        assert_eq!(Experiment::parse("collapse"), Some(Experiment::default()));
        for bad in ["", "sums", "collapse nonsense", "collapse -1", "collapse experts=3"] {
            assert_eq!(Experiment::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_knob_turns_both_and_leaves_what_they_differ_in() {
        let of = |text: &str| {
            let experiment = Experiment::parse(text).expect("it is one");
            experiment.requests([RunId(1), RunId(2)], "", &[])
        };
        for (at, knob) in KNOBS.iter().enumerate() {
            for &name in ExperimentName::ALL {
                let usual = of(name.as_str());
                let Some(before) = knob.common(&usual) else { continue };
                assert!(knob.values.contains(&before), "{} of {}: {before}", knob.word, name.as_str());
                for &value in knob.values {
                    let turned = Experiment { name, knobs: Knobs::default().with(at, value), ..Experiment::default() };
                    let turned = turned.requests([RunId(1), RunId(2)], "", &[]);
                    assert_eq!(knob.common(&turned), Some(value));
                }
            }
        }
        // What the two differ in is no matter of a knob.
        assert_eq!(of("room capacity=1.25"), of("room"));
        assert_eq!(of("choices k=4"), of("choices"));
        assert_eq!(KNOBS[3].of(&of("collapse k=4")[0]), None);
        assert_eq!(Experiment::parse("bias rate=0.001").map(Experiment::text).as_deref(), Some("bias rate=0.001"));
    }

    #[test]
    fn kinds_are_learned_by_their_names() {
        let text = |kind: &str| KindText { kind: kind.to_owned(), text: kind.repeat(9).into() };
        let shipped: Vec<KindText> = ["prose", "json"].map(text).to_vec();
        let of = |name: &str| {
            let experiment = Experiment::parse(name).expect("it is one");
            (experiment.kinds().len(), experiment.requests([RunId(1), RunId(2)], "", &shipped)[0].text.clone())
        };
        assert_eq!(of("collapse json"), (1, TrainingText::Shipped { texts: vec![text("json")] }));
        assert_eq!(of("collapse kinds"), (6, TrainingText::Shipped { texts: shipped.clone() }));
        assert_eq!(of("collapse").0, 0);
        for &name in TextName::ALL {
            let kinds = Experiment { text: name, ..Experiment::default() }.kinds();
            assert!(kinds.len() != 1 || kinds[0] == name.as_str());
        }
    }

    #[test]
    fn every_experiment_has_a_name_here() {
        assert!(ExperimentName::ALL.iter().map(|name| name.as_str()).eq(experiment::PRESETS.iter().map(|of| of.name)));
    }
}
