//! Choosing a model, as lists of actions.

use moe_trace::{
    BackendChoice, BackendInfo, Command, Event, FinishReason, ModelEntry, ModelInfo, Policy, RoutingSpec, Rung, Source,
    UserError,
};

use web::settings::Setting;
use web::settings::attributes::Config;
use web::settings::models::{self, Menu};
use web::settings::overrides::Overrides;
use web::settings::routing_choice::RoutingChoice;
use web::state::{Action, Effect, Engine, replay};

use super::play::{Play, executed, recorded};
use crate::fixture;

fn url(name: &str) -> String {
    format!("https://host/models/{name}/manifest.json")
}

fn menu() -> Menu {
    let entry = |name: &str| ModelEntry {
        name: name.to_owned(),
        title: format!("the model {name}"),
        folder: name.to_owned(),
        download_bytes: 3_800_000,
        num_parameters: 3_000_000,
        num_active_parameters: 1_000_000,
        num_experts: 8,
        training_tokens: None,
        rule: "top_k:2".to_owned(),
    };
    let entries = ["default", "hash", "switch"].map(entry).to_vec();
    Menu::new(entries, |address| format!("https://host/models/{address}")).expect("three models")
}

/// The page with its default model running, and a menu.
fn live() -> Play {
    live_with(Overrides::default())
}

fn live_with(overrides: Overrides) -> Play {
    let mut play = Play::with(Config { manifest_url: url("default"), overrides, ..Config::default() });
    play.replay(&recorded()).ready().act(Action::MenuRead(menu()));
    let request = play.state.coming().expect("a run begins by itself").request.clone();
    play.execute(&request, 2).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    play
}

/// The worker is ready with the model of this name, trained with this rule.
fn ready_with(play: &mut Play, name: &str, rule: &str) -> RoutingSpec {
    let trained =
        RoutingSpec { router: moe_router::rules::parse_router(rule).expect("a rule"), ..RoutingSpec::default() };
    let (name, weights_sha256) = (name.to_owned(), name.repeat(8));
    let model = ModelInfo { name, weights_sha256, trained_routing: trained, ..fixture::model() };
    let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: "asked for".to_owned() };
    let ready = Event::Ready { model, backend };
    match play.state.next() {
        Some(_) => play.act(Action::NextEngine(ready)),
        None => play.hear(ready),
    };
    trained
}

fn choose(play: &mut Play, name: &str) {
    play.act(Action::ChooseModel { manifest_url: url(name) });
}

/// Of which other model the run on the screen is, as the badges say.
fn foreign(play: &Play) -> Option<String> {
    play.state.on_screen().and_then(|run| play.state.foreign_model(run)).map(str::to_owned)
}

#[test]
fn a_chosen_model_runs_as_trained_on_the_same_prompt() {
    let mut play = live();
    assert_eq!(play.state.wanted().map(|choice| choice.entry.name.as_str()), Some("default"));
    play.set(Setting::Seed(42)).set(Setting::Greedy(false)).set(Setting::CapacityFactor(0.5));
    play.set(Setting::Prompt("Something else".to_owned()));
    choose(&mut play, "hash");
    assert_eq!(play.effects, [Effect::StartNext, Effect::SetModel("hash".to_owned())]);
    assert_eq!(play.state.config().manifest_url, url("hash"));
    assert_eq!(
        (play.num_steps(), foreign(&play).as_deref()),
        (2, Some("fixture")),
        "the run before stays, and is named"
    );

    let trained = ready_with(&mut play, "hash", "hash:0");
    assert_eq!(play.effects[0], Effect::TakeOver);
    let request = play.posted().expect("it runs at once");
    assert_eq!((request.prompt.as_str(), request.seed, request.routing), ("Something else", 42, trained));
    assert!(matches!(request.sampling, moe_trace::Sampling::Random { .. }));
    assert_eq!(
        (play.state.settings().routing, play.state.settings().capacity_factor),
        (RoutingChoice::AsTrained, 1.25)
    );
    assert_eq!(play.state.what_if(), None, "the controls say nothing about another model's run");
    assert!(play.effects.iter().any(|effect| matches!(effect, Effect::EmitReady { source: Source::LiveCpu, .. })));
    play.execute(&request, 1);
    assert_eq!(foreign(&play), None);
    play.act(Action::Flip);
    assert_eq!(foreign(&play).as_deref(), Some("fixture"), "A/B goes between the models");
}

#[test]
fn what_is_moved_while_a_model_loads_is_moved() {
    let mut play = live();
    choose(&mut play, "hash");
    play.set(Setting::CapacityFactor(3.0)).set(Setting::Policy(Some(Policy::Bpr)));
    let trained = ready_with(&mut play, "hash", "hash:0");
    let routing = play.posted().expect("a run").routing;
    assert_eq!(routing.router, trained.router);
    assert_eq!(routing.overflow, RoutingSpec::with_policy(1, Policy::Bpr, 3.0).overflow);
}

#[test]
fn attributes_lie_over_the_trained_routing() {
    let mut play = live_with(Overrides::from_iter([Setting::CapacityFactor(0.75)]));
    choose(&mut play, "switch");
    ready_with(&mut play, "switch", "switch");
    let routing = play.posted().expect("a run").routing;
    assert_eq!(routing.router, moe_trace::RouterSpec::Switch);
    assert_eq!(routing.overflow, RoutingSpec::with_policy(1, Policy::Drop, 0.75).overflow);
}

#[test]
fn a_linked_model_is_routed_as_trained_whatever_the_recorded_run_was() {
    for replay_first in [true, false] {
        let mut play = Play::with(Config { model: Some("switch".to_owned()), ..Config::default() });
        let trained;
        if replay_first {
            play.replay(&recorded());
            assert_eq!(foreign(&play).as_deref(), Some("fixture"));
            trained = ready_with(&mut play, "switch", "switch");
        } else {
            trained = ready_with(&mut play, "switch", "switch");
            play.act(replay::began(recorded().header).expect("a run of ours"));
        }
        let request = play.posted().expect("a run");
        assert_eq!((request.routing, request.prompt.as_str()), (trained, fixture::PROMPT));
    }
}

fn loading(play: &mut Play) {
    play.act(Action::NextEngine(fixture::progress(1, 9)));
    assert_eq!(play.state.waiting().map(|waiting| waiting.loaded_bytes), Some(1));
}

fn missing() -> UserError {
    UserError::new("The model could not be fetched.", "404.", "Check the connection.")
}

#[test]
fn the_engine_goes_on_while_another_model_loads() {
    let mut play = live();
    choose(&mut play, "hash");
    loading(&mut play);
    assert!(play.state.engine().is_ready() && play.state.model().is_some_and(|model| model.name == "fixture"));
    play.act(Action::Run { prompt: Some("Meanwhile".to_owned()) });
    let request = play.posted().expect("a run of the model before");
    assert_eq!((request.prompt.as_str(), request.routing), ("Meanwhile", RoutingSpec::default()));
    play.execute(&request, 2);
    assert_eq!(play.num_steps(), 2);
    // It is in the middle of that when the other one is ready.
    let trained = ready_with(&mut play, "hash", "hash:0");
    assert_eq!((play.posted().map(|request| request.routing), play.state.next()), (Some(trained), None));
    play.execute(&request, 2);
    assert!(!play.state.engine().is_at(request.run), "what the worker before still says counts no more");
}

#[test]
fn a_model_that_fails_leaves_the_engine_the_run_and_the_choice() {
    for failed in [Event::Failed { run: None, error: missing(), fatal: false }, Event::Unstartable(missing())] {
        let mut play = live();
        choose(&mut play, "hash");
        loading(&mut play);
        play.act(Action::NextEngine(failed));
        assert_eq!(play.effects[..2], [Effect::EndNext, Effect::SetModel(String::new())]);
        let notice = play.state.notice().expect("a message").problem.say();
        assert_eq!((notice.what, notice.why), (missing().what, missing().why));
        assert!(notice.try_this.starts_with("The model fixture goes on running"), "{}", notice.try_this);
        assert_eq!((play.num_steps(), foreign(&play), play.state.next()), (2, None, None));
        assert_eq!(play.state.config().manifest_url, url("default"));
        play.act(Action::Run { prompt: None });
        assert!(play.posted().is_some(), "the one before can be run");
        // The same one is tried again, and so is another.
        choose(&mut play, "hash");
        assert_eq!(play.effects, [Effect::StartNext, Effect::SetModel("hash".to_owned())]);
        choose(&mut play, "switch");
        assert_eq!(play.effects, [Effect::StartNext, Effect::SetModel("switch".to_owned())]);
        choose(&mut play, "default");
        assert_eq!(play.effects, [Effect::EndNext, Effect::SetModel("default".to_owned())]);
        assert!(play.state.engine().is_ready() && play.state.next().is_none());
    }
}

#[test]
fn where_two_models_find_no_room_the_one_before_makes_way() {
    let lost = Action::NextEngineLost(UserError::new("It stopped.", "no memory", ""));
    let failed = Action::NextEngine(Event::Failed { run: None, error: missing(), fatal: true });
    for action in [lost, failed] {
        let mut play = live();
        choose(&mut play, "hash");
        play.act(action.clone());
        assert_eq!((&play.effects[..], play.state.next()), (&[Effect::StartEngine][..], None));
        assert_eq!(play.state.engine(), &Engine::Starting);
        assert_eq!(play.state.config().manifest_url, url("hash"), "the choice holds");
        play.act(action);
        assert_eq!(play.effects, [], "nothing is loaded beside any more");
    }
}

#[test]
fn an_engine_that_dies_meanwhile_is_replaced_by_the_model_that_was_chosen() {
    let mut play = live();
    choose(&mut play, "hash");
    play.act(Action::EngineLost(UserError::new("It stopped.", "silence", "")));
    assert_eq!(play.effects[..2], [Effect::EndNext, Effect::StartEngine]);
    assert_eq!((play.state.next(), play.state.config().manifest_url.as_str()), (None, url("hash").as_str()));
}

#[test]
fn a_first_model_that_fails_can_be_exchanged() {
    let mut play = Play::with(Config { manifest_url: url("hash"), ..Config::default() });
    play.replay(&recorded()).act(Action::MenuRead(menu()));
    play.hear(Event::Failed { run: None, error: missing(), fatal: false });
    let notice = play.state.notice().expect("a message").problem.say();
    assert!(notice.try_this.ends_with("Or choose another model above."), "{}", notice.try_this);
    // The same one is tried again, another one is loaded.
    choose(&mut play, "hash");
    assert_eq!((&play.effects[..], play.state.notice().is_none()), (&[Effect::StartEngine][..], true));
    choose(&mut play, "default");
    assert_eq!(play.effects, [Effect::StartEngine, Effect::SetModel("default".to_owned())]);
    play.ready();
    let request = play.posted().expect("a run");
    assert_eq!(request.routing, RoutingSpec::default());
    let steps = executed(&request);
    play.hear(Event::Step { trace: steps[0].clone().into(), elapsed_ms: 1.0 });
    assert_eq!((foreign(&play), play.state.engine().is_at(request.run)), (None, true));
}

#[test]
fn the_attribute_and_the_menu_are_one_choice() {
    let mut play = live();
    choose(&mut play, "hash");
    let config = play.state.config().clone();
    // The element hands its attribute back, made absolute by the page.
    let config = Config { model: Some("https://host/models/hash/".to_owned()), ..config };
    play.configure(&config);
    assert_eq!(play.effects, [], "it is the same model");
    let config = Config { model: None, manifest_url: url("default"), ..config };
    play.configure(&config);
    assert_eq!(play.effects, [Effect::EndNext], "the attribute is its author's: nobody sets it back");
    choose(&mut play, "default");
    choose(&mut play, "nowhere");
    assert_eq!(play.effects, [], "it is in use already, and what is not in the list cannot be chosen");
}

#[test]
fn the_attribute_is_a_name_or_an_address_that_is_true_anywhere() {
    let check = |folder: &str, attribute: &str| {
        let mut play = live();
        let mut entry = menu().choices()[1].entry.clone();
        entry.folder = folder.to_owned();
        let menu = Menu::new(vec![entry], |address| format!("https://host/models/{address}")).expect("a model");
        let manifest_url = menu.choices()[0].manifest_url.clone();
        play.act(Action::MenuRead(menu)).act(Action::ChooseModel { manifest_url: manifest_url.clone() });
        assert_eq!(play.effects, [Effect::StartNext, Effect::SetModel(attribute.to_owned())]);
        // What the element makes of it is the same model.
        if attribute != folder {
            assert_eq!(models::manifest_of(attribute), manifest_url);
        }
    };
    check("top2-v1.1", "top2-v1.1");
    check("large/top2", "https://host/models/large/top2/");
    check("../more/top2/manifest.json", "https://host/models/../more/top2/");
    check("top2.json", "https://host/models/top2.json");
}

#[test]
fn what_the_browser_keeps_is_told_and_can_be_removed() {
    let mut play = live();
    assert_eq!(play.state.kept(), None, "nobody has said it yet");
    play.hear(Event::Kept { bytes: 3_769_829, why_not: None });
    assert_eq!(play.state.kept().map(|kept| kept.bytes), Some(3_769_829));
    play.act(Action::RemoveKept);
    assert_eq!(play.effects, [Effect::Post(Command::RemoveKept)]);
    play.hear(Event::Kept { bytes: 0, why_not: None });
    assert_eq!(play.state.kept().map(|kept| kept.bytes), Some(0));
}

#[test]
fn where_nothing_can_be_loaded_there_is_no_menu() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded()).act(Action::MenuRead(menu()));
    assert_eq!(play.state.menu(), None);
    choose(&mut play, "hash");
    assert_eq!(play.state.engine(), &Engine::Absent);
}
