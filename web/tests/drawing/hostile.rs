//! Whatever file is read without complaint can be drawn: spoilt runs, shown at every step and in every layer.

use moe_fuzz::{Dice, json, trial, trial_of_much_work};
use moe_trace::{BackendChoice, RoutingGroup, RoutingSpec, StepTrace, TraceHeader, TraceReader, UserError};
use serde_json::Value;
use web::run::shared::Shared;
use web::settings::Setting;
use web::settings::attributes::{ATTRIBUTES, Config};
use web::settings::micro_step::MicroStep;
use web::settings::models::Menu;
use web::settings::view::{PanelName, View};
use web::state::{Action, State, replay};
use web::views::page::{Page, PageProps};
use yew::Callback;

use super::html;
use crate::fixture;

/// A short run under this group as another program tells it, without a model of ours.
fn foreign_lines(group: RoutingGroup) -> Vec<Value> {
    let mut lines = lines(group);
    lines[0]["model"] = Value::Null;
    lines[0]["origin"] = serde_json::json!({ "source": "imported", "producer": "transformers" });
    lines
}

/// A short run under this group, as lines of its file.
fn lines(group: RoutingGroup) -> Vec<Value> {
    let tokens = fixture::words("The cat sat on the mat");
    let file = fixture::trace(3, &tokens, 4, fixture::request(RoutingSpec::default(), group, 2));
    let mut lines = vec![serde_json::to_value(&file.header).expect("a header is JSON")];
    lines.extend(file.steps.iter().map(|step| serde_json::to_value(step).expect("a step is JSON")));
    lines
}

/// As the page reads a file.
fn read(text: &str) -> Result<(TraceHeader, Vec<StepTrace>), String> {
    let mut lines = moe_trace::lines(text);
    let (_, first) = lines.next().ok_or("it is empty")?;
    let header: TraceHeader = serde_json::from_str(first).map_err(|error| error.to_string())?;
    let mut reader: TraceReader = replay::reader(header)?;
    let mut steps = Vec::new();
    for (_, line) in lines {
        let sent = serde_json::from_str(line).map_err(|error| error.to_string())?;
        steps.push(replay::read(&mut reader, sent)?);
    }
    if steps.is_empty() { Err("it has no steps".to_owned()) } else { Ok((reader.header().clone(), steps)) }
}

/// The state with the run on the screen, at its last step.
fn shown(header: TraceHeader, steps: Vec<StepTrace>, config: Config) -> State {
    let config = Config { backend: BackendChoice::Recorded, ..config };
    let last = steps.len().saturating_sub(1);
    let began = replay::began_with(header, &steps[0]).expect("it was checked");
    let told = steps.into_iter().map(replay::step);
    let actions = [began].into_iter().chain(told).chain([replay::finished(), Action::StepTo(last)]);
    actions.fold(State::new(config, Vec::new()).0, |state, action| state.apply(action).0)
}

/// Draws it, then what another k would make of it, then the panels that check its numbers.
fn draw(header: TraceHeader, steps: Vec<StepTrace>) {
    for setting in [None, Some(Setting::K(Some(1))), Some(Setting::CapacityFactor(0.3))] {
        let (header, steps) = (header.clone(), steps.clone());
        html::<Page>(move || {
            let mut state = shown(header, steps, Config::default());
            if let Some(setting) = setting {
                state = state.apply(Action::Set(setting)).0;
            }
            PageProps { state: Shared::new(state), dispatch: Callback::noop() }
        });
    }
    for step in [MicroStep::Scores, MicroStep::Weights, MicroStep::Proof] {
        let (header, steps) = (header.clone(), steps.clone());
        html::<Page>(move || {
            let view = View::Panels(vec![PanelName::Losses, PanelName::Microscope, PanelName::Block]);
            let config = Config { view, micro_step: Some(step), ..Config::default() };
            PageProps { state: Shared::new(shown(header, steps, config)), dispatch: Callback::noop() }
        });
    }
}

fn fuzz(name: &str, lines: &[Value]) {
    trial_of_much_work(
        name,
        300,
        |dice| json::spoilt_lines(lines, dice),
        |bytes| {
            let read = read(&String::from_utf8_lossy(bytes));
            read.map(|(header, steps)| draw(header, steps)).is_ok()
        },
    );
}

/// The page's own reader alone, which looks at more than that of traces.
#[test]
fn fuzz_recorded_runs() {
    for (name, group) in [("whole texts", RoutingGroup::ThisText), ("decode steps", RoutingGroup::DecodeStep)] {
        let lines = lines(group);
        let reader = |bytes: &[u8]| read(&String::from_utf8_lossy(bytes)).is_ok();
        trial(&format!("recorded runs of {name}"), 1000, |dice| json::spoilt_lines(&lines, dice), reader);
    }
}

#[test]
fn fuzz_drawing_of_whole_texts() {
    fuzz("drawing of whole texts", &lines(RoutingGroup::ThisText));
}

#[test]
fn fuzz_drawing_of_decode_steps() {
    fuzz("drawing of decode steps", &lines(RoutingGroup::DecodeStep));
}

#[test]
fn fuzz_drawing_of_runs_of_others() {
    fuzz("drawing of runs of others", &foreign_lines(RoutingGroup::ThisText));
}

/// What people, templates and other people's links write into attributes.
const TEXTS: [&str; 44] = [
    "",
    " ",
    "0",
    "1",
    "-1",
    "-0",
    "+1",
    " 2 ",
    "2,5",
    "0x10",
    "1_000",
    "\u{ff11}",
    "1\u{a0}",
    "\u{feff}1",
    "1e9",
    "1e-400",
    "1e9999",
    "4294967296",
    "18446744073709551616",
    "NaN",
    "inf",
    "true",
    "null",
    "undefined",
    "[object Object]",
    "{{ value }}",
    "full",
    "strip lanes",
    "methods policies drops losses microscope block",
    "drop",
    "dropless",
    "top_k:2",
    "top_k:k=0",
    "top_k:k=99999999999999999999",
    "hierarchical:groups=0,k_groups=0,k_within=0",
    "deepseek:k=4294967295,groups=4294967295,kept=4294967295,scale=1e38",
    "expert_choice:1e300",
    "soft_moe:4294967295",
    "mute:*,0 force:3,4294967295,7 noise:*,1e30",
    "\u{202e}",
    "\0",
    "models/x?y#z",
    "https://[",
    "%E0%A4",
];

/// One text for each attribute, a line each.
fn attribute_lines(dice: &mut Dice) -> Vec<u8> {
    let lines = ATTRIBUTES.iter().map(|attribute| format!("{}={}", attribute.name, dice.one_of(&TEXTS)));
    json::spoilt_text(lines.collect::<Vec<_>>().join("\n").into_bytes(), dice)
}

fn read_attributes(bytes: &[u8]) -> (Config, Vec<UserError>) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    Config::read(|name| text.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.to_owned())))
}

/// Whatever stands in the attributes, or in a link: what cannot be used is named, and the rest is taken.
#[test]
fn fuzz_attributes() {
    trial("attributes", 2000, attribute_lines, |bytes| {
        let (config, errors) = read_attributes(bytes);
        let (state, _) = State::new(Config { backend: BackendChoice::Recorded, ..config }, errors.clone());
        state.apply(Action::TogglePlay);
        errors.is_empty()
    });
}

/// And is drawn, over a run.
#[test]
fn fuzz_drawing_of_attributes() {
    let lines = lines(RoutingGroup::ThisText);
    let text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    trial_of_much_work("drawing of attributes", 200, attribute_lines, |bytes| {
        let (header, steps) = read(&text).expect("it is right");
        let (config, errors) = read_attributes(bytes);
        html::<Page>(move || PageProps {
            state: Shared::new(shown(header, steps, config)),
            dispatch: Callback::noop(),
        });
        errors.is_empty()
    });
}

#[test]
fn fuzz_menus() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/site/models/index.json");
    let text = std::fs::read_to_string(path).expect("the site has a list");
    let list: Value = serde_json::from_str(&text).expect("it is JSON");
    let list = Value::from(list.as_array().map(|list| list[..2].to_vec()).unwrap_or_default());
    trial(
        "menus",
        1000,
        |dice| json::spoilt(&list, dice),
        |bytes| serde_json::from_slice(bytes).is_ok_and(|entries| Menu::new(entries, str::to_owned).is_ok()),
    );
}
