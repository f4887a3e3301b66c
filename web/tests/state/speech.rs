//! In which language the page speaks, as lists of actions.

use web::settings::attributes::Config;
use web::state::{Action, Effect};
use web::words::tongue::Language;

use super::play::Play;

const CHINESE: Language = Language::Chinese;
const ENGLISH: Language = Language::English;

fn asked(language: Option<Language>, own_language: Language) -> Config {
    Config { language, own_language, ..Config::default() }
}

fn learned(read: Result<(), &str>) -> Action {
    Action::Learned { language: CHINESE, read: read.map_err(str::to_owned) }
}

/// What the page speaks, and what the switch shows.
fn check(play: &Play, spoken: Language, chosen: Language) {
    let speech = play.state.speech();
    assert_eq!((speech.spoken(), speech.chosen()), (spoken, chosen));
}

fn learns(play: &Play) -> bool {
    play.effects.contains(&Effect::Learn(CHINESE))
}

#[test]
fn english_needs_nothing() {
    let play = Play::with(Config::default());
    assert!(!learns(&play));
    check(&play, ENGLISH, ENGLISH);
}

#[test]
fn the_document_says_the_language_where_nobody_does() {
    let mut play = Play::with(asked(None, CHINESE));
    assert!(learns(&play));
    check(&play, ENGLISH, CHINESE);
    play.act(learned(Ok(())));
    check(&play, CHINESE, CHINESE);
    assert_eq!(play.state.speech().asked(), None, "a link leaves it to the document it is opened in");
    check(&Play::with(asked(Some(ENGLISH), CHINESE)), ENGLISH, ENGLISH);
}

#[test]
fn the_reader_switches_and_the_link_says_so() {
    let mut play = Play::with(Config::default());
    play.act(Action::SetLanguage(CHINESE));
    assert!(learns(&play));
    check(&play, ENGLISH, CHINESE);
    play.act(learned(Ok(())));
    check(&play, CHINESE, CHINESE);
    let trained = play.state.trained_routing();
    assert!(play.state.shown(&trained).attributes().contains(&("lang", "zh".to_owned())));
    play.act(Action::SetLanguage(ENGLISH));
    check(&play, ENGLISH, ENGLISH);
    // What comes late is not wanted any more.
    play.act(learned(Ok(())));
    check(&play, ENGLISH, ENGLISH);
}

#[test]
fn a_catalogue_that_is_missing_is_told_to_who_asked_by_hand() {
    let mut play = Play::with(asked(None, CHINESE));
    play.act(learned(Err("zh.json was answered with status 404.")));
    check(&play, ENGLISH, ENGLISH);
    assert!(play.state.notice().is_none(), "nobody asked");

    for _ in 0..2 {
        play.act(Action::SetLanguage(CHINESE));
        assert!(learns(&play), "it is asked for again");
        check(&play, ENGLISH, CHINESE);
        play.act(learned(Err("zh.json was answered with status 404.")));
        check(&play, ENGLISH, ENGLISH);
        let error = play.state.notice().expect("a notice").problem.say();
        assert_eq!(error.what, "The sentences in 中文 could not be loaded.");
        assert!(error.why.contains("404") && error.try_this.contains("English"), "{error:?}");
        play.act(Action::DismissNotice);
    }
}

#[test]
fn an_attribute_that_changes_takes_effect() {
    let mut play = Play::with(asked(Some(CHINESE), ENGLISH));
    play.act(learned(Ok(())));
    play.configure(&asked(None, ENGLISH));
    check(&play, ENGLISH, ENGLISH);
    play.configure(&asked(Some(CHINESE), ENGLISH));
    assert!(learns(&play));
    // Nothing is asked for again when another attribute changes.
    play.act(learned(Ok(())));
    play.configure(&Config { no_letter_keys: true, ..asked(Some(CHINESE), ENGLISH) });
    assert!(!learns(&play));
    check(&play, CHINESE, CHINESE);
}
