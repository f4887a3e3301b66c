//! What was changed between two runs: every setting that differs, by its name and with both values.

use moe_router::rules;
use moe_trace::{Intervention, Overflow, RunRequest, Sampling, Source};

use crate::run::recording::Recording;
use crate::run::text::plain;
use crate::settings::interventions::is_of_the_same;
use crate::settings::{models, routing_choice};
use crate::words::{changes, names};

/// In the order in which the page has them; empty for two runs of the same request on the same device.
pub fn differences(before: &Recording, now: &Recording) -> Vec<String> {
    let (one, other) = (&before.request, &now.request);
    let mut found = Vec::new();
    let mut note = |name: &str, before: String, now: String| {
        if before != now {
            found.push(format!("{name} {before} → {now}"));
        }
    };
    if !models::are_same(&before.model, &now.model) {
        let names = [&before.model.name, &now.model.name];
        // Two models of one name are told apart by their weights.
        let of = |run: &Recording| match names[0] == names[1] {
            true => run.model.weights_sha256.chars().take(8).collect(),
            false => plain(&run.model.name),
        };
        note(&say!("model"), of(before), of(now));
    }
    note(&say!("rule"), rules::router_text(&one.routing.router), rules::router_text(&other.routing.router));
    note(&say!("when full"), when_full(one), when_full(other));
    if let (Overflow::Drop(one), Overflow::Drop(other)) = (one.routing.overflow, other.routing.overflow) {
        note(&say!("capacity factor"), one.factor.to_string(), other.factor.to_string());
    }
    note(&say!("group"), names::group(one.group).into_owned(), names::group(other.group).into_owned());
    note(&say!("sampling"), sampling(one.sampling), sampling(other.sampling));
    note(&say!("seed"), one.seed.to_string(), other.seed.to_string());
    note(&say!("new tokens"), one.max_new_tokens.to_string(), other.max_new_tokens.to_string());
    let device = |source: Source| if source == Source::LiveGpu { "GPU" } else { "CPU" }.to_owned();
    if before.is_live() && now.is_live() {
        note(&say!("device"), device(before.source), device(now.source));
    }
    if one.prompt != other.prompt {
        found.push(say!("prompt").into_owned());
    }
    found.extend(surgery(&one.interventions, &other.interventions));
    found
}

/// What is changed inside the model now and was not before, and what is so no more.
fn surgery(before: &[Intervention], now: &[Intervention]) -> Vec<String> {
    let goes_on = |gone: &Intervention| now.iter().any(|change| is_of_the_same(change, gone));
    let mut found: Vec<String> = now.iter().filter(|change| !before.contains(change)).map(changes::said).collect();
    found.extend(before.iter().filter(|gone| !goes_on(gone)).map(changes::taken_back));
    if found.is_empty() && before != now {
        found.push(say!("the order of what is changed inside the model").into_owned());
    }
    found
}

fn when_full(request: &RunRequest) -> String {
    let policy = routing_choice::policy(&request.routing);
    policy.map_or_else(|| say!("as trained").into_owned(), |policy| names::policy(policy).into_owned())
}

fn sampling(sampling: Sampling) -> String {
    match sampling {
        Sampling::Greedy => say!("greedy").into_owned(),
        Sampling::Random { temperature, top_k, top_p } => format!("T {temperature}, top-k {top_k}, top-p {top_p}"),
    }
}
