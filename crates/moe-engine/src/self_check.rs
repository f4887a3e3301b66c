//! Before a graphics device is believed: one step there, and the same on the CPU. A device may compute wrong numbers that
//! are finite, or refuse a shader without a word and read what was in memory before.

use std::cell::RefCell;

use moe_trace::{
    Event, LayerTrace, Overflow, Priority, RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling, StepTrace,
};

use crate::engine::Engine;
use crate::run::RunError;

/// Long enough to fill experts, short enough to take no time.
const TEXT: &str = "The cat sat on the mat, and 12 + 30 = 42; the dog ran.";

/// Numbers agree to `|a − b| ≤ TOLERANCE · max(1, |b|)`: what different orders of summing and approximate exponentials of
/// real devices leave.
const TOLERANCE: f32 = 1e-2;

/// Experts whose logits are nearer to each other may be chosen one for the other. What follows then is another run.
const NEAR_TIE: f32 = 2e-2;

impl Engine {
    /// What one step of this engine says otherwise than one of `trusted`, the same model on the CPU; `None` where they
    /// agree. A model whose own rule cannot be run live is not checked.
    pub async fn differs_from(&mut self, trusted: &mut Engine) -> Result<Option<String>, RunError> {
        let routing = self.info().trained_routing;
        let request = request(routing, 0);
        let Some(expected) = trusted.one_step(&request).await? else { return Ok(None) };
        let Some(found) = self.one_step(&request).await? else { return Ok(None) };
        Ok(difference(&found, &expected, &routing))
    }

    /// `None` where the request is refused.
    async fn one_step(&mut self, request: &RunRequest) -> Result<Option<StepTrace>, RunError> {
        let step = RefCell::new(None);
        let emit = |event| {
            if let Event::Step { trace, .. } = event {
                *step.borrow_mut() = trace.expand(None).ok();
            }
        };
        match self.run(request, || 0.0, emit, async || false).await {
            Ok(_) => Ok(step.into_inner()),
            Err(refused) if !refused.fatal => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// One step of the text under this routing, and one for each further token.
pub(crate) fn request(routing: RoutingSpec, max_new_tokens: u32) -> RunRequest {
    RunRequest {
        run: RunId(0),
        prompt: TEXT.to_owned(),
        companions: Vec::new(),
        max_new_tokens,
        sampling: Sampling::Greedy,
        routing,
        group: RoutingGroup::ThisText,
        seed: 7,
        interventions: Vec::new(),
    }
}

fn is_far(found: f32, expected: f32) -> bool {
    let is_near = (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0);
    // Not-a-number is far from everything.
    !is_near
}

/// The first difference that no rounding explains.
fn difference(found: &StepTrace, expected: &StepTrace, routing: &RoutingSpec) -> Option<String> {
    for (found, expected) in found.layers.iter().zip(&expected.layers) {
        let layer = expected.layer;
        let logits =
            |of: &LayerTrace| of.gate_logits.as_ref().map(|logits| logits.values().to_vec()).unwrap_or_default();
        let values = logits(found).into_iter().zip(logits(expected));
        if let Some((value, right)) = values.into_iter().find(|(value, right)| is_far(*value, *right)) {
            return Some(format!("layer {layer}: a gate logit is {value} there and {right} on the CPU"));
        }
        match same_requests(found, expected, routing) {
            Requests::Same => {}
            Requests::NearTie => return None,
            Requests::Other { token } => return Some(format!("layer {layer}: token {token} asks other experts there")),
        }
    }
    let losses =
        found.tokens.iter().zip(&expected.tokens).filter_map(|(found, expected)| found.loss.zip(expected.loss));
    if let Some((loss, right)) = losses.into_iter().find(|(loss, right)| is_far(*loss, *right)) {
        return Some(format!("a loss is {loss} there and {right} on the CPU"));
    }
    let candidates = |step: &StepTrace| step.next().map(|next| next.candidates.clone()).unwrap_or_default();
    let found = candidates(found);
    candidates(expected).into_iter().find_map(|right| {
        let probability = found.iter().find(|of| of.id == right.id).map_or(0.0, |of| of.probability);
        let words = || format!("a probability is {probability} there and {} on the CPU", right.probability);
        is_far(probability, right.probability).then(words)
    })
}

enum Requests {
    Same,
    NearTie,
    Other { token: u32 },
}

fn same_requests(found: &LayerTrace, expected: &LayerTrace, routing: &RoutingSpec) -> Requests {
    let (Some(found), Some(right), Some(logits)) = (found.routing(), expected.routing(), &expected.gate_logits) else {
        return Requests::Same;
    };
    // By confidence, which has near ties of its own, a token may get a slot here and there another.
    let by_position = match routing.overflow {
        Overflow::Drop(slots) => slots.priority == Priority::Position,
        Overflow::Dropless => true,
    };
    for token in 0..right.num_tokens {
        let (found, right) = (found.of_token(token), right.of_token(token));
        let is_same = found.len() == right.len()
            && found.iter().zip(right).all(|(one, other)| {
                (one.rank, one.expert) == (other.rank, other.expert) && (!by_position || one.fate == other.fate)
            });
        if !is_same {
            let row = logits.row(token as usize);
            let near = |one: usize, other: usize| (row[one] - row[other]).abs() <= NEAR_TIE;
            let is_tie = found.len() == right.len()
                && found.iter().zip(right).all(|(one, other)| near(one.expert.index(), other.expert.index()))
                && found.iter().zip(right).any(|(one, other)| one.expert != other.expert);
            return if is_tie { Requests::NearTie } else { Requests::Other { token } };
        }
    }
    Requests::Same
}

#[cfg(test)]
pub(crate) mod tests {
    use std::future::Future;
    use std::path::Path;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use moe_model::{Manifest, device};

    use super::*;
    use crate::engine::Arithmetic;

    /// On the CPU nothing is ever waited for, so this asks once, and takes no executor.
    pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the CPU makes nobody wait"),
        }
    }

    fn engine(name: &str) -> Engine {
        load(name, &Arithmetic::F32(device::cpu()))
    }

    pub(crate) fn load(name: &str, arithmetic: &Arithmetic) -> Engine {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/models").join(name);
        let read = |file: &str| std::fs::read(folder.join(file)).expect("the site has the model");
        let manifest = Manifest::from_json(&read("manifest.json")).expect("a manifest");
        let (weights, tokenizer) = (read("weights.safetensors"), read("tokenizer.json"));
        ready(Engine::load(&manifest, &weights, &tokenizer, arithmetic)).expect("it loads")
    }

    #[test]
    fn the_same_model_agrees_with_itself_and_another_does_not() {
        let check = |one: &str, other: &str| ready(engine(one).differs_from(&mut engine(other))).expect("it runs");
        for name in ["default", "switch", "deepseek", "expert-choice", "hash"] {
            assert_eq!(check(name, name), None, "{name}");
            let difference = ready(load(name, &Arithmetic::Int8).differs_from(&mut engine(name))).expect("it runs");
            assert_eq!(difference, None, "{name}, 8 bit beside f32");
        }
        let difference = check("instruct", "default").expect("another model of the same sizes");
        assert!(difference.starts_with("layer 0: a gate logit is "), "{difference}");
    }

    /// Of numbers that a broken device brings back.
    #[test]
    fn wrong_numbers_are_found_and_near_ties_are_not() {
        let mut engine = engine("default");
        let routing = engine.info().trained_routing;
        let request = request(routing, 0);
        let right = ready(engine.one_step(&request)).expect("it runs").expect("a step");
        let check = |change: &dyn Fn(&mut StepTrace), expected: Option<&str>| {
            let mut found = right.clone();
            change(&mut found);
            let found = difference(&found, &right, &routing);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(&|_| {}, None);
        check(&|step| step.tokens[3].loss = step.tokens[3].loss.map(|loss| loss + 0.001), None);
        check(&|step| step.tokens[3].loss = step.tokens[3].loss.map(|loss| loss + 0.5), Some("a loss is"));
        check(&|step| step.tokens[3].loss = Some(f32::NAN), Some("a loss is NaN"));
        let zero = |step: &mut StepTrace| {
            let sizes = step.layers[1].gate_logits.as_ref().map(|logits| (logits.num_experts(), logits.values().len()));
            let (num_experts, len) = sizes.expect("logits");
            step.layers[1].gate_logits = moe_trace::GateLogits::new(num_experts, vec![0.0; len]).ok();
        };
        check(&zero, Some("layer 1: a gate logit is 0 there"));
    }
}
