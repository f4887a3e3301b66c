//! A trace file, written and read back, tells the same run. With `MOE_FIXTURE_DIR` set the fixtures are written there,
//! to look at the page while there is no model.

#[allow(dead_code)]
mod fixture;

use std::rc::Rc;

use moe_trace::{Policy, RoutingGroup, RoutingSpec, SentStep, Source, TraceFile};
use web::run::recording::Recording;

/// Steps that tell only what changed make the same run, from a file and as they arrive.
#[test]
fn deltas_tell_the_same_run() {
    for group in [RoutingGroup::ThisText, RoutingGroup::DecodeStep] {
        let file = fixture::default_trace(RoutingSpec::default(), group);
        let mut sent: Vec<SentStep> = vec![file.steps[0].clone().into()];
        sent.extend(file.steps.windows(2).map(|pair| SentStep::after(&pair[0], pair[1].clone())));
        let num_deltas = sent.iter().filter(|step| matches!(step, SentStep::Delta(_))).count();
        assert_eq!(num_deltas > 0, group == RoutingGroup::ThisText, "a decode step has no rows of the one before");

        let header = serde_json::to_string(&file.header).expect("a header serialises");
        let steps = sent.iter().map(|step| serde_json::to_string(step).expect("a step serialises"));
        let lines = std::iter::once(header).chain(steps).collect::<Vec<_>>().join("\n");
        let back = TraceFile::from_lines(&lines, serde_json::from_str, serde_json::from_str).expect("a trace file");
        assert_eq!(back, file);

        let empty = Recording::new(Source::Recorded, Rc::new(fixture::model()), fixture::request_of(&file));
        let step = |run: Recording, step| run.with_step(step, None).expect("steps in order");
        let run = sent.clone().into_iter().fold(empty.clone(), step);
        assert!(run.steps.iter().map(|step| &**step).eq(&file.steps));
        // Without the step before it a delta is nothing.
        if let SentStep::Delta(_) = &sent[1] {
            assert!(empty.with_step(sent[1].clone(), None).is_none());
        }
    }
}

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
    let rule = |rule: &str| RoutingSpec { router: rule.parse().expect("a rule"), ..RoutingSpec::default() };
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
