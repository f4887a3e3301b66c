//! How the page's model was chosen: beside a model of the same size and budget that is balanced within each sequence, by
//! a rule that was stated before either was measured.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::domains::Domains;
use super::report::{Finding, Section, Verdict, list, write_json};
use super::{Of, balance};
use crate::evaluate::Evaluation;

/// What is chosen.
const CHOSEN: &str = "default";
/// What it is compared with, the page's model before.
const BESIDE: &str = "top2";

/// Experts specialise if kinds of text differ this many times as much.
const SPECIALISED: f64 = 2.0;

/// Bits per byte of a kind of text, routed as in training.
#[derive(Serialize)]
struct Kind {
    kind: String,
    chosen: f64,
    beside: f64,
}

#[derive(Serialize)]
struct Chosen {
    kinds: Vec<Kind>,
    /// The largest less the smallest of any run's seeds, bits per byte.
    spread: f64,
    chosen_divergence: f64,
    beside_divergence: f64,
}

/// `evaluations` and `domains` of all models.
pub fn section(evaluations: &[Of<Evaluation>], domains: &[Of<Domains>], out: &Path) -> Result<Option<Section>> {
    let scored = |name: &str| evaluations.iter().find(|of| of.model == name).map(|of| &of.result);
    let divergence = |name: &str| domains.iter().find(|of| of.model == name).map(|of| of.result.divergence());
    let (Some(chosen), Some(beside)) = (scored(CHOSEN), scored(BESIDE)) else { return Ok(None) };
    let (Some(chosen_divergence), Some(beside_divergence)) = (divergence(CHOSEN), divergence(BESIDE)) else {
        return Ok(None);
    };
    let Some(spread) = balance::largest_spread(&balance::read(&out.join("balance.json"))?) else { return Ok(None) };
    let kinds = chosen.language().zip(beside.language()).map(|(chosen, beside)| Kind {
        kind: chosen.name.clone(),
        chosen: chosen.as_trained.bits_per_byte,
        beside: beside.as_trained.bits_per_byte,
    });
    let measured = Chosen { kinds: kinds.collect(), spread, chosen_divergence, beside_divergence };
    write_json(&out.join("chosen.json"), &measured)?;
    Ok(Some(measured.section()))
}

impl Chosen {
    fn section(&self) -> Section {
        let method = format!(
            "Candidates have the active parameters, tokens and seed of `{BESIDE}`, which was the page's model before. Of \
             those whose bits per byte, routed as each was trained, are on no kind of text worse than its by more than \
             seeds of one run differ, the one with the largest divergence of \"Experts and kinds of text\" is chosen. \
             Seeds differ by {:.3} bits per byte at most (\"What balance is asked of\"; means over kinds of text, after a \
             tenth of the tokens).",
            self.spread,
        );
        Section {
            title: "How the page's model was chosen",
            method,
            findings: vec![self.specialises(), self.predicts()],
            notes: Vec::new(),
            data: "chosen.json",
        }
    }

    fn specialises(&self) -> Finding {
        let Chosen { chosen_divergence: chosen, beside_divergence: beside, .. } = self;
        Finding {
            claim: "After the whole budget, too, balance over the batch lets experts specialise",
            verdict: Verdict::of(*chosen >= SPECIALISED * beside),
            found: format!(
                "Kinds of text diverge by {chosen:.3} nats in `{CHOSEN}` and by {beside:.3} in `{BESIDE}`, {:.1} times as \
                 much; it holds from {SPECIALISED} times on.",
                chosen / beside.max(f64::MIN_POSITIVE),
            ),
            published: "experts specialise by domain under a loss over the global batch (Qiu et al. 2025, \
            arXiv:2501.11873).",
            figure: None,
        }
    }

    fn predicts(&self) -> Finding {
        let each: Vec<String> = self
            .kinds
            .iter()
            .map(|Kind { kind, chosen, beside }| format!("{kind} {chosen:.3} and {beside:.3}"))
            .collect();
        Finding {
            claim: "It costs no kind of text anything",
            verdict: Verdict::of(self.kinds.iter().all(|kind| kind.chosen <= kind.beside + self.spread)),
            found: format!("Bits per byte of `{CHOSEN}` and `{BESIDE}`: {}.", list(&each)),
            published: "lower perplexity with the global batch (Qiu et al. 2025).",
            figure: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(chosen: f64, divergence: f64) -> Chosen {
        let kind = |kind: &str, chosen| Kind { kind: kind.to_owned(), chosen, beside: 1.5 };
        let kinds = vec![kind("prose", 1.4), kind("rust", chosen)];
        Chosen { kinds, spread: 0.02, chosen_divergence: divergence, beside_divergence: 0.01 }
    }

    #[test]
    fn one_kind_of_text_that_is_worse_is_one_too_many() {
        let verdict = |chosen| measured(chosen, 0.1).predicts().verdict;
        assert_eq!(verdict(1.51), Verdict::Holds);
        assert_eq!(verdict(1.53), Verdict::DoesNotHold);
    }

    #[test]
    fn twice_the_divergence_is_asked() {
        let verdict = |divergence| measured(1.5, divergence).specialises().verdict;
        assert_eq!(verdict(0.02), Verdict::Holds);
        assert_eq!(verdict(0.019), Verdict::DoesNotHold);
    }
}
