//! A model beside its relatives: the dense twin, and a table of all.

use moe_router::{metrics, rules};

use super::Model;
use super::tables::{Align, table};
use crate::evaluate::DomainEvaluation;

/// The kinds of text that all models but the tuned one are trained on.
const LANGUAGE: [&str; 6] = ["prose", "speech", "spanish", "rust", "json", "arithmetic"];

/// Mean bits per byte over the language model's kinds of text.
fn mean_bits(model: &Model) -> f64 {
    let bits = model.evaluation.domains.iter().filter(|domain| LANGUAGE.contains(&domain.name.as_str()));
    bits.map(|domain| domain.as_trained.bits_per_byte).sum::<f64>() / LANGUAGE.len() as f64
}

/// A model with experts beside the dense model of as many active parameters that learned from the same tokens.
pub fn twin(model: &Model, family: &[&Model]) -> String {
    let is_twin = |other: &&&Model| {
        model.manifest.config.num_experts > 1
            && other.manifest.config.num_experts == 1
            && other.run.start_from == model.run.start_from
            && other.run.seed == model.run.seed
            && other.run.training.domains == model.run.training.domains
            && other.run_tokens() == model.run_tokens()
            && other.evaluation.windows == model.evaluation.windows
    };
    let Some(twin) = family.iter().find(is_twin) else { return String::new() };
    if rules::looks_ahead(&model.manifest.trained_routing) {
        return String::new();
    }
    let (own, other) = (mean_bits(model), mean_bits(twin));
    let better = if own < other { "better" } else { "not better" };
    format!(
        "It is {better} than its dense twin `{}`, which has as many active parameters and was trained on the same tokens: \
         {own:.3} against {other:.3} bits per byte, mean over the six kinds of text.",
        twin.manifest.name,
    )
}

/// Says of which models the figures are no measure of a language model.
pub fn looking_ahead(family: &[&Model]) -> String {
    let looks_ahead = |model: &&&Model| rules::facts(&model.manifest.trained_routing.router).looks_ahead;
    let names: Vec<String> =
        family.iter().filter(looks_ahead).map(|model| format!("`{}`", model.manifest.name)).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        "The rule of {} looks at later tokens, so bits per byte under it are no measure of a language model.",
        names.join(" and ")
    )
}

pub fn family(family: &[&Model]) -> String {
    let row = |model: &&Model| {
        let Model { manifest, evaluation, .. } = *model;
        let language = || evaluation.domains.iter().filter(|domain| LANGUAGE.contains(&domain.name.as_str()));
        let mean = |of: fn(&DomainEvaluation) -> f64| language().map(of).sum::<f64>() / LANGUAGE.len() as f64;
        let entropies: Option<Vec<f64>> = language().map(|domain| domain.as_trained.router_entropy).collect();
        let entropy = entropies
            .map_or("–".to_owned(), |all| format!("{:.0} %", 100.0 * all.iter().sum::<f64>() / all.len() as f64));
        let layers = manifest.config.num_layers;
        let cv = (0..layers).map(|layer| {
            let mut demand = vec![0; manifest.config.num_experts];
            for domain in language() {
                demand.iter_mut().zip(&domain.as_trained.demand[layer]).for_each(|(sum, count)| *sum += count);
            }
            metrics::demand_cv(&demand)
        });
        let info = manifest.info();
        vec![
            format!("{}: {}", manifest.name, manifest.title),
            format!("{:.2} M", f64::from(info.num_parameters) / 1e6),
            format!("{:.2} M", f64::from(info.num_active_parameters) / 1e6),
            format!("{:.2} M", model.trained_tokens(family) as f64 / 1e6),
            evaluation.windows.map_or("all".to_owned(), |windows| windows.to_string()),
            format!("{:.3}", mean(|domain| domain.as_trained.bits_per_byte)),
            format!("{:.3}", mean(|domain| domain.dropless_bits_per_byte)),
            format!("{:.2}", cv.sum::<f64>() / layers as f64),
            format!("{:.1} %", 100.0 * mean(|domain| domain.as_trained.lost)),
            entropy,
            evaluation.arithmetic.right.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = family.iter().map(row).collect();
    let head = [
        "model",
        "parameters",
        "active",
        "tokens",
        "windows scored",
        "bits per byte",
        "dropless",
        "load CV",
        "requests lost",
        "entropy",
        "right",
    ];
    table(&head, Align::Right, &rows)
}
