//! The table of rules and the rules themselves say the same: names, forms, and whether later tokens matter.

use std::collections::BTreeSet;

use moe_router::draws::SplitMix64;
use moe_router::matrix::Matrix;
use moe_router::rules::{self, Kind};
use moe_router::token_choice::{attention, cosine, dselect_k, per_sequence, random};
use moe_router::{Mixer, Request, Router, RouterInput, group_choice::strictly_balanced};
use moe_trace::{
    CapacitySpec, GateLogits, MIXER_FORMS, MixerSpec, Mixing, NOT_FROM_GATE_LOGITS, Overflow, ROUTER_FORMS, RouterSpec,
    Routing, RoutingSpec, TokenId, Weighting,
};

#[test]
fn every_form_has_one_row_and_every_row_a_form_or_a_reason() {
    let names: Vec<&str> = rules::all().map(|rule| rule.name).collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len(), "a name occurs twice");
    let titles: BTreeSet<&str> = rules::all().map(|rule| rule.title).collect();
    assert_eq!(titles.len(), names.len(), "a title occurs twice");

    let forms = ROUTER_FORMS.iter().chain(MIXER_FORMS).map(|form| form.head);
    let named: BTreeSet<&str> = forms.chain(NOT_FROM_GATE_LOGITS.iter().map(|rule| rule.name)).collect();
    assert_eq!(named, unique);
    for rule in rules::all() {
        match (rule.kind, rule.form(), rule.why_no_form()) {
            (Kind::Assigns, Some(form), None) => {
                assert_eq!(form.example.parse::<RouterSpec>().expect(rule.name).to_string(), form.example);
            }
            (Kind::Mixes, Some(form), None) => {
                assert_eq!(form.example.parse::<MixerSpec>().expect(rule.name).to_string(), form.example);
            }
            (Kind::Assigns | Kind::Scores, None, Some(needs)) => assert_eq!(rule.needs, needs),
            _ => panic!("{} has a form of another kind, or none and no reason", rule.name),
        }
    }
}

#[test]
fn every_row_says_where_it_was_found() {
    let without: Vec<&str> = rules::all().filter(|rule| rule.equation.is_none()).map(|rule| rule.name).collect();
    // M6-T and MEO are known from the survey's description, the balanced table from memory.
    assert_eq!(without, ["prototypes", "balanced_hash", "meo"]);
}

#[test]
fn specs_serialise_under_the_name_of_their_row() {
    for form in ROUTER_FORMS {
        let spec: RouterSpec = form.example.parse().expect(form.head);
        let json = serde_json::to_value(spec).expect("serialises");
        assert_eq!(json["rule"], form.head);
        assert_eq!(rules::of(&spec).name, form.head);
        assert_eq!(
            spec.uses_the_future() || form.head == "no_token_left_behind",
            !rules::find(form.head).expect(form.head).causal
        );
    }
    for form in MIXER_FORMS {
        let spec: MixerSpec = form.example.parse().expect(form.head);
        assert_eq!(serde_json::to_value(spec).expect("serialises")["rule"], form.head);
        assert_eq!(spec.uses_the_future(), !rules::find(form.head).expect(form.head).causal);
    }
}

const NUM_TOKENS: usize = 8;
const NUM_EXPERTS: usize = 4;

/// What became of every token, in words that can be compared.
type Decisions = Vec<String>;

/// What a rule decides on these logits, by its name. Everything else it looks at is fixed.
fn decide(rule: &rules::RuleInfo, gate_logits: &GateLogits) -> Decisions {
    let fixed = |length: usize| SplitMix64::new(9).uniforms(length);
    match (rule.kind, rule.form()) {
        (Kind::Assigns, Some(form)) => {
            let slots = CapacitySpec { factor: 0.7, ..CapacitySpec::default() };
            let spec = RoutingSpec { router: form.example.parse().expect(form.head), overflow: Overflow::Drop(slots) };
            let draws = fixed(NUM_TOKENS * NUM_EXPERTS);
            let ids: Vec<TokenId> = (0..NUM_TOKENS as u32).map(TokenId).collect();
            let input = RouterInput::new(gate_logits).with_uniforms(&draws[..NUM_TOKENS]).with_token_ids(&ids);
            let router = Router::new(spec, NUM_EXPERTS).expect(form.head);
            of_routing(&router.route(&input.with_gumbels(&draws).with_normals(&draws)))
        }
        (Kind::Mixes, Some(form)) => {
            // Two segments for Lory; the others have no such number.
            let text = if form.head == "lory" { "lory:4" } else { form.example };
            let mixer = Mixer::new(text.parse().expect(form.head), NUM_EXPERTS).expect(form.head);
            of_mixing(&mixer.mix(&RouterInput::new(gate_logits)).expect("a finite input"))
        }
        (_, None) => without_form(rule.name, gate_logits, &fixed(64)),
        (Kind::Scores, Some(_)) => panic!("gates that score have no form"),
    }
}

fn without_form(name: &str, gate_logits: &GateLogits, fixed: &[f32]) -> Decisions {
    let hidden = Matrix::new(NUM_EXPERTS, gate_logits.values().to_vec());
    let rows = |logits: GateLogits| logits.rows().map(|row| format!("{row:?}")).collect();
    match name {
        "cosine" => {
            let (projection, embeddings) = (Matrix::new(2, fixed[..8].to_vec()), Matrix::new(2, fixed[8..16].to_vec()));
            let similarities = cosine::similarities(&hidden, &projection, &embeddings).expect("finite");
            rows(cosine::logits(&similarities, 0.3).expect("a temperature"))
        }
        "attention" => rows(attention::logits(gate_logits, gate_logits, gate_logits)),
        "dselect_k" => {
            // Two selectors of two bits from a token's four numbers.
            let mixture = fixed[..2].repeat(NUM_TOKENS);
            let (selectors, k, gamma) = (gate_logits.values(), 2, 1.0);
            let codes = dselect_k::Codes { selectors, mixture: &mixture, k, num_experts: NUM_EXPERTS, gamma };
            of_requests(&dselect_k::requests(&dselect_k::gate(&codes).expect("finite").weights, NUM_EXPERTS))
        }
        "per_task" => {
            let table = GateLogits::new(NUM_EXPERTS, fixed[..8].to_vec()).expect("two tasks");
            of_requests(&per_sequence::requests(&table, &[0, 0, 0, 0, 1, 1, 1, 1], 2, Weighting::SoftmaxAfter))
        }
        "expert_threshold" => {
            let mask = strictly_balanced::threshold_mask(gate_logits, &[0.3, 0.2, 0.3, 0.4]);
            of_requests(&strictly_balanced::requests(gate_logits, &mask))
        }
        "thor" => vec![format!("{:?}", random::thor_pair(&[2, 0, 1, 3])); NUM_TOKENS],
        name => panic!("{name} has no form and no test"),
    }
}

fn of_routing(routing: &Routing) -> Decisions {
    (0..routing.num_tokens).map(|token| format!("{:?}", routing.of_token(token))).collect()
}

fn of_requests(requests: &[Request]) -> Decisions {
    let of_token = |token| requests.iter().filter(|r| r.token == token).collect::<Vec<&Request>>();
    (0..NUM_TOKENS as u32).map(|token| format!("{:?}", of_token(token))).collect()
}

fn of_mixing(mixing: &Mixing) -> Decisions {
    match mixing {
        Mixing::Slots { dispatch, combine, .. } => {
            let rows = dispatch.chunks(NUM_EXPERTS).zip(combine.chunks(NUM_EXPERTS));
            rows.map(|rows| format!("{rows:?}")).collect()
        }
        Mixing::Merged { shares, row_of, .. } => {
            let row = |row: &Option<u32>| row.map(|row| &shares[row as usize * NUM_EXPERTS..][..NUM_EXPERTS]);
            row_of.iter().map(|of_token| format!("{:?}", row(of_token))).collect()
        }
        Mixing::Outputs { weights, .. } => weights.chunks(NUM_EXPERTS).map(|row| format!("{row:?}")).collect(),
    }
}

#[test]
fn the_causal_column_is_true() {
    for rule in rules::all() {
        let mut draws = SplitMix64::new(5);
        let mut counterexamples = 0;
        for round in 0..200 {
            let kept = 1 + round % (NUM_TOKENS - 1);
            let values: Vec<f32> = (0..NUM_TOKENS * NUM_EXPERTS).map(|_| draws.normal() as f32).collect();
            let mut changed = values.clone();
            changed.iter_mut().skip(kept * NUM_EXPERTS).for_each(|value| *value = draws.normal() as f32 * 2.0);
            let logits = |values| GateLogits::new(NUM_EXPERTS, values).expect("whole rows");
            let (before, after) = (decide(rule, &logits(values)), decide(rule, &logits(changed)));
            assert_eq!(before.len(), NUM_TOKENS, "{}", rule.name);
            counterexamples += usize::from(before[..kept] != after[..kept]);
        }
        assert_eq!(counterexamples == 0, rule.causal, "{}: {counterexamples} of 200", rule.name);
    }
}
