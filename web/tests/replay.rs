//! A trace file, written and read back, tells the same run. With `MOE_FIXTURE_DIR` set the fixtures are written there,
//! to look at the page while there is no model.

#[allow(dead_code)]
mod fixture;

use moe_trace::{Policy, RoutingGroup, RoutingSpec, TraceFile};

#[test]
fn trace_files_survive_a_round_trip() {
    let check = |name: &str, file: TraceFile| {
        let lines = fixture::to_json_lines(&file);
        let back =
            TraceFile::from_lines(&lines, serde_json::from_str, serde_json::from_str).expect("it was just written");
        assert_eq!(back, file, "{name}");
        if let Ok(folder) = std::env::var("MOE_FIXTURE_DIR") {
            std::fs::write(format!("{folder}/{name}.jsonl"), lines).expect("the folder can be written");
        }
    };
    let this_text = RoutingGroup::ThisText;
    check("default", fixture::default_trace(RoutingSpec::default(), this_text));
    check("tight", fixture::default_trace(RoutingSpec::with_policy(2, Policy::Drop, 0.75), this_text));
    check("decode", fixture::default_trace(RoutingSpec::default(), RoutingGroup::DecodeStep));
    let rule = |rule: &str| RoutingSpec {
        router: moe_router::rules::parse_router(rule).expect("a rule"),
        ..RoutingSpec::default()
    };
    check("one_expert", fixture::trace_of_rule(rule("top_k:1"), 1, 4));
    check("four_experts", fixture::trace_of_rule(rule("hash:seed=0"), 4, 4));
    check("fifteen_experts", fixture::trace_of_rule(rule("deepseek:k=3"), 15, 4));

    // Emoji and their fragments, a right-to-left text, and 128 tokens.
    let request = || fixture::request(RoutingSpec::with_policy(1, Policy::Bpr, 0.75), this_text, 0);
    let mut emoji = fixture::words("Smile 🙂 and code");
    emoji.extend("👩\u{200d}💻 é".bytes().map(|byte| vec![byte]));
    check("emoji", fixture::trace(1, &emoji, emoji.len(), request()));
    let hebrew = fixture::words("בראשית ברא אלהים את השמים ואת הארץ");
    check("hebrew", fixture::trace(2, &hebrew, hebrew.len(), request()));
    let long = fixture::words(&[fixture::PROMPT; 6].join(" "))[..128].to_vec();
    check("long", fixture::trace(3, &long, 124, fixture::request(RoutingSpec::default(), this_text, 4)));
}
