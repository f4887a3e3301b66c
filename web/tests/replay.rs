//! A trace file, written and read back, tells the same run. With `MOE_FIXTURE_OUT` set the fixture is written there.

mod fixture;

use moe_trace::{RoutingGroup, RoutingSpec, TraceFile};

#[test]
fn a_trace_file_survives_a_round_trip() {
    let file = fixture::default_trace(RoutingSpec::default(), RoutingGroup::ThisText);
    let lines = fixture::to_json_lines(&file);
    let back = TraceFile::from_lines(&lines, serde_json::from_str, serde_json::from_str).expect("it was just written");
    assert_eq!(back, file);
    if let Ok(path) = std::env::var("MOE_FIXTURE_OUT") {
        std::fs::write(path, lines).expect("the path can be written");
    }
}
