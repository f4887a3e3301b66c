//! A model beside its relatives: the dense twin, and a table of all.

use moe_router::rules;

use super::Model;
use super::tables::{Align, table};
use crate::seeds::OtherSeed;

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
    let (own, other) = (model.evaluation.bits_per_byte(), twin.evaluation.bits_per_byte());
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
        let entropies: Option<Vec<f64>> =
            evaluation.language().map(|domain| domain.as_trained.router_entropy).collect();
        let entropy = entropies
            .map_or("–".to_owned(), |all| format!("{:.0} %", 100.0 * all.iter().sum::<f64>() / all.len() as f64));
        let info = manifest.info();
        vec![
            format!("{}: {}", manifest.name, manifest.title),
            format!("{:.2} M", f64::from(info.num_parameters) / 1e6),
            format!("{:.2} M", f64::from(info.num_active_parameters) / 1e6),
            format!("{:.2} M", model.trained_tokens(family) as f64 / 1e6),
            evaluation.windows.map_or("all".to_owned(), |windows| windows.to_string()),
            format!("{:.3}", evaluation.bits_per_byte()),
            format!("{:.3}", evaluation.mean(|domain| domain.dropless_bits_per_byte)),
            format!("{:.2}", evaluation.load_cv()),
            format!("{:.1} %", 100.0 * evaluation.lost()),
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

/// Of the models that were trained again under other seeds, how far their figures move: mean and range over the seeds.
pub fn seeds(family: &[&Model]) -> String {
    let row = |model: &&Model| {
        let Model { manifest, evaluation, seeds, run, .. } = *model;
        let spread = |own: f64, of: fn(&OtherSeed) -> f64| {
            let all: Vec<f64> = std::iter::once(own).chain(seeds.iter().map(of)).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            (mean, all.iter().copied().fold(mean, f64::min), all.iter().copied().fold(mean, f64::max))
        };
        let (bits, least, most) = spread(evaluation.bits_per_byte(), |other| other.bits_per_byte);
        let (cv, even, uneven) = spread(evaluation.load_cv(), |other| other.load_cv);
        let (lost, few, many) = spread(100.0 * evaluation.lost(), |other| 100.0 * other.lost);
        let numbers: Vec<String> = std::iter::once(run.seed)
            .chain(seeds.iter().map(|other| other.seed))
            .map(|seed| seed.to_string())
            .collect();
        vec![
            manifest.name.clone(),
            numbers.join(", "),
            format!("{bits:.3} ({least:.3} to {most:.3})"),
            format!("{cv:.2} ({even:.2} to {uneven:.2})"),
            format!("{lost:.1} % ({few:.1} to {many:.1})"),
        ]
    };
    let rows: Vec<Vec<String>> = family.iter().filter(|model| !model.seeds.is_empty()).map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["model", "seeds", "bits per byte", "load CV", "requests lost"];
    let lead = "The same runs under other seeds (`cargo xtask train seeds`): mean, least and most. A difference within these \
                ranges may be chance; so few seeds show no more.";
    format!("{lead}\n\n{}", table(&head, Align::Right, &rows))
}
