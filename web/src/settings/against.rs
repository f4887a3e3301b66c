//! What a run is compared with, as a text: only the settings that differ, such as `capacity-factor:0.5; policy:bpr`.

use moe_trace::{Overflow, RoutingSpec, RunId, RunRequest};

use crate::settings::Settings;
use crate::settings::attributes::{ATTRIBUTES, Config};
use crate::settings::overrides::Overrides;
use crate::settings::shown::Shown;

/// The attributes that make a run, each written as it is by itself.
const OF_A_RUN: [&str; 11] = [
    "prompt",
    "seed",
    "max-tokens",
    "temperature",
    "sampling-top-k",
    "sampling-top-p",
    "capacity-factor",
    "policy",
    "router",
    "interventions",
    "group",
];

const EXAMPLE: &str = "capacity-factor:0.5";

/// Stands first where the run on the screen is the earlier one of the two.
const LATER: &str = "later";

/// The other run of a comparison, seen from the one on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Against {
    /// Is it the later one?
    pub is_later: bool,
    /// What is other than in the run on the screen.
    pub settings: Overrides,
}

/// What may be written.
pub fn allowed() -> String {
    format!(
        "settings that differ, with semicolons between them, each a name ({}), a colon and its value, such as \
         {EXAMPLE}; {LATER} in front of them where the run on the screen is the earlier one; a semicolon inside \
         of a value is written \\;, and a backslash \\\\",
        OF_A_RUN.join(", ")
    )
}

/// Reads what [`text`] writes, or says what is wrong with it.
pub fn parse(written: &str) -> Result<Against, String> {
    let mut parts = split(written);
    let is_later = parts.first().is_some_and(|first| first.trim() == LATER);
    if is_later {
        parts.remove(0);
    }
    let mut config = Config::default();
    for part in parts.iter().filter(|part| !part.trim().is_empty()) {
        let setting = part.split_once(':').map(|(name, value)| (name.trim(), value));
        let setting = setting.filter(|(name, value)| OF_A_RUN.contains(name) && !value.trim().is_empty());
        let row = setting.and_then(|(name, value)| Some((ATTRIBUTES.iter().find(|row| row.name == name)?, value)));
        let Some((row, value)) = row else {
            return Err(say!(
                "“{written}” is no setting; write one of {names}, a colon and its value, such as {example}",
                written = part.trim(),
                names = OF_A_RUN.join(", "),
                example = EXAMPLE
            ));
        };
        row.read(value, &mut config).map_err(|error| {
            let why = error.why.trim_end_matches(['.', '。']);
            say!("“{written}” cannot be: {why}", written = part.trim(), why)
        })?;
    }
    if config.overrides == Overrides::default() {
        return Err(say!("It names no setting that differs; write one such as {example}", example = EXAMPLE));
    }
    Ok(Against { is_later, settings: config.overrides })
}

/// The run of `theirs`, as one says it who sees that of `ours`. `None` where it is the same run, or no text says it.
pub fn text(ours: &RunRequest, theirs: &RunRequest, is_later: bool, trained: &RoutingSpec) -> Option<String> {
    let settings = |request: &RunRequest| Settings::from_request(request, &Overrides::default(), trained);
    let (mut this, mut other) = (settings(ours), settings(theirs));
    // What the other run does not look at is not said. What this one does not look at may be anything where the text is
    // read, so it always is.
    if theirs.routing.overflow == Overflow::Dropless {
        other.capacity_factor = this.capacity_factor;
    } else if ours.routing.overflow == Overflow::Dropless {
        this.capacity_factor = f32::NAN;
    }
    if other.greedy {
        other = Settings { top_k: this.top_k, top_p: this.top_p, ..other };
    } else if this.greedy {
        this = Settings { top_k: u32::MAX, top_p: f32::NAN, ..this };
    }
    let differing = Shown::of_settings(&other, &this, trained).attributes();
    let written = differing.iter().map(|(name, value)| format!("{name}:{}", escaped(value)));
    let text = is_later.then(|| LATER.to_owned()).into_iter().chain(written).collect::<Vec<_>>().join(";");
    let read = parse(&text).ok()?;
    let wanted = RunRequest { run: RunId(0), ..theirs.clone() };
    let is_wanted = this.with(&read.settings, trained).request(RunId(0), trained) == wanted;
    (is_wanted && wanted != RunRequest { run: RunId(0), ..ours.clone() }).then_some(text)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(';', "\\;")
}

/// The parts between semicolons, without the backslashes that stand before what means itself.
fn split(written: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = written.chars().peekable();
    while let Some(character) = rest.next() {
        let next = rest.next_if(|&next| character == '\\' && (next == ';' || next == '\\'));
        match parts.last_mut() {
            Some(part) if next.is_some() || character != ';' => part.push(next.unwrap_or(character)),
            _ => parts.push(String::new()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use moe_trace::{Policy, RoutingGroup};

    use super::*;
    use crate::settings::Setting;
    use crate::settings::interventions::Interventions;

    fn settings(of: impl IntoIterator<Item = Setting>) -> Settings {
        Settings::default().with(&of.into_iter().collect(), &RoutingSpec::default())
    }

    fn run(settings: &Settings) -> RunRequest {
        settings.request(RunId(0), &RoutingSpec::default())
    }

    #[test]
    fn only_what_differs_is_said() {
        let check = |theirs: Setting, is_later: bool, expected: Option<&str>| {
            let ours = settings([Setting::CapacityFactor(0.75), Setting::Seed(3)]);
            let theirs = ours.clone().with(&[theirs].into_iter().collect(), &RoutingSpec::default());
            let said = text(&run(&ours), &run(&theirs), is_later, &RoutingSpec::default());
            assert_eq!(said.as_deref(), expected);
        };
        check(Setting::CapacityFactor(0.5), false, Some("capacity-factor:0.5"));
        check(Setting::CapacityFactor(0.5), true, Some("later;capacity-factor:0.5"));
        check(Setting::Policy(Some(Policy::Bpr)), false, Some("policy:bpr"));
        check(Setting::Prompt(" a; b\\ c:d\ne".to_owned()), false, Some("prompt: a\\; b\\\\ c:d\ne"));
        check(Setting::Policy(Some(Policy::Dropless)), false, Some("policy:dropless"));
        check(Setting::Seed(3), false, None);
        // Of two that take the most probable token nobody sees at which temperature.
        check(Setting::Temperature(0.3), false, None);
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let trained = RoutingSpec::default();
        let changes = Interventions::parse("mute:0,1 noise:*,0.5").expect("two changes");
        for theirs in [
            vec![Setting::Prompt("; \\; \\".to_owned()), Setting::Interventions(changes)],
            vec![Setting::Greedy(false), Setting::Temperature(0.5), Setting::TopK(9), Setting::TopP(0.5)],
            vec![Setting::Policy(Some(Policy::RandomSecond)), Setting::Group(RoutingGroup::DecodeStep)],
            vec![Setting::K(Some(1)), Setting::Policy(Some(Policy::Dropless)), Setting::NewTokens(0)],
            // What nobody looks at while nobody is turned away.
            vec![Setting::CapacityFactor(0.5), Setting::Policy(Some(Policy::Dropless))],
        ] {
            let (ours, theirs) = (settings([]), settings(theirs));
            for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
                let text = text(&run(ours), &run(theirs), false, &trained).expect("they differ");
                let read = parse(&text).expect(&text);
                assert_eq!(run(&ours.clone().with(&read.settings, &trained)), run(theirs), "{text}");
            }
        }
    }

    #[test]
    fn an_author_writes_as_she_likes() {
        let written = " later ; capacity-factor : 0.5 ;policy:random_second; ";
        let settings = [Setting::CapacityFactor(0.5), Setting::Policy(Some(Policy::RandomSecond))];
        assert_eq!(parse(written), Ok(Against { is_later: true, settings: settings.into_iter().collect() }));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |written: &str, expected: &str| {
            let why = parse(written).expect_err(written);
            assert!(why.starts_with(expected), "{written}: {why}");
        };
        check("capacity-factor:9", "“capacity-factor:9” cannot be: Allowed: a number from 0.25 to 4");
        check("seed:1; interventions:mute:1", "“interventions:mute:1” cannot be: “mute:1” does not say a layer");
        check("theme:dark", "“theme:dark” is no setting; write one of prompt, seed,");
        check("0.5", "“0.5” is no setting;");
        check("seed:", "“seed:” is no setting;");
        check("later", "It names no setting that differs;");
    }

    #[test]
    fn every_attribute_that_fixes_a_setting_may_be_named() {
        let fixes = |text: &str, row: &&crate::settings::attributes::Attribute| {
            let mut config = Config::default();
            row.read(text, &mut config).is_ok() && config.overrides != Overrides::default()
        };
        let texts = ["x", "1", "0.5", "bpr", "switch", "none", "this-text"];
        let found: Vec<&str> = ATTRIBUTES
            .iter()
            .filter(|row| row.name != "against" && texts.iter().any(|text| fixes(text, row)))
            .map(|row| row.name)
            .collect();
        assert_eq!(found, OF_A_RUN);
    }
}
