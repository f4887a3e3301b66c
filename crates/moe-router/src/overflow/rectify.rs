//! Rectify-Router (Zeng et al. 2024, arXiv:2402.12399): lost requests find a local expert, and free slots find tokens.
//!
//! Intra-GPU rectification: a lost request goes to the best expert on the token's own device, outside the capacity.
//! Fill-in rectification: an expert with vacancies takes the tokens whose next choice it would be, most probable first.
//! Weights are gate probabilities. On one device, "devices" are contiguous blocks of tokens and of experts.
//! Not causal; here the same in training and inference.
//! Deviation: known to us from the abstract and a re-implementation only; the straight-through scale that
//! is used in training is left out.
//!
//! Switch on the [running example](crate::example) with two slots per expert: expert 0 turns tokens 2 and 4 away, and
//! expert 1 is idle. Sent home (tokens 0 to 2 live with experts 0 and 1), token 2 is served by expert 0 after all, beyond
//! its slots, and token 4 by expert 3. Filled in, all eight slots are taken.
//!
//! ```
//! use moe_router::{Router, RouterInput, example, gate_probs, metrics, overflow::rectify};
//! use moe_trace::{CapacitySpec, Overflow, RouterSpec, RoutingSpec};
//!
//! let gate_logits = example::gate_logits();
//! let overflow = Overflow::Drop(CapacitySpec { factor: 1.0, ..CapacitySpec::default() });
//! let router = Router::new(RoutingSpec { router: RouterSpec::Switch, overflow }, 4).expect("four experts");
//! let (routing, probs) = (router.route(&RouterInput::new(&gate_logits)), gate_probs(&gate_logits));
//! assert_eq!((metrics::load(&routing), metrics::overflow(&routing)), (vec![2, 0, 1, 1], vec![2, 0, 0, 0]));
//! let resent = rectify::resend_locally(&routing, &probs, &[0, 0, 0, 1, 1, 1], &[0, 0, 1, 1]);
//! assert_eq!(metrics::load(&resent), [3, 0, 1, 2]);
//! assert_eq!(metrics::load(&rectify::fill_vacancies(&routing, &probs)), [2, 2, 2, 2]);
//! ```

use moe_trace::{Assignment, ExpertIdx, Fate, Routing};

use crate::dispatch::by_token;
use crate::gate::top_k;
use crate::metrics;

/// Re-sends every lost request: it becomes [`Fate::Rectified`], and a new record, kept, follows the token's others. The
/// new request queues behind the expert's slots, where capacity does not reach.
///
/// `gate_probs`: `[tokens, experts]`. `token_device`: `[tokens]`. `expert_device`: `[experts]`; every token's device has
/// at least one expert, or the request stays lost.
pub fn resend_locally(
    routing: &Routing,
    gate_probs: &[f32],
    token_device: &[usize],
    expert_device: &[usize],
) -> Routing {
    let num_experts = routing.num_experts as usize;
    let mut queue = metrics::load(routing);
    let mut assignments = Vec::with_capacity(routing.assignments.len());
    for of_token in routing.assignments.chunk_by(|a, b| a.token == b.token) {
        let token = of_token[0].token as usize;
        let probs = &gate_probs[token * num_experts..(token + 1) * num_experts];
        let by_probability = top_k(probs, num_experts);
        let local = by_probability.into_iter().find(|&expert| expert_device[expert] == token_device[token]);
        let mut resent = Vec::new();
        for &request in of_token {
            match local {
                Some(expert) if request.fate == Fate::Lost => {
                    assignments.push(Assignment { fate: Fate::Rectified, ..request });
                    let rank = (of_token.len() + resent.len()) as u32;
                    resent.push(granted(request.token, rank, expert, probs[expert], &mut queue));
                }
                _ => assignments.push(request),
            }
        }
        assignments.extend(resent);
    }
    Routing { assignments, ..*routing }
}

/// Fills vacancies: every expert with free slots takes tokens whose next choice it is: the most probable expert after as
/// many as the token asked for itself, unless it has asked that one already (a sampled second choice, a request re-sent).
///
/// `gate_probs`: `[tokens, experts]`. `routing` has a capacity, or there are no vacancies to fill.
pub fn fill_vacancies(routing: &Routing, gate_probs: &[f32]) -> Routing {
    let num_experts = routing.num_experts as usize;
    let mut filled = metrics::load(routing);
    let next_choice = |token: u32| -> Option<usize> {
        if routing.of_token(token).iter().any(|a| a.fate == Fate::Padding) {
            return None;
        }
        let probs = &gate_probs[token as usize * num_experts..][..num_experts];
        let of_token = routing.of_token(token);
        // A request that was re-sent stands there twice.
        let num_resent = of_token.iter().filter(|a| a.fate == Fate::Rectified).count();
        let num_choices = of_token.len() - num_resent;
        let next = top_k(probs, num_choices + 1).get(num_choices).copied()?;
        of_token.iter().all(|a| a.expert.index() != next).then_some(next)
    };
    let mut assignments = routing.assignments.clone();
    for expert in 0..num_experts {
        let candidates: Vec<u32> =
            (0..routing.num_tokens).filter(|&token| next_choice(token) == Some(expert)).collect();
        let probs: Vec<f32> =
            candidates.iter().map(|&token| gate_probs[token as usize * num_experts + expert]).collect();
        let vacancies = routing.capacity.map_or(0, |slots| slots.saturating_sub(filled[expert]));
        for at in top_k(&probs, vacancies as usize) {
            let (token, rank) = (candidates[at], routing.of_token(candidates[at]).len() as u32);
            assignments.push(granted(token, rank, expert, probs[at], &mut filled));
        }
    }
    Routing { assignments: by_token(assignments), ..*routing }
}

/// A kept request at the end of the expert's queue.
fn granted(token: u32, rank: u32, expert: usize, weight: f32, queue: &mut [u32]) -> Assignment {
    let slot = queue[expert];
    queue[expert] += 1;
    let expert = ExpertIdx(expert as u32);
    Assignment { token, rank, expert, weight, weight_raw: weight, fate: Fate::Kept { slot } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Router, RouterInput, example, gate_probs};
    use moe_trace::{CapacitySpec, Normalise, Overflow, RouterSpec, RoutingSpec, SecondExpert};

    /// Switch routing of the running example with two slots per expert: tokens 2 and 4 are turned away by expert 0.
    fn crowded() -> (Routing, Vec<f32>) {
        let gate_logits = example::gate_logits();
        let overflow = Overflow::Drop(CapacitySpec { factor: 1.0, ..CapacitySpec::default() });
        let router = Router::new(RoutingSpec { router: RouterSpec::Switch, overflow }, 4).expect("a legal spec");
        (router.route(&RouterInput::new(&gate_logits)), gate_probs(&gate_logits))
    }

    #[test]
    fn lost_requests_stay_at_home() {
        let (routing, probs) = crowded();
        let resent = resend_locally(&routing, &probs, &[0, 0, 0, 1, 1, 1], &[0, 0, 1, 1]);
        let of_token = |token| resent.of_token(token).iter().map(|a| (a.expert.0, a.fate)).collect::<Vec<_>>();
        assert_eq!(of_token(2), [(0, Fate::Rectified), (0, Fate::Kept { slot: 2 })]);
        assert_eq!(of_token(4), [(0, Fate::Rectified), (3, Fate::Kept { slot: 1 })]);
        assert_eq!(of_token(0), [(0, Fate::Kept { slot: 0 })]);
    }

    #[test]
    fn padding_fills_no_slot() {
        let gate_logits = example::gate_logits();
        let overflow = Overflow::Drop(CapacitySpec { factor: 4.0, ..CapacitySpec::default() });
        let router = Router::new(RoutingSpec { router: RouterSpec::Switch, overflow }, 4).expect("a legal spec");
        let is_padding = [false, false, false, false, false, true];
        let routing = router.route(&RouterInput::new(&gate_logits).with_padding(&is_padding));
        let filled = fill_vacancies(&routing, &gate_probs(&gate_logits));
        assert!(filled.assignments.len() > routing.assignments.len(), "others fill slots");
        assert!(filled.of_token(5).iter().all(|a| a.fate == Fate::Padding));
    }

    #[test]
    fn nobody_is_offered_an_expert_it_has_asked() {
        // A sampled second expert: draws make token 0 ask experts 0 and 3, its first and third choice. The third choice
        // would be its next one.
        let gate_logits = example::gate_logits();
        let overflow = Overflow::Drop(CapacitySpec { factor: 4.0, ..CapacitySpec::default() });
        let router = RouterSpec::Gshard { second: SecondExpert::Sampled, normalise: Normalise::BeforeDrop };
        let router = Router::new(RoutingSpec { router, overflow }, 4).expect("a legal spec");
        let mut gumbels = [0.0; 24];
        gumbels[3] = 9.0;
        let routing = router.route(&RouterInput::new(&gate_logits).with_gumbels(&gumbels));
        let asked = |routing: &Routing, token| routing.of_token(token).iter().map(|a| a.expert.0).collect::<Vec<_>>();
        assert_eq!(asked(&routing, 0), [0, 3]);
        let filled = fill_vacancies(&routing, &gate_probs(&gate_logits));
        assert_eq!(asked(&filled, 0), [0, 3]);
        assert_eq!(asked(&filled, 1), [0, 1, 2]);
    }

    #[test]
    fn a_request_that_was_resent_is_one_choice() {
        // Token 2 was sent to its own expert 0 again, token 4 from expert 0 to expert 3. Their second choices are next.
        let (routing, probs) = crowded();
        let resent = resend_locally(&routing, &probs, &[0, 0, 0, 1, 1, 1], &[0, 0, 1, 1]);
        let filled = fill_vacancies(&resent, &probs);
        let asked = |token| filled.of_token(token).iter().map(|a| a.expert.0).collect::<Vec<_>>();
        // Expert 1 has two slots and is the next choice of tokens 0, 1, 3 and 4: tokens 1 (.366) and 3 (.364) get them.
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(asked),
            [vec![0], vec![0, 1], vec![0, 0], vec![2, 1], vec![0, 3], vec![3, 2]]
        );
    }

    #[test]
    fn every_free_slot_is_filled() {
        let (routing, probs) = crowded();
        let filled = fill_vacancies(&routing, &probs);
        assert_eq!(metrics::load(&routing), [2, 0, 1, 1]);
        assert_eq!(metrics::load(&filled), [2, 2, 2, 2]);
        assert_eq!(filled.of_token(1)[1].fate, Fate::Kept { slot: 0 });
    }
}
