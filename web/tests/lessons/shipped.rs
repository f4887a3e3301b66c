//! The lessons of the playground's own: every task can be done, none is done before it is asked, and what they say is what
//! the shipped recorded run and the committed measurements say.
//!
//! They are gone through on the recorded run. Its first layer sees the same inputs whatever is turned away there, so what
//! its gate logits give under another routing is exact; what needs another model or text is left to the browser's tests.

use std::fs;
use std::path::PathBuf;

use moe_trace::{BackendChoice, TraceFile, TraceHeader};
use serde_json::Value;
use web::run::shared::Shared;
use web::settings::attributes::Config;
use web::settings::lesson::{Ask, Lesson, SHIPPED, Seen, Task};
use web::state::course::Turn;
use web::state::{Action, replay};
use web::words::lesson as words;

use crate::state::play::Play;

fn read(path: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lesson(name: &str) -> Lesson {
    Lesson::read(&read(&format!("www/site/lessons/{name}.json"))).unwrap_or_else(|told| panic!("{name}: {told:?}"))
}

/// The recorded run that comes with the page.
fn shipped_run() -> TraceFile {
    let text = read("www/site/traces/default.jsonl");
    let mut lines = moe_trace::lines(&text);
    let (_, first) = lines.next().expect("a header");
    let header: TraceHeader = serde_json::from_str(first).expect("a header");
    let mut reader = replay::reader(header.clone()).expect("a run of ours");
    let step = |(_, line): (usize, &str)| {
        replay::read(&mut reader, serde_json::from_str(line).expect("a step")).expect("a step that can be drawn")
    };
    TraceFile { header, steps: lines.map(step).collect() }
}

fn turn(play: &mut Play, turn: Turn) {
    play.act(Action::Lesson(turn));
}

/// A page without an engine, at the first step of this lesson.
fn at_first_step(name: &str) -> Play {
    let config = Config { backend: BackendChoice::Recorded, lesson: Some(name.to_owned()), ..Config::default() };
    let mut play = Play::with(config);
    play.replay(&shipped_run());
    turn(&mut play, Turn::Came { name: name.to_owned(), read: Ok(Shared::new(lesson(name))) });
    play
}

/// Does this step, by the author's solution; tells whether that was possible without an engine. `where_` is for messages.
fn do_step(play: &mut Play, where_: &str) -> bool {
    let step = play.state.course().step().expect("a step").clone();
    let without_engine = play.state.why_not_yet();
    if let Some(why) = without_engine {
        assert!(words::is_final(why), "{where_}: {why}");
        turn(play, Turn::Skip);
        return false;
    }
    match &step.task {
        Task::None => {}
        Task::Predict(_) => {
            assert!(play.state.bars().is_some(), "{where_}: there is nothing to guess");
            turn(play, Turn::Reveal);
        }
        Task::Ask(ask) => {
            turn(play, Turn::Check);
            assert!(!play.state.course().is_done(), "{where_} is done before it is asked");
            assert!(!ask.solution.is_empty(), "{where_} has no solution");
            turn(play, Turn::ShowMe);
            turn(play, Turn::Check);
            let is_exact = play.state.what_if().is_none() || play.state.selection().layer == 0;
            assert!(is_exact, "{where_}: only the first layer can be routed again exactly");
        }
    }
    let course = play.state.course();
    assert!(course.is_done(), "{where_}: {}", course.verdict());
    true
}

#[test]
fn the_files_are_those_of_the_list() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../www/site/lessons"));
    let mut files: Vec<String> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut listed = SHIPPED.map(|(name, _)| format!("{name}.json"));
    listed.sort();
    assert_eq!(files, listed);
    for (name, title) in SHIPPED {
        assert_eq!(lesson(name).title, title);
    }
}

#[test]
fn every_task_can_be_done_and_none_is_done_already() {
    // The steps that need another model or another text.
    for (name, with_engine) in [
        ("gate", vec![]),
        ("capacity", vec![]),
        ("policies", vec![]),
        ("balance", vec![2, 3, 4]),
        ("specialise", vec![3, 4, 5, 6]),
    ] {
        let mut play = at_first_step(name);
        let num_steps = lesson(name).steps.len();
        for number in 0..num_steps {
            let done = do_step(&mut play, &format!("{name}, step {number}"));
            assert_eq!(done, !with_engine.contains(&number), "{name}, step {number}");
            turn(&mut play, Turn::Next);
        }
        assert!(play.state.course().lesson().is_none(), "{name} has come to its end");
    }
}

/// Does this condition hold after the step, at this token?
fn holds(play: &mut Play, token: usize, condition: &str) -> bool {
    let step = format!(r#"{{ "say": "x", "ask": "x", "expect": "{condition}" }}"#);
    let file = format!(r#"{{ "lesson": 1, "title": "x", "steps": [{step}] }}"#);
    let lesson = Lesson::read(&file).unwrap_or_else(|told| panic!("{condition}: {told:?}"));
    let Task::Ask(Ask { expect, .. }) = &lesson.steps[0].task else { panic!("no task") };
    play.act(Action::Select { token, layer: None, expert: None });
    let observed = play.state.observed().expect("a moment");
    let seen: Option<Seen> = observed.see(expect[0].quantity);
    assert!(seen.is_some(), "{condition} cannot be seen");
    expect[0].holds(|quantity| observed.see(quantity))
}

#[test]
fn what_they_say_of_the_run_is_true() {
    // After which step of which lesson, at which token.
    let claims = [
        // “the largest share is less than a half”, and it has a favourite
        ("gate", 2, 17, "gate(2) < 0.5"),
        ("gate", 2, 17, "gate(2) > 0.35"),
        ("gate", 2, 17, "chosen(1) == 2"),
        // “another expert”
        ("gate", 4, 17, "chosen(1) == 0"),
        ("capacity", 0, 19, "capacity == 7"),
        ("capacity", 0, 19, "tokens == 20"),
        // “one expert is asked only once; the busiest ones six times”
        ("capacity", 1, 19, "min-demand == 1"),
        ("capacity", 1, 19, "max-demand == 6"),
        ("capacity", 1, 19, "lost == 0"),
        // “the “ was” at the end”
        ("capacity", 2, 19, "turned-away == 2"),
        ("capacity", 2, 19, "capacity == 5"),
        // “nobody before token 10”, who is; “4 slots”
        ("capacity", 3, 10, "turned-away == 1"),
        ("capacity", 3, 19, "capacity == 4"),
        ("capacity", 4, 19, "capacity == 6"),
        ("policies", 0, 19, "lost == 4"),
        ("policies", 0, 19, "dropped == 1"),
        ("policies", 0, 19, "capacity == 5"),
        // “still four, all second choices, so no token is dropped”
        ("policies", 2, 19, "lost == 4"),
        ("policies", 2, 19, "dropped == 0"),
        ("policies", 3, 19, "turned-away == 0"),
        // “each expert is asked at least three times”
        ("balance", 1, 0, "min-demand == 3"),
        ("specialise", 1, 6, "chosen(1) == 3"),
        ("specialise", 2, 19, "chosen(1) == 3"),
    ];
    for (name, number, token, condition) in claims {
        let mut play = at_first_step(name);
        for step in 0..=number {
            do_step(&mut play, &format!("{name}, step {step}"));
            if step < number {
                turn(&mut play, Turn::Next);
            }
        }
        assert!(holds(&mut play, token, condition), "{name}, step {number}, token {token}: {condition}");
    }
    // “nobody before token 10 was turned away”
    let mut play = at_first_step("capacity");
    for step in 0..=3 {
        do_step(&mut play, "capacity");
        if step < 3 {
            turn(&mut play, Turn::Next);
        }
    }
    for token in 0..10 {
        assert!(holds(&mut play, token, "turned-away == 0"), "token {token}");
    }
    let text = |token: usize| play.scene().token_text(token).to_owned();
    assert_eq!([2, 6, 17, 18, 19].map(text), [" B", " was", " and", " it", " was"]);
}

#[test]
fn what_they_say_of_the_models_was_measured() {
    let findings = read("docs/FINDINGS.md");
    let check = |name: &str, said: &str, measured: &str| {
        let file = read(&format!("www/site/lessons/{name}.json"));
        assert!(file.contains(said), "{name} does not say “{said}”");
        assert!(findings.contains(measured), "docs/FINDINGS.md does not say “{measured}”");
    };
    check(
        "balance",
        "without the loss the requests per expert vary by 0.52 of their mean, with it by 0.12; 19.6 % and 3.9 % of the",
        "Demand varies by 0.52 of its mean without the loss and 0.12 with it",
    );
    check("balance", "19.6 % and 3.9 %", "19.6 % and 3.9 % of requests are lost");
    check("specialise", "40.6 % of what there is to know", "In default the id tells 40.6 % of the experts' entropy");
    check("specialise", "The kind of text tells only 1.3 %", "the kind of text 1.3 %");
    check("specialise", "The position tells 0.0 %", "the position 0.0 %");
    check("specialise", "50.8 % in layer 0 and 30.8 % in layer 3", "The id tells layer 0 50.8 %");
    check("specialise", "50.8 % in layer 0 and 30.8 % in layer 3", "layer 3 30.8 % of the experts' entropy");

    let of_kind = |model: &str, kind: &str| -> (Vec<Vec<f64>>, f64) {
        let evaluation: Value =
            serde_json::from_str(&read(&format!("www/site/models/{model}/evaluation.json"))).expect("JSON");
        let domains = evaluation["domains"].as_array().expect("kinds of text");
        let of_kind = domains.iter().find(|domain| domain["name"] == kind).expect("this kind");
        let layers = of_kind["as_trained"]["demand"].as_array().expect("layers").iter();
        let counts = layers.map(|layer| layer.as_array().expect("experts").iter().filter_map(Value::as_f64).collect());
        (counts.collect(), of_kind["as_trained"]["lost"].as_f64().expect("a share"))
    };
    let demand = |model: &str, kind: &str, layer: usize| -> Vec<f64> {
        let counts = of_kind(model, kind).0.swap_remove(layer);
        let sum: f64 = counts.iter().sum();
        counts.iter().map(|count| count / sum).collect()
    };
    // “those three together get 4.6 %”
    let mut shares = demand("unbalanced", "prose", 1);
    shares.sort_by(f64::total_cmp);
    assert_eq!(format!("{:.1}", 100.0 * shares[..3].iter().sum::<f64>()), "4.6");
    // “every expert of layer 0 gets at least 5 % of the requests, and none gets 20 %”
    let shares = demand("default", "spanish", 0);
    assert!(shares.iter().all(|share| (0.05..0.2).contains(share)), "{shares:?}");
    // “of Spanish 79 % ask expert 5 of this layer and 75 % expert 3; of prose 3 % and 14 %”: each token asks two.
    let asked = |kind: &str, expert: usize| format!("{:.0}", 200.0 * demand("global-batch", kind, 3)[expert]);
    let found = [("spanish", 5), ("spanish", 3), ("prose", 5), ("prose", 3)].map(|(kind, expert)| asked(kind, expert));
    assert_eq!(found, ["79", "75", "3", "14"]);
    // “12.0 % of the requests of Spanish are turned away there, in the model of this page 3.7 %”
    let lost = ["global-batch", "default"].map(|model| format!("{:.1}", 100.0 * of_kind(model, "spanish").1));
    assert_eq!(lost, ["12.0", "3.7"]);
}
