//! A lesson's mistakes, each told at its line and column with what would be right.

use moe_fuzz::{json, trial};
use serde_json::Value;
use web::settings::attributes::ATTRIBUTES;
use web::settings::lesson::{KEYS, Lesson, Measure, PLACE, Quantity, SETTABLE, Seen, Task, limits, unusable};

/// A lesson of one step with these lines in it; the first of them is line 4.
fn with(lines: &str) -> String {
    format!("{{ \"lesson\": 1, \"title\": \"T\",\n\"steps\": [\n{{ \"say\": \"S\",\n{lines}\n}} ] }}\n")
}

/// Line, column and words of every mistake.
fn mistakes(text: &str) -> Vec<String> {
    Lesson::read(text).expect_err(text).iter().map(ToString::to_string).collect()
}

#[test]
fn a_mistake_is_told_at_its_place() {
    let check = |lines: &str, expected: &str| {
        let told = mistakes(&with(lines));
        assert_eq!(told.len(), 1, "{lines}: {told:?}");
        assert!(told[0].starts_with(expected), "{lines}: {told:?}");
    };
    check("\"sya\": \"x\"", "4:1: a step has no “sya”; it may have say, set, goto,");
    check(
        "\"set\": { \"capacity-factor\": 9 }",
        "4:29: capacity-factor=\"9\" cannot be used; write a number from 0.25 to 4",
    );
    check("\"set\": {\n  \"policy\": \"lifo\" }", "5:13: policy=\"lifo\" cannot be used; write drop, bpr,");
    check("\"set\": { \"layer\": 1 }", "4:10: set has no “layer”; it may have depth, model,");
    check("\"set\": { \"model\": \"https://x/\" }", "4:19: model=\"https://x/\" cannot be used; name a model beside");
    check("\"set\": { \"interventions\": \"mute:1\" }", "4:27: interventions=\"mute:1\" cannot be used; “mute:1” does");
    check("\"set\": { \"seed\": true }", "4:18: seed is true or false; write a text or a number");
    check("\"goto\": \"end\"", "4:9: “end” is not a place; write \"overflow\"");
    check("\"goto\": { \"layer\": -1 }", "4:20: layer=\"-1\" cannot be used; write a whole number from 0");
    check("\"lock\": [\"capacity\", \"volume\"]", "4:22: no control is called “volume”; write some of prompt,");
    check("\"predict\": \"loss\"", "4:12: this cannot be predicted; write one of demand, load, gate");
    check("\"ask\": \"A\"", "4:8: ask stands without expect; add \"expect\"");
    check("\"reveal\": \"R\"", "4:11: there is nothing to reveal; ask or predict");
    check("\"ask\": \"\", \"expect\": \"lost == 0\"", "4:8: ask is empty; write a sentence");
    check("\"ask\": \"A\", \"expect\": \"lost = 0\"", "4:24: “lost = 0” compares nothing; write it like dropped == 2,");
    check(
        "\"ask\": \"A\", \"expect\": [\"lost == 0\", \"lots == 0\"]",
        "4:38: nothing is called “lots”; there are step,",
    );
    check("\"ask\": \"A\", \"expect\": \"lost == many\"", "4:32: nothing is called “many”; there are");
    check(
        "\"ask\": \"A\", \"expect\": \"demand > 3\"",
        "4:24: demand needs an expert, counted from 0; write demand(3)",
    );
    check("\"ask\": \"A\", \"expect\": \"lost(1) > 3\"", "4:24: lost has nothing in brackets; write lost alone");
    check(
        "\"ask\": \"A\", \"expect\": \"chosen(0) == 1\"",
        "4:24: chosen needs a choice, counted from 1; write chosen(1)",
    );
    check("\"ask\": \"A\", \"expect\": \"policy > drop\"", "4:31: a word cannot be compared by >; use == or !=");
    check("\"ask\": \"A\", \"expect\": \"lost == NaN\"", "4:32: nothing is called “NaN”;");
    check("\"hint\": \"H\", \"predict\": \"load\"", "4:9: hint stands without expect;");
    check("\"ask\": \"A\", \"expect\": \"lost == 0\", \"predict\": \"load\"", "4:47: a step both asks and predicts;");
    check("\"goto\": { }, \"goto\": { }", "4:14: “goto” is there twice; keep one of them");
    check("\"goto\": { },", "5:1: there is “}”; a key in double quotes;");
    let long = "x".repeat(limits::SENTENCE_CHARS + 1);
    check(&format!("\"predict\": \"load\", \"reveal\": \"{long}\""), "4:30: reveal has 401 characters; say it in 400");
}

#[test]
fn a_whole_file_can_be_wrong_and_all_is_told_at_once() {
    let check = |text: &str, expected: &[&str]| {
        let told = mistakes(text);
        let is_same =
            told.len() == expected.len() && told.iter().zip(expected).all(|(told, one)| told.starts_with(one));
        assert!(is_same, "{text}: {told:?}");
    };
    check("", &["1:1: the file ends here;"]);
    check("[]", &["1:1: a lesson is a list; write an object in { }"]);
    check(
        "{}",
        &["1:1: the number of the format", "1:1: the lesson has no title", "1:1: the lesson has no list of steps"],
    );
    check(
        "{ \"lesson\": 2, \"title\": \"T\", \"steps\": [] }",
        &["1:13: the number", "1:39: there are 0 steps; write 1 to 60"],
    );
    check(
        "{ \"lesson\": 1, \"title\": \"T\", \"steps\": [\n{},\n{ \"say\": 3, \"x\": 1 } ] }",
        &["2:1: the step says nothing;", "3:10: say is a number;", "3:13: a step has no “x”;"],
    );
    check(&" ".repeat(limits::FILE_BYTES + 1), &["1:1: the file has 65537 bytes; a lesson has at most 65536"]);
    // A mark at the beginning shifts nothing.
    check("\u{feff}[]", &["1:1: a lesson is a list;"]);
    let error = unusable("mine", &Lesson::read(&with("\"sya\": 1")).expect_err("a mistake"));
    assert_eq!(error.what, "The lesson mine cannot be opened.");
    assert!(error.why.starts_with("Line 4, column 1: a step has no “sya”; it may have say, "), "{error}");
    assert!(error.try_this.starts_with("The page works without it;"), "{error}");
}

#[test]
fn conditions_compare() {
    let see = |quantity: Quantity| match quantity.measure {
        Measure::Dropped => Some(Seen::Number(2.0)),
        Measure::CapacityFactor => Some(Seen::Number(f64::from(0.8_f32))),
        Measure::Demand => Some(Seen::Number(quantity.index as f64)),
        Measure::Busiest => Some(Seen::Number(7.0)),
        Measure::Policy => Some(Seen::Word("random-second".to_owned())),
        _ => None,
    };
    let check = |condition: &str, expected: bool| {
        let lesson = Lesson::read(&with(&format!("\"ask\": \"A\", \"expect\": \"{condition}\""))).expect("a lesson");
        let Task::Ask(ask) = &lesson.steps[0].task else { panic!("no task") };
        assert_eq!(ask.expect[0].holds(see), expected, "{condition}");
    };
    for (condition, expected) in [
        ("dropped == 2", true),
        ("dropped==3", false),
        ("dropped != 3", true),
        ("dropped < 2", false),
        ("dropped <= 2", true),
        ("dropped > 1.5", true),
        ("dropped >= 3", false),
        // What a slider gives is an f32.
        ("capacity-factor == 0.8", true),
        ("capacity-factor < 0.8", false),
        ("demand( 7 ) == busiest", true),
        ("demand(6) == busiest", false),
        ("policy == random-second", true),
        ("policy != random-second", false),
        // What cannot be seen meets nothing.
        ("expert != 3", false),
        ("dropped == expert", false),
    ] {
        check(condition, expected);
    }
}

#[test]
fn what_a_lesson_may_set_are_attributes() {
    for name in SETTABLE.iter().chain(&PLACE) {
        assert!(ATTRIBUTES.iter().any(|attribute| attribute.name == *name), "{name}");
    }
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/LESSONS.md")).expect("the guide");
    for name in KEYS.iter().map(|key| key.name).chain(Measure::ALL.iter().map(|measure| measure.as_str())) {
        assert!(guide.contains(&format!("`{name}")), "docs/LESSONS.md does not tell of `{name}`");
    }
    // Its example is one.
    let (_, example) = guide.split_once("```json\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    Lesson::read(example).expect("the example of docs/LESSONS.md");
    let in_site = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/site/examples/two-dropped.json");
    assert_eq!(std::fs::read_to_string(in_site).expect("the same in the site"), example);
}

#[test]
fn fuzz_lessons() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/site/lessons/capacity.json");
    let text = std::fs::read_to_string(path).expect("the lesson is there");
    let lesson: Value = serde_json::from_str(&text).expect("it is JSON");
    trial(
        "lessons",
        2000,
        |dice| json::spoilt(&lesson, dice),
        |bytes| match Lesson::read(&String::from_utf8_lossy(bytes)) {
            Ok(_) => true,
            Err(mistakes) => {
                assert!(!mistakes.is_empty());
                false
            }
        },
    );
}
