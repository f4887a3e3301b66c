//! Steps of the shipped model on this machine's CPU, one thread, trace included.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use moe_bench::{engine, request, run};
use moe_trace::RoutingGroup;

const PROMPT: &str = "The old man looked at the sea, and";

/// Tokens a second in group `decode step`: 64 tokens with a cache. The prompt's tokens are steps too.
fn decode(c: &mut Criterion) {
    let mut engine = engine();
    let request = request(&engine, PROMPT, 64, RoutingGroup::DecodeStep);
    let mut group = c.benchmark_group("engine");
    group.throughput(Throughput::Elements(run(&mut engine, &request) as u64));
    group.bench_function("decode step", |b| b.iter(|| run(&mut engine, &request)));
    group.finish();
}

/// Steps a second in group `this text` at about 64 tokens: the whole text is run again for each.
fn this_text(c: &mut Criterion) {
    let mut engine = engine();
    let prompt = [PROMPT; 5].join(" ");
    let request = request(&engine, &prompt, 7, RoutingGroup::ThisText);
    let mut group = c.benchmark_group("engine");
    group.throughput(Throughput::Elements(run(&mut engine, &request) as u64));
    group.bench_function("this text", |b| b.iter(|| run(&mut engine, &request)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = decode, this_text
}
criterion_main!(benches);
