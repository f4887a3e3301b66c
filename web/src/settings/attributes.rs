//! The element's attributes, as strings, become a checked configuration; what cannot be read is named and left out.

use moe_trace::{BackendChoice, Policy, RoutingGroup, UserError};
use serde::Deserialize;

use crate::settings::limits::{CAPACITY_FACTOR, MAX_PROMPT_CHARS};
use crate::settings::overrides::Overrides;
use crate::settings::view::View;

/// What the custom element hands over: attributes as they stand, absent ones as `None`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RawConfig {
    pub view: Option<String>,
    /// Absolute URL of a model's manifest or of the folder that holds it.
    pub model: Option<String>,
    pub prompt: Option<String>,
    pub seed: Option<String>,
    pub capacity_factor: Option<String>,
    pub policy: Option<String>,
    pub group: Option<String>,
    pub backend: Option<String>,
    /// Absolute URL of the folder that holds the assets.
    pub base_url: Option<String>,
    /// Absolute URL of the worker's script; `worker.js` beside the assets where absent.
    pub worker_url: Option<String>,
    /// Absolute URL of the recorded run.
    pub trace_url: Option<String>,
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    pub view: View,
    /// The model that was asked for, by folder or manifest; `None` leaves it to the page.
    pub model: Option<String>,
    /// Absolute URL of that model's manifest, or of the page's own model's.
    pub manifest_url: String,
    pub base_url: Option<String>,
    pub worker_url: Option<String>,
    pub trace_url: Option<String>,
    pub backend: BackendChoice,
    pub overrides: Overrides,
}

impl Config {
    /// Reads every attribute by itself: one bad value costs only that value, and is reported.
    pub fn parse(raw: &RawConfig) -> (Config, Vec<UserError>) {
        let mut errors = Vec::new();
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let mut bad = |attribute: &str, found: &str, allowed: &str| {
            errors.push(UserError::new(
                format!("The attribute {attribute}=\"{found}\" cannot be used."),
                format!("Allowed: {allowed}."),
                "It is left out; everything else works as before.",
            ));
        };
        let view = given(&raw.view).and_then(|text| {
            let view = View::parse(&text);
            if view.is_none() {
                bad("view", &text, &View::allowed());
            }
            view
        });
        let backend = given(&raw.backend).and_then(|text| {
            let choice = match text.trim() {
                "auto" => Some(BackendChoice::Auto),
                "webgpu" => Some(BackendChoice::Webgpu),
                "cpu" => Some(BackendChoice::Cpu),
                "recorded" => Some(BackendChoice::Recorded),
                _ => None,
            };
            if choice.is_none() {
                bad("backend", &text, "auto, webgpu, cpu, recorded");
            }
            choice
        });
        let seed = given(&raw.seed).and_then(|text| {
            let seed = text.trim().parse().ok();
            if seed.is_none() {
                bad("seed", &text, "a whole number from 0 to 4294967295");
            }
            seed
        });
        let capacity_factor = given(&raw.capacity_factor).and_then(|text| {
            let factor = decimal(text.trim()).filter(|factor| CAPACITY_FACTOR.contains(factor));
            if factor.is_none() {
                bad("capacity-factor", &text, "a number from 0.25 to 4");
            }
            factor
        });
        let policy = given(&raw.policy)
            .and_then(|text| text.parse::<Policy>().map_err(|error| bad("policy", &error.found, &error.allowed)).ok());
        let group = given(&raw.group).and_then(|text| {
            text.parse::<RoutingGroup>().map_err(|error| bad("group", &error.found, &error.allowed)).ok()
        });
        let prompt = raw.prompt.clone().filter(|prompt| !prompt.is_empty());
        if let Some(num_chars) = prompt.as_ref().map(|prompt| prompt.chars().count())
            && num_chars > MAX_PROMPT_CHARS
        {
            errors.push(UserError::new(
                "The attribute prompt is too long to run.",
                format!("It has {num_chars} characters; the limit is {MAX_PROMPT_CHARS}."),
                "It stands complete in the prompt field; shorten it there.",
            ));
        }
        let config = Config {
            view: view.unwrap_or_default(),
            model: given(&raw.model),
            // Only the document knows what addresses are relative to.
            manifest_url: String::new(),
            base_url: given(&raw.base_url),
            worker_url: given(&raw.worker_url),
            trace_url: given(&raw.trace_url),
            backend: backend.unwrap_or_default(),
            overrides: Overrides { prompt, seed, capacity_factor, policy, group },
        };
        (config, errors)
    }
}

/// A number like `0.5`, without sign or exponent; not a number for some hundreds of digits. By hand: the general parser
/// and its tables are more than all else that reads attributes.
fn decimal(text: &str) -> Option<f32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = digits().fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'));
    Some((number / 10_f64.powi(fraction.len() as i32)) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn good_values_are_taken() {
        let raw = RawConfig {
            view: some("full"),
            seed: some(" 7 "),
            capacity_factor: some("0.5"),
            policy: some("random-second"),
            group: some("decode-step"),
            backend: some("recorded"),
            prompt: some("שלום 🙂"),
            ..RawConfig::default()
        };
        let (config, errors) = Config::parse(&raw);
        assert_eq!(errors, []);
        assert_eq!(config.backend, BackendChoice::Recorded);
        assert_eq!(
            config.overrides,
            Overrides {
                prompt: some("שלום 🙂"),
                seed: Some(7),
                capacity_factor: Some(0.5),
                policy: Some(Policy::RandomSecond),
                group: Some(RoutingGroup::DecodeStep),
            }
        );
    }

    #[test]
    fn decimals_are_read_as_rust_reads_them() {
        for text in
            ["0.25", "0.35", "1", "1.", ".5", "1.25", "3.999999", "0.3333333333333333", "2.0000000000000004", "007.10"]
        {
            assert_eq!(decimal(text), text.parse().ok(), "{text}");
        }
        for text in ["", ".", "-1", "1e0", "1,5", "1.2.3", "NaN", "½"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn bad_values_name_what_is_allowed_and_cost_nothing_else() {
        let check = |raw: RawConfig, why: &str| {
            let (config, errors) = Config::parse(&RawConfig { prompt: some("kept"), ..raw });
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert_eq!(errors[0].why, why);
            assert_eq!(config.overrides, Overrides { prompt: some("kept"), ..Overrides::default() });
        };
        check(RawConfig { view: some("story"), ..RawConfig::default() }, &format!("Allowed: {}.", View::allowed()));
        check(RawConfig { backend: some("cuda"), ..RawConfig::default() }, "Allowed: auto, webgpu, cpu, recorded.");
        check(RawConfig { seed: some("-1"), ..RawConfig::default() }, "Allowed: a whole number from 0 to 4294967295.");
        check(RawConfig { capacity_factor: some("9"), ..RawConfig::default() }, "Allowed: a number from 0.25 to 4.");
        check(RawConfig { capacity_factor: some("NaN"), ..RawConfig::default() }, "Allowed: a number from 0.25 to 4.");
        check(
            RawConfig { policy: some("greedy"), ..RawConfig::default() },
            "Allowed: drop, bpr, random-second, dropless.",
        );
        check(RawConfig { group: some("batch"), ..RawConfig::default() }, "Allowed: this-text, decode-step.");
    }

    #[test]
    fn a_prompt_that_is_too_long_is_kept_and_reported() {
        let long = "x".repeat(10_000);
        let (config, errors) = Config::parse(&RawConfig { prompt: Some(long.clone()), ..RawConfig::default() });
        assert_eq!(config.overrides.prompt, Some(long));
        assert_eq!(errors[0].why, "It has 10000 characters; the limit is 2000.");
    }
}
