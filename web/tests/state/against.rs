//! A comparison that a link asks for: both runs are computed, and stand side by side as they did where the link was made.

use moe_router::draws::SplitMix64;
use moe_trace::{BackendChoice, Command, Event, FinishReason, Policy, RoutingSpec, RunId, RunRequest, UserError};
use web::run::compare::Change;
use web::run::difference;
use web::run::recording::Recording;
use web::run::shared::Shared;
use web::settings::Setting;
use web::settings::against;
use web::settings::attributes::Config;
use web::state::{Action, Effect, State};

use super::links::{Attributes, read, told};
use super::play::{Play, recorded};

/// Lets the engine answer until nothing is asked for.
fn settle(play: &mut Play) {
    loop {
        if play.effects.contains(&Effect::ScheduleRerun) {
            play.act(Action::Rerun);
        }
        let Some(request) = play.posted() else { return };
        play.execute(&request, 3).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    }
}

/// A page with an engine, which has run what it was to run.
fn live(config: Config) -> Play {
    let mut play = Play::with(Config { backend: BackendChoice::Auto, ..config });
    play.replay(&recorded()).ready();
    settle(&mut play);
    play
}

/// A page that a link with these attributes opens, before its engine is there.
fn opened(against: &str) -> Play {
    let attributes: Attributes = vec![("capacity-factor", "0.75".to_owned()), ("against", against.to_owned())];
    let mut play = Play::with(Config { backend: BackendChoice::Auto, ..read(&attributes) });
    play.replay(&recorded());
    play
}

fn text(play: &Play) -> Option<String> {
    told(&play.state).into_iter().find(|(name, _)| *name == "against").map(|(_, text)| text)
}

fn wander(play: &mut Play, draws: &mut SplitMix64) {
    let mut pick = |most: usize| (draws.u64() % most as u64) as usize;
    for _ in 0..1 + pick(6) {
        let runs: Vec<RunId> = play.state.runs().kept().iter().map(|run| run.run()).collect();
        let any = runs[pick(runs.len())];
        let action = match pick(8) {
            0 => Action::Flip,
            1 => Action::ShowRun(any),
            2 => Action::CompareWith(any),
            3 => Action::Set(Setting::Seed(pick(9) as u32)),
            4 => Action::Set(Setting::Policy(Some([Policy::Bpr, Policy::RandomSecond, Policy::Dropless][pick(3)]))),
            5 => Action::Run { prompt: Some(["a; b\\", "plain"][pick(2)].to_owned()) },
            _ => Action::Set(Setting::CapacityFactor(0.25 + pick(8) as f32 / 4.0)),
        };
        play.act(action);
        settle(play);
    }
    // A seed or a prompt alone runs nothing.
    play.act(Action::Run { prompt: None });
    settle(play);
}

/// The two runs by what was asked for, and what is said of them.
fn compared(state: &State) -> (Option<RunRequest>, Option<RunRequest>, bool, Vec<String>) {
    let (other, shown) = (state.against(), state.on_screen());
    let unnumbered = |run: &Shared<Recording>| RunRequest { run: RunId(0), ..RunRequest::clone(&run.request) };
    let said = other.zip(shown).map(|(other, shown)| difference::differences(other, shown));
    (shown.map(unnumbered), other.map(unnumbered), state.runs().is_flipped(), said.unwrap_or_default())
}

#[test]
fn a_comparison_is_the_same_elsewhere() {
    let mut draws = SplitMix64::new(13);
    let mut num_compared = 0;
    for _ in 0..40 {
        let mut here = live(Config::default());
        wander(&mut here, &mut draws);
        if draws.u64().is_multiple_of(2) {
            here.act(Action::Flip);
        }
        let (shown, other, ..) = compared(&here.state);
        // Of two runs of one request there is nothing to compare.
        if other.is_none() || shown == other {
            continue;
        }
        num_compared += 1;
        let attributes = told(&here.state);
        assert!(text(&here).is_some(), "{attributes:?}");
        let there = live(read(&attributes));
        assert_eq!(compared(&there.state), compared(&here.state), "{attributes:?}");
        let change = |play: &Play| play.state.change().map(|change| Change::clone(change));
        assert_eq!(change(&there), change(&here), "{attributes:?}");
        assert_eq!(told(&there.state), attributes);

        // So it is where somebody has compared other runs before.
        let mut elsewhere = live(Config::default());
        wander(&mut elsewhere, &mut draws);
        elsewhere.act(Action::Show { config: Box::new(read(&attributes)), errors: Vec::new() });
        assert_eq!(text(&elsewhere), text(&here), "a link that is made meanwhile says it too");
        settle(&mut elsewhere);
        assert_eq!(compared(&elsewhere.state), compared(&here.state), "{attributes:?}");
        assert_eq!(told(&elsewhere.state), attributes);
    }
    assert!(num_compared > 20, "{num_compared}");
}

#[test]
fn the_other_run_is_computed_when_the_engine_has_nothing_else_to_do() {
    let mut play = opened("capacity-factor:1.25");
    assert_eq!(text(&play).as_deref(), Some("capacity-factor:1.25"));
    play.ready();
    let first = play.posted().expect("the run of the settings");
    assert_eq!(first.routing, RoutingSpec::with_policy(2, Policy::Drop, 0.75));
    play.execute(&first, 3);
    assert_eq!(play.posted(), None);
    play.hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    let other = play.posted().expect("the run that it is compared with");
    assert_eq!(other.routing, RoutingSpec::default());
    play.execute(&other, 3);
    assert_eq!(play.state.on_screen().map(|run| run.run()), Some(first.run), "nothing moves on the screen");
    play.hear(Event::Finished { run: other.run, reason: FinishReason::Length });

    let before = play.state.against().expect("a comparison");
    assert_eq!((before.run(), before.steps.len(), before.is_live()), (other.run, 3, true));
    // It takes the place of the recorded run, whose request it has.
    let kept: Vec<RunId> = play.state.runs().kept().iter().map(|run| run.run()).collect();
    assert_eq!(kept, [other.run, first.run]);
    assert!(play.state.change().is_some() && !play.state.runs().is_flipped());
    play.act(Action::Flip);
    assert_eq!(text(&play).as_deref(), Some("later;capacity-factor:0.75"));
}

#[test]
fn a_reader_who_sets_something_waits_for_it_no_longer() {
    let mut play = opened("capacity-factor:2");
    play.ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 3).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    let other = play.posted().expect("the other run");
    play.set(Setting::CapacityFactor(0.5));
    assert!(play.effects.contains(&Effect::Post(Command::Stop(other.run))));
    settle(&mut play);
    assert_eq!(text(&play).as_deref(), Some("capacity-factor:0.75"), "the run before");
}

#[test]
fn a_run_that_cannot_be_is_told_and_changes_nothing_else() {
    let mut play = opened("interventions:mute:0,1");
    play.ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 3).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    let other = play.posted().expect("the other run");
    let error = UserError::new("This rule follows no mute.", "It does not look at the gate.", "Take another rule.");
    play.hear(Event::Failed { run: Some(other.run), error: error.clone(), fatal: false });
    let told = play.state.notice().map(|notice| notice.problem.say());
    assert_eq!(told.map(|told| told.what), Some(error.what));
    assert_eq!(play.posted(), None, "it is not tried again");
    assert_eq!(play.state.on_screen().map(|run| run.run()), Some(first.run));
    play.set(Setting::CapacityFactor(0.5));
    settle(&mut play);
    assert_eq!(text(&play).as_deref(), Some("capacity-factor:0.75"), "and the page goes on");
}

#[test]
fn one_that_cannot_be_read_is_told_and_left_out() {
    let text_of = |name: &str| match name {
        "against" => Some("capacity-factor:9".to_owned()),
        "seed" => Some("3".to_owned()),
        _ => None,
    };
    let (config, errors) = Config::read(text_of);
    let whys: Vec<&str> = errors.iter().map(|error| error.why.as_str()).collect();
    assert_eq!(whys, ["“capacity-factor:9” cannot be: Allowed: a number from 0.25 to 4."]);
    assert_eq!((config.against, config.overrides), (None, [Setting::Seed(3)].into_iter().collect()));
    assert!(against::parse("capacity-factor:0.5").is_ok());
}
