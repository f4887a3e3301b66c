//! Checks lessons as the page reads them, or prints the JSON Schema of one: `cargo xtask lesson check FILE…`, and
//! `cargo run -p web --example lesson -- schema`, which `cargo xtask codegen` writes to docs.
//!
//! The schema says of a condition only how it may be written; the reader, which this program runs, says more.

use std::fs;
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use web::settings::attributes::{ATTRIBUTES, Values};
use web::settings::lesson::{COMPARISONS, KEYS, Lesson, Measure, PLACE, Predicted, SETTABLE, Shape, VERSION, limits};
use web::settings::offered::ControlName;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((what, [])) if what == "schema" => print!("{}", schema()),
        Some((what, files)) if what == "check" && !files.is_empty() => {
            let num_bad = files.iter().filter(|file| !check(file)).count();
            return if num_bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        _ => {
            eprintln!("usage: lesson check FILE… | lesson schema");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Tells every mistake of a file, as compilers do.
fn check(file: &str) -> bool {
    let text = match fs::read(file).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            eprintln!("{file}: this is not text; save it as UTF-8");
            return false;
        }
        Err(error) => {
            eprintln!("{file}: {error}");
            return false;
        }
    };
    match Lesson::read(&text) {
        Ok(lesson) => println!("{file}: {} steps, no mistake", lesson.steps.len()),
        Err(mistakes) => {
            for mistake in &mistakes {
                eprintln!("{file}:{mistake}");
            }
            return false;
        }
    }
    true
}

fn schema() -> String {
    let properties: Map<String, Value> = KEYS
        .iter()
        .map(|key| {
            let mut shape = shape(key.shape);
            shape["description"] = key.doc.into();
            (key.name.to_owned(), shape)
        })
        .collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("A lesson, format {VERSION}"),
        "description": "See LESSONS.md. Generated from web/src/settings/lesson by `cargo xtask codegen`.",
        "type": "object",
        "additionalProperties": false,
        "required": ["lesson", "title", "steps"],
        "properties": {
            "$schema": { "type": "string" },
            "lesson": { "const": VERSION },
            "title": text(limits::TITLE_CHARS),
            "steps": { "type": "array", "minItems": 1, "maxItems": limits::STEPS, "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["say"],
                "properties": properties,
                "dependentRequired": {
                    "ask": ["expect"], "expect": ["ask"], "hint": ["expect"], "solution": ["expect"],
                },
                "not": { "required": ["ask", "predict"] },
            } },
        },
    });
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

fn text(most: usize) -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": most })
}

/// One of these, or a list of some.
fn one_or_more(one: &Value, most: usize) -> Value {
    json!({ "anyOf": [one, { "type": "array", "minItems": 1, "maxItems": most, "items": one }] })
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Sentence => text(limits::SENTENCE_CHARS),
        Shape::Sentences(most) => one_or_more(&text(limits::SENTENCE_CHARS), most),
        Shape::Conditions => {
            let names: Vec<&str> = Measure::ALL.iter().map(|measure| measure.as_str()).collect();
            let signs: Vec<&str> = COMPARISONS.iter().map(|(sign, _)| *sign).collect();
            let pattern = format!(r"^\s*({})\s*(\(\s*\d+\s*\))?\s*({}).+$", names.join("|"), signs.join("|"));
            one_or_more(&json!({ "type": "string", "pattern": pattern }), limits::CONDITIONS)
        }
        Shape::Attributes => attributes(&SETTABLE),
        Shape::AttributesAndPlace => attributes(&[&SETTABLE[..], &PLACE].concat()),
        Shape::Place => json!({ "anyOf": [{ "const": "overflow" }, attributes(&PLACE)] }),
        Shape::Controls => {
            let names: Vec<&str> = ControlName::ALL.iter().map(|control| control.as_str()).collect();
            one_or_more(&json!({ "enum": names }), names.len())
        }
        Shape::Predicted => json!({ "enum": Predicted::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>() }),
    }
}

/// Rows of the table of attributes, as an object.
fn attributes(names: &[&str]) -> Value {
    let of_name = |name: &&str| {
        let row = ATTRIBUTES.iter().find(|row| row.name == *name).expect("it is in the table");
        let written = match &row.values {
            Values::Words(words, _) => json!({ "enum": words }),
            _ => json!({ "type": ["string", "number"] }),
        };
        let mut written = written;
        written["description"] = format!("{} Values: {}.", row.doc.text, row.values).into();
        ((*name).to_owned(), written)
    };
    let properties: Map<String, Value> = names.iter().map(of_name).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lesson.schema.json");
        let committed = fs::read_to_string(path).unwrap_or_default();
        // In which order JSON has its keys depends on the features that other packages ask of the parser.
        let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
        assert!(
            parsed(&committed).is_some() && parsed(&committed) == parsed(&schema()),
            "{path} is stale: run `cargo xtask codegen`"
        );
    }
}
