//! Several texts on the shipped model: each text's steps in the batch beside those of its run alone.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use moe_engine::{Arithmetic, Engine, Manifest, RunError, device};
use moe_trace::{
    BatchEntry, Event, Fate, FinishReason, Intervention, LayerIdx, Policy, RoutingGroup, RoutingSpec, RunId,
    RunRequest, Sampling, Sequences, StepTrace,
};

/// On the CPU nothing is ever waited for, so this asks once, and takes no executor.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU makes nobody wait"),
    }
}

fn engine(arithmetic: &Arithmetic) -> Engine {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/models/default");
    let read = |file: &str| std::fs::read(folder.join(file)).expect("the site has the model");
    let manifest = Manifest::from_json(&read("manifest.json")).expect("a manifest");
    let (weights, tokenizer) = (read("weights.safetensors"), read("tokenizer.json"));
    ready(Engine::load(&manifest, &weights, &tokenizer, arithmetic)).expect("it loads")
}

const PROMPTS: [&str; 3] = ["The cat sat on the mat", "12 + 30 = 42", "Once upon a time there was"];

fn request(prompts: &[&str], routing: RoutingSpec, group: RoutingGroup) -> RunRequest {
    RunRequest {
        run: RunId(1),
        prompt: prompts[0].to_owned(),
        companions: prompts[1..].iter().map(|prompt| (*prompt).to_owned()).collect(),
        max_new_tokens: 6,
        sampling: Sampling::Random { temperature: 0.8, top_k: 40, top_p: 0.95 },
        routing,
        group,
        seed: 7,
        interventions: Vec::new(),
    }
}

fn run(engine: &mut Engine, request: &RunRequest) -> Result<(Vec<StepTrace>, FinishReason), RunError> {
    let mut steps: Vec<StepTrace> = Vec::new();
    let emit = |event| {
        if let Event::Step { trace, .. } = event {
            steps.push(trace.expand(None).expect("steps of a run are whole"));
        }
    };
    let reason = ready(engine.run(request, || 0.0, emit, async || false))?;
    Ok((steps, reason))
}

fn entries(step: &StepTrace) -> &[BatchEntry] {
    match &step.sequences {
        Sequences::Batch { sequences } => sequences,
        Sequences::One(_) => panic!("a step of a batch has several texts"),
    }
}

/// The steps of one text of a batch: the row of its token, and what comes next.
fn of_text(steps: &[StepTrace], text: u32) -> impl Iterator<Item = (&StepTrace, usize, &BatchEntry)> {
    steps.iter().filter_map(move |step| {
        let row = entries(step).iter().position(|entry| entry.sequence == text)?;
        Some((step, row, &entries(step)[row]))
    })
}

#[test]
fn alone_in_its_batch_a_text_is_a_run_of_decode_steps() {
    for arithmetic in [Arithmetic::F32(device::cpu()), Arithmetic::Int8] {
        let mut engine = engine(&arithmetic);
        let routing = engine.info().trained_routing;
        let (batch, reason) = run(&mut engine, &request(&PROMPTS[..1], routing, RoutingGroup::Batch)).expect("it runs");
        let (alone, expected) =
            run(&mut engine, &request(&PROMPTS[..1], routing, RoutingGroup::DecodeStep)).expect("it runs");
        assert_eq!((batch.len(), reason), (alone.len(), expected));
        for (batch, alone) in batch.iter().zip(&alone) {
            assert_eq!((&batch.tokens, &batch.layers), (&alone.tokens, &alone.layers));
            assert_eq!(entries(batch)[0].step.next.as_ref(), alone.next());
            assert_eq!(batch.first_position(), alone.first_position());
        }
    }
}

#[test]
fn with_slots_for_everybody_each_text_is_written_as_alone() {
    let mut engine = engine(&Arithmetic::Int8);
    let routing = RoutingSpec::with_policy(2, Policy::Dropless, 1.0);
    let (batch, _) = run(&mut engine, &request(&PROMPTS, routing, RoutingGroup::Batch)).expect("it runs");
    for (text, prompt) in PROMPTS.iter().enumerate() {
        let alone = RunRequest { seed: 7 + text as u32, ..request(&[prompt], routing, RoutingGroup::DecodeStep) };
        let (alone, _) = run(&mut engine, &alone).expect("it runs");
        let here: Vec<_> = of_text(&batch, text as u32).collect();
        assert_eq!(here.len(), alone.len());
        for ((step, row, entry), alone) in here.into_iter().zip(&alone) {
            assert_eq!((&step.tokens[row], entry.step.next.as_ref()), (&alone.tokens[0], alone.next()));
        }
    }
}

/// Three texts make six requests a step, and each expert has one slot: somebody loses, and the others are why.
#[test]
fn whose_request_is_lost_depends_on_the_others() {
    let mut engine = engine(&Arithmetic::Int8);
    let routing = RoutingSpec::with_policy(2, Policy::Drop, 0.5);
    let (batch, _) = run(&mut engine, &request(&PROMPTS, routing, RoutingGroup::Batch)).expect("it runs");
    let mut num_lost = 0;
    for step in &batch {
        let texts = entries(step).len();
        for layer in &step.layers {
            let routing = layer.routing().expect("the model's own router decided");
            assert_eq!(routing.num_tokens as usize, texts);
            for lost in routing.assignments.iter().filter(|request| request.fate == Fate::Lost) {
                num_lost += 1;
                let before = routing.assignments.iter().filter(|a| a.expert == lost.expert && a.fate.is_kept());
                assert_eq!(before.count() as u32, routing.capacity.expect("slots are counted"));
            }
        }
    }
    assert!(num_lost > 0);
    let (alone, _) = run(&mut engine, &request(&PROMPTS[2..], routing, RoutingGroup::Batch)).expect("it runs");
    let all = alone.iter().flat_map(|step| &step.layers).filter_map(|layer| layer.routing());
    assert!(all.flat_map(|routing| &routing.assignments).all(|request| request.fate.is_kept()));
}

/// A text that has ended leaves the group.
#[test]
fn a_shorter_text_leaves_the_others_its_slots() {
    let mut engine = engine(&Arithmetic::Int8);
    let routing = engine.info().trained_routing;
    let none_written =
        RunRequest { max_new_tokens: 0, ..request(&["The cat sat on the mat", "12"], routing, RoutingGroup::Batch) };
    let (steps, reason) = run(&mut engine, &none_written).expect("it runs");
    assert_eq!(reason, FinishReason::Length);
    assert_eq!((entries(&steps[0]).len(), entries(&steps[steps.len() - 1]).len()), (2, 1));
    for step in &steps {
        let num_tokens = step.layers[0].routing().map(|routing| routing.num_tokens as usize);
        assert_eq!(num_tokens, Some(entries(step).len()));
    }
}

#[test]
fn what_a_batch_cannot_do_is_refused_and_named() {
    let mut engine = engine(&Arithmetic::Int8);
    let routing = engine.info().trained_routing;
    let plain = request(&PROMPTS, routing, RoutingGroup::Batch);
    let mut check = |request: RunRequest, expected: &str| {
        let refused = run(&mut engine, &request).expect_err(expected);
        assert!(!refused.fatal && refused.error.why.contains(expected), "{:?}", refused.error);
    };
    let muted = Intervention::RouterTemperature { layer: Some(LayerIdx(0)), temperature: 2.0 };
    check(RunRequest { interventions: vec![muted], ..plain.clone() }, "meant for one text");
    check(RunRequest { companions: vec!["a".to_owned(), String::new()], ..plain.clone() }, "Text 3 of the batch:");
    check(RunRequest { companions: vec!["a".to_owned(); 8], ..plain.clone() }, "There are 9; 8 share a step");
    check(RunRequest { group: RoutingGroup::DecodeStep, ..plain }, "only in a batch");
}
