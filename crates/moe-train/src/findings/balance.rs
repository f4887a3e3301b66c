//! What balance is asked of: every text by itself, or all of a batch together. Compared are runs that nobody is shown,
//! trained by `study` on as much text as the twins of the menu.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use moe_learn::Corpus;
use moe_trace::Overflow;
use serde::{Deserialize, Serialize};

use super::domains;
use super::estimate::mean;
use super::observe::{Model, Observed, Text};
use super::report::{Finding, Section, Verdict, list, percent, write_json};
use crate::evaluate::Evaluation;
use crate::site_model::SiteModel;

/// Experts specialise if kinds of text differ this many times as much.
const SPECIALISED: f64 = 2.0;

/// A loss mends what is turned away if at most this part of it is left.
const MENDED: f64 = 2.0 / 3.0;

/// One training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// Its run file.
    pub run: String,
    pub seed: u64,
    /// The weights as exported, SHA-256.
    pub weights_sha256: String,
    /// Routed as in training, mean over the kinds of text it was trained on.
    pub bits_per_byte: f64,
    /// Share of requests turned away, the same mean.
    pub lost: f64,
    /// Coefficient of variation of the experts' demand over all text, mean over layers.
    pub load_cv: f64,
    /// Jensen-Shannon divergence of a kind of text from all together, nats, mean over kinds and layers.
    pub divergence: f64,
    /// The largest that any kind had in any layer when windows were shuffled among kinds.
    pub divergence_by_chance: f64,
    /// The largest share of a kind's tokens that ask one expert, as a multiple of chance.
    pub strongest: f64,
}

impl Trained {
    pub fn of(
        run: &str,
        seed: u64,
        site: SiteModel,
        evaluation: &Evaluation,
        corpus: &Corpus,
        windows: usize,
    ) -> Result<Trained> {
        let model = Model { weights: site.weights(&Device::flex())?, site };
        let config = &model.site.manifest.config;
        let text = Text::of(corpus, config.max_tokens, windows)?;
        let observed = Observed::of(&model, &text, Overflow::Dropless)?;
        let (experts, k) = observed.choices().with_context(|| format!("in {run} tokens ask different numbers"))?;
        let kinds = domains::measure(&experts, k, config.num_experts, &text);
        Ok(Trained {
            run: run.to_owned(),
            seed,
            weights_sha256: evaluation.weights_sha256.clone(),
            bits_per_byte: evaluation.bits_per_byte(),
            lost: evaluation.lost(),
            load_cv: evaluation.load_cv(),
            divergence: kinds.divergence(),
            divergence_by_chance: kinds.divergence_by_chance(),
            strongest: kinds.strongest_over_chance(),
        })
    }

    pub fn in_words(&self) -> String {
        format!(
            "{}, seed {}: {:.3} bits per byte, {} lost, divergence by kind of text {:.3} nats, demand varies by {:.2}",
            self.run,
            self.seed,
            self.bits_per_byte,
            percent(self.lost),
            self.divergence,
            self.load_cv,
        )
    }
}

/// What was measured so far; nothing where there is no such file.
pub fn read(path: &Path) -> Result<Vec<Trained>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let json = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&json).with_context(|| format!("in {}", path.display()))
}

pub fn write(path: &Path, rows: &[Trained]) -> Result<()> {
    write_json(path, &rows)
}

/// The same seeds of two runs, side by side.
struct Pair<'a> {
    narrow: Vec<&'a Trained>,
    wide: Vec<&'a Trained>,
}

impl<'a> Pair<'a> {
    /// Of the seeds that both have; `None` below two.
    fn of(rows: &'a [Trained], narrow: &str, wide: &str) -> Option<Pair<'a>> {
        let of = |run: &str, seed| rows.iter().find(|row| row.run == run && row.seed == seed);
        let seeds = rows.iter().filter(|row| row.run == narrow).map(|row| row.seed);
        let both: Vec<(&Trained, &Trained)> =
            seeds.filter_map(|seed| Some((of(narrow, seed)?, of(wide, seed)?))).collect();
        let (narrow, wide): (Vec<_>, Vec<_>) = both.into_iter().unzip();
        (narrow.len() > 1).then_some(Pair { narrow, wide })
    }

    /// Is it so for every seed?
    fn all(&self, is: impl Fn(&Trained, &Trained) -> bool) -> Verdict {
        Verdict::of_all(self.narrow.iter().zip(&self.wide).map(|(narrow, wide)| is(narrow, wide)))
    }

    /// `value` of each seed: of the narrow run, of the wide one.
    fn values(&self, value: impl Fn(&Trained) -> f64) -> (Vec<f64>, Vec<f64>) {
        let of = |rows: &[&Trained]| rows.iter().map(|row| value(row)).collect();
        (of(&self.narrow), of(&self.wide))
    }
}

/// What varies from seed to seed: the largest less the smallest.
fn spread(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest - values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// How far seeds of one run differ in bits per byte, of the run where they differ the most; `None` where no run has two.
pub fn largest_spread(rows: &[Trained]) -> Option<f64> {
    let of = |run: &str| rows.iter().filter(|row| row.run == run).map(|row| row.bits_per_byte).collect::<Vec<_>>();
    rows.iter().map(|row| of(&row.run)).filter(|seeds| seeds.len() > 1).map(|seeds| spread(&seeds)).reduce(f64::max)
}

fn written(values: &[f64], write: impl Fn(f64) -> String) -> String {
    list(&values.iter().map(|value| write(*value)).collect::<Vec<_>>())
}

pub fn section(out: &Path) -> Result<Option<Section>> {
    let rows = read(&out.join("balance.json"))?;
    let mut findings = Vec::new();
    if let Some(pair) = Pair::of(&rows, "top2", "top2-batch") {
        findings.push(specialisation(&pair));
        findings.push(prediction(&pair));
    }
    for (run, coefficient) in [("deepseek-sequence-paper", "1e-4, as in the paper"), ("deepseek-sequence", "1e-2")] {
        if let Some(pair) = Pair::of(&rows, "deepseek", run) {
            findings.push(mending(&pair, coefficient));
        }
    }
    if findings.is_empty() {
        return Ok(None);
    }
    let method = format!(
        "Runs of 480 steps (0.98 million tokens) that differ in one thing, each under the seeds that both have. Every batch \
        has 8 sequences of 256 tokens, of six kinds of text in turn. A divergence is that of \"Experts and kinds of text\". \
        Experts specialise if it is {SPECIALISED} times as large in every seed; a difference in bits per byte counts if it is \
        larger than either run's own spread over seeds; a loss mends what is turned away if in every seed at most two \
        thirds of it are left.",
    );
    Ok(Some(Section {
        title: "What balance is asked of",
        method,
        findings,
        notes: vec![table(&rows)],
        data: "balance.json",
    }))
}

fn specialisation(pair: &Pair) -> Finding {
    let (narrow, wide) = pair.values(|row| row.divergence);
    let (narrow_cv, wide_cv) = pair.values(|row| row.load_cv);
    let (narrow_lost, wide_lost) = pair.values(|row| row.lost);
    let nats = |value| format!("{value:.3}");
    let cv = |value| format!("{value:.2}");
    Finding {
        claim: "Balance over the whole batch lets experts specialise",
        verdict: pair.all(|narrow, wide| wide.divergence >= SPECIALISED * narrow.divergence),
        found: format!(
            "Balanced within each sequence, kinds of text diverge by {} nats, balanced over the batch by {}, {:.1} times as \
            much in the mean. Demand over all text varies by {} of its mean and by {}, and {} and {} of the requests are \
            turned away, since a text that prefers experts overflows them.",
            written(&narrow, nats),
            written(&wide, nats),
            mean(&wide) / mean(&narrow).max(f64::MIN_POSITIVE),
            written(&narrow_cv, cv),
            written(&wide_cv, cv),
            written(&narrow_lost, percent),
            written(&wide_lost, percent),
        ),
        published: "a loss over the global batch in place of few sequences lets experts specialise by domain \
        (Qiu et al. 2025, arXiv:2501.11873; up to 42.8 billion parameters).",
        figure: None,
    }
}

fn prediction(pair: &Pair) -> Finding {
    let (narrow, wide) = pair.values(|row| row.bits_per_byte);
    let own = spread(&narrow).max(spread(&wide));
    let bits = |value| format!("{value:.3}");
    Finding {
        claim: "Balance over the whole batch predicts better",
        verdict: Verdict::of_difference(mean(&narrow) - mean(&wide), own),
        found: format!(
            "{} bits per byte balanced within each sequence, {} over the batch, both routed as in training; seeds of one run \
            differ by up to {own:.3}.",
            written(&narrow, bits),
            written(&wide, bits),
        ),
        published: "lower perplexity and better answers with the global batch (Qiu et al. 2025).",
        figure: None,
    }
}

fn mending(pair: &Pair, coefficient: &str) -> Finding {
    let (bias, with) = pair.values(|row| row.lost);
    let (bias_bits, with_bits) = pair.values(|row| row.bits_per_byte);
    let bits = |value| format!("{value:.3}");
    Finding {
        claim: match coefficient {
            "1e-2" => "A stronger balance loss within each sequence does, too, and more",
            _ => "Beside a bias, a small balance loss within each sequence spares single texts",
        },
        verdict: pair.all(|bias, with| with.lost <= MENDED * bias.lost),
        found: format!(
            "DeepSeek-style, factor 1.25: balanced by its bias alone, {} of the requests are turned away; with the loss \
            (coefficient {coefficient}) {}. {} and {} bits per byte.",
            written(&bias, percent),
            written(&with, percent),
            written(&bias_bits, bits),
            written(&with_bits, bits),
        ),
        published: "the bias balances batches; DeepSeek-V3 adds a sequence-wise loss of coefficient 1e-4 against extreme \
        imbalance within a sequence (arXiv:2412.19437, section 2.1.2; no numbers of what it mends).",
        figure: None,
    }
}

/// Every run, as it came out.
fn table(rows: &[Trained]) -> String {
    let mut text =
        "| run | seed | bits per byte | turned away | demand varies by | divergence by kind | largest by chance | \
        strongest preference |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
            .to_owned();
    for row in rows {
        text += &format!(
            "\n| {} | {} | {:.3} | {} | {:.2} | {:.3} | {:.3} | {:.1} × chance |",
            row.run,
            row.seed,
            row.bits_per_byte,
            percent(row.lost),
            row.load_cv,
            row.divergence,
            row.divergence_by_chance,
            row.strongest,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(run: &str, seed: u64, divergence: f64, lost: f64, bits_per_byte: f64) -> Trained {
        Trained {
            run: run.to_owned(),
            seed,
            weights_sha256: String::new(),
            bits_per_byte,
            lost,
            load_cv: 0.1,
            divergence,
            divergence_by_chance: 0.001,
            strongest: 2.0,
        }
    }

    #[test]
    fn only_seeds_of_both_runs_are_compared_and_every_one_counts() {
        let mut rows = vec![
            row("top2", 1, 0.010, 0.09, 2.10),
            row("top2", 2, 0.012, 0.08, 2.12),
            row("top2", 3, 0.5, 0.08, 2.12),
            row("top2-batch", 1, 0.030, 0.15, 2.00),
        ];
        assert!(Pair::of(&rows, "top2", "top2-batch").is_none(), "one seed tells nothing from chance");
        rows.push(row("top2-batch", 2, 0.024, 0.15, 2.03));
        let pair = Pair::of(&rows, "top2", "top2-batch").expect("two seeds");
        assert_eq!(specialisation(&pair).verdict, Verdict::Holds);
        // 0.095 better, and seeds differ by 0.03 at most.
        assert_eq!(prediction(&pair).verdict, Verdict::Holds);
        rows[4].divergence = 0.020;
        rows[4].bits_per_byte = 2.18;
        let pair = Pair::of(&rows, "top2", "top2-batch").expect("two seeds");
        assert_eq!(specialisation(&pair).verdict, Verdict::Open);
        assert_eq!(prediction(&pair).verdict, Verdict::Open);
    }

    #[test]
    fn seeds_of_one_run_are_compared_with_each_other_alone() {
        let mut rows = vec![row("top2", 1, 0.0, 0.0, 2.1), row("hash", 1, 0.0, 0.0, 3.0)];
        assert_eq!(largest_spread(&rows), None);
        rows.extend([row("top2", 2, 0.0, 0.0, 2.125), row("hash", 2, 0.0, 0.0, 3.0)]);
        assert!(largest_spread(&rows).is_some_and(|spread| (spread - 0.025).abs() < 1e-9));
    }

    #[test]
    fn what_was_written_is_read_again() {
        let path = std::env::temp_dir().join(format!("moe-balance-{}.json", std::process::id()));
        let rows = vec![row("top2", 1, 0.01, 0.09, 2.1)];
        write(&path, &rows).expect("it can be written");
        assert_eq!(read(&path).expect("and read"), rows);
        fs::remove_file(&path).expect("it is there");
        assert_eq!(read(&path).expect("nothing yet"), []);
    }
}
