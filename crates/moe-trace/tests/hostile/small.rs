//! Three small files: a run of ours, told whole and by what changed; a batch of ours; and what another program wrote down
//! of a batch.

use moe_trace::{
    Assignment, BatchEntry, Candidate, ExpertIdx, Fate, GateLogits, LayerIdx, LayerTrace, ModelInfo, NextToken,
    Routing, RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling, SentStep, SequenceStep, Sequences, Source,
    StepTrace, TokenId, TraceFile, TraceFileError, TraceHeader, TracedToken,
};
use serde_json::{Value, json};

pub fn read(text: &str) -> Result<TraceFile, TraceFileError> {
    TraceFile::from_lines(text, serde_json::from_str, serde_json::from_str)
}

pub fn text(lines: &[Value]) -> String {
    lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

fn header() -> TraceHeader {
    let routing = RoutingSpec::default();
    let model = ModelInfo {
        name: "small".to_owned(),
        weights_sha256: "5e".repeat(32),
        num_parameters: 100,
        num_active_parameters: 60,
        weights_bytes: 120,
        num_layers: 2,
        num_experts: 3,
        vocab_size: 50,
        max_tokens: 8,
        num_shared_experts: 0,
        training_tokens: None,
        trained_routing: routing,
    };
    let request = RunRequest {
        run: RunId(0),
        prompt: "ab".to_owned(),
        companions: Vec::new(),
        max_new_tokens: 2,
        sampling: Sampling::Random { temperature: 0.5, top_k: 0, top_p: 0.5 },
        routing,
        group: RoutingGroup::ThisText,
        seed: 7,
        interventions: Vec::new(),
    };
    TraceHeader::of_run(Source::Recorded, model, request, Some(2))
}

/// Each token asks one expert, which has two slots.
fn layer(number: u32, num_tokens: u32) -> LayerTrace {
    let mut taken = [0; 3];
    let request = |token: u32| {
        let expert = (token + number) % 3;
        let slot = taken[expert as usize];
        taken[expert as usize] += 1;
        let fate = if slot < 2 { Fate::Kept { slot } } else { Fate::Lost };
        Assignment { token, rank: 0, expert: ExpertIdx(expert), weight: 1.0, weight_raw: 0.5, fate }
    };
    let assignments = (0..num_tokens).map(request).collect();
    let routing = Routing { num_tokens, num_experts: 3, capacity: Some(2), assignments };
    let logits = GateLogits::new(3, (0..3 * num_tokens).map(|at| at as f32 / 4.0).collect()).expect("whole rows");
    LayerTrace::decided(LayerIdx(number), logits, routing)
}

/// Of three steps; the last is told by what changed.
pub fn ours() -> Vec<Value> {
    let candidate = |id: u32| Candidate { id: TokenId(id), bytes: vec![b'a' + id as u8], probability: 0.5 };
    let token = |id: u32| TracedToken::text(TokenId(id), vec![b'a' + id as u8], (id > 0).then_some(1.5));
    let steps: Vec<StepTrace> = (0..3)
        .map(|step| {
            let len = step + 2;
            let next = NextToken { candidates: vec![candidate(len), candidate(9)], chosen: Some(candidate(len)) };
            let layers = (0..2).map(|number| layer(number, len)).collect();
            StepTrace::of_text(RunId(0), step, 0, (0..len).map(token).collect(), layers, next)
        })
        .collect();
    let last = SentStep::after(&steps[1], &steps[2]);
    assert!(!last.is_whole());
    let steps = [json!(steps[0]), json!(steps[1]), json!(last)];
    [json!(header())].into_iter().chain(steps).collect()
}

/// Of three steps of two texts, the second of which ends with the second step.
pub fn in_step() -> Vec<Value> {
    let header = header();
    let request = header.request.map(|request| RunRequest {
        companions: vec!["c".to_owned()],
        group: RoutingGroup::Batch,
        ..request
    });
    let header = TraceHeader { request, ..header };
    let step = |step: u32| {
        let texts = if step < 2 { 2 } else { 1 };
        let entry = |text: u32| {
            let chosen = (step + 1 < 2 || text == 0).then(|| Candidate {
                id: TokenId(10 * text + step + 1),
                bytes: vec![b'a'],
                probability: 0.5,
            });
            let next = Some(NextToken { candidates: Vec::new(), chosen });
            let of_text = SequenceStep { first_position: step, num_prompt_tokens: None, next, unrouted_tail: None };
            BatchEntry { sequence: text, num_tokens: 1, step: of_text }
        };
        let token = |text: u32| TracedToken::text(TokenId(10 * text + step), vec![b'a'], (step > 0).then_some(1.5));
        StepTrace {
            run: RunId(0),
            step,
            pass: None,
            sequences: Sequences::Batch { sequences: (0..texts).map(entry).collect() },
            tokens: (0..texts).map(token).collect(),
            layers: (0..2).map(|number| layer(number, texts)).collect(),
        }
    };
    [json!(header)].into_iter().chain((0..3).map(|number| json!(step(number)))).collect()
}

/// Of two texts, with everything that others write down: choices, served marks, norms, scores, a bias, rows, a load.
pub fn theirs() -> Vec<Value> {
    let header = json!({
        "schema_version": 2,
        "origin": {"source": "imported", "producer": "vllm", "format": "by hand", "model_name": "x"},
        "routes": {"num_layers": 4, "top_k": 2, "moe_layer_ids": [1, 3], "num_experts": {"exactly": 3},
            "rank_order": "not_stated", "weight_kind": "raw"},
        "model": null, "request": null, "absent": ["fates", "losses"], "notes": ["Made by hand."],
    });
    let step = json!({
        "run": 4, "step": 1, "pass": {"number": 17, "rank": 0},
        "sequences": [
            {"sequence": 0, "num_tokens": 2, "first_position": 0, "num_prompt_tokens": 2},
            {"sequence": 3, "num_tokens": 1, "first_position": 5, "unrouted_tail": {"id": 8, "loss": null}},
        ],
        "tokens": [{"id": 1, "loss": null}, {"bytes": [97], "loss": 0.5}, {"patch": {"image": 0, "row": 1, "column": 2}, "loss": null}],
        "layers": [
            {"layer": 1, "rows": [0, 2], "gate_probs": {"num_experts": 3, "values": [0.5, 0.25, 0.25, 1, 0, null]},
                "selection_scores": {"num_experts": 3, "values": [0.5, null, 0.25, 1, 0, 2]}, "selection_bias": [0, -1, 1],
                "choices": {"num_experts": 3, "top_k": 2, "expert_ids": [0, 2, 1, -1],
                    "weights": [0.5, 0.25, 1, null], "served": [true, false, true, null]},
                "output_norms": {"experts": [1, 2, 3, null], "shared": [0.5, 0.25]}},
            {"layer": 3, "load": {"requests": [3, 0.5, 0]}},
        ],
    });
    let mut next = step.clone();
    next["step"] = json!(2);
    vec![header, step, next]
}
