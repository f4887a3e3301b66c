//! Routing alone, without a model: 512 tokens, 64 experts, 8 choices each.

use criterion::{Criterion, criterion_group, criterion_main};
use moe_router::draws::SplitMix64;
use moe_router::{Router, RouterInput};
use moe_trace::{CapacitySpec, GateLogits, Overflow, Policy, Priority, RouterSpec, RoutingSpec, SlotOrder, Weighting};

fn routing(c: &mut Criterion) {
    let (num_tokens, num_experts) = (512, 64);
    let mut random = SplitMix64::new(1);
    let values = (0..num_tokens * num_experts).map(|_| random.normal() as f32).collect();
    let logits = GateLogits::new(num_experts, values).expect("a matrix");
    let uniforms = random.uniforms(num_tokens);
    let slots = CapacitySpec { order: SlotOrder::RankMajor, priority: Priority::BprSum, ..CapacitySpec::default() };
    let top_8 = RouterSpec::TopK { k: 8, weighting: Weighting::Norm };
    let specs = [
        ("dense", RoutingSpec { router: RouterSpec::Dense, overflow: Overflow::Dropless }),
        ("switch", RoutingSpec { router: RouterSpec::Switch, overflow: Overflow::Drop(CapacitySpec::default()) }),
        ("top 8, drop", RoutingSpec::with_policy(8, Policy::Drop, 1.25)),
        ("top 8, batch-prioritised", RoutingSpec::with_policy(8, Policy::Bpr, 1.25)),
        ("top 8, dropless", RoutingSpec::with_policy(8, Policy::Dropless, 1.25)),
        ("top 8, rank-major by sum", RoutingSpec { router: top_8, overflow: Overflow::Drop(slots) }),
        ("gshard, random second", RoutingSpec::with_policy(2, Policy::RandomSecond, 1.25)),
    ];
    let mut group = c.benchmark_group("routing");
    for (name, spec) in specs {
        let router = Router::new(spec, num_experts).expect("a valid spec");
        let input = RouterInput::new(&logits).with_uniforms(&uniforms);
        group.bench_function(name, |b| b.iter(|| router.route(&input)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = routing
}
criterion_main!(benches);
