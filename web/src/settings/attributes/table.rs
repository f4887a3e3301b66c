//! The attributes of `<moe-playground>`, one row each. The element's list of names, its TypeScript declarations, the
//! manifest for editors and the table in docs/EMBEDDING.md are generated from these rows by `cargo xtask codegen`.

use moe_router::rules;
use moe_trace::BackendChoice;

use crate::settings::activate::Activate;
#[cfg(feature = "page")]
use crate::settings::against;
use crate::settings::attributes::{Attribute, Doc, Values};
#[cfg(feature = "page")]
use crate::settings::batch;
use crate::settings::depth::Depth;
use crate::settings::experiment::Experiment;
use crate::settings::interventions::Interventions;
use crate::settings::limits::{CAPACITY_FACTOR, MAX_PROMPT_CHARS, NEW_TOKENS, TEMPERATURE, TOP_K, TOP_P};
use crate::settings::method::Method;
use crate::settings::micro_step::MicroStep;
use crate::settings::offered::Offered;
use crate::settings::theme::Theme;
use crate::settings::view::View;
use crate::settings::{Setting, Settings, language, place, routing_choice};

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
        told: |shown| Some(shown.view?.text()),
    },
    Attribute {
        name: "depth",
        values: Values::Words(&["story", "inspect", "lab"], |word, config| {
            config.depth = Depth::of_word(word).unwrap_or_default();
        }),
        default: Doc::new("`inspect`"),
        doc: Doc::new(
            "How far into the matter the whole page goes: one picture and one event, every decision of the run, or all of \
             that with methods, measurements and experiments. Panels that `view` names are shown at any depth.",
        ),
        told: |shown| (shown.depth != Depth::default()).then(|| shown.depth.as_str().to_owned()),
    },
    Attribute {
        name: "controls",
        values: Values::Written(Offered::allowed, |text, config| {
            config.controls = Offered::parse(text);
            config.controls.is_some()
        }),
        default: Doc::new("what the panels have"),
        doc: Doc::new("The controls that a figure offers, with blanks between their names."),
        told: |_| None,
    },
    Attribute {
        name: "loading",
        // The element itself asks for it, before and outside of any configuration.
        values: Values::Words(&["lazy", "eager"], |word, config| config.is_eager = word == "eager"),
        default: Doc::new("`lazy`"),
        doc: Doc::new("When the figure loads: as soon as it nears the window, or at once."),
        told: |_| None,
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
        told: |shown| shown.model.map(str::to_owned),
    },
    Attribute {
        name: "trace",
        values: Values::Address("the address of a recorded run (JSON lines)", |trace, config| {
            config.trace_url = Some(trace);
        }),
        default: Doc::new("the recorded run that comes with the page"),
        doc: Doc::new("The run that is shown first, and instead of a live one where none is possible."),
        told: |shown| shown.trace.map(str::to_owned),
    },
    Attribute {
        name: "prompt",
        values: Values::Text {
            max_chars: MAX_PROMPT_CHARS,
            take: |prompt, config| config.overrides.fix(Setting::Prompt(prompt)),
        },
        default: Doc::new("the recorded run's"),
        doc: Doc::new("The text to begin with. A longer one is kept, but not run."),
        told: |shown| shown.changed(|settings| settings.prompt.clone()),
    },
    Attribute {
        name: "seed",
        values: Values::Whole(0..=u32::MAX, |seed, config| config.overrides.fix(Setting::Seed(seed))),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("Seeds sampling and random routing."),
        told: |shown| Some(shown.changed(|settings| settings.seed)?.to_string()),
    },
    Attribute {
        name: "max-tokens",
        values: Values::Whole(NEW_TOKENS, |number, config| config.overrides.fix(Setting::NewTokens(number))),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("How many tokens the model writes at most."),
        told: |shown| Some(shown.changed(|settings| settings.new_tokens)?.to_string()),
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
        told: |shown| {
            let temperature = |settings: &Settings| if settings.greedy { 0.0 } else { settings.temperature };
            Some(shown.changed(temperature)?.to_string())
        },
    },
    Attribute {
        name: "sampling-top-k",
        values: Values::Whole(0..=TOP_K, |top_k, config| config.overrides.fix(Setting::TopK(top_k))),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("The next token is one of so many most probable ones; 0 for any."),
        told: |shown| Some(shown.changed(|settings| settings.top_k)?.to_string()),
    },
    Attribute {
        name: "sampling-top-p",
        values: Values::Number(TOP_P, |top_p, config| config.overrides.fix(Setting::TopP(top_p))),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("The next token is one of the fewest most probable ones that have this probability together."),
        told: |shown| Some(shown.changed(|settings| settings.top_p)?.to_string()),
    },
    Attribute {
        name: "capacity-factor",
        values: Values::Number(CAPACITY_FACTOR, |factor, config| {
            config.overrides.fix(Setting::CapacityFactor(factor));
        }),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("Slots per expert, as a multiple of an even share."),
        told: |shown| Some(shown.changed(|settings| settings.capacity_factor)?.to_string()),
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
        told: |shown| {
            let policy = |settings: &Settings| routing_choice::policy(&settings.routing.spec(shown.trained));
            shown.changed(policy).flatten().map(|policy| policy.to_string())
        },
    },
    Attribute {
        name: "router",
        values: Values::Written(rule_texts, |text, config| {
            let rule = rules::parse_router(text).ok().map(Setting::Rule);
            rule.map(|rule| config.overrides.fix(rule)).is_some()
        }),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("The routing rule, with its numbers; docs/ROUTING_RULES.md lists them all."),
        told: |shown| Some(rules::router_text(&shown.changed(|settings| settings.routing.spec(shown.trained).router)?)),
    },
    Attribute {
        name: "method",
        values: Values::Written(method_texts, |text, config| {
            config.method = Method::parse(text);
            config.method.is_some()
        }),
        default: Doc::new("none"),
        doc: Doc::new(
            "The routing method that the panel `methods` tries on the recorded gate logits; nothing is run with it. One that \
             mixes is written like one that routes; docs/ROUTING_RULES.md lists them all.",
        ),
        told: |shown| Some(shown.method?.text()),
    },
    Attribute {
        name: "interventions",
        values: Values::Explained(Interventions::allowed, |text, config| {
            config.overrides.fix(Setting::Interventions(Interventions::parse(text)?));
            Ok(())
        }),
        default: Doc::new("the recorded run's"),
        doc: Doc::new("What is changed inside the model for a run; docs/EMBEDDING.md has the forms."),
        told: |shown| Some(shown.changed(|settings| settings.interventions.clone())?.text()),
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
        told: |shown| Some(shown.changed(|settings| settings.group)?.to_string()),
    },
    // A figure's module computes no comparisons.
    #[cfg(feature = "page")]
    Attribute {
        name: "against",
        values: Values::Explained(against::allowed, |text, config| {
            config.against = Some(against::parse(text)?);
            Ok(())
        }),
        default: Doc::new("the run before it, if there is one"),
        doc: Doc::new(
            "What the run is compared with: another one, of which only the settings that differ are said. It is computed \
             after the first, while the engine has nothing else to do. It comes with the module of the whole page.",
        ),
        told: |shown| shown.against.clone(),
    },
    // A figure's module has no panel that shows them.
    #[cfg(feature = "page")]
    Attribute {
        name: "batch",
        values: Values::Explained(batch::allowed, |text, config| {
            config.batch = Some(batch::parse(text)?);
            Ok(())
        }),
        default: Doc::new("some of the prompts that the page offers"),
        doc: Doc::new("The texts that the panel `batch` runs in step."),
        told: |shown| batch::text(shown.batch?),
    },
    Attribute {
        name: "lab-factor",
        values: Values::Number(CAPACITY_FACTOR, |factor, config| config.lab_factor = Some(factor)),
        default: Doc::new("the run's"),
        doc: Doc::new("The capacity factor that the policy lab compares overflow policies at."),
        told: |shown| Some(shown.lab_factor?.to_string()),
    },
    Attribute {
        name: "moment",
        values: Values::Whole(0..=place::MOST, |at, config| config.moment = Some(at)),
        default: Doc::new("after a hundredth of the training"),
        doc: Doc::new(
            "The moment of the training whose gates the routing time machine shows, counted from 0; the last one where there \
             are fewer.",
        ),
        told: |shown| Some(shown.moment?.to_string()),
    },
    Attribute {
        name: "step",
        values: Values::Whole(0..=place::MOST, |at, config| config.place.step = Some(at)),
        default: Doc::new("where the recorded run first turned a request away"),
        doc: Doc::new("The step of the run to look at, counted from 0; the last one where there are fewer."),
        told: |shown| Some(shown.place.step?.to_string()),
    },
    Attribute {
        name: "layer",
        values: Values::Whole(0..=place::MOST, |at, config| config.place.layer = Some(at)),
        default: Doc::new("where the recorded run first turned a request away"),
        doc: Doc::new("The layer to look at, counted from 0; the last one where there are fewer."),
        told: |shown| Some(shown.place.layer?.to_string()),
    },
    Attribute {
        name: "token",
        values: Values::Whole(0..=place::MOST, |at, config| config.place.token = Some(at)),
        default: Doc::new("where the recorded run first turned a request away"),
        doc: Doc::new("The token to look at, counted from 0; the last one where there are fewer."),
        told: |shown| Some(shown.place.token?.to_string()),
    },
    Attribute {
        name: "expert",
        values: Values::Whole(0..=place::MOST, |at, config| config.place.expert = Some(at)),
        default: Doc::new("none"),
        doc: Doc::new("The expert to look at, counted from 0; the last one where there are fewer."),
        told: |shown| Some(shown.place.expert?.to_string()),
    },
    Attribute {
        name: "experiment",
        values: Values::Written(Experiment::allowed, |text, config| {
            config.experiment = Experiment::parse(text);
            config.experiment.is_some()
        }),
        default: Doc::new("`collapse`"),
        doc: Doc::new(
            "What the training lab (`view=\"training\"`) trains: two models of one seed that differ in one thing. The \
             reader's own text is in no attribute.",
        ),
        told: |shown| (shown.experiment != Experiment::default()).then(|| shown.experiment.text()),
    },
    Attribute {
        name: "microscope",
        values: Values::Words(
            &["logits", "scores", "choice", "queue", "capacity", "fate", "weights", "output", "proof"],
            |word, config| config.micro_step = MicroStep::of_word(word),
        ),
        default: Doc::new("`logits`"),
        doc: Doc::new("The step of the decision that the routing microscope has open."),
        told: |shown| (shown.micro_step != MicroStep::default()).then(|| shown.micro_step.as_str().to_owned()),
    },
    Attribute {
        name: "lesson",
        values: Values::Address(
            "the name of a lesson beside the element's files (`lessons/NAME.json`), or the address of one",
            |lesson, config| config.lesson = Some(lesson),
        ),
        default: Doc::new("none"),
        doc: Doc::new(
            "A lesson, which stands above the figure and leads through it step by step; docs/LESSONS.md says how one is \
             written. It comes with the module of the whole page.",
        ),
        told: |shown| shown.lesson.map(str::to_owned),
    },
    Attribute {
        name: "backend",
        values: Values::Words(&["auto", "webgpu", "cpu", "cpu-f32", "recorded"], |word, config| {
            config.backend = match word {
                "webgpu" => BackendChoice::Webgpu,
                "cpu" => BackendChoice::Cpu,
                "cpu-f32" => BackendChoice::CpuF32,
                "recorded" => BackendChoice::Recorded,
                _ => BackendChoice::Auto,
            };
        }),
        default: Doc::new("`auto`"),
        doc: Doc::new(
            "What to run on. `auto` is the CPU, whose engine is small; where the browser has WebGPU, that is tried beside it \
             (in a figure once somebody runs something) and takes its place between two runs if it computes the same, \
             at no less than half the CPU's rate, for as long as it works. The CPU multiplies by \
             matrices of 8 bits, as they are stored; `cpu-f32` does it in f32, slower and with the numbers of the recorded \
             runs to the last digits. `recorded` loads no engine.",
        ),
        told: |_| None,
    },
    Attribute {
        name: "activate",
        values: Values::Words(&["auto", "interaction", "manual"], |word, config| {
            config.activate = Activate::of_word(word);
        }),
        default: Doc::new(
            "`interaction` for a figure whose attributes say nothing of the run and whose panels show a run; else `auto`",
        ),
        doc: Doc::new(
            "When the engine may start, which is several megabytes with its model; until then the recorded run is there. \
             `auto`: as soon as the figure is loaded. `interaction`: with the first thing a reader does that needs it, \
             such as another capacity. `manual`: when Run is pressed or `run()` called.",
        ),
        told: |_| None,
    },
    Attribute {
        name: "keys",
        values: Values::Words(&["on", "off"], |word, config| config.no_letter_keys = word == "off"),
        default: Doc::new("`on`"),
        doc: Doc::new(
            "Whether keys that type a character (letters, brackets, comma, point, `?`) move through the figure. Arrows, \
             Home, End, Space and Escape do in either case. A reader switches them beside the list of keys.",
        ),
        // Of the reader, not of the picture.
        told: |_| None,
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
        told: |shown| match shown.theme {
            Theme::System => None,
            Theme::Light => Some("light".to_owned()),
            Theme::Dark => Some("dark".to_owned()),
        },
    },
    Attribute {
        name: "lang",
        values: Values::Written(language::allowed, |text, config| {
            language::parse(text).map(|asked| config.language = asked).is_some()
        }),
        default: Doc::new("`auto`"),
        doc: Doc::new(
            "The language that the page speaks; tokens and prompt keep their own. `auto` is, of a figure, the nearest `lang` \
             around it, and of the whole page (`view=\"full\"`) the first of the browser's languages that it can speak; else \
             English. The sentences of another language than English are a file of their own (`words/`), and until it has \
             come the page speaks English.",
        ),
        told: |shown| shown.language.map(|language| language.code().to_owned()),
    },
];

/// The text of every rule that assigns, as an example each.
fn rule_texts() -> String {
    let examples = rules::all().filter_map(|rule| rule.example().filter(|text| rules::parse_router(text).is_ok()));
    say!("a rule such as {examples}", examples = examples.collect::<Vec<_>>().join("; "))
}

/// As far as they differ from the texts of `router`.
fn method_texts() -> String {
    let mixing = Method::all().filter(|method| matches!(method, Method::Mixes(_))).map(|method| method.text());
    say!("a rule as in `router`, or one such as {examples}", examples = mixing.collect::<Vec<_>>().join("; "))
}
