//! Files of schema version 1 stay readable, and say the same.

use moe_trace::{ExpertCount, LayerIdx, SCHEMA_VERSION, Source, TraceFile, TraceFileError};

const OLD: &str = include_str!("fixtures/schema_1.jsonl");

fn read(text: &str) -> Result<TraceFile, TraceFileError> {
    TraceFile::from_lines(text, serde_json::from_str, serde_json::from_str)
}

/// One of this version, line by line.
fn written(file: &TraceFile) -> String {
    let header = serde_json::to_string(&file.header).expect("a header serialises");
    let steps = file.steps.iter().map(|step| serde_json::to_string(step).expect("a step serialises"));
    std::iter::once(header).chain(steps).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_file_of_version_1_is_a_run_of_ours() {
    let file = read(OLD).expect("an old file");
    let header = &file.header;
    assert_eq!((header.schema_version, header.origin.source), (SCHEMA_VERSION, Source::Recorded));
    assert_eq!((header.origin.producer.as_str(), &header.origin.version), ("moe-playground", &None));
    // How many experts a rule asks is the router's to say, and version 1 did not write it down.
    assert_eq!((header.routes.num_layers, header.routes.top_k), (Some(4), None));
    assert_eq!(header.routes.moe_layer_ids, Some([0, 1, 2, 3].map(LayerIdx).to_vec()));
    assert_eq!(header.routes.num_experts, ExpertCount::Exactly(8));
    assert_eq!(header.model.as_ref().map(|model| model.name.as_str()), Some("default"));
    let prompt = header.request.as_ref().map(|request| request.prompt.as_str());
    assert_eq!(prompt, Some("Miss Bennet was very fond of her cousin, and it was"));
    assert_eq!(file.steps.len(), 3);
    assert!(file.steps[0].layers.iter().all(|layer| layer.gate_logits.is_some() && layer.routing().is_some()));
}

/// Steps of version 1 are steps of version 2, to the digit.
#[test]
fn its_steps_are_written_as_they_were() {
    let file = read(OLD).expect("an old file");
    let new = written(&file);
    // The keys of an object have no order.
    let value = |line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON");
    for (old, new) in OLD.lines().zip(new.lines()).skip(1) {
        assert!(value(old) == value(new), "a step is written otherwise than it was");
    }
    assert_eq!(read(&new).expect("a new file"), file);
}

#[test]
fn versions_and_headers_that_nobody_knows_are_refused() {
    let check = |change: (&str, &str), message: &str| {
        let text = OLD.replacen(change.0, change.1, 1);
        assert_ne!(text, OLD, "nothing to change: {change:?}");
        let error = read(&text).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    };
    check(("\"schema_version\":1", "\"schema_version\":3"), "schema version 3; this build reads versions 1 to 2");
    check(("\"schema_version\":1", "\"schema_version\":0"), "schema version 0");
    check(("\"schema_version\":1", "\"schema_version\":2"), "a header of schema version 2 needs routes");
    check(("\"source\":", "\"sauce\":"), "line 1 is not part of a trace: a header of schema version 1 needs source");
    check(("\"step\":1,", "\"step\":1,\"input_start_position\":90,"), "line 3");
    assert!(matches!(read(" \n"), Err(TraceFileError::Empty)));
}
