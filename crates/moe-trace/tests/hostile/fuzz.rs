//! The small files and the messages of an engine, spoilt: no panic, no hang, no more memory than their length allows.

use moe_fuzz::{json, trial};
use moe_trace::{Event, ModelEntry, TrainEvent, check_entry};
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

/// What the training lab's worker says: a step, and a kept state with the routes of its probe.
#[test]
fn fuzz_training_events() {
    let lines = ours();
    let layers = &lines[1]["layers"];
    let routed = json!({
        "layer": 0, "demand": [3, 0, 1], "load": [2, 0, 1], "num_dropped_tokens": 1, "gate_entropy": 0.5, "shares": null,
    });
    let step = json!({"step": {
        "run": 1, "step": 7, "next_token": 2.5, "auxiliary": [1.25], "gradient_norm": 0.5, "tokens_per_second": 900.0,
        "layers": [routed],
    }});
    let snapshot = json!({"snapshot": {
        "run": 1, "snapshot": 2, "num_steps": 20, "held_out": 2.5, "held_out_bits_per_byte": 3.6,
        "kinds": [{"name": "sums", "held_out": 2.5, "demand": [[3, 0, 1], [1, 1, 2]]}],
        "probe_tokens": [[97], [98]], "probe_layers": layers,
        "gates": [{"layer": 0, "num_experts": 3, "values": [0.5, -0.5, 0.25]}], "spread": [0.1, 0.2], "sample": "ab",
    }});
    let reader = |bytes: &[u8]| serde_json::from_slice::<TrainEvent>(bytes).is_ok();
    for event in [step, snapshot] {
        assert!(reader(event.to_string().as_bytes()), "{event}");
        trial("training events", 1000, |dice| json::spoilt(&event, dice), reader);
    }
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
