//! Attributes that change while the page stands, as lists of actions.

use moe_trace::{
    BackendChoice, BackendInfo, Event, FinishReason, ModelInfo, Policy, RoutingGroup, RoutingSpec, Rung, Sampling,
};
use web::settings::Setting;
use web::settings::attributes::{ATTRIBUTES, Attribute, Config, Values};
use web::settings::overrides::Overrides;
use web::settings::routing_choice;
use web::settings::theme::Theme;
use web::state::{Action, Effect};

use super::play::{Play, recorded};
use crate::fixture;

/// The element's attributes are now these.
fn configure(play: &mut Play, attributes: &[(&str, &str)]) {
    let found = |name: &str| attributes.iter().find(|(of, _)| *of == name);
    let (config, errors) = Config::read(|name| found(name).map(|(_, text)| (*text).to_owned()));
    play.act(Action::Configured { config: Box::new(config), errors });
}

/// The overflow policy that is asked for.
fn policy_of(play: &Play) -> Option<Policy> {
    routing_choice::policy(&play.state.routing())
}

/// Values that can be used, and such that cannot.
fn examples(attribute: &Attribute) -> (Vec<String>, &'static [&'static str]) {
    let no_numbers = &["abc", "-1", "1e9", "NaN", "99999999999"];
    match &attribute.values {
        Values::Words(words, _) => (words.iter().map(|word| (*word).to_owned()).collect(), &["nonsense", "0"]),
        Values::Whole(range, _) => (vec![range.start().to_string(), range.end().to_string()], no_numbers),
        Values::Number(range, _) => (vec![range.start().to_string(), range.end().to_string()], no_numbers),
        Values::ZeroOr(range, _) => {
            (vec!["0".to_owned(), range.start().to_string(), range.end().to_string()], no_numbers)
        }
        Values::Text { .. } => (vec!["Some other text".to_owned()], &[]),
        Values::Written(..) if attribute.name == "view" => {
            (vec!["full".to_owned(), "strip lanes".to_owned()], &["tale"])
        }
        Values::Written(..) if attribute.name == "experiment" => {
            (vec!["room sums 7".to_owned(), "collapse".to_owned()], &["nonsense", "room 1 2 x"])
        }
        Values::Written(..) if attribute.name == "lang" => (vec!["en".to_owned(), "zh-Hans".to_owned()], &["tlh", "0"]),
        Values::Written(..) if attribute.name == "controls" => {
            (vec!["none".to_owned(), "capacity step".to_owned()], &["volume"])
        }
        Values::Written(..) => (vec!["switch".to_owned(), "expert_choice:2".to_owned()], &["nonsense", "top_k"]),
        Values::Explained(..) if attribute.name == "batch" => {
            (vec!["one text".to_owned(), "one\ntwo\n".to_owned()], &["1\n2\n3\n4\n5\n6\n7\n8\n9"])
        }
        Values::Explained(..) if attribute.name == "against" => (
            vec!["capacity-factor:0.5".to_owned(), "later; seed:3;prompt: a\\;b".to_owned()],
            &["nonsense", "capacity-factor:9", "theme:dark"],
        ),
        Values::Explained(..) => (vec!["mute:1,3".to_owned(), "none".to_owned()], &["nonsense", "mute:1"]),
        Values::Address(..) => (vec!["elsewhere/".to_owned()], &[]),
    }
}

/// Moments at which an attribute may change that fixes some settings. What the reader has set then is another one.
fn moments(fixes: &Overrides) -> [Play; 4] {
    let before_anything = Play::new(BackendChoice::Auto);
    let mut with_recorded_run = Play::new(BackendChoice::Auto);
    with_recorded_run.replay(&recorded());
    let mut live = Play::new(BackendChoice::Auto);
    live.replay(&recorded()).ready();
    let request = live.posted().expect("a run");
    live.execute(&request, 2).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    let mut after_the_reader = Play::new(BackendChoice::Auto);
    after_the_reader.replay(&recorded());
    let is_free = |setting: &Setting| !fixes.fixes(setting);
    for setting in [Setting::TopK(40), Setting::TopP(0.5), Setting::Seed(99)].into_iter().filter(is_free) {
        after_the_reader.set(setting);
    }
    [before_anything, with_recorded_run, live, after_the_reader]
}

#[test]
fn what_becomes_bad_or_goes_away_goes_back_to_its_default() {
    let shows = |play: &Play| (play.state.config().clone(), play.state.settings().clone(), play.state.screen().theme);
    for attribute in ATTRIBUTES {
        let (good, bad) = examples(attribute);
        for good in &good {
            let (config, _) = Config::read(|name| (name == attribute.name).then(|| good.clone()));
            for (moment, mut play) in moments(&config.overrides).into_iter().enumerate() {
                let default = shows(&play);
                for bad in bad.iter().chain(&[""]) {
                    configure(&mut play, &[(attribute.name, good)]);
                    configure(&mut play, &[(attribute.name, bad)]);
                    assert_eq!(shows(&play), default, "{}: {good}, then {bad}, at {moment}", attribute.name);
                }
                configure(&mut play, &[(attribute.name, good)]);
                configure(&mut play, &[]);
                assert_eq!(shows(&play), default, "{}: {good}, then none, at {moment}", attribute.name);
            }
        }
    }
}

#[test]
fn a_default_comes_from_the_recorded_run_or_the_model_that_was_chosen_since() {
    let file = fixture::default_trace(RoutingSpec::with_policy(2, Policy::Dropless, 1.25), RoutingGroup::ThisText);
    let mut play = Play::new(BackendChoice::Auto);
    // It is there before the recorded run.
    configure(&mut play, &[("policy", "bpr"), ("seed", "42")]);
    play.replay(&file);
    assert_eq!(play.state.settings().prompt, fixture::request_of(&file).prompt, "the rest is the recorded run's");
    assert_eq!((policy_of(&play), play.state.settings().seed), (Some(Policy::Bpr), 42));
    configure(&mut play, &[("seed", "42")]);
    assert_eq!(policy_of(&play), Some(Policy::Dropless));

    let trained_routing = RoutingSpec::with_policy(1, Policy::Bpr, 3.0);
    let of_other = |name: &str| Config { manifest_url: name.to_owned(), ..Config::default() };
    play.act(Action::Configured { config: Box::new(of_other("other")), errors: Vec::new() });
    let backend = BackendInfo { rung: Rung::Cpu, name: "test".to_owned(), why: "asked for".to_owned() };
    let model = ModelInfo { weights_sha256: "other".to_owned(), trained_routing, ..fixture::model() };
    play.hear(Event::Ready { model, backend });
    let (with_factor, _) = Config::read(|name| (name == "capacity-factor").then(|| "0.5".to_owned()));
    for config in [Config { manifest_url: "other".to_owned(), ..with_factor }, of_other("other")] {
        let factor = if config.overrides == Overrides::default() { 3.0 } else { 0.5 };
        play.act(Action::Configured { config: Box::new(config), errors: Vec::new() });
        assert_eq!(play.state.settings().capacity_factor, factor);
    }
}

#[test]
fn what_the_reader_sets_holds_until_the_attribute_changes() {
    let mut play = Play::new(BackendChoice::Auto);
    configure(&mut play, &[("theme", "dark"), ("max-tokens", "5")]);
    play.replay(&recorded()).set(Setting::NewTokens(7)).act(Action::SetTheme(Theme::Light));
    configure(&mut play, &[("theme", "dark"), ("max-tokens", "5"), ("seed", "1")]);
    assert_eq!((play.state.screen().theme, play.state.settings().new_tokens), (Theme::Light, 7));
    configure(&mut play, &[("max-tokens", "6")]);
    assert_eq!((play.state.screen().theme, play.state.settings().new_tokens), (Theme::System, 6));
}

#[test]
fn the_model_runs_as_the_attributes_say() {
    let mut play = Play::new(BackendChoice::Auto);
    configure(&mut play, &[("max-tokens", "5"), ("temperature", "0.7"), ("seed", "3")]);
    play.replay(&recorded()).ready();
    let request = play.posted().expect("a run");
    assert_eq!((request.max_new_tokens, request.seed), (5, 3));
    let Sampling::Random { temperature, .. } = request.sampling else { panic!("{:?}", request.sampling) };
    assert_eq!(temperature, 0.7);
    configure(&mut play, &[("temperature", "0")]);
    assert!(matches!(play.effects[..], [Effect::ScheduleRerun]));
    assert!(play.state.settings().greedy);
}
