//! Are two traces of the same run the same? Decisions exactly, numbers to a tolerance.

use crate::routing::Assignment;
use crate::trace::StepTrace;

impl StepTrace {
    /// The first difference from `other`, in words; `None` where there is none.
    ///
    /// Tokens, experts, slots, fates, capacities and the chosen token are compared exactly; losses, gate logits, weights
    /// and probabilities to `|a − b| ≤ tolerance · max(1, |b|)`.
    pub fn difference(&self, other: &StepTrace, tolerance: f32) -> Option<String> {
        let step = self.step;
        let far = |a: f32, b: f32| (a - b).abs() > tolerance * b.abs().max(1.0);
        if (step, self.first_position) != (other.step, other.first_position) {
            return Some(format!("step {step} at position {} is another one", self.first_position));
        }
        if self.tokens.len() != other.tokens.len() || self.layers.len() != other.layers.len() {
            return Some(format!("step {step} has another number of tokens or layers"));
        }
        for (at, (a, b)) in self.tokens.iter().zip(&other.tokens).enumerate() {
            let losses = (a.loss.unwrap_or(-1.0), b.loss.unwrap_or(-1.0));
            if a.id != b.id || a.bytes != b.bytes || far(losses.0, losses.1) {
                return Some(format!("step {step}, token {at}: {a:?} is not {b:?}"));
            }
        }
        for (a, b) in self.layers.iter().zip(&other.layers) {
            let at = format!("step {step}, layer {}", a.layer);
            let (logits, others) = (a.gate_logits.values(), b.gate_logits.values());
            if let Some((a, b)) = logits.iter().zip(others).find(|(a, b)| far(**a, **b)) {
                return Some(format!("{at}: gate logit {a} is not {b}"));
            }
            if a.routing.capacity != b.routing.capacity || a.routing.assignments.len() != b.routing.assignments.len() {
                return Some(format!("{at}: another capacity or number of requests"));
            }
            let decision = |a: &Assignment| (a.token, a.rank, a.expert, a.fate);
            for (a, b) in a.routing.assignments.iter().zip(&b.routing.assignments) {
                if decision(a) != decision(b) || far(a.weight, b.weight) || far(a.weight_raw, b.weight_raw) {
                    return Some(format!("{at}: {a:?} is not {b:?}"));
                }
            }
        }
        let chosen = |step: &StepTrace| step.next.chosen.as_ref().map(|choice| choice.id);
        if chosen(self) != chosen(other) {
            return Some(format!("step {step}: another token was chosen"));
        }
        let candidates = self.next.candidates.iter().zip(&other.next.candidates);
        let differing = candidates.map(|(a, b)| (a.probability, b.probability)).find(|(a, b)| far(*a, *b));
        differing.map(|(a, b)| format!("step {step}: a candidate's probability {a} is not {b}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Candidate, NextToken, RunId, TokenId, TracedToken};

    fn step(loss: f32, chosen: u32) -> StepTrace {
        let candidate = Candidate { id: TokenId(chosen), bytes: vec![b'x'], probability: 0.5 };
        StepTrace {
            run: RunId(0),
            step: 3,
            first_position: 0,
            tokens: vec![TracedToken { id: TokenId(1), bytes: vec![b'a'], loss: Some(loss) }],
            layers: Vec::new(),
            next: NextToken { candidates: vec![candidate.clone()], chosen: Some(candidate) },
        }
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
