//! Whole step, delta, whole step again: nothing is lost, and nothing is sent that did not change.

use moe_trace::{
    Assignment, Choices, Decision, Event, ExpertIdx, Fate, GateLogits, LayerIdx, LayerTrace, NextToken, OutputNorms,
    Routing, RunId, Scores, SentStep, StepTrace, Telling, TokenId, TracedToken,
};
use proptest::prelude::*;

const NUM_EXPERTS: u32 = 3;
const TOP_K: u32 = 2;

/// What a layer of the generated steps has.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Decided,
    Chosen,
    GateOnly,
    /// Rows of every other token.
    Halved,
}

/// A number that depends on a token and a seed; another seed changes tokens from `from` on only.
#[derive(Debug, Clone, Copy)]
struct Numbers {
    seed: u64,
    from: usize,
    seed_before: u64,
}

impl Numbers {
    fn of(&self, token: usize, what: u64) -> u64 {
        let seed = if token < self.from { self.seed_before } else { self.seed };
        let mixed = (seed ^ what.wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .wrapping_add((token as u64).wrapping_mul(0x1234_5678_9ABC_DEF1));
        (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33
    }

    fn share(&self, token: usize, what: u64) -> f32 {
        (self.of(token, what) % 8) as f32 / 8.0
    }
}

fn layer(layer: u32, kind: Kind, len: usize, numbers: Numbers) -> LayerTrace {
    let experts = |token: usize| {
        let first = numbers.of(token, 7 + u64::from(layer)) as u32 % NUM_EXPERTS;
        [first, (first + 1) % NUM_EXPERTS]
    };
    let tokens: Vec<usize> = match kind {
        Kind::Halved => (0..len).step_by(2).collect(),
        _ => (0..len).collect(),
    };
    let of_all = |what: u64| tokens.iter().flat_map(move |&token| (0..3).map(move |e| numbers.share(token, what + e)));
    let logits = GateLogits::new(NUM_EXPERTS as usize, of_all(100).collect()).expect("rows of three");
    let scores =
        Scores::new(NUM_EXPERTS, of_all(200).map(|s| (s > 0.25).then_some(s)).collect()).expect("rows of three");
    let choices = || {
        let ids = tokens.iter().flat_map(|&token| experts(token).map(|expert| expert as i32)).collect::<Vec<_>>();
        let weights = of_all(300).take(ids.len()).map(Some).collect();
        let served = ids.iter().map(|id| Some(id % 2 == 0)).collect();
        let choices = Choices::new(NUM_EXPERTS, TOP_K, ids).expect("two experts a row");
        choices.with_weights(weights).and_then(|choices| choices.with_served(served)).expect("as many as ids")
    };
    let empty = LayerTrace::empty(LayerIdx(layer));
    match kind {
        Kind::Decided => {
            let assignments = (0..len as u32).flat_map(|token| {
                let at = token as usize;
                // Some tokens ask nobody, some lose.
                let asked = experts(at).into_iter().take(numbers.of(at, 1) as usize % 3);
                asked.enumerate().map(move |(rank, expert)| Assignment {
                    token,
                    rank: rank as u32,
                    expert: ExpertIdx(expert),
                    weight: numbers.share(at, 2),
                    weight_raw: numbers.share(at, 3),
                    fate: if numbers.of(at, 4).is_multiple_of(2) { Fate::Lost } else { Fate::Kept { slot: token } },
                })
            });
            let assignments: Vec<Assignment> = assignments.collect();
            let norms = assignments.iter().map(|a| Some(numbers.share(a.token as usize, 5))).collect();
            let shared = Some((0..len).map(|token| numbers.share(token, 6)).collect());
            let capacity = Some(len as u32);
            let routing = Routing { num_tokens: len as u32, num_experts: NUM_EXPERTS, capacity, assignments };
            let output_norms = Some(OutputNorms { experts: norms, shared });
            LayerTrace { output_norms, ..LayerTrace::decided(LayerIdx(layer), logits, routing) }
        }
        Kind::Chosen => {
            let norms = tokens.iter().flat_map(|&token| [Some(numbers.share(token, 8)), None]).collect();
            let decision = Some(Decision::Choices(choices()));
            LayerTrace { decision, output_norms: Some(OutputNorms { experts: norms, shared: None }), ..empty }
        }
        Kind::GateOnly => LayerTrace { gate_logits: Some(logits), gate_probs: Some(scores), ..empty },
        Kind::Halved => LayerTrace {
            rows: Some(tokens.iter().map(|&token| token as u32).collect()),
            selection_scores: Some(scores),
            selection_bias: Some(vec![0.5; NUM_EXPERTS as usize]),
            decision: Some(Decision::Choices(choices())),
            ..empty
        },
    }
}

fn step(step: u32, first_position: u32, len: usize, kinds: &[Kind], numbers: Numbers) -> StepTrace {
    let tokens = (0..len).map(|token| {
        let id = numbers.of(token, 9) as u32 % 50;
        TracedToken::text(TokenId(id), vec![id as u8], (token > 0).then(|| numbers.share(token, 10)))
    });
    let tokens: Vec<TracedToken> = tokens.collect();
    let layers = kinds.iter().zip(0..).map(|(kind, number)| layer(number, *kind, len, numbers)).collect();
    let next = NextToken { candidates: Vec::new(), chosen: None };
    StepTrace::of_text(RunId(3), step, first_position, tokens, layers, next)
}

fn kinds() -> impl Strategy<Value = Vec<Kind>> {
    let kind = prop_oneof![Just(Kind::Decided), Just(Kind::Chosen), Just(Kind::GateOnly), Just(Kind::Halved)];
    proptest::collection::vec(kind, 1..4)
}

fn through_json(sent: &SentStep) -> SentStep {
    let json = serde_json::to_string(sent).expect("serialises");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

proptest! {
    #[test]
    fn whole_delta_whole_is_the_identity(
        kinds in kinds(),
        (len, grown) in (1_usize..9, 0_usize..3),
        from in 0_usize..10,
        first_position in 0_u32..3,
        (seed, other_seed) in (any::<u64>(), any::<u64>()),
    ) {
        let before = step(4, first_position, len, &kinds, Numbers { seed, from: 0, seed_before: 0 });
        let changed = Numbers { seed: other_seed, from, seed_before: seed };
        let whole = step(5, first_position, len + grown, &kinds, changed);
        let sent = SentStep::after(&before, &whole);
        prop_assert_eq!(&through_json(&sent), &sent);
        prop_assert_eq!(sent.expand(Some(&before)), Ok(whole));
    }

    #[test]
    fn a_text_that_only_grew_sends_only_the_new_token(kinds in kinds(), len in 1_usize..9, seed in any::<u64>()) {
        let numbers = Numbers { seed, from: 0, seed_before: 0 };
        let (before, whole) = (step(0, 0, len, &kinds, numbers), step(1, 0, len + 1, &kinds, numbers));
        let json = serde_json::to_value(SentStep::after(&before, &whole)).expect("serialises");
        prop_assert_eq!(json["input_start_position"].as_u64(), Some(len as u64));
        prop_assert_eq!(json["tokens"].as_array().map(Vec::len), Some(1));
    }
}

/// The message of a step, and what it was told by.
fn told(telling: &mut Telling, step: StepTrace) -> (usize, SentStep) {
    let event = Event::Step { trace: step.into(), elapsed_ms: 1.0 }.shortest(telling);
    let json = serde_json::to_string(&event).expect("serialises");
    match serde_json::from_str(&json) {
        Ok(Event::Step { trace, elapsed_ms: 1.0 }) => (json.len(), trace),
        other => panic!("{other:?}: {json}"),
    }
}

proptest! {
    #[test]
    fn a_run_that_is_told_by_what_changed_arrives_whole(
        kinds in kinds(),
        seeds in proptest::collection::vec((any::<u64>(), 0_usize..12), 1..6),
        len in 1_usize..6,
    ) {
        let mut telling = Telling::default();
        let mut heard: Option<StepTrace> = None;
        let mut seed_before = 0;
        for (number, (seed, from)) in seeds.into_iter().enumerate() {
            let whole = step(number as u32, 0, len + number, &kinds, Numbers { seed, from, seed_before });
            let (_, sent) = told(&mut telling, whole.clone());
            prop_assert_eq!(sent.expand(heard.as_ref()), Ok(whole.clone()));
            (heard, seed_before) = (Some(whole), seed);
        }
    }
}

#[test]
fn a_message_does_not_grow_with_the_text() {
    let numbers = Numbers { seed: 1, from: 0, seed_before: 0 };
    let kinds = [Kind::Decided, Kind::Chosen, Kind::GateOnly];
    let mut telling = Telling::default();
    let lens: Vec<usize> =
        (0..200).map(|at| told(&mut telling, step(at, 0, 40 + at as usize, &kinds, numbers)).0).collect();
    // But for the digits of its numbers, and for requests that a token makes or does not make.
    let (early, late) = (lens[1..40].iter().max(), lens[160..].iter().max());
    let (early, late) = (*early.expect("many"), *late.expect("many"));
    assert!(
        late <= early + 60 && 10 * early < lens[0],
        "{early} bytes of early steps, {late} of late ones; {} of 40 tokens",
        lens[0]
    );
}

#[test]
fn another_run_is_told_from_its_start() {
    let numbers = Numbers { seed: 1, from: 0, seed_before: 0 };
    let mut telling = Telling::default();
    let mut is_whole = |number: u32, run: u32| {
        let step = StepTrace { run: RunId(run), ..step(number, 0, 4 + number as usize, &[Kind::Decided], numbers) };
        told(&mut telling, step).1.is_whole()
    };
    assert_eq!([is_whole(0, 3), is_whole(1, 3), is_whole(0, 4), is_whole(1, 4)], [true, false, true, false]);
    // What comes out of order, too.
    assert_eq!([is_whole(3, 4), is_whole(4, 4)], [true, false]);
}

/// The group is the whole text, though one row of it is sent.
#[test]
fn a_delta_counts_the_whole_group() {
    let numbers = Numbers { seed: 1, from: 0, seed_before: 0 };
    let kinds = [Kind::Decided];
    let (before, whole) = (step(0, 0, 4, &kinds, numbers), step(1, 0, 5, &kinds, numbers));
    let json = serde_json::to_value(SentStep::after(&before, &whole)).expect("serialises");
    let routing = &json["layers"][0]["routing"];
    assert_eq!((routing["num_tokens"].as_u64(), routing["capacity"].as_u64()), (Some(5), Some(5)));
    let tokens: Vec<_> = routing["assignments"].as_array().into_iter().flatten().map(|a| a["token"].as_u64()).collect();
    assert!(tokens.iter().all(|token| *token == Some(4)), "{tokens:?}");
}

#[test]
fn a_delta_without_its_step_before_is_refused() {
    let numbers = Numbers { seed: 1, from: 0, seed_before: 0 };
    let kinds = [Kind::Decided, Kind::Chosen];
    let [first, second, third] = [0, 1, 2].map(|number| step(number, 0, 4 + number as usize, &kinds, numbers));
    let delta = SentStep::after(&second, &third);
    let check = |previous: Option<&StepTrace>, message: &str| {
        let error = delta.clone().expand(previous).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
    };
    check(None, "there is no step before it");
    check(Some(&first), "before it came step 0 of run 3");
    check(Some(&StepTrace { run: RunId(9), ..second.clone() }), "before it came step 1 of run 9");
    check(Some(&StepTrace { tokens: Vec::new(), ..second.clone() }), "the positions 0 to 0");
    check(Some(&StepTrace { layers: Vec::new(), ..second.clone() }), "has 2 layers, the step before it 0");
    let mut other = second.clone();
    other.layers[0].gate_logits = None;
    check(Some(&other), "layer 0: gate_logits differs");
    other.layers[0] = layer(0, Kind::Chosen, 5, numbers);
    check(Some(&other), "layer 0: the kind of decision differs");
    assert!(delta.expand(Some(&second)).is_ok());
}
