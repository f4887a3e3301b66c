//! JSON with something wrong in it: still JSON, and nearly what a reader expects.

use serde_json::{Map, Value, json};

use crate::dice::Dice;

/// Numbers that trip somebody up.
const NUMBERS: [&str; 22] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "8",
    "9",
    "16",
    "255",
    "256",
    "1024",
    "65536",
    "65537",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "0.5",
    "-0.0",
    "1e300",
    "-1e39",
];
const TEXTS: [&str; 8] = ["", "x", "\u{0}", "\u{202e}", "\u{feff}", "NaN", "Infinity", "__proto__"];

/// The lines of a file of JSON lines with a few changes, as text: in values, in the order of lines, or in the text itself.
pub fn spoilt_lines(lines: &[Value], dice: &mut Dice) -> Vec<u8> {
    let mut lines = lines.to_vec();
    for _ in 0..1 + dice.below(3) {
        let at = dice.below(lines.len());
        match dice.below(24) {
            0 if !lines.is_empty() => drop(lines.remove(at)),
            1 if !lines.is_empty() => {
                let copy = lines[at].clone();
                lines.insert(dice.below(lines.len() + 1), copy);
            }
            2 if !lines.is_empty() => {
                let other = dice.below(lines.len());
                lines.swap(at, other);
            }
            _ => lines.iter_mut().skip(at).take(1).for_each(|line| spoil(line, dice)),
        }
    }
    let lines: Vec<String> = lines.iter().map(text).collect();
    spoilt_text(lines.join("\n").into_bytes(), dice)
}

/// A value with a few changes, as text.
pub fn spoilt(value: &Value, dice: &mut Dice) -> Vec<u8> {
    let mut value = value.clone();
    for _ in 0..1 + dice.below(3) {
        spoil(&mut value, dice);
    }
    spoilt_text(text(&value).into_bytes(), dice)
}

/// The text of a value. Numbers that no value can hold stand in it as texts.
fn text(value: &Value) -> String {
    value.to_string().replace(&format!("\"{BEGIN}"), "").replace(&format!("{END}\""), "")
}

/// Around a number that stands as a text.
const BEGIN: &str = "<number ";
const END: &str = " number>";

/// Sometimes: a few bytes of the text changed, or its end cut off.
pub fn spoilt_text(mut text: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    match dice.below(40) {
        0 => text.truncate(dice.below(text.len())),
        1 => {
            for _ in 0..1 + dice.below(4) {
                let (at, byte) = (dice.below(text.len()), dice.u64() as u8);
                text.iter_mut().skip(at).take(1).for_each(|of_text| *of_text = byte);
            }
        }
        2 => {
            let nested = *dice.one_of(&["[", "{\"layers\":[", "\""]);
            let at = dice.below(text.len() + 1);
            text.splice(at..at, nested.repeat(1 + dice.below(5000)).into_bytes());
        }
        _ => {}
    }
    text
}

/// Changes one value somewhere in it.
pub fn spoil(value: &mut Value, dice: &mut Dice) {
    let other = nth(&mut value.clone(), dice.below(count(value))).map(|value| value.take());
    let at = dice.below(count(value));
    let Some(place) = nth(value, at) else { return };
    if dice.once_in(12) {
        *place = other.unwrap_or(Value::Null);
        return;
    }
    match place {
        Value::Number(number) => {
            *place = match (dice.below(4), number.as_i64()) {
                (0, Some(number)) => json!(number.wrapping_add(1)),
                (1, Some(number)) => json!(number.wrapping_sub(1)),
                _ => json!(format!("{BEGIN}{}{END}", dice.one_of(&NUMBERS))),
            }
        }
        Value::Array(list) => spoil_list(list, dice),
        Value::Object(fields) => spoil_fields(fields, dice),
        Value::String(text) => {
            let long = text.repeat(1 + dice.below(400));
            *place = if dice.once_in(3) { json!(long) } else { json!(dice.one_of(&TEXTS)) };
        }
        Value::Null | Value::Bool(_) => *place = other.unwrap_or(json!([])),
    }
}

fn spoil_list(list: &mut Vec<Value>, dice: &mut Dice) {
    let at = dice.below(list.len());
    match dice.below(5) {
        0 => list.truncate(at),
        1 if !list.is_empty() => drop(list.remove(at)),
        2 if list.len() > 1 => list.swap(at, 0),
        3 => list.extend(list.get(at).cloned().into_iter().cycle().take(1 + dice.below(300))),
        _ => list.push(list.get(at).cloned().unwrap_or(Value::Null)),
    }
}

fn spoil_fields(fields: &mut Map<String, Value>, dice: &mut Dice) {
    let names: Vec<String> = fields.keys().cloned().collect();
    let (one, other) = match names.as_slice() {
        [] => return drop(fields.insert("x".to_owned(), json!(1))),
        names => (dice.one_of(names).clone(), dice.one_of(names).clone()),
    };
    match dice.below(4) {
        0 => drop(fields.remove(&one)),
        1 => drop(fields.insert(one, Value::Null)),
        2 => {
            let value = fields.get(&other).cloned().unwrap_or_default();
            fields.insert(one, value);
        }
        _ => drop(fields.insert("unheard_of".to_owned(), json!(1))),
    }
}

/// The values in it, itself among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// The one with this number, itself being 0.
fn nth(value: &mut Value, number: usize) -> Option<&mut Value> {
    if number == 0 {
        return Some(value);
    }
    let mut left = number - 1;
    let inner: Vec<&mut Value> = match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => return None,
    };
    for inner in inner {
        match count(inner) {
            size if left < size => return nth(inner, left),
            size => left -= size,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_changes_leave_json_and_nearly_all_change_something() {
        let value = json!({"a": [1, 2.5, "three"], "b": {"c": null, "d": [true]}});
        let outcomes = (0..1000).map(|seed| spoilt(&value, &mut Dice::new(seed)));
        let (mut same, mut json) = (0, 0);
        for outcome in outcomes {
            same += usize::from(outcome == value.to_string().into_bytes());
            json += usize::from(serde_json::from_slice::<Value>(&outcome).is_ok());
        }
        assert!(same < 100 && json > 900, "{same} are the same, {json} are JSON");
    }

    #[test]
    fn every_value_has_a_number() {
        let mut value = json!({"a": [1, 2], "b": 3});
        assert_eq!(count(&value), 5);
        let found: Vec<Value> = (0..6).filter_map(|number| nth(&mut value, number).cloned()).collect();
        assert_eq!(found[1..], [json!([1, 2]), json!(1), json!(2), json!(3)]);
    }
}
