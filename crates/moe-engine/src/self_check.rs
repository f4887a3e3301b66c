//! Before a graphics device is believed: a few steps there, and the same on the CPU. A device may compute wrong numbers that
//! are finite, or refuse a shader without a word and read what was in memory before; and there are kernels that only steps
//! of one token take, or only texts in step, or only a rule that serves by confidence.

mod beside;

use moe_trace::{
    CapacitySpec, Event, Overflow, Priority, RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling, StepTrace,
};

use self::beside::difference;
use crate::engine::Engine;
use crate::run::RunError;

/// Long enough to fill experts, short enough to take no time.
const TEXT: &str = "The cat sat on the mat, and 12 + 30 = 42; the dog ran.";

/// Read one token at a time, before one is written. It begins otherwise, so that what the other text left in memory is
/// wrong here. Short: where only the host knows a rule, each of its tokens takes as long as that whole text.
const DECODED_TEXT: &str = "7 + 5 =";

/// Two texts in step, of two tokens each, the second of which looks back.
const IN_STEP: [&str; 2] = ["12", "34"];

/// Few enough slots that about half of the requests are turned away.
const TIGHT: f32 = 0.5;

impl Engine {
    /// What this engine says otherwise than `trusted`, the same model on the CPU; `None` where they agree. What a model's
    /// own rule cannot do live is not checked.
    pub async fn differs_from(&mut self, trusted: &mut Engine) -> Result<Option<String>, RunError> {
        for (way, request) in requests(self.info().trained_routing) {
            let expected = trusted.steps(&request).await?;
            let found = self.steps(&request).await?;
            if let Some(difference) = difference(&found, &expected, request.routing.overflow) {
                return Ok(Some(format!("{way}{difference}")));
            }
        }
        Ok(None)
    }

    /// Its steps; none where the request is refused.
    async fn steps(&mut self, request: &RunRequest) -> Result<Vec<StepTrace>, RunError> {
        let mut steps = Vec::new();
        let emit = |event| {
            if let Event::Step { trace, .. } = event {
                steps.extend(trace.expand(None).ok());
            }
        };
        match self.run(request, || 0.0, emit, async || false).await {
            Err(error) if error.fatal => return Err(error),
            Ok(_) | Err(_) => {}
        }
        Ok(steps)
    }
}

/// Runs that between them take every kernel, where the kernels know the rule; each after the words that say how it runs.
fn requests(trained: RoutingSpec) -> [(&'static str, RunRequest); 4] {
    let slots = match trained.overflow {
        Overflow::Drop(slots) => slots,
        Overflow::Dropless => CapacitySpec::default(),
    };
    let by_confidence = CapacitySpec { factor: TIGHT, priority: Priority::BprMax, ..slots };
    let served = RoutingSpec { overflow: Overflow::Drop(by_confidence), ..trained };
    let [first, second] = IN_STEP.map(str::to_owned);
    let whole = request(trained, 0);
    let decoded =
        RunRequest { prompt: DECODED_TEXT.to_owned(), group: RoutingGroup::DecodeStep, ..request(trained, 1) };
    let in_step =
        RunRequest { prompt: first, companions: vec![second], group: RoutingGroup::Batch, ..request(trained, 0) };
    [
        ("", whole),
        ("one token at a time, ", decoded),
        ("two texts in step, ", in_step),
        ("served by confidence, ", request(served, 0)),
    ]
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

#[cfg(test)]
pub(crate) mod tests {
    use std::future::Future;
    use std::path::Path;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use moe_model::{Manifest, device};
    use moe_trace::{GateLogits, Sequences};

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

    /// A layer's gate logits, all 0.
    fn without_logits(step: &mut StepTrace, layer: usize) {
        let of = &mut step.layers[layer].gate_logits;
        let (num_experts, len) = of.as_ref().map(|of| (of.num_experts(), of.values().len())).expect("logits");
        *of = GateLogits::new(num_experts, vec![0.0; len]).ok();
    }

    /// Of numbers that a broken device brings back.
    #[test]
    fn wrong_numbers_are_found_and_near_ties_are_not() {
        let mut engine = engine("default");
        let routing = engine.info().trained_routing;
        let right = ready(engine.steps(&request(routing, 0))).expect("it runs");
        assert_eq!(right.len(), 1);
        let check = |change: &dyn Fn(&mut StepTrace), expected: Option<&str>| {
            let mut found = right.clone();
            change(&mut found[0]);
            let found = difference(&found, &right, routing.overflow);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(&|_| {}, None);
        check(&|step| step.tokens[3].loss = step.tokens[3].loss.map(|loss| loss + 0.001), None);
        check(&|step| step.tokens[3].loss = step.tokens[3].loss.map(|loss| loss + 0.5), Some("a loss is"));
        check(&|step| step.tokens[3].loss = Some(f32::NAN), Some("a loss is NaN"));
        check(&|step| without_logits(step, 1), Some("layer 1: a gate logit is 0 there"));
    }

    /// Where the pass that reads the text is right, and the step of the token that it wrote is not.
    #[test]
    fn a_wrong_step_of_one_token_is_told() {
        let mut engine = engine("default");
        let [_, (_, request), ..] = requests(engine.info().trained_routing);
        let right = ready(engine.steps(&request)).expect("it runs");
        let last = engine.counter().count(&request.prompt) as usize;
        assert_eq!(right.len(), last + 1);
        let check = |change: &dyn Fn(&mut [StepTrace]), expected: Option<String>| {
            let mut found = right.clone();
            change(&mut found);
            let found = difference(&found, &right, request.routing.overflow);
            assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
            let (found, expected) = (found.unwrap_or_default(), expected.unwrap_or_default());
            assert!(found.starts_with(&expected), "{found}");
        };
        check(&|_| {}, None);
        let wrong = format!("step {last}, layer 1: a gate logit is 0 there and ");
        check(&|steps| without_logits(&mut steps[last], 1), Some(wrong));
        let improbable = |steps: &mut [StepTrace]| {
            let Sequences::One(of) = &mut steps[last].sequences else { panic!("one text") };
            of.next.as_mut().expect("what comes next").candidates.clear();
        };
        check(&improbable, Some(format!("step {last}, a probability is 0 there and ")));
        // Where another token is as probable, the runs part, and the last step is another one's.
        let parted = |steps: &mut [StepTrace]| {
            let Sequences::One(of) = &mut steps[last - 1].sequences else { panic!("one text") };
            of.next.as_mut().and_then(|next| next.chosen.as_mut()).expect("a token was written").id.0 += 1;
            without_logits(&mut steps[last], 1);
        };
        check(&parted, None);
    }

    /// Nothing is refused, and two texts of two tokens are two steps.
    #[test]
    fn every_way_is_run() {
        let mut engine = engine("default");
        let num_steps = requests(engine.info().trained_routing).map(|(way, request)| {
            let steps = ready(engine.steps(&request)).expect("it runs");
            (way, steps.len(), steps.iter().all(|step| step.layers.len() == 4))
        });
        assert!(num_steps.iter().all(|(_, steps, is_whole)| *steps > 0 && *is_whole), "{num_steps:?}");
        assert_eq!(num_steps[2].1, 2, "{num_steps:?}");
    }
}
