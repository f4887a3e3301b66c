//! What every rule says of itself is what it does: each fact is compared with its routing, on draws that differ.
//!
//! Whether a rule looks ahead is in `table.rs`, whether requests are as many as it says in `laws.rs`.

use moe_router::draws::SplitMix64;
use moe_router::gate::{sigmoid, softmax};
use moe_router::rule::{Besides, Branch, Chance, Family, GateReads, Kind, Requests, Slots};
use moe_router::{Router, RouterInput, rules};
use moe_trace::{CapacitySpec, Fate, GateLogits, Overflow, Priority, Routing, RoutingSpec, SlotOrder, TokenId};

use crate::common::with_text;

const NUM_TOKENS: usize = 8;
const NUM_EXPERTS: usize = 4;
const ROUNDS: u64 = 50;

/// Texts of all rules that assign, and of variants of which other things are true than of the example.
fn texts() -> impl Iterator<Item = &'static str> {
    let variants = ["gshard:always", "gshard:sampled", "gshard:random=0.2", "sinkhorn:1,greedy", "sinkhorn:2"];
    let further = ["base:exact", "base:greedy", "no_token_left_behind:1", "deepseek:2", "top_k:3,raw"];
    with_text(Kind::Assigns).map(|(_, text)| text).chain(variants).chain(further)
}

fn router(text: &str, overflow: Overflow) -> Router {
    let router = rules::parse_router(text).expect(text);
    Router::new(RoutingSpec { router, overflow }, NUM_EXPERTS).expect(text)
}

/// Logits and everything else that a rule may see, of one round.
struct Seen {
    gate_logits: GateLogits,
    uniforms: Vec<f32>,
    normals: Vec<f32>,
    token_ids: Vec<TokenId>,
    frequencies: Vec<f64>,
    sequence_ids: Vec<u32>,
    of_experts: Vec<f32>,
    noise_std: Vec<f32>,
    group_logits: GateLogits,
}

impl Seen {
    fn new(round: u64) -> Seen {
        let mut draws = SplitMix64::new(round);
        let mut normals = |length| -> Vec<f32> { (0..length).map(|_| draws.normal() as f32).collect() };
        let size = NUM_TOKENS * NUM_EXPERTS;
        let (logits, noise, of_groups) = (normals(size), normals(size), normals(NUM_TOKENS * 2));
        Seen {
            gate_logits: GateLogits::new(NUM_EXPERTS, logits).expect("whole rows"),
            group_logits: GateLogits::new(2, of_groups).expect("whole rows"),
            of_experts: normals(NUM_EXPERTS),
            noise_std: normals(size).into_iter().map(f32::abs).collect(),
            normals: noise,
            uniforms: draws.uniforms(NUM_TOKENS),
            token_ids: (0..NUM_TOKENS).map(|_| TokenId((draws.u64() % 16) as u32)).collect(),
            frequencies: draws.uniforms(16).into_iter().map(f64::from).collect(),
            sequence_ids: (0..NUM_TOKENS).map(|_| (draws.u64() % 2) as u32).collect(),
        }
    }
}

fn dropless(text: &str, input: &RouterInput) -> Routing {
    router(text, Overflow::Dropless).route(input)
}

#[test]
fn raw_weights_are_what_the_rule_reads_off_the_gate() {
    for text in texts() {
        let reads = router(text, Overflow::Dropless).facts().reads;
        for round in 0..ROUNDS {
            let seen = Seen::new(round);
            let input =
                RouterInput::new(&seen.gate_logits).with_uniforms(&seen.uniforms).with_token_ids(&seen.token_ids);
            let routing = dropless(text, &input);
            let columns = |expert: usize| seen.gate_logits.rows().map(move |row| f64::from(row[expert]));
            let means: Vec<f64> = (0..NUM_EXPERTS).map(|e| columns(e).sum::<f64>() / NUM_TOKENS as f64).collect();
            for request in &routing.assignments {
                let (logits, expert) = (seen.gate_logits.row(request.token as usize), request.expert.index());
                let expected = match reads {
                    GateReads::Softmax => softmax(logits)[expert],
                    GateReads::Sigmoid => sigmoid(f64::from(logits[expert])),
                    GateReads::WholeText => softmax(&means)[expert],
                    GateReads::Logits => f64::from(logits[expert]),
                    GateReads::OtherSoftmax => f64::from(request.weight_raw.clamp(0.0, 1.0)),
                    GateReads::Nothing => 1.0,
                };
                assert!((f64::from(request.weight_raw) - expected).abs() < 1e-5, "{text}: {request:?} {expected}");
            }
            if reads == GateReads::Nothing {
                let other = Seen::new(round + ROUNDS);
                let other = RouterInput::new(&other.gate_logits);
                let other = other.with_uniforms(&seen.uniforms).with_token_ids(&seen.token_ids);
                assert_eq!(routing, dropless(text, &other), "{text} reads no gate");
            }
        }
    }
}

/// In how many rounds does what a rule sees change its routing?
fn changes(text: &str, sees: impl for<'a> Fn(RouterInput<'a>, &'a Seen) -> RouterInput<'a>) -> usize {
    let differs = |round: u64| {
        let (seen, other) = (Seen::new(round), Seen::new(round + ROUNDS));
        let input = || RouterInput::new(&seen.gate_logits).with_token_ids(&seen.token_ids).with_normals(&seen.normals);
        dropless(text, &sees(input(), &seen)) != dropless(text, &sees(input(), &other))
    };
    (0..ROUNDS).filter(|&round| differs(round)).count()
}

#[test]
fn draws_change_a_rule_that_leaves_something_to_chance_and_no_other() {
    for text in texts() {
        let changes = changes(text, |input, seen| {
            input.with_uniforms(&seen.uniforms).with_gumbels(&seen.normals).with_normals(&seen.normals)
        });
        let chance = router(text, Overflow::Dropless).facts().chance;
        assert_eq!(changes > 0, chance != Chance::Nothing, "{text}: {changes} of {ROUNDS}");
    }
}

#[test]
fn a_rule_looks_at_what_it_says_and_at_nothing_else() {
    type Sees = for<'a> fn(RouterInput<'a>, &'a Seen) -> RouterInput<'a>;
    let all: [(Besides, Sees); 7] = [
        (Besides::TokenIds, |input, seen| input.with_token_ids(&seen.token_ids)),
        (Besides::TokenFrequencies, |input, seen| input.with_token_frequencies(&seen.frequencies)),
        (Besides::Sequences, |input, seen| input.with_sequence_ids(&seen.sequence_ids)),
        (Besides::LearnedBias, |input, seen| input.with_bias(&seen.of_experts)),
        (Besides::LearnedNoise, |input, seen| input.with_noise_std(&seen.noise_std)),
        (Besides::LearnedThresholds, |input, seen| input.with_thresholds(&seen.of_experts)),
        (Besides::GroupLogits { groups: 2 }, |input, seen| input.with_group_logits(&seen.group_logits)),
    ];
    for text in texts() {
        let facts = router(text, Overflow::Dropless).facts();
        for (besides, sees) in all {
            // Whoever looks at frequencies looks at ids, too.
            let with_ids = facts.besides == Besides::TokenFrequencies && besides == Besides::TokenIds;
            let changes = changes(text, sees);
            assert_eq!(changes > 0, facts.besides == besides || with_ids, "{text}: {changes} by {besides:?}");
        }
    }
}

#[test]
fn weights_follow_the_gate_where_it_learns() {
    for text in texts() {
        let changes = (0..ROUNDS).filter(|&round| {
            let seen = Seen::new(round);
            // So little that nobody chooses otherwise.
            let nudged = seen.gate_logits.values().iter().enumerate().map(|(at, z)| z + 1e-4 * (at % 3) as f32);
            let nudged = GateLogits::new(NUM_EXPERTS, nudged.collect()).expect("whole rows");
            let weights = |logits: &GateLogits| -> Vec<f32> {
                dropless(text, &RouterInput::new(logits)).assignments.iter().map(|request| request.weight).collect()
            };
            weights(&seen.gate_logits) != weights(&nudged)
        });
        let (changes, learns) = (changes.count(), router(text, Overflow::Dropless).facts().gate_learns);
        assert!(if learns { changes > 0 } else { changes == 0 }, "{text}: {changes} of {ROUNDS}");
    }
}

#[test]
fn slots_go_as_the_rule_says() {
    let priorities = [Priority::Position, Priority::BprMax, Priority::Probability];
    let policies = priorities.into_iter().flat_map(|priority| {
        [SlotOrder::TokenMajor, SlotOrder::RankMajor].map(|order| CapacitySpec {
            factor: 0.5,
            order,
            priority,
            ..CapacitySpec::default()
        })
    });
    let policies: Vec<CapacitySpec> = policies.collect();
    for text in texts() {
        let facts = router(text, Overflow::Dropless).facts();
        let (mut lost, mut differ) = (0, 0);
        for round in 0..ROUNDS {
            let seen = Seen::new(round);
            let input = RouterInput::new(&seen.gate_logits).with_token_ids(&seen.token_ids);
            let is_lost = |slots: &CapacitySpec| -> Vec<bool> {
                let routing = router(text, Overflow::Drop(*slots)).route(&input);
                routing.assignments.iter().map(|request| request.fate == Fate::Lost).collect()
            };
            let by_policy: Vec<Vec<bool>> = policies.iter().map(is_lost).collect();
            lost += by_policy[0].iter().filter(|is_lost| **is_lost).count();
            differ += by_policy.iter().filter(|is_lost| **is_lost != by_policy[0]).count();
        }
        let expected = match facts.slots {
            Slots::BySpec => (true, true),
            Slots::OwnOrder { .. } => (true, false),
            Slots::ForEveryone | Slots::Filled { .. } => (false, false),
        };
        assert_eq!((lost > 0, differ > 0), expected, "{text}");
        assert_eq!(
            (facts.may_overflow(), facts.serves_by_position()),
            (expected.0, expected == (true, false)),
            "{text}"
        );
        if let Slots::Filled { average } = facts.slots {
            // Eight tokens, four experts.
            assert_eq!(router(text, Overflow::Dropless).capacity(NUM_TOKENS), Some(2 * average as u32), "{text}");
            assert_eq!(facts.num_active(NUM_EXPERTS), average.ceil() as usize);
        }
    }
}

/// The family of a rule is what it does: who chooses whom, and whether the gate learns.
#[test]
fn the_family_says_who_chooses() {
    for rule in rules::all() {
        let text = rule.example();
        let facts = text.and_then(|text| rules::parse_router(text).ok()).map(|spec| rules::facts(&spec));
        match (rule.family, facts) {
            (Family::ExpertChoice, Some(facts)) => assert!(facts.fills_experts() || facts.looks_ahead, "{}", rule.name),
            (Family::Dense, Some(facts)) => assert_eq!(facts.requests, Requests::Everyone, "{}", rule.name),
            (Family::NotLearned, Some(facts)) => assert!(!facts.gate_learns, "{}", rule.name),
            (Family::TokenChoice, Some(facts)) => {
                assert!(facts.reads != GateReads::Nothing && !facts.fills_experts(), "{}", rule.name);
            }
            (family, Some(_)) => panic!("{} assigns and is said to be of {family}", rule.name),
            (family, None) => {
                let blends = !matches!(family.branch(), Branch::Sparse | Branch::Dense);
                assert_eq!(blends, rule.kind() == Kind::Mixes, "{}", rule.name);
            }
        }
    }
    assert!(Family::ALL.iter().all(|&family| rules::all().any(|rule| rule.family == family)), "no family is empty");
}
