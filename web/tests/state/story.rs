//! In the story a live run plays once by itself, and rests where a token finds its expert full; never against the reader.

use moe_trace::{Event, FinishReason};
use web::run::event::{self, Event as Turned};
use web::run::scene::TokenFate;
use web::settings::Setting;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::settings::place::Place;
use web::settings::view::{PanelName, View};
use web::state::{Action, Effect};

use super::play::{Play, recorded};

/// A page on which the first live run has just come to its end.
fn live(config: Config, before_the_end: &[Action]) -> Play {
    let mut play = Play::with(config);
    play.replay(&recorded()).ready();
    to_its_end(&mut play, before_the_end);
    play
}

/// The run that was asked for comes to its end; before that the reader does this.
fn to_its_end(play: &mut Play, before_the_end: &[Action]) {
    let request = play.posted().expect("a run");
    play.execute(&request, 4);
    for action in before_the_end {
        play.act(action.clone());
    }
    play.hear(Event::Finished { run: request.run, reason: FinishReason::Length });
}

fn at(depth: Depth) -> Config {
    Config { depth, ..Config::default() }
}

fn asks(play: &Play) -> bool {
    play.effects.contains(&Effect::AskToPlay)
}

#[test]
fn the_run_plays_token_by_token_and_rests_where_one_is_turned_away() {
    let mut play = live(at(Depth::Story), &[]);
    assert!(asks(&play));
    play.act(Action::MayPlay);
    let tour = play.state.playback().tour.expect("a tour");
    assert!(play.state.playback().playing);
    let mut seen = vec![play.state.selection().token];
    for _ in 0..60 {
        play.act(Action::Tick);
        seen.push(play.state.selection().token);
    }
    let way: Vec<usize> = (0..=tour.token).collect();
    assert_eq!(seen[..=tour.token], way, "one token after the other");
    let selection = play.state.selection();
    assert_eq!((selection.token, selection.layer, play.scene().step), (tour.token, tour.layer, tour.step));
    assert!(play.scene().layers[tour.layer].fate(tour.token) >= TokenFate::LostSome);
    assert!(!play.state.playback().playing && play.state.playback().tour.is_none());
    // Once, and not again.
    play.act(Action::MayPlay);
    assert!(!play.state.playback().playing);
    // Whoever wants to see it again asks for it.
    play.act(Action::PlayStory);
    assert!(play.state.playback().playing);
}

/// A run of the reader's own words, of which she sees the newest step, comes to its end.
fn own_words(depth: Depth, before_the_end: &[Action]) -> Play {
    let mut play = live(at(depth), &[]);
    play.act(Action::Run { prompt: Some("The cat sat".to_owned()) });
    to_its_end(&mut play, before_the_end);
    play
}

#[test]
fn a_run_of_own_words_rests_where_one_is_turned_away_unless_the_reader_is_elsewhere() {
    let play = own_words(Depth::Story, &[]);
    let (selection, scene) = (play.state.selection(), play.scene());
    assert!(scene.layers[selection.layer].fate(selection.token) >= TokenFate::LostSome);
    let elsewhere = own_words(Depth::Story, &[Action::Select { token: 0, layer: None, expert: None }]);
    assert_eq!(elsewhere.state.selection().token, 0);
    let inspected = own_words(Depth::Inspect, &[]);
    assert_eq!(inspected.state.selection().token, inspected.scene().tokens.len() - 1, "the newest token");
}

#[test]
fn nothing_moves_by_itself_against_the_reader() {
    let check = |config: Config, before: &[Action], why: &str| {
        let mut play = live(config, before);
        assert!(!asks(&play), "{why}");
        play.act(Action::MayPlay);
        assert!(!play.state.playback().playing, "{why}");
    };
    check(at(Depth::Inspect), &[], "only the story does");
    check(
        Config { view: View::Panels(vec![PanelName::Story]), ..at(Depth::Story) },
        &[],
        "a figure in a page does not",
    );
    let place = Place { token: Some(2), ..Place::default() };
    check(Config { place, ..at(Depth::Story) }, &[], "a link leads to a place");
    check(at(Depth::Story), &[Action::Select { token: 3, layer: None, expert: None }], "the reader is elsewhere");
    check(at(Depth::Story), &[Action::StepBy(1)], "the reader steps");
    check(at(Depth::Story), &[Action::Set(Setting::CapacityFactor(2.0))], "the reader tries something");
}

#[test]
fn the_reader_ends_it_by_doing_anything() {
    let ends = [Action::TogglePlay, Action::Select { token: 1, layer: None, expert: None }, Action::StepBy(1)];
    for action in ends {
        let mut play = live(at(Depth::Story), &[]);
        play.act(Action::MayPlay).act(Action::Tick).act(action.clone());
        assert!(!play.state.playback().playing && play.state.playback().tour.is_none(), "{action:?}");
        let selection = play.state.selection();
        play.act(Action::Tick).act(Action::MayPlay);
        assert_eq!(play.state.selection(), selection, "{action:?}");
    }
    // At another depth it has come to rest.
    let mut play = live(at(Depth::Story), &[]);
    play.act(Action::MayPlay);
    let tour = play.state.playback().tour.expect("a tour");
    play.act(Action::SetDepth(Depth::Inspect));
    assert_eq!(play.state.selection().token, tour.token);
    assert!(!play.state.playback().playing);
}

#[test]
fn the_control_gives_as_many_slots_as_it_takes_and_no_more() {
    let mut play = Play::with(at(Depth::Story));
    play.replay(&recorded());
    let (scene, selection) = (play.scene(), play.state.selection());
    let group = scene.groups[0];
    let (layer, routing) = (&scene.layers[selection.layer], play.state.routing());
    let turned = Turned::of(layer, &group, selection.token).expect("turned away");
    assert_eq!(turned.demand, turned.slots + 1, "the fixture turns one away");
    let of = |token| event::room_for(&scene, selection.layer, token, &routing, play.state.settings().group);
    let room = of(selection.token).expect("room can be made");
    assert_eq!(room.slots as usize, turned.slots + 1);
    // C = ceil(factor · 2 · 24 / 8) = ceil(6 · factor): 8 slots at 1.25, 9 from 1.35 on.
    assert_eq!((turned.slots, room.factor), (8, 1.35));
    play.set(Setting::CapacityFactor(room.factor));
    let after = play.state.what_if().cloned().expect("a what-if");
    assert_eq!(after.fate(selection.token), TokenFate::Served);
}
