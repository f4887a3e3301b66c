//! Notices: what is told, and when it is over.

use moe_trace::{BackendChoice, Event, UserError};
use web::settings::Setting;
use web::settings::attributes::Config;
use web::settings::limits::MAX_PROMPT_CHARS;
use web::state::Action;

use super::play::{Play, recorded};

fn ready() -> Play {
    let mut play = Play::new(BackendChoice::Cpu);
    play.replay(&recorded()).ready();
    let request = play.posted().expect("it runs by itself");
    play.execute(&request, 1);
    play
}

fn what(play: &Play) -> Option<String> {
    play.state.notice().map(|notice| notice.problem.say().what)
}

/// The attributes are now these.
fn configure(play: &mut Play, attributes: &[(&str, &str)]) {
    let found = |name: &str| attributes.iter().find(|(of, _)| *of == name);
    let (config, errors) = Config::read(|name| found(name).map(|(_, text)| (*text).to_owned()));
    let config = Config { backend: BackendChoice::Cpu, ..config };
    play.act(Action::Configured { config: Box::new(config), errors });
}

#[test]
fn what_went_wrong_is_over_at_the_next_success() {
    let empty = |play: &mut Play| {
        play.set(Setting::Prompt(String::new())).act(Action::Run { prompt: None });
    };
    let too_long = |play: &mut Play| {
        play.act(Action::Run { prompt: Some("long ".repeat(MAX_PROMPT_CHARS / 5 + 1)) });
    };
    let failed = |play: &mut Play| {
        play.act(Action::Run { prompt: None });
        let run = play.posted().map(|request| request.run);
        play.hear(Event::Failed { run, error: UserError::new("It failed.", "why", "try"), fatal: false });
    };
    for fail in [empty, too_long, failed] as [fn(&mut Play); 3] {
        let mut play = ready();
        fail(&mut play);
        assert!(what(&play).is_some());
        play.act(Action::Run { prompt: Some("Once".to_owned()) });
        let request = play.posted().expect("a run");
        assert!(what(&play).is_some(), "nothing has succeeded yet");
        play.execute(&request, 1);
        assert_eq!(what(&play), None);
    }
}

#[test]
fn a_bad_attribute_is_told_until_it_is_mended() {
    let mut play = ready();
    configure(&mut play, &[("seed", "seven"), ("policy", "none")]);
    let told = what(&play).expect("a notice");
    play.act(Action::Run { prompt: Some("Once".to_owned()) });
    let request = play.posted().expect("a run");
    play.execute(&request, 1);
    assert_eq!(what(&play), Some(told.clone()), "a run mends no attribute");
    configure(&mut play, &[("seed", "seven"), ("policy", "none"), ("capacity-factor", "2")]);
    assert_eq!(what(&play), Some(told.clone()), "nor does another attribute");
    // The other one is still bad.
    let is_of_seed = told.contains("seed");
    configure(&mut play, &[if is_of_seed { ("policy", "none") } else { ("seed", "seven") }]);
    let other = what(&play).expect("a notice");
    assert!(other != told && other.contains(if is_of_seed { "policy" } else { "seed" }), "{other}");
    configure(&mut play, &[]);
    assert_eq!(what(&play), None);
}
