//! Are two traces of the same run the same? Decisions exactly, numbers to a tolerance.

use crate::layer_trace::LayerTrace;
use crate::routing::Assignment;
use crate::trace::{SequenceStep, Sequences, StepTrace};

impl StepTrace {
    /// The first difference from `other`, in words; `None` where there is none.
    ///
    /// Tokens, experts, slots, fates, capacities and the chosen token are compared exactly; losses, gate logits, weights
    /// and probabilities to `|a − b| ≤ tolerance · max(1, |b|)`.
    pub fn difference<'a>(&'a self, other: &'a StepTrace, tolerance: f32) -> Option<String> {
        let step = self.step;
        let far = |a, b| is_far(a, b, tolerance);
        let (first_position, other_position) = (self.first_position(), other.first_position());
        if (step, first_position) != (other.step, other_position) {
            return Some(format!("step {step} at position {first_position} is another one"));
        }
        if self.tokens.len() != other.tokens.len() || self.layers.len() != other.layers.len() {
            return Some(format!("step {step} has another number of tokens or layers"));
        }
        for (at, (a, b)) in self.tokens.iter().zip(&other.tokens).enumerate() {
            let losses = (a.loss.unwrap_or(-1.0), b.loss.unwrap_or(-1.0));
            if a.id != b.id || a.content != b.content || far(losses.0, losses.1) {
                return Some(format!("step {step}, token {at}: {a:?} is not {b:?}"));
            }
        }
        for (a, b) in self.layers.iter().zip(&other.layers) {
            if let Some(difference) = a.difference(b, tolerance) {
                return Some(format!("step {step}, layer {}: {difference}", a.layer));
            }
        }
        let (parts, others) = (parts(self), parts(other));
        if parts.len() != others.len() {
            return Some(format!("step {step} has another number of texts"));
        }
        parts.into_iter().zip(others).find_map(|((text, a), (other_text, b))| {
            if (text, a.first_position) != (other_text, b.first_position) {
                return Some(format!("step {step}: text {text} at position {} is another one", a.first_position));
            }
            let chosen = |part: &SequenceStep| part.next.as_ref()?.chosen.as_ref().map(|choice| choice.id);
            if chosen(a) != chosen(b) {
                return Some(format!("step {step}: another token was chosen"));
            }
            let candidates = |part: &'a SequenceStep| part.next.as_ref().map_or(&[][..], |next| &next.candidates);
            let candidates = candidates(a).iter().zip(candidates(b));
            let differing = candidates.map(|(a, b)| (a.probability, b.probability)).find(|(a, b)| far(*a, *b));
            differing.map(|(a, b)| format!("step {step}: a candidate's probability {a} is not {b}"))
        })
    }
}

/// What a step has of each of its texts, with the text's number.
fn parts(step: &StepTrace) -> Vec<(u32, &SequenceStep)> {
    match &step.sequences {
        Sequences::One(part) => vec![(0, part)],
        Sequences::Batch { sequences } => sequences.iter().map(|entry| (entry.sequence, &entry.step)).collect(),
    }
}

impl LayerTrace {
    /// The first difference from `other`, in words, by the same measures.
    pub fn difference(&self, other: &LayerTrace, tolerance: f32) -> Option<String> {
        let far = |a, b| is_far(a, b, tolerance);
        if self.gate_logits.is_some() != other.gate_logits.is_some() {
            return Some("one has gate logits, the other has none".to_owned());
        }
        if let (Some(logits), Some(others)) = (&self.gate_logits, &other.gate_logits) {
            if logits.values().len() != others.values().len() {
                return Some("another number of gate logits".to_owned());
            }
            if let Some((a, b)) = logits.values().iter().zip(others.values()).find(|(a, b)| far(**a, **b)) {
                return Some(format!("gate logit {a} is not {b}"));
            }
        }
        let (Some(a), Some(b)) = (self.routing(), other.routing()) else {
            // Of another program: numbers as they were written down.
            return (self.decision != other.decision).then(|| "another decision".to_owned());
        };
        if a.capacity != b.capacity || a.assignments.len() != b.assignments.len() {
            return Some("another capacity or number of requests".to_owned());
        }
        let decision = |a: &Assignment| (a.token, a.rank, a.expert, a.fate);
        let differing =
            a.assignments.iter().zip(&b.assignments).find(|(a, b)| {
                decision(a) != decision(b) || far(a.weight, b.weight) || far(a.weight_raw, b.weight_raw)
            });
        differing.map(|(a, b)| format!("{a:?} is not {b:?}"))
    }
}

fn is_far(a: f32, b: f32, tolerance: f32) -> bool {
    (a - b).abs() > tolerance * b.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Candidate, NextToken, RunId, TokenId, TracedToken};

    fn step(loss: f32, chosen: u32) -> StepTrace {
        let candidate = Candidate { id: TokenId(chosen), bytes: vec![b'x'], probability: 0.5 };
        let tokens = vec![TracedToken::text(TokenId(1), vec![b'a'], Some(loss))];
        let next = NextToken { candidates: vec![candidate.clone()], chosen: Some(candidate) };
        StepTrace::of_text(RunId(0), 3, 0, tokens, Vec::new(), next)
    }

    #[test]
    fn small_numbers_may_differ_but_no_decision() {
        let check = |a: StepTrace, b: StepTrace, expected: Option<&str>| {
            let difference = a.difference(&b, 1e-3);
            assert_eq!(difference.is_some(), expected.is_some(), "{difference:?}");
            assert!(difference.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(step(2.0, 7), step(2.001, 7), None);
        check(step(2.0, 7), step(2.01, 7), Some("token 0"));
        check(step(2.0, 7), step(2.0, 8), Some("another token was chosen"));
    }
}
