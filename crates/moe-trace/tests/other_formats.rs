//! What other programs write down about routing can be said in a trace, and comes back as it was: nothing invented, nothing
//! lost. The cases are what a right reader finds in files of those programs, in a neutral form.

use std::collections::BTreeSet;

use moe_trace::{
    BatchEntry, Choices, Decision, ExpertCount, ExpertLoad, GateLogits, IdSpace, LayerIdx, LayerTrace, Origin,
    OutputNorms, Part, PassId, RankOrder, RouteSchema, RunId, SCHEMA_VERSION, Scores, SequenceStep, Sequences, Source,
    StepTrace, TokenContent, TokenId, TraceFile, TraceHeader, TracedToken, WeightKind,
};
use serde_json::Value;

const CASES: &str = include_str!("fixtures/other_formats.json");

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64().map(|count| count as u32)
}

fn number(value: &Value) -> Option<f32> {
    value.as_f64().map(|number| number as f32)
}

/// Entry `at` of a list of layers, where there is one.
fn plane(value: &Value, at: usize) -> Option<&Value> {
    value.get(at).filter(|plane| plane.is_array())
}

/// All numbers of rows; a missing row is as wide as the others.
fn flat(rows: &Value, width: usize) -> Vec<Option<f32>> {
    let missing = Value::Array(vec![Value::Null; width]);
    list(rows)
        .flat_map(|row| list(if row.is_null() { &missing } else { row }).map(number).collect::<Vec<_>>())
        .collect()
}

fn header(case: &Value) -> TraceHeader {
    let part = |name: &Value| match name.as_str().unwrap_or_default() {
        "ids" => Part::ExpertIds,
        "per_layer_counts" => Part::Load,
        "logits" => Part::GateLogits,
        "probs" => Part::GateProbs,
        "shared_expert_norms" => Part::SharedOutputNorms,
        other => serde_json::from_value(Value::from(other)).expect("a part of a trace"),
    };
    let num_experts = match (count(&case["num_experts"]), count(&case["num_experts_at_least"])) {
        (Some(exactly), _) => ExpertCount::Exactly(exactly),
        (None, Some(at_least)) => ExpertCount::AtLeast(at_least),
        (None, None) => ExpertCount::Unknown,
    };
    let order = case["order"].as_str().unwrap_or("not stated");
    let routes = RouteSchema {
        num_layers: None,
        top_k: count(&case["top_k"]),
        moe_layer_ids: case["moe_layer_ids"]
            .is_array()
            .then(|| list(&case["moe_layer_ids"]).filter_map(count).map(LayerIdx).collect()),
        num_experts,
        id_space: IdSpace::LogicalGlobal,
        rank_order: match order {
            "not stated" => RankOrder::NotStated,
            order if order.starts_with("ascending id") => RankOrder::ExpertId,
            _ => RankOrder::Preference,
        },
        weight_kind: match case["weights_kind"].as_str() {
            Some(kind) if kind.starts_with("unnormalised") => WeightKind::Raw,
            _ => WeightKind::Applied,
        },
    };
    let format = case["format"].as_str().map(str::to_owned);
    let producer = format.as_deref().and_then(|format| format.split('-').next()).unwrap_or_default().to_owned();
    // Nobody wrote down who was served, what was lost, and what was expected.
    let mut absent: BTreeSet<Part> = list(&case["absent"]).map(part).collect();
    absent.extend([Part::Fates, Part::Losses, Part::Expectations]);
    TraceHeader {
        schema_version: SCHEMA_VERSION,
        origin: Origin { source: Source::Imported, producer, version: None, format, model_name: None },
        routes,
        model: None,
        request: None,
        absent: absent.into_iter().collect(),
        notes: list(&case["warnings"]).filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

fn token(case: &Value, at: usize) -> TracedToken {
    let (shown, id) = (&case["tokens"][at], count(&case["token_ids"][at]).or(count(&case["tokens"][at])));
    let content = shown.as_str().map(|text| TokenContent::Bytes(text.as_bytes().to_vec()));
    TracedToken { id: id.map(TokenId), content, loss: None, accepted: None }
}

/// A file's sequences: as it lists them, or as each token's number and position tell; else one.
fn sequences(case: &Value) -> Sequences {
    let part = |first_position, num_prompt_tokens| SequenceStep {
        first_position,
        num_prompt_tokens,
        next: None,
        unrouted_tail: None,
    };
    let listed = list(&case["sequences"]).zip(0..).map(|(sequence, number)| BatchEntry {
        sequence: number,
        num_tokens: count(&sequence["rows"]).unwrap_or_default(),
        step: part(0, count(&sequence["prompt"])),
    });
    let mut entries: Vec<BatchEntry> = listed.collect();
    for (at, sequence) in list(&case["sequence_ids"]).enumerate().filter_map(|(at, id)| Some((at, count(id)?))) {
        let position = count(&case["positions"][at]).unwrap_or_default();
        match entries.last_mut() {
            Some(last) if last.sequence == sequence && last.step.first_position + last.num_tokens == position => {
                last.num_tokens += 1
            }
            _ => entries.push(BatchEntry { sequence, num_tokens: 1, step: part(position, None) }),
        }
    }
    if !entries.is_empty() {
        return Sequences::Batch { sequences: entries };
    }
    let tail = case["unrouted_tail"].as_array().map(|tail| TracedToken {
        id: count(&tail[0]).map(TokenId),
        content: None,
        loss: None,
        accepted: None,
    });
    let first_position = count(&case["first_position"]).unwrap_or_default();
    let one = part(first_position, count(&case["phases"]["prompt"]));
    Sequences::One(SequenceStep { unrouted_tail: tail, ..one })
}

fn layer(case: &Value, at: usize, num_tokens: usize) -> LayerTrace {
    let known = header(case).routes;
    let layer = known.moe_layer_ids.as_ref().map_or(LayerIdx(at as u32), |ids| ids[at]);
    let (num_experts, k) = (known.num_experts.known(), known.top_k.unwrap_or(1));
    // Of a layer that was computed for some tokens only, the others have no rows.
    let has_row = |token: usize| {
        let of = |name: &str| plane(&case[name], at).is_none_or(|rows| !rows[token].is_null());
        of("logits") && of("probs") && of("weights")
    };
    let tokens: Vec<usize> = (0..num_tokens).filter(|&token| has_row(token)).collect();
    let rows_of = |name: &str| {
        plane(&case[name], at).map(|rows| tokens.iter().map(|&token| rows[token].clone()).collect::<Value>())
    };
    let scores = |name: &str| {
        rows_of(name).map(|rows| Scores::new(num_experts, flat(&rows, num_experts as usize)).expect("whole rows"))
    };
    let logits = rows_of("logits").map(|rows| flat(&rows, num_experts as usize).into_iter().flatten().collect());
    let ids = rows_of("ids").map(|rows| {
        list(&rows)
            .flat_map(|row| list(row).map(|id| id.as_i64().unwrap_or(-1) as i32).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    });
    let weights = rows_of("weights").map(|rows| flat(&rows, k as usize));
    let decision = match (ids, weights, plane(&case["per_layer_counts"], at), plane(&case["top1_probability"], at)) {
        (Some(ids), weights, ..) => {
            let choices = Choices::new(num_experts, k, ids).expect("a table of ids");
            Some(Decision::Choices(match weights {
                Some(weights) => choices.with_weights(weights).expect("as many as ids"),
                None => choices,
            }))
        }
        (.., Some(counts), _) => {
            let counts = list(counts).filter_map(Value::as_f64).collect();
            Some(Decision::Load(ExpertLoad::new(counts).expect("counts")))
        }
        // The largest probability of each token, and nobody knows whose.
        (.., Some(largest)) => {
            let unknown = Choices::new(0, 1, vec![-1; num_tokens]).expect("no id at all");
            Some(Decision::Choices(unknown.with_weights(list(largest).map(number).collect()).expect("one a token")))
        }
        _ => None,
    };
    let norms = rows_of("output_norms").map(|rows| OutputNorms {
        experts: flat(&rows, k as usize),
        shared: rows_of("shared_expert_norms").map(|norms| list(&norms).filter_map(number).collect()),
    });
    LayerTrace {
        rows: (tokens.len() < num_tokens).then(|| tokens.iter().map(|&token| token as u32).collect()),
        gate_logits: logits.map(|logits| GateLogits::new(num_experts as usize, logits).expect("whole rows")),
        gate_probs: scores("probs"),
        selection_scores: scores("selection_scores"),
        selection_bias: plane(&case["selection_bias"], at).map(|bias| list(bias).filter_map(number).collect()),
        decision,
        output_norms: norms,
        ..LayerTrace::empty(layer)
    }
}

/// The case as one step; or as one per pass, where it has passes that say how many rows are theirs.
fn file(case: &Value) -> TraceFile {
    let num_tokens = case["num_tokens"].as_u64().unwrap_or_default() as usize;
    let planes = ["ids", "logits", "per_layer_counts", "top1_probability"].map(|name| list(&case[name]).count());
    let num_layers = planes.into_iter().max().unwrap_or_default();
    let passes: Vec<&Value> =
        list(&case["segments"]).chain(list(&case["passes"])).filter(|pass| pass["rows"].is_u64()).collect();
    let mut tokens: Vec<TracedToken> = (0..num_tokens).map(|at| token(case, at)).collect();
    for guess in list(&case["accepted"]) {
        let is_it = |at: &usize| case["sequence_ids"][*at] == guess["seq"] && case["positions"][*at] == guess["pos"];
        let at = (0..num_tokens).find(is_it).expect("a token that was guessed");
        tokens[at].accepted = guess["accepted"].as_bool();
    }
    if passes.is_empty() {
        let layers = (0..num_layers).map(|at| layer(case, at, num_tokens)).collect();
        let step = StepTrace { run: RunId(0), step: 0, pass: None, sequences: sequences(case), tokens, layers };
        return TraceFile { header: header(case), steps: vec![step] };
    }
    let mut steps = Vec::new();
    let mut first = 0;
    for (pass, number) in passes.into_iter().zip(0..) {
        let end = first + pass["rows"].as_u64().unwrap_or_default() as usize;
        let part = |rows: &Value| {
            list(rows)
                .map(|plane| list(plane).skip(first).take(end - first).cloned().collect::<Value>())
                .collect::<Value>()
        };
        let mut of_pass = case.clone();
        for name in ["ids", "logits"].into_iter().filter(|name| case[*name].is_array()) {
            of_pass[name] = part(&case[name]);
        }
        let sequence =
            SequenceStep { first_position: first as u32, num_prompt_tokens: None, next: None, unrouted_tail: None };
        let id = PassId {
            number: count(&pass["forward_pass_id"]).or(count(&pass["step"])).unwrap_or_default(),
            rank: count(&pass["rank"]),
            microbatch: count(&pass["microbatch"]),
        };
        steps.push(StepTrace {
            run: RunId(0),
            step: number,
            pass: Some(id),
            sequences: Sequences::One(sequence),
            tokens: tokens[first..end].to_vec(),
            layers: (0..num_layers).map(|at| layer(&of_pass, at, end - first)).collect(),
        });
        first = end;
    }
    TraceFile { header: header(case), steps }
}

/// A column of a layer: its width, and its numbers row by row.
type Column = (usize, Vec<Option<f32>>);

/// The numbers of a column, token by token, as the case has them.
fn of_tokens(file: &TraceFile, at: usize, column: impl Fn(&LayerTrace) -> Option<Column>) -> Vec<Option<f32>> {
    let mut found = Vec::new();
    for step in &file.steps {
        let layer = &step.layers[at];
        let Some((width, values)) = column(layer) else { continue };
        let mut all = vec![None; step.tokens.len() * width];
        for (row, values) in values.chunks(width).enumerate() {
            let token = layer.token_of(row).expect("a token of the step");
            all[token * width..(token + 1) * width].copy_from_slice(values);
        }
        found.extend(all);
    }
    found
}

#[test]
fn what_other_programs_write_comes_back_as_it_was() {
    let cases: Value = serde_json::from_str(CASES).expect("the cases are JSON");
    let mut formats = BTreeSet::new();
    for case in list(&cases) {
        let name = case["format"].as_str().unwrap_or_default();
        let file = file(case);
        let header = serde_json::to_string(&file.header).expect("a header serialises");
        let steps = file.steps.iter().map(|step| serde_json::to_string(step).expect("a step serialises"));
        let text = std::iter::once(header).chain(steps).collect::<Vec<_>>().join("\n");
        let read = TraceFile::from_lines(&text, serde_json::from_str, serde_json::from_str);
        let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, file, "{name}");

        let ids: Vec<i64> = list(&case["ids"]).flat_map(list).flat_map(list).filter_map(Value::as_i64).collect();
        let k = count(&case["top_k"]).unwrap_or(1) as usize;
        let num_planes = list(&case["ids"]).count();
        let found = |column: &dyn Fn(&LayerTrace) -> Option<Column>| {
            (0..read.steps[0].layers.len()).flat_map(|at| of_tokens(&read, at, column)).collect::<Vec<_>>()
        };
        if num_planes > 0 {
            let column = |layer: &LayerTrace| {
                let ids = layer.choices()?.expert_ids();
                Some((k, ids.iter().map(|&id| (id >= 0).then_some(id as f32)).collect()))
            };
            let expected: Vec<Option<f32>> = ids.iter().map(|&id| (id >= 0).then_some(id as f32)).collect();
            assert_eq!(found(&column), expected, "{name}");
        }
        let width = read.header.routes.num_experts.known() as usize;
        let expect =
            |key: &str, width: usize| list(&case[key]).flat_map(|plane| flat(plane, width)).collect::<Vec<_>>();
        if case["weights"].is_array() {
            let column = |layer: &LayerTrace| Some((k, layer.choices()?.weights()?.to_vec()));
            assert_eq!(found(&column), expect("weights", k), "{name}");
        }
        if case["logits"].is_array() {
            let column = |layer: &LayerTrace| {
                Some((width, layer.gate_logits.as_ref()?.values().iter().copied().map(Some).collect()))
            };
            assert_eq!(found(&column), expect("logits", width), "{name}");
        }
        if case["probs"].is_array() {
            let column = |layer: &LayerTrace| Some((width, layer.gate_probs.as_ref()?.values().to_vec()));
            assert_eq!(found(&column), expect("probs", width), "{name}");
        }
        formats.insert(name.to_owned());
    }
    for needed in ["sglang-schema", "vllm-current", "vllm-v021", "llamacpp-moe-trace-csv", "hf-router-logits"] {
        assert!(formats.contains(needed), "{needed}: {formats:?}");
    }
}

/// What a file does not have is in no line of the trace: no zero, no empty list in its place.
#[test]
fn absent_parts_are_absent() {
    let cases: Value = serde_json::from_str(CASES).expect("the cases are JSON");
    for case in list(&cases) {
        let file = file(case);
        let steps: String = file.steps.iter().map(|step| serde_json::to_string(step).expect("serialises")).collect();
        for part in &file.header.absent {
            let key = match part {
                Part::ExpertIds if case["top1_probability"].is_null() => "\"expert_ids\"",
                Part::Weights if case["top1_probability"].is_null() => "\"weights\"",
                Part::GateLogits => "\"gate_logits\"",
                Part::GateProbs => "\"gate_probs\"",
                Part::Fates => "\"fate\"",
                Part::TokenText => "\"bytes\"",
                Part::TokenIds => "\"id\"",
                Part::Expectations => "\"next\"",
                Part::SelectionBias => "\"selection_bias\"",
                Part::SelectionScores => "\"selection_scores\"",
                Part::SharedOutputNorms => "\"shared\"",
                _ => continue,
            };
            assert!(!steps.contains(key), "{}: {key} in {steps}", case["format"]);
        }
    }
}
