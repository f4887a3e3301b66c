//! The attributes of `<moe-playground>`, one row each. The element's list of names, its TypeScript declarations, the
//! manifest for editors and the table in docs/EMBEDDING.md are generated from these rows by `cargo xtask codegen`.

use moe_router::rules;
use moe_trace::BackendChoice;

use crate::settings::Setting;
use crate::settings::attributes::{Attribute, Doc, Values};
use crate::settings::limits::{CAPACITY_FACTOR, MAX_PROMPT_CHARS, NEW_TOKENS, TEMPERATURE};
use crate::settings::theme::Theme;
use crate::settings::view::View;

/// In the order in which people are told of them.
pub static ATTRIBUTES: &[Attribute] = &[
    Attribute {
        name: "view",
        values: Values::Written(View::allowed, |text, config| {
            View::parse(text).map(|view| config.view = view).is_some()
        }),
        default: Doc::new("all panels, as a figure in a page"),
        // The element itself and the keyboard ask for `full`, before and outside of any configuration.
        doc: Doc::new(
            "The panels to show, with blanks between their names, and one selection for all of them. `full` says that \
             the figure is the whole page: it loads at once instead of when it nears the window, and the first such \
             figure hears its keys while nothing has the focus, so that Space and arrows no longer scroll.",
        ),
    },
    Attribute {
        name: "model",
        values: Values::Address(
            "the name of a model beside the element's files (`models/NAME/`), or the address of a model's folder or \
             `manifest.json`",
            |model, config| config.model = Some(model),
        ),
        default: Doc::new("the model that comes with the page"),
        doc: Doc::new("The model to run. Another one starts another engine."),
    },
    Attribute {
        name: "trace",
        values: Values::Address("the address of a recorded run (JSON lines)", |trace, config| {
            config.trace_url = Some(trace);
        }),
        default: Doc::new("the recorded run that comes with the page"),
        doc: Doc::new("The run that is shown first, and instead of a live one where none is possible."),
    },
    Attribute {
        name: "prompt",
        values: Values::Text {
            max_chars: MAX_PROMPT_CHARS,
            take: |prompt, config| config.overrides.fix(Setting::Prompt(prompt)),
        },
        default: Doc::new("the recorded run's"),
        doc: Doc::new("The text to begin with. A longer one is kept, but not run."),
    },
    Attribute {
        name: "seed",
        values: Values::Whole(0..=u32::MAX, |seed, config| config.overrides.fix(Setting::Seed(seed))),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("Seeds sampling and random routing."),
    },
    Attribute {
        name: "max-tokens",
        values: Values::Whole(NEW_TOKENS, |number, config| config.overrides.fix(Setting::NewTokens(number))),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("How many tokens the model writes at most."),
    },
    Attribute {
        name: "temperature",
        values: Values::ZeroOr(TEMPERATURE, |temperature, config| {
            config.overrides.fix(Setting::Greedy(temperature == 0.0));
            if temperature > 0.0 {
                config.overrides.fix(Setting::Temperature(temperature));
            }
        }),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("How freely the next token is chosen; 0 always takes the most probable one."),
    },
    Attribute {
        name: "capacity-factor",
        values: Values::Number(CAPACITY_FACTOR, |factor, config| {
            config.overrides.fix(Setting::CapacityFactor(factor));
        }),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("Slots per expert, as a multiple of an even share."),
    },
    Attribute {
        name: "policy",
        values: Values::Words(&["drop", "bpr", "random-second", "dropless"], |word, config| {
            if let Ok(policy) = word.parse() {
                config.overrides.fix(Setting::Policy(Some(policy)));
            }
        }),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("What happens when an expert is full."),
    },
    Attribute {
        name: "router",
        values: Values::Written(rule_texts, |text, config| {
            let rule = rules::parse_router(text).ok().map(Setting::Rule);
            rule.map(|rule| config.overrides.fix(rule)).is_some()
        }),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("The routing rule, with its numbers; docs/ROUTING_RULES.md lists them all."),
    },
    Attribute {
        name: "group",
        values: Values::Words(&["this-text", "decode-step"], |word, config| {
            if let Ok(group) = word.parse() {
                config.overrides.fix(Setting::Group(group));
            }
        }),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("Which tokens share an expert's slots."),
    },
    Attribute {
        name: "backend",
        values: Values::Words(&["auto", "webgpu", "cpu", "recorded"], |word, config| {
            config.backend = match word {
                "webgpu" => BackendChoice::Webgpu,
                "cpu" => BackendChoice::Cpu,
                "recorded" => BackendChoice::Recorded,
                _ => BackendChoice::Auto,
            };
        }),
        default: Doc::new("`auto`"),
        doc: Doc::new(
            "What to run on. `auto` is WebGPU where it works and as long as it does, else the CPU; `recorded` loads no \
             engine.",
        ),
    },
    Attribute {
        name: "theme",
        values: Values::Words(&["auto", "light", "dark"], |word, config| {
            config.theme = match word {
                "light" => Theme::Light,
                "dark" => Theme::Dark,
                _ => Theme::System,
            };
        }),
        default: Doc::new("`auto`"),
        doc: Doc::new("The colours; `auto` follows the reader's system."),
    },
];

/// The text of every rule that assigns, as an example each.
fn rule_texts() -> String {
    let examples = rules::all().filter_map(|rule| rule.example().filter(|text| rules::parse_router(text).is_ok()));
    format!("a rule such as {}", examples.collect::<Vec<_>>().join("; "))
}
