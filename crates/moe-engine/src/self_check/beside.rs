//! Two runs of one model beside each other: what is different, and more than rounding makes it.

use moe_trace::{Assignment, GateLogits, LayerTrace, Overflow, Priority, Routing, StepTrace};

/// Numbers agree to `|a − b| ≤ TOLERANCE · max(1, |b|)`: what different orders of summing and approximate exponentials of
/// real devices leave.
const TOLERANCE: f32 = 1e-2;

/// Experts whose logits are nearer to each other may be chosen one for the other, and so may tokens whose confidences are.
/// What follows then is another run.
const NEAR_TIE: f32 = 2e-2;

/// The first difference between two runs that no rounding explains.
pub(super) fn difference(found: &[StepTrace], expected: &[StepTrace], overflow: Overflow) -> Option<String> {
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        match steps_beside(found, expected, overflow) {
            Beside::Same => {}
            Beside::NearTie => return None,
            Beside::Other(words) if number == 0 => return Some(words),
            Beside::Other(words) => return Some(format!("step {number}, {words}")),
        }
    }
    None
}

/// What is found, beside what is expected.
#[derive(Debug, PartialEq)]
enum Beside {
    Same,
    /// Rounding decided, and what follows is another run.
    NearTie,
    /// No rounding explains it.
    Other(String),
}

fn is_far(found: f32, expected: f32) -> bool {
    let is_near = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
    // Not-a-number is far from everything.
    !is_near
}

fn steps_beside(found: &StepTrace, expected: &StepTrace, overflow: Overflow) -> Beside {
    for (found, expected) in found.layers.iter().zip(&expected.layers) {
        let layer = expected.layer;
        let logits =
            |of: &LayerTrace| of.gate_logits.as_ref().map(|logits| logits.values().to_vec()).unwrap_or_default();
        let values = logits(found).into_iter().zip(logits(expected));
        if let Some((value, right)) = values.into_iter().find(|(value, right)| is_far(*value, *right)) {
            return Beside::Other(format!("layer {layer}: a gate logit is {value} there and {right} on the CPU"));
        }
        match requests_beside(found, expected, overflow) {
            Beside::Same => {}
            Beside::NearTie => return Beside::NearTie,
            Beside::Other(words) => return Beside::Other(format!("layer {layer}: {words}")),
        }
    }
    let losses =
        found.tokens.iter().zip(&expected.tokens).filter_map(|(found, expected)| found.loss.zip(expected.loss));
    if let Some((loss, right)) = losses.into_iter().find(|(loss, right)| is_far(*loss, *right)) {
        return Beside::Other(format!("a loss is {loss} there and {right} on the CPU"));
    }
    let candidates = |step: &StepTrace| step.next().map(|next| next.candidates.clone()).unwrap_or_default();
    let found_candidates = candidates(found);
    for right in candidates(expected) {
        let probability = found_candidates.iter().find(|of| of.id == right.id).map_or(0.0, |of| of.probability);
        if is_far(probability, right.probability) {
            let right = right.probability;
            return Beside::Other(format!("a probability is {probability} there and {right} on the CPU"));
        }
    }
    let chosen = |step: &StepTrace| step.next().and_then(|next| next.chosen.as_ref().map(|chosen| chosen.id));
    // Their probabilities are near each other.
    if chosen(found) == chosen(expected) { Beside::Same } else { Beside::NearTie }
}

/// Who asks whom in a layer, and what comes of it.
fn requests_beside(found: &LayerTrace, expected: &LayerTrace, overflow: Overflow) -> Beside {
    let (Some(found), Some(right), Some(logits)) = (found.routing(), expected.routing(), &expected.gate_logits) else {
        return Beside::Same;
    };
    for token in 0..right.num_tokens {
        let (found, right) = (found.of_token(token), right.of_token(token));
        let is_same = found.len() == right.len()
            && found.iter().zip(right).all(|(one, other)| (one.rank, one.expert) == (other.rank, other.expert));
        if !is_same {
            let row = logits.row(token as usize);
            let near = |one: usize, other: usize| (row[one] - row[other]).abs() <= NEAR_TIE;
            let is_tie = found.len() == right.len()
                && found.iter().zip(right).all(|(one, other)| near(one.expert.index(), other.expert.index()))
                && found.iter().zip(right).any(|(one, other)| one.expert != other.expert);
            return match is_tie {
                true => Beside::NearTie,
                false => Beside::Other(format!("token {token} asks other experts there")),
            };
        }
    }
    fates_beside(found, right, logits, overflow)
}

/// What comes of requests that are the same. `logits`: by which tokens are confident.
fn fates_beside(found: &Routing, right: &Routing, logits: &GateLogits, overflow: Overflow) -> Beside {
    let priority = match overflow {
        Overflow::Drop(slots) => slots.priority,
        Overflow::Dropless => Priority::Position,
    };
    let is_same = |one: &Assignment, other: &Assignment| match priority {
        Priority::Position => one.fate == other.fate,
        // Which of its slots a token gets is the same to it.
        Priority::BprMax => one.fate.is_kept() == other.fate.is_kept(),
        // The host decides, and has near ties of other kinds.
        _ => true,
    };
    let pairs = || found.assignments.iter().zip(&right.assignments);
    let Some((_, other)) = pairs().find(|&(one, other)| !is_same(one, other)) else { return Beside::Same };
    let (token, expert) = (other.token, other.expert);
    // The confidences of those whom this expert serves only there, or only here.
    let served_only = |there: bool| -> Vec<f32> {
        let changed = pairs().filter(|&(one, other)| other.expert == expert && !is_same(one, other));
        let served = changed.filter(|(one, _)| one.fate.is_kept() == there);
        served.map(|(_, other)| confidence(logits.row(other.token as usize))).collect()
    };
    let (there, here) = (served_only(true), served_only(false));
    let are_near = there.iter().all(|one| here.iter().all(|other| (one - other).abs() <= NEAR_TIE));
    if priority == Priority::BprMax && there.len() == here.len() && are_near {
        return Beside::NearTie;
    }
    Beside::Other(format!("expert {expert} treats token {token} otherwise there"))
}

/// The largest gate probability of a token with these logits.
fn confidence(logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    1.0 / logits.iter().map(|logit| (logit - largest).exp()).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use moe_trace::{CapacitySpec, ExpertIdx, Fate};

    use super::*;

    /// An expert with one slot, and three tokens that ask it, the last two nearly as confident as each other.
    #[test]
    fn a_slot_for_the_wrong_token_is_told() {
        let logits = GateLogits::new(2, vec![0.0, 0.0, 2.2, 0.0, 2.15, 0.0]).expect("three tokens, two experts");
        let confidences = [0.5, 0.9002, 0.8957];
        assert!(logits.rows().zip(confidences).all(|(row, expected)| (confidence(row) - expected).abs() < 1e-4));
        let by = |priority: Priority| Overflow::Drop(CapacitySpec { priority, ..CapacitySpec::default() });
        let served = |served: u32| {
            let request = |token: u32| {
                let fate = if token == served { Fate::Kept { slot: 0 } } else { Fate::Lost };
                Assignment { token, rank: 0, expert: ExpertIdx(0), weight: 1.0, weight_raw: 0.9, fate }
            };
            Routing { num_tokens: 3, num_experts: 2, capacity: Some(1), assignments: (0..3).map(request).collect() }
        };
        let check = |priority: Priority, found: u32, expected: Beside| {
            assert_eq!(
                fates_beside(&served(found), &served(1), &logits, by(priority)),
                expected,
                "{priority:?}, {found}"
            );
        };
        let other = |token: u32| Beside::Other(format!("expert 0 treats token {token} otherwise there"));
        for priority in [Priority::Position, Priority::BprMax] {
            check(priority, 1, Beside::Same);
            check(priority, 0, other(0));
            // Nobody.
            check(priority, 3, other(1));
        }
        check(Priority::Position, 2, other(1));
        check(Priority::BprMax, 2, Beside::NearTie);
    }
}
