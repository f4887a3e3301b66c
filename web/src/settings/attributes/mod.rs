//! The element's attributes, as texts, become a checked configuration; what cannot be read is named and left out.

mod attribute;
mod table;

use moe_trace::{BackendChoice, UserError};
use serde::Deserialize;

pub use attribute::{Attribute, Doc, Values};
pub use table::ATTRIBUTES;

use crate::settings::activate::Activate;
#[cfg(feature = "page")]
use crate::settings::against::Against;
use crate::settings::depth::Depth;
use crate::settings::experiment::Experiment;
use crate::settings::method::Method;
use crate::settings::micro_step::MicroStep;
use crate::settings::offered::Offered;
use crate::settings::overrides::Overrides;
use crate::settings::place::Place;
use crate::settings::theme::Theme;
use crate::settings::view::View;
use crate::words::tongue::Language;

/// Where the element's own files lie; it hands that over when it mounts the page.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Places {
    /// Absolute URL of the folder that holds the assets.
    pub base_url: Option<String>,
    /// Absolute URL of the worker's script; `worker.js` beside the assets where absent.
    pub worker_url: Option<String>,
    /// The same of the training lab's script, `lab.js`.
    pub lab_url: Option<String>,
}

/// What the attributes say, checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The model that was asked for, by name or address; `None` leaves it to the page.
    pub model: Option<String>,
    /// Absolute URL of that model's manifest, or of the page's own model's. Only the document knows it.
    pub manifest_url: String,
    pub base_url: Option<String>,
    pub worker_url: Option<String>,
    pub lab_url: Option<String>,
    /// URL of the recorded run.
    pub trace_url: Option<String>,
    pub backend: BackendChoice,
    /// `None` leaves it to what the figure shows.
    pub activate: Option<Activate>,
    pub theme: Theme,
    /// The language that was asked for; `None` leaves it to the document.
    pub language: Option<Language>,
    /// The document's. Only the document knows it.
    pub own_language: Language,
    /// Keys that only type a character do nothing.
    pub no_letter_keys: bool,
    pub view: View,
    /// How far into the matter the whole page goes.
    pub depth: Depth,
    /// The controls of a figure; `None` leaves them to the panels.
    pub controls: Option<Offered>,
    /// Did the element load it at once? Nothing here depends on it.
    pub is_eager: bool,
    /// The routing method that is tried on what the run recorded.
    pub method: Option<Method>,
    /// The texts that are run in step; `None` leaves them to the page.
    pub batch: Option<Vec<String>>,
    /// What the run on the screen is compared with; `None` leaves it to the page.
    #[cfg(feature = "page")]
    pub against: Option<Against>,
    /// The capacity factor of the policy lab; `None` takes that of the run on the screen.
    pub lab_factor: Option<f32>,
    /// The moment of the training that the time machine shows; `None` leaves it to the page.
    pub moment: Option<u32>,
    /// Where to look first.
    pub place: Place,
    /// The training lab's; `None` leaves it to the page.
    pub experiment: Option<Experiment>,
    /// The step that the routing microscope has open.
    pub micro_step: Option<MicroStep>,
    /// The lesson, by name or address.
    pub lesson: Option<String>,
    pub overrides: Overrides,
}

impl Config {
    /// Reads every attribute by itself: one bad value costs only that value, and is reported. `text_of` knows the text of
    /// an attribute by its name.
    pub fn read(text_of: impl Fn(&str) -> Option<String>) -> (Config, Vec<UserError>) {
        let mut config = Config::default();
        let mut errors = Vec::new();
        for attribute in ATTRIBUTES {
            if let Some(text) = text_of(attribute.name)
                && let Err(error) = attribute.read(&text, &mut config)
            {
                errors.push(error);
            }
        }
        (config, errors)
    }

    /// When the engine may start. Somebody comes to the whole page and to its panels to run something; a figure stands on the
    /// recorded run until a reader asks for more, unless its attributes do.
    pub fn activate(&self) -> Activate {
        let is_set =
            self.model.is_some() || self.batch.is_some() || self.lesson.is_some() || !self.overrides.is_empty();
        let by_default = if self.view.is_small() && !is_set { Activate::Interaction } else { Activate::Auto };
        self.activate.unwrap_or(by_default)
    }
}

#[cfg(test)]
mod tests {
    use moe_trace::{Policy, RoutingGroup};

    use super::*;
    use crate::settings::Setting;
    use crate::settings::interventions::Interventions;

    /// The configuration of an element with these attributes.
    fn read(attributes: &[(&str, &str)]) -> (Config, Vec<UserError>) {
        let found = |name: &str| attributes.iter().find(|(of, _)| *of == name);
        Config::read(|name| found(name).map(|(_, text)| (*text).to_owned()))
    }

    fn fixed(settings: impl IntoIterator<Item = Setting>) -> Overrides {
        settings.into_iter().collect()
    }

    #[test]
    fn good_values_are_taken() {
        let (config, errors) = read(&[
            ("view", "full"),
            ("model", " twin "),
            ("trace", "runs/other.jsonl?v=3"),
            ("prompt", " שלום 🙂"),
            ("seed", " 7 "),
            ("max-tokens", "9"),
            ("temperature", "0.7"),
            ("capacity-factor", "0.5"),
            ("policy", "random-second"),
            ("interventions", " mute:1,3  noise:*,0.25 "),
            ("group", "decode-step"),
            ("backend", "recorded"),
            ("theme", "dark"),
            ("lang", "zh-CN"),
        ]);
        assert_eq!(errors, []);
        let expected = Config {
            model: Some("twin".to_owned()),
            trace_url: Some("runs/other.jsonl?v=3".to_owned()),
            backend: BackendChoice::Recorded,
            theme: Theme::Dark,
            language: Some(Language::Chinese),
            overrides: fixed([
                Setting::Prompt(" שלום 🙂".to_owned()),
                Setting::Seed(7),
                Setting::NewTokens(9),
                Setting::Greedy(false),
                Setting::Temperature(0.7),
                Setting::CapacityFactor(0.5),
                Setting::Policy(Some(Policy::RandomSecond)),
                Setting::Interventions(Interventions::parse("mute:1,3 noise:*,0.25").expect("two changes")),
                Setting::Group(RoutingGroup::DecodeStep),
            ]),
            ..Config::default()
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn bad_values_name_what_is_allowed_and_cost_nothing_else() {
        let check = |name: &str, text: &str, why: &str| {
            let (config, errors) = read(&[(name, text), ("prompt", "kept")]);
            assert_eq!(errors.len(), 1, "{name}=\"{text}\": {errors:?}");
            assert_eq!(errors[0].why, why);
            let kept = Config { overrides: fixed([Setting::Prompt("kept".to_owned())]), ..Config::default() };
            assert_eq!(config, kept, "{name}=\"{text}\"");
        };
        check(
            "view",
            "tale",
            "Allowed: full, or one or more of story, strip, layers, lanes, token, load, loss, counts, policies, drops, batch, runs, positions, experts, findings, moments, training, methods, losses, microscope, block, matrix, gate, equation.",
        );
        check("backend", "cuda", "Allowed: auto, webgpu, cpu, cpu-f32, recorded.");
        check("theme", "sepia", "Allowed: auto, light, dark.");
        check("lang", "tlh", "Allowed: auto, en, zh, or a longer tag of one of these languages such as zh-CN.");
        for seed in ["-1", "seven", "4294967296", "1.5"] {
            check("seed", seed, "Allowed: a whole number from 0 to 4294967295.");
        }
        check("max-tokens", "257", "Allowed: a whole number from 0 to 256.");
        for temperature in ["0.05", "2.5", "hot", "-1"] {
            check("temperature", temperature, "Allowed: 0, or a number from 0.1 to 2.");
        }
        for factor in ["9", "NaN", "abc", "0"] {
            check("capacity-factor", factor, "Allowed: a number from 0.25 to 4.");
        }
        check("policy", "greedy", "Allowed: drop, bpr, random-second, dropless.");
        check("group", "batch", "Allowed: this-text, decode-step.");
        let why = "“mute:1” does not say a layer and an expert; write it like mute:1,3.";
        check("interventions", "noise:*,1 mute:1", why);
    }

    #[test]
    fn every_word_of_the_table_does_something_and_its_spelling_is_forgiven() {
        for attribute in ATTRIBUTES {
            let Values::Words(words, _) = &attribute.values else { continue };
            let mut meanings = Vec::new();
            for word in *words {
                let (config, errors) = read(&[(attribute.name, word)]);
                assert_eq!(errors, [], "{}=\"{word}\"", attribute.name);
                assert_eq!(read(&[(attribute.name, &format!(" {} ", word.replace('-', "_")))]).0, config);
                assert!(!meanings.contains(&config), "{}=\"{word}\" means what another word means", attribute.name);
                meanings.push(config);
            }
        }
    }

    #[test]
    fn an_empty_value_is_an_absent_one() {
        for attribute in ATTRIBUTES {
            assert_eq!(read(&[(attribute.name, "")]), (Config::default(), Vec::new()), "{}", attribute.name);
        }
        assert_eq!(read(&[("seed", "  ")]), (Config::default(), Vec::new()));
    }

    #[test]
    fn temperature_zero_is_greedy() {
        let (config, errors) = read(&[("temperature", "0")]);
        assert_eq!((config.overrides, errors), (fixed([Setting::Greedy(true)]), Vec::new()));
    }

    #[test]
    fn a_prompt_that_is_too_long_is_kept_and_reported() {
        let long = "x".repeat(30_000);
        let (config, errors) = read(&[("prompt", &long)]);
        assert_eq!(config.overrides, fixed([Setting::Prompt(long)]));
        assert_eq!(errors[0].why, "It has 30000 characters; the limit is 20000.");
    }
}
