//! The policy lab's numbers, against a plain count over the same traces.

use moe_router::rules;
use moe_trace::{BackendChoice, Event, Fate, FinishReason, Overflow, RoutingSpec, RunRequest, StepTrace};
use web::run::policies::LabPolicy;
use web::settings::attributes::Config;
use web::settings::depth::Depth;
use web::state::Action;
use web::state::background::Purpose;

use super::play::{Play, recorded};
use crate::fixture;

fn compared(config: Config) -> (Play, Vec<(RunRequest, StepTrace)>) {
    let mut play = Play::with(Config { backend: BackendChoice::Auto, depth: Depth::Lab, ..config });
    play.replay(&recorded()).ready();
    let first = play.posted().expect("a run");
    play.execute(&first, 1).hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    play.act(Action::Compare(Purpose::Policies));
    let computed = play.answer_all(|request| {
        let tokens = fixture::words(&request.prompt);
        fixture::trace(1, &tokens, tokens.len(), request.clone()).steps.remove(0)
    });
    (play, computed)
}

fn factor(request: &RunRequest) -> Option<f32> {
    match request.routing.overflow {
        Overflow::Drop(slots) => Some(slots.factor),
        Overflow::Dropless => None,
    }
}

#[test]
fn every_number_of_the_lab_is_in_the_traces() {
    let (play, computed) = compared(Config { lab_factor: Some(0.5), ..Config::default() });
    let lab = play.state.policy_lab().cloned().expect("a lab");
    assert_eq!((lab.factor, lab.rows.len(), lab.outcomes().count()), (0.5, 6, 6));
    assert_eq!(lab.num_shared_tokens, 24);
    let mut losing = 0;
    for row in &lab.rows {
        let is_of_row = |request: &RunRequest| LabPolicy::of(&request.routing.overflow) == Some(row.policy);
        for point in &row.curve {
            let at = |request: &RunRequest| factor(request).is_none_or(|factor| factor == point.factor);
            let (_, step) = computed.iter().find(|(request, _)| is_of_row(request) && at(request)).expect("a run");
            let (mut requests, mut lost, mut dropped, mut imbalance) = (0, 0, 0, 0.0);
            for routing in step.layers.iter().filter_map(|layer| layer.routing()) {
                let mut demand = [0_u32; fixture::NUM_EXPERTS];
                for token in 0..routing.num_tokens {
                    let of_token = routing.of_token(token);
                    let lost_here = of_token.iter().filter(|request| request.fate == Fate::Lost).count();
                    requests += of_token.len();
                    lost += lost_here;
                    dropped += usize::from(lost_here == of_token.len());
                    of_token.iter().for_each(|request| demand[request.expert.index()] += 1);
                }
                let most = demand.iter().max().copied().unwrap_or_default();
                imbalance += f64::from(most) * 8.0 / f64::from(demand.iter().sum::<u32>());
            }
            let measures = point.measures;
            assert_eq!((measures.totals.requests, measures.totals.lost), (requests, lost), "{row:?}");
            assert_eq!(measures.totals.dropped_tokens, dropped);
            assert!((measures.imbalance - imbalance / fixture::NUM_LAYERS as f64).abs() < 1e-9);
            let losses: Vec<f64> = step.tokens.iter().filter_map(|token| token.loss).map(f64::from).collect();
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            assert!((measures.loss.expect("losses").nats - mean).abs() < 1e-9);
            losing += lost;
        }
        let factors: Vec<f32> = row.curve.iter().map(|point| point.factor).collect();
        assert_eq!(factors, [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0]);
    }
    assert!(losing > 100, "some slots were short");
    let dropless = lab.rows.last().expect("six rows");
    assert!(dropless.curve.iter().all(|point| point.measures.totals.lost == 0));
}

#[test]
fn tokens_with_another_outcome_are_those_whose_records_differ() {
    let (play, computed) = compared(Config { lab_factor: Some(0.5), ..Config::default() });
    let lab = play.state.policy_lab().cloned().expect("a lab");
    // The run on the screen is first come, first served: the other policies are compared with that.
    assert!(lab.rows[0].is_of_run && lab.rows[0].policy == LabPolicy::FirstCome);
    let trace_of = |policy: LabPolicy| {
        let is_it = |request: &RunRequest| {
            LabPolicy::of(&request.routing.overflow) == Some(policy) && factor(request).is_none_or(|it| it == 0.5)
        };
        &computed.iter().find(|(request, _)| is_it(request)).expect("a run").1
    };
    let reference = trace_of(LabPolicy::FirstCome);
    for (policy, outcome) in lab.outcomes() {
        let step = trace_of(policy);
        let mut different = [false; 24];
        for (at, (layer, other)) in step.layers.iter().zip(&reference.layers).enumerate() {
            let (layer, other) = (layer.routing().expect("routed"), other.routing().expect("routed"));
            for token in 0..24 {
                let of = |routing: &moe_trace::Routing| {
                    let records = routing.of_token(token).iter();
                    records.map(|request| (request.expert.0, request.fate == Fate::Lost)).collect::<Vec<_>>()
                };
                let differs = of(layer) != of(other);
                assert_eq!(outcome.differs[at][token as usize], differs, "{policy:?}, layer {at}, token {token}");
                different[token as usize] |= differs;
            }
        }
        let number = different.iter().filter(|differs| **differs).count();
        assert_eq!(outcome.num_different, Some(number));
        // The fixture has no draws, without which lots are the order of the text.
        let is_alike = [LabPolicy::FirstCome, LabPolicy::ByLot].contains(&policy);
        assert_eq!(number == 0, is_alike, "{policy:?}");
    }
}

#[test]
fn policies_that_make_no_difference_are_left_out() {
    let check = |rule: &str, expected: usize| {
        let router = rules::parse_router(rule).expect("a rule");
        let policies = LabPolicy::of_rule(&router, 8);
        assert_eq!(policies.len(), expected, "{rule}: {policies:?}");
        // Each is recognised by what it makes of a routing.
        for policy in policies {
            let spec = policy.routing(0.5, &RoutingSpec { router, ..RoutingSpec::default() });
            assert_eq!((spec.router, LabPolicy::of(&spec.overflow)), (router, Some(policy)));
        }
    };
    check("top_k:2", 6);
    // One choice each: first choices first is first come, first served.
    check("switch", 5);
    // It has an order of its own.
    check("no_token_left_behind:4", 2);
    check("expert_choice:2", 0);
    check("relu", 0);
}
