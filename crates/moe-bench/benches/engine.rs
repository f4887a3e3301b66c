//! Steps of the shipped model on this machine's CPU, one thread, trace included.

use std::ops::Range;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use moe_bench::{arithmetics, beginning, engine, request, steps};
use moe_engine::{Engine, Extent};
use moe_trace::{Overflow, RoutingGroup, RoutingSpec, RunRequest};

const PROMPT: &str = "The old man looked at the sea, and";

const LONG_PROMPT: &str = "The old man looked at the sea, and for a while he said nothing. The boats had come back in \
    the morning with little in them, and the women who were waiting on the stones went home again, one after the other. \
    His son had wanted to go out once more, before the wind turned, but nobody would go with him. \"It is too late in \
    the year for that,\" they said, and they were right. So the two of them sat down in front of the house, mended the \
    net where the rocks had torn it, and talked of the winter in which the whole bay was white from one side to the \
    other, and a man could walk to the island and back before it was dark.";

/// Tokens a second in group `decode step`: 64 tokens with a cache. The prompt's tokens are steps too.
fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine");
    for (suffix, arithmetic) in arithmetics() {
        let mut engine = engine(&arithmetic);
        let request = request(&engine, PROMPT, 64, RoutingGroup::DecodeStep);
        group.throughput(Throughput::Elements(steps(&mut engine, &request).len() as u64));
        group.bench_function(format!("decode step{suffix}"), |b| b.iter(|| steps(&mut engine, &request)));
    }
    group.finish();
}

/// Steps a second in group `this text` at two lengths: the whole text at each step, what is needed, and for comparison
/// what a decode step takes there; with matrices of 8 bits and in f32. Only the steps within the range are timed.
fn this_text(c: &mut Criterion) {
    let engines = arithmetics().map(|(suffix, arithmetic)| (suffix, engine(&arithmetic)));
    for (suffix, mut engine) in engines {
        text_of(c, suffix, &mut engine);
    }
}

fn text_of(c: &mut Criterion, suffix: &str, engine: &mut Engine) {
    for lengths in [56..72, 192..208] {
        let prompt = beginning(engine, LONG_PROMPT, lengths.start - 1);
        let text = request(engine, &prompt, lengths.len() as u32 + 8, RoutingGroup::ThisText);
        let routing = RoutingSpec { overflow: Overflow::Dropless, ..text.routing };
        let dropless = RunRequest { routing, ..text.clone() };
        let decode = RunRequest { group: RoutingGroup::DecodeStep, ..text.clone() };
        let rows = [
            ("whole", &text, Extent::Whole),
            ("what is needed", &text, Extent::Needed),
            ("dropless, whole", &dropless, Extent::Whole),
            ("dropless, what is needed", &dropless, Extent::Needed),
            ("decode step", &decode, Extent::Needed),
        ];
        let mut group = c.benchmark_group(format!("engine, {} to {} tokens", lengths.start, lengths.end - 1));
        for (name, request, extent) in rows {
            engine.set_extent(extent);
            let (num_steps, _) = within(engine, request, &lengths);
            group.throughput(Throughput::Elements(num_steps));
            group.bench_function(format!("{name}{suffix}"), |b| {
                b.iter_custom(|iterations| (0..iterations).map(|_| within(engine, request, &lengths).1).sum());
            });
        }
        group.finish();
    }
}

/// How many of a run's steps have a text of such a length, and how long they took together.
fn within(engine: &mut Engine, request: &RunRequest, lengths: &Range<usize>) -> (u64, Duration) {
    let steps = steps(engine, request).into_iter().filter(|(num_tokens, _)| lengths.contains(num_tokens));
    steps.fold((0, Duration::ZERO), |(count, sum), (_, time)| (count + 1, sum + time))
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = decode, this_text
}
criterion_main!(benches);
