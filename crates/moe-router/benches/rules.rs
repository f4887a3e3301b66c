//! Every rule at 512 tokens, 64 experts and 8 choices each, or as near to that as its form allows.

use criterion::{Criterion, criterion_group, criterion_main};
use moe_router::draws::SplitMix64;
use moe_router::group_choice::{expert_threshold, strictly_balanced};
use moe_router::matrix::Matrix;
use moe_router::rule::Kind;
use moe_router::token_choice::{attention, cosine, dselect_k, per_task, thor};
use moe_router::{Mixer, Router, RouterInput, rules};
use moe_trace::{CapacitySpec, GateLogits, Overflow, Policy, Priority, RoutingSpec, SlotOrder, TokenId, Weighting};

const NUM_TOKENS: usize = 512;
const NUM_EXPERTS: usize = 64;
const K: usize = 8;

/// Texts with the benchmark's numbers, where the example of the form has others.
const TEXTS: [&str; 20] = [
    "top_k:8",
    "noisy:k=8,std=1",
    "logit_norm:8",
    "deepseek:k=8,groups=8,kept=4,scale=2.5",
    "deepseek_v2:k=8,groups=8,kept=3,scale=1",
    "null_experts:k=8,nulls=16",
    "hierarchical:groups=8,k_groups=2,k_within=4",
    "prototypes:8",
    "per_sequence:8",
    "expert_choice:8",
    "strictly_balanced:8",
    "sinkhorn:8",
    "sinkhorn:1",
    "sinkhorn:8,greedy",
    "base:auction",
    "base:exact",
    "base:greedy",
    "no_token_left_behind:8",
    "meo:8",
    "molora:8",
];

struct Setup {
    gate_logits: GateLogits,
    uniforms: Vec<f32>,
    gumbels: Vec<f32>,
    normals: Vec<f32>,
    token_ids: Vec<TokenId>,
    frequencies: Vec<f64>,
}

impl Setup {
    fn new() -> Setup {
        let mut draws = SplitMix64::new(1);
        let size = NUM_TOKENS * NUM_EXPERTS;
        let mut normals = || (0..size).map(|_| draws.normal() as f32).collect::<Vec<f32>>();
        let (logits, normals) = (normals(), normals());
        Setup {
            gate_logits: GateLogits::new(NUM_EXPERTS, logits).expect("a matrix"),
            uniforms: draws.uniforms(NUM_TOKENS),
            gumbels: (0..size).map(|_| draws.gumbel() as f32).collect(),
            token_ids: (0..NUM_TOKENS).map(|_| TokenId((draws.u64() % 4096) as u32)).collect(),
            frequencies: (0..4096).map(|id| 1.0 / f64::from(id + 1)).collect(),
            normals,
        }
    }

    fn input(&self) -> RouterInput<'_> {
        RouterInput::new(&self.gate_logits)
            .with_uniforms(&self.uniforms)
            .with_gumbels(&self.gumbels)
            .with_normals(&self.normals)
            .with_token_ids(&self.token_ids)
            .with_token_frequencies(&self.frequencies)
    }
}

fn texts(name: &str) -> Vec<&'static str> {
    let own: Vec<&str> = TEXTS.into_iter().filter(|text| text.split(':').next() == Some(name)).collect();
    match rules::find(name).and_then(|rule| rule.example()) {
        Some(example) if own.is_empty() => vec![example],
        _ => own,
    }
}

fn every_rule(c: &mut Criterion) {
    let setup = Setup::new();
    let slots = CapacitySpec::default();
    let mut group = c.benchmark_group("rules");
    for rule in rules::all() {
        for text in texts(rule.name) {
            match rule.kind() {
                Kind::Mixes => {
                    let mixer = Mixer::new(rules::parse_mixer(text).expect(text), NUM_EXPERTS).expect(text);
                    group.bench_function(text, |b| b.iter(|| mixer.mix(&setup.input())));
                }
                Kind::Assigns | Kind::Scores => {
                    let rule = rules::parse_router(text).expect(text);
                    let spec = RoutingSpec { router: rule, overflow: Overflow::Drop(slots) };
                    let router = Router::new(spec, NUM_EXPERTS).expect(text);
                    group.bench_function(text, |b| b.iter(|| router.route(&setup.input())));
                }
            }
        }
    }
    group.finish();
}

/// Rules that gate logits are not enough for, called by their functions.
fn without_form(c: &mut Criterion) {
    let setup = Setup::new();
    let logits = &setup.gate_logits;
    let mut group = c.benchmark_group("rules");
    let hidden = Matrix::new(NUM_EXPERTS, logits.values().to_vec());
    let projection = Matrix::new(NUM_EXPERTS / 2, logits.values()[..NUM_EXPERTS * NUM_EXPERTS / 2].to_vec());
    let embeddings = Matrix::new(NUM_EXPERTS / 2, logits.values()[..NUM_EXPERTS * NUM_EXPERTS / 2].to_vec());
    group.bench_function("cosine", |b| b.iter(|| cosine::similarities(&hidden, &projection, &embeddings)));
    group.bench_function("attention", |b| b.iter(|| attention::logits(logits, logits, logits)));
    let selectors = &logits.values()[..NUM_TOKENS * K * dselect_k::num_bits(NUM_EXPERTS)];
    let mixture = &logits.values()[..NUM_TOKENS * K];
    let codes = dselect_k::Codes { selectors, mixture, k: K, num_experts: NUM_EXPERTS, gamma: 1.0 };
    group.bench_function("dselect_k", |b| b.iter(|| dselect_k::gate(&codes)));
    let tasks = GateLogits::new(NUM_EXPERTS, logits.values()[..NUM_EXPERTS * 4].to_vec()).expect("four tasks");
    let task_of: Vec<usize> = (0..NUM_TOKENS).map(|token| token % 4).collect();
    group.bench_function("per_task", |b| b.iter(|| per_task::requests(&tasks, &task_of, K, Weighting::Norm)));
    let thresholds = [0.03; NUM_EXPERTS];
    group.bench_function("expert_threshold", |b| {
        b.iter(|| strictly_balanced::requests(logits, &expert_threshold::mask(logits, &thresholds)))
    });
    group.bench_function("thor", |b| b.iter(|| thor::pair(&SplitMix64::new(1).permutation(NUM_EXPERTS))));
    group.finish();
}

/// One rule under every policy of the page.
fn policies(c: &mut Criterion) {
    let setup = Setup::new();
    let by_sum = CapacitySpec { order: SlotOrder::RankMajor, priority: Priority::BprSum, ..CapacitySpec::default() };
    let top_8 = RoutingSpec::with_policy(8, Policy::Dropless, 1.25);
    let specs = [
        ("top 8, drop", RoutingSpec::with_policy(8, Policy::Drop, 1.25)),
        ("top 8, batch-prioritised", RoutingSpec::with_policy(8, Policy::Bpr, 1.25)),
        ("top 8, dropless", top_8),
        ("top 8, rank-major by sum", RoutingSpec { overflow: Overflow::Drop(by_sum), ..top_8 }),
        ("gshard, random second", RoutingSpec::with_policy(2, Policy::RandomSecond, 1.25)),
    ];
    let mut group = c.benchmark_group("policies");
    for (name, spec) in specs {
        let router = Router::new(spec, NUM_EXPERTS).expect("a valid spec");
        group.bench_function(name, |b| b.iter(|| router.route(&setup.input())));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = every_rule, without_form, policies
}
criterion_main!(benches);
