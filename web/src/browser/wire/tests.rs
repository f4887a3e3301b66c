//! What is read of plain values is what serde reads of the same text, and what is written is what serde writes: every kind
//! of message for itself.

use std::fmt::Debug;
use std::mem;

use moe_fuzz::{Dice, json, trial};
use moe_trace::{Bytes, Event, RunRequest, SentStep, TraceHeader, TrainCommand, TrainEvent};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::read::{Plain, read};
use super::write::{Made, write};

/// JSON as it is read, or a field that is not there.
#[derive(Clone)]
enum Json {
    Absent,
    Present(Value),
}

impl Json {
    fn value(&self) -> &Value {
        match self {
            Json::Absent => &Value::Null,
            Json::Present(value) => value,
        }
    }
}

impl Plain for Json {
    const ABSENT: Json = Json::Absent;

    fn is_absent(&self) -> bool {
        matches!(self, Json::Absent)
    }

    fn is_nothing(&self) -> bool {
        self.value().is_null()
    }

    fn truth(&self) -> Option<bool> {
        self.value().as_bool()
    }

    fn number(&self) -> Option<f64> {
        self.value().as_f64()
    }

    fn text(&self) -> Option<String> {
        self.value().as_str().map(str::to_owned)
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        None
    }

    fn elements(&self) -> Option<Vec<Json>> {
        Some(self.value().as_array()?.iter().cloned().map(Json::Present).collect())
    }

    fn fields(&self, names: &'static [&'static str]) -> Option<Vec<Json>> {
        let record = self.value().as_object()?;
        Some(names.iter().map(|&name| record.get(name).cloned().map_or(Json::Absent, Json::Present)).collect())
    }

    fn entries(&self) -> Option<Vec<(String, Json)>> {
        let record = self.value().as_object()?;
        Some(record.iter().map(|(name, value)| (name.clone(), Json::Present(value.clone()))).collect())
    }
}

impl Made for Value {
    fn nothing() -> Value {
        Value::Null
    }

    fn truth(value: bool) -> Value {
        value.into()
    }

    fn number(value: f64) -> Value {
        value.into()
    }

    fn text(value: &str) -> Value {
        value.into()
    }

    fn bytes(value: &[u8]) -> Value {
        value.iter().map(|&byte| f64::from(byte)).collect()
    }

    fn list() -> Value {
        json!([])
    }

    fn record() -> Value {
        json!({})
    }

    fn name(name: &'static str) -> Value {
        name.into()
    }

    fn push(&mut self, element: Value) {
        self.as_array_mut().expect("a list").push(element);
    }

    fn set(&mut self, name: Value, value: Value) {
        let name = name.as_str().expect("a name").to_owned();
        self.as_object_mut().expect("a record").insert(name, value);
    }
}

/// The value with every number as JavaScript has it.
fn plain(mut value: Value) -> Value {
    match &mut value {
        Value::Number(number) => return number.as_f64().into(),
        Value::Array(list) => list.iter_mut().for_each(|element| *element = plain(element.take())),
        Value::Object(record) => record.values_mut().for_each(|field| *field = plain(field.take())),
        _ => {}
    }
    value
}

fn ours<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    read(Json::Present(value.clone())).map_err(|error| error.to_string())
}

/// Read and written both ways it is the same; and so it is with each of its fields taken away, complaint included.
fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(value: Value) {
    let serdes = serde_json::from_value::<T>(value.clone()).expect("a value of the type");
    let written: Value = write(&serdes);
    assert_eq!(written, plain(serde_json::to_value(&serdes).expect("it is JSON")), "{value}");
    assert_eq!(ours::<T>(&value), Ok(serdes), "{value}");
    let mut fields = 0;
    while let Some(less) = without(&value, fields) {
        let serdes = serde_json::from_value::<T>(less.clone()).map_err(|error| error.to_string());
        assert_eq!(ours::<T>(&less), serdes, "{less}");
        fields += 1;
    }
}

/// The value without the field of this number, all fields counted, those of its parts too. `None` where there are fewer.
fn without(value: &Value, field: usize) -> Option<Value> {
    fn remove(value: &mut Value, left: &mut usize) -> bool {
        let parts: Vec<&mut Value> = match value {
            Value::Object(record) => {
                if let Some(name) = record.keys().nth(*left).cloned() {
                    record.remove(&name);
                    return true;
                }
                *left -= record.len();
                record.values_mut().collect()
            }
            Value::Array(list) => list.iter_mut().collect(),
            _ => vec![],
        };
        parts.into_iter().any(|part| remove(part, left))
    }
    let (mut value, mut left) = (value.clone(), field);
    remove(&mut value, &mut left).then(|| mem::take(&mut value))
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    truth: bool,
    small: i8,
    large: u64,
    share: f32,
    perhaps: Option<u16>,
    #[serde(default)]
    often: Vec<f64>,
    pair: [u32; 2],
    bytes: Bytes,
    kinds: Vec<Kind>,
    #[serde(default)]
    last: u8,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Bare,
    Holds(String),
    WithFields { one: u32, two: Option<bool> },
}

fn everything() -> Value {
    json!({
        "truth": true, "small": -3, "large": 9_007_199_254_740_991_u64, "share": 0.25, "perhaps": null,
        "often": [1, -2.5], "pair": [1, 2], "bytes": [0, 255], "last": 7, "more": { "of": "no concern" },
        "kinds": ["bare", { "holds": "text" }, { "with_fields": { "one": 1, "two": false } }],
    })
}

#[test]
fn every_kind_of_value() {
    check::<Everything>(everything());
    check::<Kind>(json!({ "bare": null }));
}

#[test]
fn what_is_not_of_the_type_is_refused_as_serde_refuses_it() {
    let refused = |value: Value| {
        let (ours, serdes) = (ours::<Everything>(&value), serde_json::from_value::<Everything>(value.clone()));
        assert!(ours.is_err() && serdes.is_err(), "{value}: {ours:?}, {serdes:?}");
    };
    for (field, wrong) in [
        ("truth", json!(1)),
        ("truth", json!(null)),
        ("small", json!(128)),
        ("large", json!(-1)),
        ("large", json!(0.5)),
        ("share", json!("0.25")),
        ("perhaps", json!(70_000)),
        ("often", json!(null)),
        ("often", json!({ "0": 1 })),
        ("pair", json!([1])),
        ("bytes", json!([256])),
        ("kinds", json!("bare")),
        ("kinds", json!(["other"])),
        ("kinds", json!(["holds"])),
        ("kinds", json!([{}])),
        ("kinds", json!([{ "bare": null, "holds": "text" }])),
        ("kinds", json!([{ "bare": 1 }])),
        ("kinds", json!([{ "with_fields": 1 }])),
    ] {
        let mut value = everything();
        value[field] = wrong;
        refused(value);
    }
    refused(json!(null));
    refused(json!("text"));
    // Larger whole numbers cannot be told apart.
    assert!(ours::<u64>(&json!(9_007_199_254_740_992_u64)).is_err());
}

#[test]
fn a_recorded_run() {
    let text = include_str!("../../../../www/site/traces/default.jsonl");
    for (line, text) in moe_trace::lines(text) {
        let value: Value = serde_json::from_str(text).expect("a line is JSON");
        match line {
            1 => check::<TraceHeader>(value),
            2 => check::<SentStep>(value),
            // The others differ in length.
            _ => assert_eq!(ours::<SentStep>(&value), serde_json::from_str(text).map_err(|error| error.to_string())),
        }
    }
}

#[test]
fn messages_of_a_training() {
    let rule = json!({ "assigns": { "router": { "rule": "switch" }, "overflow": { "kind": "dropless" } } });
    let sizes = json!({ "d_model": 16, "num_layers": 1, "num_heads": 1, "num_experts": 2, "d_expert": 8,
        "num_shared_experts": 0 });
    let request = json!({ "run": 1, "model": sizes, "rule": rule, "text": { "kind": "grammars", "count": 2 },
        "num_sequences": 1, "num_tokens": 8, "learning_rate": 0.01, "losses": [{ "loss": "balance",
        "coefficient": 0.5 }], "bias_step": 0, "seed": 1, "probe": "ab", "snapshot_every": 0,
        "upcycling": { "after_steps": 3, "experts": { "num_experts": 2, "noise": 0.1, "rule": rule } } });
    check::<TrainCommand>(json!({ "start": request }));
    check::<TrainCommand>(json!({ "pause": 1 }));
    check::<TrainEvent>(json!({ "opened": { "run": 1, "request": request, "next_step": 4 } }));
    check::<TrainEvent>(json!({ "started": { "run": 1, "num_parameters": 99, "floor": 1.5 } }));
    check::<TrainEvent>(json!({ "saved": { "run": 1, "next_step": 4, "saved": [1, 2] } }));
    let layer = json!({ "layer": 0, "demand": [1, 2], "load": [1, 2], "num_dropped_tokens": 0, "gate_entropy": 0.5 });
    check::<TrainEvent>(
        json!({ "step": { "run": 1, "step": 0, "next_token": 1.5, "auxiliary": [1], "gradient_norm": 1,
        "tokens_per_second": 10.5, "layers": [layer] } }),
    );
    check::<TrainEvent>(json!({ "failed": { "run": 1, "fatal": true, "error": { "what": "It ended.", "why": "So.",
        "try_this": "Again." } } }));
}

#[test]
fn fuzz_event() {
    let text = include_str!("../../../../www/site/traces/default.jsonl");
    let steps: Vec<Value> =
        text.lines().skip(1).take(2).map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let good: Vec<Value> =
        steps.into_iter().map(|step| json!({ "step": { "trace": step, "elapsed_ms": 1.5 } })).collect();
    let spoilt = |dice: &mut Dice| json::spoilt(&good[dice.below(good.len())], dice);
    trial("a worker's step, read from an object", 300, spoilt, |text| {
        let Ok(value) = serde_json::from_slice::<Value>(text) else { return false };
        let (ours, serdes) = (ours::<Event>(&value), serde_json::from_value::<Event>(value));
        if let (Ok(ours), Ok(serdes)) = (&ours, &serdes) {
            assert_eq!(ours, serdes);
        }
        ours.is_ok()
    });
}

#[test]
fn a_request_of_an_older_version() {
    check::<RunRequest>(
        json!({ "run": 0, "prompt": "The cat", "max_new_tokens": 3, "sampling": { "method": "greedy" },
        "routing": { "router": { "rule": "switch" }, "overflow": { "kind": "dropless" } }, "group": "this_text",
        "seed": 7 }),
    );
}
