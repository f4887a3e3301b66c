//! The small files and the messages of an engine, spoilt: no panic, no hang, no more memory than their length allows.

use moe_fuzz::{json, trial};
use moe_trace::{Event, ModelEntry, check_entry};
use serde_json::json;

use super::small::{in_step, ours, read, theirs};

fn read_bytes(bytes: &[u8]) -> bool {
    read(&String::from_utf8_lossy(bytes)).is_ok()
}

#[test]
fn fuzz_traces_of_ours() {
    let lines = ours();
    trial("traces of ours", 2000, |dice| json::spoilt_lines(&lines, dice), read_bytes);
}

#[test]
fn fuzz_batches() {
    let lines = in_step();
    trial("batches", 2000, |dice| json::spoilt_lines(&lines, dice), read_bytes);
}

#[test]
fn fuzz_traces_of_others() {
    let lines = theirs();
    trial("traces of others", 2000, |dice| json::spoilt_lines(&lines, dice), read_bytes);
}

/// A step as an engine sends it, after the step before.
#[test]
fn fuzz_events() {
    let lines = ours();
    let previous = read(&super::small::text(&lines[..3])).expect("two steps").steps.pop();
    let event = json!({"step": {"trace": lines[3], "elapsed_ms": 1.5}});
    let reader = |bytes: &[u8]| match serde_json::from_slice::<Event>(bytes) {
        Ok(Event::Step { trace, .. }) => trace.expand(previous.as_ref()).is_ok(),
        other => other.is_ok(),
    };
    trial("events", 2000, |dice| json::spoilt(&event, dice), reader);
}

#[test]
fn fuzz_lists_of_models() {
    let entry = json!({
        "name": "default", "title": "Default", "folder": "default", "download_bytes": 3_800_000, "num_parameters": 3_500_000,
        "num_active_parameters": 1_100_000, "num_experts": 8, "rule": "top_k:2",
    });
    let list = json!([entry, entry]);
    let reader = |bytes: &[u8]| {
        let list = serde_json::from_slice::<Vec<ModelEntry>>(bytes);
        list.is_ok_and(|list| list.iter().enumerate().all(|(number, entry)| check_entry(number, entry).is_ok()))
    };
    trial("lists of models", 2000, |dice| json::spoilt(&list, dice), reader);
}
