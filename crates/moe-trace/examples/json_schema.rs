//! Prints the JSON Schema of the lines of a trace file. `cargo xtask codegen` writes it to docs; the test below fails when
//! that file is stale.

use moe_trace::{SCHEMA_VERSION, SentStep, TraceHeader};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

fn main() {
    print!("{}", schema());
}

/// A line is a header or a step; which, its place tells.
fn schema() -> String {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let lines = [generator.subschema_for::<TraceHeader>(), generator.subschema_for::<SentStep>()];
    let definitions: Value = generator.take_definitions(true).into();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("A line of a trace file, schema version {SCHEMA_VERSION}"),
        "description": "The first line is a TraceHeader, every other one a step. See TRACE_FORMAT.md. \
            Generated from crates/moe-trace by `cargo xtask codegen`.",
        "oneOf": lines,
        "$defs": definitions,
    });
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::schema;

    #[test]
    fn the_committed_schema_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trace.schema.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == schema(), "{path} is stale: run `cargo xtask codegen`");
    }
}
