//! Several texts in step on the page, against a plain count over the same traces.

use moe_trace::{
    BackendChoice, Event, Fate, FinishReason, Overflow, Policy, RoutingGroup, RoutingSpec, RunRequest, Sequences,
    StepTrace,
};
use web::run::scene::TokenFate;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::state::Action;
use web::state::background::Purpose;

use super::play::Play;
use crate::fixture;

const TEXTS: [&str; 3] = ["The cat sat on the mat", "The cat", "The cat sat on the mat and the dog"];

/// In the lab, after a first run with few slots, with these texts; and the requests that running them in step posts, each
/// answered as by an engine.
fn in_step(texts: &[&str]) -> (Play, Vec<(RunRequest, Vec<StepTrace>)>) {
    let mut play = Play::with(Config { backend: BackendChoice::Auto, depth: Depth::Lab, ..Config::default() });
    let routing = RoutingSpec::with_policy(2, Policy::Drop, 0.5);
    play.replay(&fixture::default_trace(routing, RoutingGroup::ThisText)).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 1).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    play.act(Action::SetTextsInStep(texts)).act(Action::Compare(Purpose::InStep));
    let mut answered = Vec::new();
    while let Some(request) = play.posted() {
        let steps = fixture::in_step(&request);
        for step in &steps {
            play.hear(Event::Step { trace: step.clone().into(), elapsed_ms: 10.0 });
        }
        play.hear(Event::Finished { run: request.run, reason: FinishReason::Length });
        answered.push((request, steps));
    }
    (play, answered)
}

#[test]
fn the_texts_are_run_together_and_then_each_alone() {
    let (play, answered) = in_step(&TEXTS);
    let requests: Vec<&RunRequest> = answered.iter().map(|(request, _)| request).collect();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.group == RoutingGroup::Batch));
    assert_eq!(
        (requests[0].prompt.as_str(), &requests[0].companions[..]),
        (TEXTS[0], &[TEXTS[1].to_owned(), TEXTS[2].to_owned()][..])
    );
    for (number, (alone, text)) in requests[1..].iter().zip(TEXTS).enumerate() {
        assert_eq!((alone.prompt.as_str(), alone.companions.len()), (text, 0));
        assert_eq!(alone.seed, requests[0].seed + number as u32);
    }
    let Overflow::Drop(slots) = requests[0].routing.overflow else { panic!("the run on the screen has slots") };
    assert_eq!(slots.factor, 0.5);
    assert_eq!(play.state.background().progress(Purpose::InStep).map(|it| (it.num_done, it.num_runs)), Some((4, 4)));
    assert!(play.state.latest().is_some_and(|run| run.request.group == RoutingGroup::ThisText), "never on the screen");
}

#[test]
fn one_text_is_run_once() {
    let (play, answered) = in_step(&TEXTS[..1]);
    assert_eq!(answered.len(), 1);
    let batch = play.state.in_step().cloned().expect("it was run");
    let alone = batch.rows[0].alone.as_ref().expect("the same run");
    assert_eq!((alone.num_routes, alone.num_fates, alone.first, &alone.written), (0, 0, None, &None));
}

#[test]
fn who_lost_to_whom_is_in_the_trace() {
    let (play, answered) = in_step(&TEXTS);
    let batch = play.state.in_step().cloned().expect("it was run");
    let steps = &answered[0].1;
    assert_eq!((batch.rows.len(), batch.steps.len(), batch.num_layers()), (3, steps.len(), fixture::NUM_LAYERS));
    let (mut num_requests, mut of_texts) = (0, vec![0; TEXTS.len()]);
    for (number, step) in steps.iter().enumerate() {
        let Sequences::Batch { sequences } = &step.sequences else { panic!("a step of a batch") };
        assert_eq!(batch.num_texts(number), sequences.len());
        for (layer, traced) in step.layers.iter().enumerate() {
            let routing = traced.routing().expect("decided");
            assert_eq!(batch.capacity(number, layer), routing.capacity);
            let asked = batch.asked(number, layer);
            for request in &routing.assignments {
                let text = sequences[request.token as usize].sequence as usize;
                let of_expert = asked.iter().find(|asked| asked.expert == request.expert.0).expect("it was asked");
                num_requests += 1;
                match request.fate {
                    Fate::Kept { slot } => assert_eq!(of_expert.served[slot as usize], text),
                    _ => {
                        of_texts[text] += 1;
                        assert!(of_expert.lost.contains(&text));
                        assert!(batch.fate(text, number, layer) >= Some(TokenFate::LostSome));
                    }
                }
            }
            let in_all: usize = asked.iter().map(|asked| asked.served.len() + asked.lost.len()).sum();
            assert_eq!(in_all, routing.assignments.len());
        }
        assert_eq!(batch.fate(1, number, 0).is_some(), sequences.iter().any(|entry| entry.sequence == 1));
    }
    let lost = batch.lost();
    assert!(lost.lost > 0);
    assert_eq!((lost.requests, lost.lost, &lost.of_texts), (num_requests, of_texts.iter().sum(), &of_texts));
    // The fixture's texts begin with the same words and ask the same experts: the last one comes too late, and alone it
    // does not.
    let alone = batch.rows[2].alone.as_ref().expect("it was run");
    assert!(alone.num_fates > 0 && alone.num_routes == 0 && alone.written.is_none(), "{alone:?}");
    let first = alone.first.expect("somebody lost");
    assert!((0..batch.num_layers()).any(|layer| batch.fate(2, first, layer) >= Some(TokenFate::LostSome)));
}

#[test]
fn other_texts_are_not_those_that_were_run() {
    let (mut play, _) = in_step(&TEXTS);
    play.act(Action::SelectStepInStep(2));
    assert_eq!(play.state.step_in_step(), Some(2));
    play.act(Action::SetTextsInStep(vec!["Another".to_owned()].into()));
    assert!(play.state.in_step().is_none() && play.state.step_in_step().is_none());
    play.act(Action::SetTextsInStep(TEXTS.map(str::to_owned).to_vec().into()));
    assert!(play.state.in_step().is_some(), "what was computed is kept");
}
