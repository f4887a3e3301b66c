//! May a model whose experts specialise be the page's? Beside the page's, of the same size and budget, by a rule that was
//! stated before either was measured.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::domains::Domains;
use super::report::{Finding, Section, Verdict, list, write_json};
use super::{Of, TWIN, balance};
use crate::evaluate::Evaluation;

/// Balanced over all sequences of a batch together, with more room for experts; else trained as [`TWIN`].
const CANDIDATE: &str = "global-batch";

/// Experts specialise if kinds of text differ this many times as much.
const SPECIALISED: f64 = 2.0;

/// Bits per byte of a kind of text.
#[derive(Serialize)]
struct Kind {
    kind: String,
    /// Routed as each was trained.
    candidate: f64,
    page: f64,
    /// With nobody turned away.
    candidate_dropless: f64,
    page_dropless: f64,
}

#[derive(Serialize)]
struct Compared {
    kinds: Vec<Kind>,
    /// The largest less the smallest of any run's seeds, bits per byte.
    spread: f64,
    candidate_divergence: f64,
    page_divergence: f64,
}

/// `evaluations` and `domains` of all models.
pub fn section(evaluations: &[Of<Evaluation>], domains: &[Of<Domains>], out: &Path) -> Result<Option<Section>> {
    let scored = |name: &str| evaluations.iter().find(|of| of.model == name).map(|of| &of.result);
    let divergence = |name: &str| domains.iter().find(|of| of.model == name).map(|of| of.result.divergence());
    let (Some(candidate), Some(page)) = (scored(CANDIDATE), scored(TWIN)) else { return Ok(None) };
    let (Some(candidate_divergence), Some(page_divergence)) = (divergence(CANDIDATE), divergence(TWIN)) else {
        return Ok(None);
    };
    let Some(spread) = balance::largest_spread(&balance::read(&out.join("balance.json"))?) else { return Ok(None) };
    let kinds = candidate.language().zip(page.language()).map(|(candidate, page)| Kind {
        kind: candidate.name.clone(),
        candidate: candidate.as_trained.bits_per_byte,
        page: page.as_trained.bits_per_byte,
        candidate_dropless: candidate.dropless_bits_per_byte,
        page_dropless: page.dropless_bits_per_byte,
    });
    let compared = Compared { kinds: kinds.collect(), spread, candidate_divergence, page_divergence };
    write_json(&out.join("candidate.json"), &compared)?;
    Ok(Some(compared.section()))
}

impl Compared {
    fn section(&self) -> Section {
        let method = format!(
            "`{CANDIDATE}` has the active parameters, tokens and seed of `{TWIN}`, the page's model. It would take its place \
            if it were more specialised and, routed as each was trained, on no kind of text worse by more than seeds of one \
            run differ: by {:.3} bits per byte at most (\"What balance is asked of\"; means over kinds of text, after a tenth \
            of the tokens). A divergence is that of \"Experts and kinds of text\". One seed each.",
            self.spread,
        );
        Section {
            title: "A model whose experts specialise, and the page's",
            method,
            findings: vec![self.specialises(), self.predicts()],
            notes: vec![self.dropless()],
            data: "candidate.json",
        }
    }

    fn specialises(&self) -> Finding {
        let Compared { candidate_divergence: candidate, page_divergence: page, .. } = self;
        Finding {
            claim: "After ten times as much text, too, balance over the batch lets experts specialise",
            verdict: Verdict::of(*candidate >= SPECIALISED * page),
            found: format!(
                "Kinds of text diverge by {candidate:.3} nats in `{CANDIDATE}` and by {page:.3} in `{TWIN}`, {:.1} times as \
                 much; it holds from {SPECIALISED} times on.",
                candidate / page.max(f64::MIN_POSITIVE),
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
            .map(|Kind { kind, candidate, page, .. }| format!("{kind} {candidate:.3} and {page:.3}"))
            .collect();
        Finding {
            claim: "It costs no kind of text anything",
            verdict: Verdict::of(self.kinds.iter().all(|kind| kind.candidate <= kind.page + self.spread)),
            found: format!("Bits per byte of `{CANDIDATE}` and `{TWIN}`: {}.", list(&each)),
            published: "lower perplexity with the global batch (Qiu et al. 2025).",
            figure: None,
        }
    }

    fn dropless(&self) -> String {
        let each: Vec<String> = self
            .kinds
            .iter()
            .map(|Kind { kind, candidate_dropless: candidate, page_dropless: page, .. }| {
                format!("{kind} {candidate:.3} and {page:.3}")
            })
            .collect();
        format!("With nobody turned away: {}.", list(&each))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(rust: f64, divergence: f64) -> Compared {
        let kind = |kind: &str, candidate| Kind {
            kind: kind.to_owned(),
            candidate,
            page: 1.5,
            candidate_dropless: candidate,
            page_dropless: 1.5,
        };
        let kinds = vec![kind("prose", 1.4), kind("rust", rust)];
        Compared { kinds, spread: 0.02, candidate_divergence: divergence, page_divergence: 0.01 }
    }

    #[test]
    fn one_kind_of_text_that_is_worse_is_one_too_many() {
        let verdict = |rust| compared(rust, 0.1).predicts().verdict;
        assert_eq!(verdict(1.51), Verdict::Holds);
        assert_eq!(verdict(1.53), Verdict::DoesNotHold);
    }

    #[test]
    fn twice_the_divergence_is_asked() {
        let verdict = |divergence| compared(1.5, divergence).specialises().verdict;
        assert_eq!(verdict(0.02), Verdict::Holds);
        assert_eq!(verdict(0.019), Verdict::DoesNotHold);
    }
}
