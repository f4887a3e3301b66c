//! A lesson gone through, as a list of actions: what is set, asked, guessed and shown, and what rests.

use moe_trace::{BackendChoice, Event, FinishReason, UserError};
use web::run::shared::Shared;
use web::settings::Setting;
use web::settings::attributes::Config;
use web::settings::lesson::Lesson;
use web::settings::offered::ControlName;
use web::state::course::Turn;
use web::state::{Action, Effect, State};
use web::views::page::{Page, PageProps};
use yew::Callback;

use crate::drawing::html;
use crate::state::play::{Play, executed, recorded};

const LESSON: &str = r#"{ "lesson": 1, "title": "Try", "steps": [
  { "say": "Look.", "set": { "max-tokens": 9, "capacity-factor": 2 }, "goto": { "layer": 1 }, "lock": "policy" },
  { "say": "How many?", "predict": "demand", "reveal": "So many." },
  { "say": "Now less.", "ask": "Turn somebody away.", "expect": ["layer == 1", "lost > 0"],
    "hint": ["Use the slider.", "Go lower."], "solution": { "capacity-factor": 0.5 }, "reveal": "Somebody lost." } ] }"#;

/// A page that shows the recorded run, with this lesson asked for.
fn asked(backend: BackendChoice) -> Play {
    let mut play = Play::with(Config { backend, lesson: Some("try".to_owned()), ..Config::default() });
    assert!(play.effects.contains(&Effect::FetchLesson("try".to_owned())), "{:?}", play.effects);
    play.act(came("try"));
    play
}

fn came(name: &str) -> Action {
    let lesson = Lesson::read(LESSON).expect("a lesson");
    Action::Lesson(Turn::Came { name: name.to_owned(), read: Ok(Shared::new(lesson)) })
}

fn turn(play: &mut Play, turn: Turn) -> String {
    play.act(Action::Lesson(turn));
    play.state.course().verdict().to_owned()
}

#[test]
fn a_step_sets_what_it_says_once_the_recorded_run_is_there() {
    let mut play = asked(BackendChoice::Auto);
    assert_eq!(play.state.course().step().map(|step| step.say.as_str()), Some("Look."));
    assert_ne!(play.state.settings().new_tokens, 9, "the recorded run would take its place");
    play.replay(&recorded());
    let settings = play.state.settings();
    assert_eq!((settings.new_tokens, settings.capacity_factor, play.state.selection().layer), (9, 2.0, 1));
    assert_eq!(settings.prompt, crate::fixture::PROMPT, "what is not named stays");
    // The engine runs it.
    play.ready();
    let request = play.posted().expect("a run");
    assert_eq!(request.max_new_tokens, 9);
    assert_eq!(turn(&mut play, Turn::Next), "");
    assert!(turn(&mut play, Turn::Reveal).starts_with("The model is at work"));
    play.execute(&request, 4).hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    assert!(turn(&mut play, Turn::Reveal).starts_with("Your bars are off by "));
}

#[test]
fn the_guess_comes_before_the_real_bars_and_the_gap_after_both() {
    let mut play = asked(BackendChoice::Recorded);
    play.replay(&recorded());
    turn(&mut play, Turn::Next);
    assert!(play.state.is_guessing());
    let real = play.state.bars().expect("bars");
    assert_eq!(real.values.iter().sum::<f32>() as usize, 2 * play.scene().tokens.len());
    for (expert, &value) in real.values.iter().enumerate() {
        turn(&mut play, Turn::Guess { expert, value });
    }
    turn(&mut play, Turn::Guess { expert: 2, value: 1e9 });
    turn(&mut play, Turn::Guess { expert: 99, value: 1.0 });
    assert_eq!(play.state.course().guess(2), real.most, "no bar is longer than it can be");
    let verdict = turn(&mut play, Turn::Reveal);
    let furthest = format!("Furthest is expert 2: you drew {:.0}, it is {:.0}.", real.most, real.values[2]);
    assert!(verdict.ends_with(&furthest), "{verdict}");
    assert!(!play.state.is_guessing() && play.state.course().is_done());
    // What was shown is not guessed any more.
    turn(&mut play, Turn::Guess { expert: 2, value: 0.0 });
    assert_eq!(play.state.course().guess(2), real.most);
    // Going back begins the step anew.
    turn(&mut play, Turn::Back);
    turn(&mut play, Turn::Next);
    assert!(play.state.is_guessing() && play.state.course().guess(2) == 0.0);
    for (expert, &value) in real.values.iter().enumerate() {
        turn(&mut play, Turn::Guess { expert, value });
    }
    assert_eq!(turn(&mut play, Turn::Reveal), "Every bar is as you drew it.");
}

#[test]
fn a_task_is_checked_on_what_stands_on_the_screen() {
    let mut play = asked(BackendChoice::Recorded);
    play.replay(&recorded());
    turn(&mut play, Turn::Next);
    turn(&mut play, Turn::Reveal);
    turn(&mut play, Turn::Next);
    let missed = "Not yet: the requests turned away in this layer: 0; it should be more than 0.";
    assert_eq!(turn(&mut play, Turn::Check), format!("{missed} Use the slider."));
    assert_eq!(turn(&mut play, Turn::Check), format!("{missed} Go lower."));
    assert_eq!(turn(&mut play, Turn::Check), format!("{missed} Go lower."));
    assert!(!play.state.course().is_done());
    // The reader does it: without an engine, the layer is routed again from its recorded logits.
    play.set(Setting::CapacityFactor(0.6));
    assert_eq!(turn(&mut play, Turn::Check), "Right.");
    assert!(play.state.course().is_done() && play.state.course().is_at_end());
    // In another layer it is another question.
    turn(&mut play, Turn::Back);
    turn(&mut play, Turn::Skip);
    turn(&mut play, Turn::Next);
    play.act(Action::SelectLayer(0));
    let verdict = turn(&mut play, Turn::Check);
    assert!(verdict.starts_with("Not yet: the layer: 0; it should be 1."), "{verdict}");
    play.act(Action::SelectLayer(1));
    turn(&mut play, Turn::ShowMe);
    assert_eq!(play.state.settings().capacity_factor, 0.5);
    assert_eq!(turn(&mut play, Turn::Check), "Right.");
    // At its end it closes, and the page stays as it is.
    play.act(Action::Lesson(Turn::Next));
    assert!(play.state.course().lesson().is_none() && play.state.config().lesson.is_none());
    assert!(play.effects.contains(&Effect::SetLesson(String::new())));
    assert_eq!(play.state.settings().capacity_factor, 0.5);
}

#[test]
fn controls_rest_where_the_step_says_so() {
    let mut play = asked(BackendChoice::Recorded);
    play.replay(&recorded());
    assert!(play.state.locked().has(ControlName::Policy) && !play.state.locked().has(ControlName::Capacity));
    let before = play.state.settings().clone();
    play.set(Setting::Policy(Some(moe_trace::Policy::Bpr)));
    assert_eq!(*play.state.settings(), before);
    assert_eq!(play.state.course().verdict(), "This control rests at this step of the lesson.");
    play.set(Setting::CapacityFactor(3.0));
    assert_eq!(play.state.settings().capacity_factor, 3.0);
    turn(&mut play, Turn::Next);
    play.set(Setting::Policy(Some(moe_trace::Policy::Bpr)));
    assert_ne!(*play.state.settings(), before, "nothing rests any more");
}

#[test]
fn a_lesson_that_cannot_be_opened_is_told_and_costs_nothing() {
    let mut play = Play::with(Config { lesson: Some("gone".to_owned()), ..Config::default() });
    play.replay(&recorded());
    let before = play.state.settings().clone();
    let error =
        UserError::new("The lesson gone cannot be opened.", "gone.json was answered with status 404.", "Go on.");
    play.act(Action::Lesson(Turn::Came { name: "gone".to_owned(), read: Err(error.clone()) }));
    assert_eq!(play.state.notice().map(|notice| notice.problem.say()), Some(error.clone()));
    assert!(play.effects.contains(&Effect::EmitError(error)));
    assert!(play.state.course().lesson().is_none() && *play.state.settings() == before);
    // One that comes after another was asked for is too late.
    play.act(Action::Lesson(Turn::Open(Some("try".to_owned()))));
    assert!(play.effects.contains(&Effect::SetLesson("try".to_owned())));
    play.act(came("other"));
    assert!(play.state.course().lesson().is_none());
    play.act(came("try"));
    assert!(play.state.course().lesson().is_some());
    // An attribute closes it too.
    play.configure(&Config::default());
    assert!(play.state.course().lesson().is_none());
}

#[test]
fn a_link_opens_it_and_one_without_closes_it() {
    let mut play = Play::new(BackendChoice::Recorded);
    play.replay(&recorded());
    let config = Config { lesson: Some("try".to_owned()), ..Config::default() };
    play.act(Action::Show { config: Box::new(config), errors: Vec::new() });
    assert!(play.effects.contains(&Effect::FetchLesson("try".to_owned())), "{:?}", play.effects);
    play.act(came("try"));
    let told = play.state.shown(&play.state.trained_routing()).attributes();
    assert!(told.contains(&("lesson", "try".to_owned())), "{told:?}");
    play.act(Action::Show { config: Box::default(), errors: Vec::new() });
    assert!(play.state.course().lesson().is_none());
}

fn drawn(turns: fn() -> Vec<Turn>) -> String {
    html::<Page>(move || {
        let mut play = asked(BackendChoice::Recorded);
        play.replay(&recorded());
        for one in turns() {
            turn(&mut play, one);
        }
        PageProps { state: Shared::new(State::clone(&play.state)), dispatch: Callback::noop() }
    })
}

#[test]
fn the_bar_says_where_one_is_and_covers_what_is_to_be_guessed() {
    let first = drawn(Vec::new);
    assert!(
        first.contains("aria-label=\"Lesson: Try\"") && first.contains("1 of 3") && first.contains("Look."),
        "{first}"
    );
    assert!(!first.contains("When an expert is full"), "the policy rests");
    let guessing = drawn(|| vec![Turn::Next]);
    assert_eq!(guessing.matches("type=\"range\"").count(), 8, "a bar for each expert, and no other slider: {guessing}");
    assert!(guessing.contains("Covered until you have drawn what you expect"));
    assert!(!guessing.contains("class=\"lane"), "no picture tells");
    let shown = drawn(|| vec![Turn::Next, Turn::Guess { expert: 0, value: 3.0 }, Turn::Reveal]);
    assert!(shown.contains("Expert 0: drawn 3, real ") && shown.contains("So many.") && shown.contains("class=\"lane"));
    assert!(!shown.contains("Covered until"));
    let stuck = drawn(|| vec![Turn::Next, Turn::Reveal, Turn::Next, Turn::Check]);
    assert!(stuck.contains("Turn somebody away.") && stuck.contains("Show me") && stuck.contains("Skip"), "{stuck}");
}

#[test]
fn nothing_plays_past_the_step_that_a_lesson_looks_at() {
    let file = r#"{ "lesson": 1, "title": "Try", "steps": [{ "say": "Look.", "goto": { "step": 1, "layer": 1 } }] }"#;
    let lesson = Lesson::read(file).expect("a lesson");
    let mut play = Play::with(Config { lesson: Some("try".to_owned()), ..Config::default() });
    play.act(Action::Lesson(Turn::Came { name: "try".to_owned(), read: Ok(Shared::new(lesson)) }));
    play.replay(&recorded());
    assert!(recorded().steps.len() > 2);
    play.act(Action::Tick);
    assert_eq!(play.scene().step, 1);
    // Nor does the live run, whose steps come one after the other.
    play.ready();
    let request = play.posted().expect("a run begins by itself");
    for trace in executed(&request) {
        play.hear(Event::Step { trace: trace.into(), elapsed_ms: 10.0 }).act(Action::Tick);
        assert!(play.scene().step <= 1);
    }
    play.hear(Event::Finished { run: request.run, reason: FinishReason::Length });
    assert_eq!(play.scene().step, 1);
}
