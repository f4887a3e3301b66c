//! State → attributes → state: a link, and `setState(getState())`, show the same picture.

use moe_router::draws::SplitMix64;
use moe_router::rules;
use moe_trace::{BackendChoice, Policy, RoutingGroup, RunId};
use web::settings::Setting;
use web::settings::against;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::settings::experiment::ExperimentName;
use web::settings::interventions::Interventions;
use web::settings::limits::MAX_BATCH_CHARS;
use web::settings::method::Method;
use web::settings::micro_step::MicroStep;
use web::settings::place::Place;
use web::settings::view::{PanelName, View};
use web::state::lab::Wish;
use web::state::{Action, Motion, State, Theme};
use web::words::tongue::Language;

use super::play::{Play, recorded};

/// Changes inside the model, as texts.
const CHANGES: [&str; 4] = ["none", "mute:1,3", "force:0,5,7 swap:2,0,1", "bias:0,3,-0.5 temperature:*,2 noise:1,0.3"];

/// What a run is compared with, as texts.
const AGAINST: [&str; 4] = ["capacity-factor:0.5", "later;policy:bpr", "prompt: x\\; y;seed:4", "router:switch"];

pub type Attributes = Vec<(&'static str, String)>;

pub fn told(state: &State) -> Attributes {
    state.shown(&state.trained_routing()).attributes()
}

pub fn read(attributes: &Attributes) -> Config {
    let text_of = |name: &str| attributes.iter().find(|(of, _)| *of == name).map(|(_, text)| text.clone());
    let (config, errors) = Config::read(text_of);
    assert_eq!(errors, [], "{attributes:?}");
    let manifest_url = config.model.as_deref().map(manifest_of).unwrap_or_default();
    Config { backend: BackendChoice::Recorded, manifest_url, ..config }
}

/// As the document has it.
fn manifest_of(model: &str) -> String {
    format!("models/{model}/manifest.json")
}

/// The element's attributes change.
fn change(play: &mut Play, change: impl FnOnce(&mut Config)) {
    let mut config = play.state.config().clone();
    change(&mut config);
    play.configure(&config);
}

/// A state comes to an element that is there already: panels are an attribute of the element, and the rest is shown.
fn show(play: &mut Play, attributes: &Attributes) {
    let config = read(attributes);
    change(play, |element| element.view = config.view.clone());
    play.act(Action::Show { config: Box::new(config), errors: Vec::new() });
}

/// A page at which the recorded run has arrived.
fn page(config: Config) -> Play {
    let mut play = Play::with(Config { backend: BackendChoice::Recorded, ..config });
    play.replay(&recorded());
    play
}

/// What a reader might do with it.
fn wander(play: &mut Play, draws: &mut SplitMix64) {
    let mut pick = |most: usize| (draws.u64() % most as u64) as usize;
    let texts: Vec<&str> = rules::all().filter_map(|rule| rule.example()).collect();
    for _ in 0..pick(12) {
        let setting = match pick(12) {
            // An empty one cannot be run, and an empty attribute says nothing.
            0 => Setting::Prompt(["x", "a & b=c#d %20+", "שלום 🙂\r\n\u{202e}x", "plain"][pick(4)].to_owned()),
            1 => Setting::Seed(pick(u32::MAX as usize) as u32),
            2 => Setting::NewTokens(pick(257) as u32),
            3 => Setting::Greedy(pick(2) == 0),
            4 => Setting::Temperature(0.1 + pick(190) as f32 / 100.0),
            5 => Setting::TopK(pick(1001) as u32),
            6 => Setting::TopP(0.05 + pick(95) as f32 / 100.0),
            7 => Setting::CapacityFactor(0.25 + pick(3750) as f32 / 1000.0),
            8 => Setting::Policy(Some([Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless][pick(4)])),
            9 => Setting::Group([RoutingGroup::ThisText, RoutingGroup::DecodeStep][pick(2)]),
            10 => Setting::Interventions(Interventions::parse(CHANGES[pick(CHANGES.len())]).expect("changes")),
            _ => match rules::parse_router(texts[pick(texts.len())]) {
                Ok(rule) => Setting::Rule(rule),
                Err(_) => Setting::K(Some(1 + pick(8) as u32)),
            },
        };
        play.set(setting);
        let action = match pick(18) {
            17 => {
                let view = match pick(3) {
                    0 => View::Full,
                    number => View::Panels((0..number).map(|_| PanelName::ALL[pick(PanelName::ALL.len())]).collect()),
                };
                change(play, |config| config.view = view);
                continue;
            }
            16 => {
                let model = [None, Some("twin"), Some("switch")][pick(3)];
                change(play, |config| {
                    config.model = model.map(str::to_owned);
                    config.manifest_url = model.map(manifest_of).unwrap_or_default();
                });
                continue;
            }
            15 => {
                let trace = ["https://example.org/runs/a b.jsonl?v=3&x#y", "https://example.org/b.jsonl"][pick(2)];
                change(play, |config| config.trace_url = Some(trace.to_owned()));
                play.replay(&recorded());
                continue;
            }
            14 => {
                let lesson = [None, Some("capacity"), Some("https://example.org/own.json")][pick(3)];
                change(play, |config| config.lesson = lesson.map(str::to_owned));
                continue;
            }
            13 => {
                let against = against::parse(AGAINST[pick(AGAINST.len())]).expect("a comparison");
                change(play, |config| config.against = Some(against));
                continue;
            }
            12 => {
                let texts = ["The cat", " two  ", "", "שלום 🙂\n\\n", "x"];
                Action::SetTextsInStep(
                    (0..1 + pick(8)).map(|_| texts[pick(5)].to_owned()).chain(["y".to_owned()]).take(8).collect(),
                )
            }
            7 => {
                let methods: Vec<Method> = Method::all().collect();
                Action::Try(Some(methods[pick(methods.len())]).filter(|_| pick(4) > 0))
            }
            6 => Action::SetDepth(Depth::ALL[pick(3)]),
            0 => Action::StepTo(pick(20)),
            1 => Action::Select { token: pick(40), layer: Some(pick(4)), expert: Some(pick(8)) },
            2 => Action::SelectExpert(None),
            3 => Action::SetTheme([Theme::System, Theme::Light, Theme::Dark][pick(3)]),
            4 => Action::Move(Motion::NextDrop),
            11 => Action::SetLanguage(Language::ALL[pick(2)]),
            5 => Action::SetLabFactor(0.25 + pick(375) as f32 / 100.0),
            10 => Action::SetMoment(pick(20) as u32),
            8 => Action::OpenMicroStep(MicroStep::ALL[pick(MicroStep::ALL.len())]),
            9 => Action::Lab(Wish::Experiment(ExperimentName::ALL[pick(ExperimentName::ALL.len())])),
            _ => Action::Seek(Place { step: Some(pick(20) as u32), ..Place::default() }),
        };
        play.act(action);
    }
}

fn is_same(one: &State, other: &State, attributes: &Attributes) {
    let request = |state: &State| state.settings().request(RunId(1), &state.trained_routing());
    assert_eq!(request(one), request(other), "{attributes:?}");
    assert_eq!(one.settings().capacity_factor, other.settings().capacity_factor, "{attributes:?}");
    assert_eq!(one.screen().theme, other.screen().theme, "{attributes:?}");
    assert_eq!(one.speech().asked(), other.speech().asked(), "{attributes:?}");
    assert_eq!(one.screen().method, other.screen().method, "{attributes:?}");
    assert_eq!(one.screen().depth, other.screen().depth, "{attributes:?}");
    assert_eq!(one.lab_factor(), other.lab_factor(), "{attributes:?}");
    assert_eq!(one.texts_in_step(), other.texts_in_step(), "{attributes:?}");
    assert_eq!(one.screen().moment, other.screen().moment, "{attributes:?}");
    assert_eq!(one.lab().experiment, other.lab().experiment, "{attributes:?}");
    assert_eq!(one.screen().micro_step, other.screen().micro_step, "{attributes:?}");
    assert_eq!(one.config().view, other.config().view, "{attributes:?}");
    assert_eq!(one.config().model, other.config().model, "{attributes:?}");
    assert_eq!(one.config().lesson, other.config().lesson, "{attributes:?}");
    let place = |state: &State| {
        let selection = state.selection();
        (state.scene().map(|scene| scene.step), selection.token, selection.layer, selection.expert)
    };
    assert_eq!(place(one), place(other), "{attributes:?}");
}

#[test]
fn a_link_shows_the_same_picture_elsewhere() {
    let mut draws = SplitMix64::new(20);
    for _ in 0..300 {
        let mut here = page(Config::default());
        wander(&mut here, &mut draws);
        let attributes = told(&here.state);
        let there = page(read(&attributes));
        is_same(&here.state, &there.state, &attributes);
        assert_eq!(there.state.config().trace_url, here.state.config().trace_url);
        assert_eq!(told(&there.state), attributes);

        // So it does where somebody has been before.
        let mut elsewhere = page(Config::default());
        wander(&mut elsewhere, &mut draws);
        show(&mut elsewhere, &attributes);
        is_same(&here.state, &elsewhere.state, &attributes);
        // The recorded run is the element's own.
        let but_trace = |mut attributes: Attributes| {
            attributes.retain(|(name, _)| *name != "trace");
            attributes
        };
        assert_eq!(but_trace(told(&elsewhere.state)), but_trace(attributes));
    }
}

#[test]
fn what_is_at_its_default_needs_no_words() {
    let names = |play: &Play| told(&play.state).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let mut play = page(Config::default());
    assert_eq!(names(&play), ["step", "layer", "token"]);
    play.set(Setting::CapacityFactor(0.5));
    assert_eq!(names(&play), ["capacity-factor", "step", "layer", "token"]);
}

#[test]
fn texts_that_are_too_long_for_a_link_stay_where_they_are() {
    let texts = |play: &Play| play.state.texts_in_step();
    let mut here = page(Config::default());
    let offered = texts(&here);
    here.act(Action::SetTextsInStep(vec!["word ".repeat(MAX_BATCH_CHARS / 5 + 1)].into()));
    let attributes = told(&here.state);
    assert!(attributes.iter().all(|(name, _)| *name != "batch"), "{attributes:?}");
    // An older link says nothing of them either.
    assert_eq!(texts(&page(read(&attributes))), offered);
    // What a reader typed gives way to what a state says, and to what it does not.
    here.act(Action::Show { config: Box::new(read(&vec![("batch", "one\ntwo".to_owned())])), errors: Vec::new() });
    assert_eq!(texts(&here).to_vec(), ["one", "two"]);
    here.act(Action::Show { config: Box::new(read(&attributes)), errors: Vec::new() });
    assert_eq!(texts(&here), offered);
}

#[test]
fn a_place_is_waited_for_and_left_when_the_reader_goes_elsewhere() {
    let file = recorded();
    let last = file.steps.len() - 1;
    let place = Place { step: Some(last as u32), layer: Some(1), token: Some(3), expert: Some(2) };
    let mut play = page(Config { place, ..Config::default() });
    assert_eq!(play.scene().step, last);
    let selection = play.state.selection();
    assert_eq!((selection.layer, selection.token, selection.expert), (1, 3, Some(2)));
    play.act(Action::StepBy(-1)).act(Action::Select { token: 5, layer: None, expert: None });
    assert_eq!((play.scene().step, play.state.selection().token), (last - 1, 5));
    // Beyond the end is the end.
    play.act(Action::Seek(Place { step: Some(60_000), token: Some(60_000), ..Place::default() }));
    let scene = play.scene();
    assert_eq!((scene.step, play.state.selection().token), (last, scene.tokens.len() - 1));
}
