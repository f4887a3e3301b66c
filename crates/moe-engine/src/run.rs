//! The loop of a run: forward, trace, sample, again.

use std::collections::VecDeque;
use std::ops::Range;

use moe_model::possible_changes;
use moe_model::sample::{Choice, Expectation, Seeded, num_considered};
use moe_model::tokenizer::END_OF_TEXT;
use moe_model::{Changes, Router, RoutingInputs, StepInput, StepOutput, TensorError};
use moe_trace::{
    Candidate, Event, FinishReason, NextToken, RoutingGroup, RunRequest, StepTrace, TokenId, TracedToken, UserError,
};

use crate::engine::{DEVICE_FAILED, Engine};

/// Next-token candidates a step reports.
const NUM_CANDIDATES: usize = 10;

/// Why a run could not start or go on.
#[derive(Debug)]
pub struct RunError {
    pub error: UserError,
    /// Is the device beyond repair, so that a new engine is needed?
    pub fatal: bool,
}

impl RunError {
    fn refused(what: &str, why: impl Into<String>, try_this: &str) -> RunError {
        RunError { error: UserError::new(what, why, try_this), fatal: false }
    }
}

impl From<TensorError> for RunError {
    fn from(error: TensorError) -> RunError {
        let what = "The model stopped in the middle of a step.";
        let error = UserError::new(what, DEVICE_FAILED, "If this repeats, reload the page.").with_details(error);
        RunError { error, fatal: true }
    }
}

/// Where a run stands.
struct RunState<'a> {
    request: &'a RunRequest,
    router: Router,
    /// Prompt and what was written so far.
    ids: Vec<u32>,
    num_prompt_tokens: usize,
    /// Nats of each token, as far as known; the first has none.
    losses: Vec<Option<f32>>,
    /// Of every layer, by position.
    inputs: Vec<RoutingInputs>,
    random: Seeded,
    step: u32,
    /// What the next steps bring, where one pass computed several.
    ahead: VecDeque<StepOutput>,
    /// What each of these took.
    ahead_ms: f64,
}

impl Engine {
    /// Runs a request to its end. `emit` receives every step; `clock_ms` tells the time; between steps, `stopped` is
    /// asked whether to go on, and may use the moment to let others run.
    pub async fn run(
        &mut self,
        request: &RunRequest,
        clock_ms: impl Fn() -> f64,
        mut emit: impl FnMut(Event),
        mut stopped: impl AsyncFnMut() -> bool,
    ) -> Result<FinishReason, RunError> {
        let mut state = self.start(request)?;
        loop {
            if stopped().await {
                return Ok(FinishReason::Stopped);
            }
            let mut begin = clock_ms();
            let (first, end, output, ahead_ms) = match request.group {
                RoutingGroup::ThisText => {
                    let output = self.model.forward_text(&state.ids, &state.inputs, &state.router).await?;
                    (0, state.ids.len(), output, 0.0)
                }
                // `start` refuses batches.
                RoutingGroup::DecodeStep | RoutingGroup::Batch => {
                    let at = state.step as usize;
                    if state.ahead.is_empty() {
                        state.ahead = self.decode(&state, at..state.ids.len()).await?;
                        state.ahead_ms = (clock_ms() - begin) / state.ahead.len() as f64;
                        begin = clock_ms();
                    }
                    let output = state.ahead.pop_front().expect("a pass gives a step for every token of it");
                    (at, at + 1, output, state.ahead_ms)
                }
            };
            let (trace, finished) = self.finish_step(&mut state, first, end, output);
            emit(Event::Step { trace: trace.into(), elapsed_ms: (clock_ms() - begin + ahead_ms) as f32 });
            if let Some(reason) = finished {
                return Ok(reason);
            }
        }
    }

    /// Runs tokens that are known, each a decode step: all in one pass where the kernels know the rule, else the first.
    async fn decode(
        &mut self,
        state: &RunState<'_>,
        positions: Range<usize>,
    ) -> Result<VecDeque<StepOutput>, TensorError> {
        let first = positions.start;
        let inputs = |positions: Range<usize>| {
            let ids = &state.ids[positions.clone()];
            state.inputs.iter().map(|inputs| inputs.at(positions.clone(), ids)).collect::<Vec<RoutingInputs>>()
        };
        let of_all = inputs(positions.clone());
        let steps = StepInput { ids: &state.ids[positions], first_position: first, inputs: &of_all };
        if let Some(outputs) = self.model.forward_apart(&steps, &state.router).await? {
            return Ok(outputs.into());
        }
        let of_first = inputs(first..first + 1);
        let step = StepInput { ids: &state.ids[first..=first], first_position: first, inputs: &of_first };
        Ok([self.model.forward(&step, &state.router).await?].into())
    }

    /// Checks a request and makes its first state.
    fn start<'a>(&self, request: &'a RunRequest) -> Result<RunState<'a>, RunError> {
        not_yet(request)?;
        let config = self.model.config();
        let router = Router::new(request.routing, config.num_experts).map_err(|error| {
            RunError::refused("This routing does not fit the model.", error.to_string(), "Change k or the policy.")
        })?;
        if request.group == RoutingGroup::DecodeStep && router.facts().looks_ahead {
            let why = format!("{} shares tokens out among experts, and a decode step has one.", router.rule_text());
            let try_this = "Choose the group this text, or the rule's form for inference, such as base:greedy or sinkhorn:1,greedy.";
            return Err(RunError::refused("This routing cannot be run one token at a time.", why, try_this));
        }
        // Token frequencies are all that a rule may look at and a model does not know.
        if !router.facts().besides.is_in_a_model() {
            let why =
                "It deals tokens out by how often each occurs in the training text, which the model does not know.";
            return Err(RunError::refused(
                "This routing cannot be run live.",
                why,
                "Choose another rule, such as hash:42.",
            ));
        }
        let ids = self.tokenizer.encode(&request.prompt).map_err(|error| {
            RunError::refused("The text could not be read.", format!("{error}."), "Try another text.")
        })?;
        if ids.is_empty() {
            let why = "The model continues a text, and there is none.";
            return Err(RunError::refused("The prompt is empty.", why, "Type a few words and press Run."));
        }
        if ids.len() > config.max_tokens {
            let characters = request.prompt.chars().count() * config.max_tokens / ids.len();
            let why = format!("It is {} tokens long; this model sees at most {}.", ids.len(), config.max_tokens);
            let try_this = format!("Shorten it to about {characters} characters. Nothing of your text is lost.");
            return Err(RunError::refused("The prompt is too long.", why, &try_this));
        }
        let mut inputs = draws(&router, request.seed, config.num_layers, config.max_tokens);
        for (inputs, layer) in inputs.iter_mut().zip(0..) {
            let (changes, seed) = (&request.interventions, request.seed);
            inputs.changes = Changes::of_layer(changes, layer, seed, config.max_tokens, config.num_experts);
        }
        possible_changes::check(&request.interventions, &router, config, &inputs).map_err(|why| {
            let try_this = "Take that change back, or choose another rule.";
            RunError::refused("The model cannot be changed like that.", why, try_this)
        })?;
        Ok(RunState {
            request,
            router,
            num_prompt_tokens: ids.len(),
            losses: vec![None; ids.len()],
            ids,
            inputs,
            random: Seeded::new(request.seed),
            step: 0,
            ahead: VecDeque::new(),
            ahead_ms: 0.0,
        })
    }

    /// Turns what a step brought back into a trace, samples the next token, and tells whether the run is over.
    fn finish_step(
        &self,
        state: &mut RunState<'_>,
        first: usize,
        end: usize,
        output: StepOutput,
    ) -> (StepTrace, Option<FinishReason>) {
        for (loss, position) in output.losses.iter().zip(first + 1..end) {
            state.losses[position] = Some(*loss);
        }
        let tokens = (first..end).map(|position| {
            let id = state.ids[position];
            TracedToken::text(TokenId(id), self.tokenizer.bytes(id).to_vec(), state.losses[position])
        });
        let tokens = tokens.collect();

        let expectation = Expectation::new(&output.logits);
        let ranked = expectation.first(NUM_CANDIDATES.max(num_considered(state.request.sampling)));
        let candidate = |choice: &Choice| Candidate {
            id: TokenId(choice.id),
            bytes: self.tokenizer.bytes(choice.id).to_vec(),
            probability: choice.probability,
        };
        let candidates = ranked.iter().take(NUM_CANDIDATES).map(candidate).collect();
        let (chosen, finished) = match state.ids.get(end) {
            // Still inside the prompt: the next token is given.
            Some(&id) => (Some(expectation.of(id)), None),
            None => self.sample_next(state, &ranked),
        };
        if let Some(choice) = chosen {
            let loss = Some(-choice.probability.max(f32::MIN_POSITIVE).ln());
            match state.losses.get_mut(end) {
                Some(known) => *known = loss,
                None => {
                    state.ids.push(choice.id);
                    state.losses.push(loss);
                }
            }
        }
        let next = NextToken { candidates, chosen: chosen.as_ref().map(candidate) };
        let trace = StepTrace::of_text(state.request.run, state.step, first as u32, tokens, output.layers, next);
        state.step += 1;
        (trace, finished)
    }

    /// Samples the next token, unless the run is over.
    fn sample_next(&self, state: &mut RunState<'_>, ranked: &[Choice]) -> (Option<Choice>, Option<FinishReason>) {
        let written = state.ids.len() - state.num_prompt_tokens;
        if written == state.request.max_new_tokens as usize {
            return (None, Some(FinishReason::Length));
        }
        if state.ids.len() == self.model.config().max_tokens {
            return (None, Some(FinishReason::ContextFull));
        }
        let choice = state.random.sample(ranked, state.request.sampling);
        match choice.id {
            END_OF_TEXT => (None, Some(FinishReason::EndOfText)),
            _ => (Some(choice), None),
        }
    }
}

/// Refuses what a request may ask for and this engine cannot do: it ignores nothing silently.
fn not_yet(request: &RunRequest) -> Result<(), RunError> {
    if request.group == RoutingGroup::Batch || !request.companions.is_empty() {
        let why = "This engine decodes one text at a time, and a batch shares its capacity among several.";
        let try_this = "Choose the group this text or decode step, without companions.";
        return Err(RunError::refused("Several texts cannot be run together yet.", why, try_this));
    }
    Ok(())
}

/// The draws of a run, by layer. Noise that a gate has only in training is left out, as in all papers.
fn draws(router: &Router, seed: u32, num_layers: usize, num_tokens: usize) -> Vec<RoutingInputs> {
    let mut inputs = RoutingInputs::draw(seed, num_layers, num_tokens, router.num_experts());
    if !router.facts().chance.draws_live() {
        for inputs in &mut inputs {
            inputs.gumbels.clear();
            inputs.normals.clear();
        }
    }
    inputs
}

#[cfg(test)]
mod tests {
    use moe_trace::{RoutingSpec, RunId, Sampling};

    use super::*;

    #[test]
    fn what_it_cannot_do_is_refused_and_named() {
        let plain = RunRequest {
            run: RunId(0),
            prompt: "The".to_owned(),
            companions: Vec::new(),
            max_new_tokens: 1,
            sampling: Sampling::Greedy,
            routing: RoutingSpec::default(),
            group: RoutingGroup::ThisText,
            seed: 7,
            interventions: Vec::new(),
        };
        let check = |request: RunRequest, why: Option<&str>| {
            let refused = not_yet(&request).err().map(|refused| refused.error.why);
            assert_eq!(refused.is_some(), why.is_some(), "{refused:?}");
            assert!(refused.unwrap_or_default().contains(why.unwrap_or_default()));
        };
        check(plain.clone(), None);
        check(RunRequest { group: RoutingGroup::Batch, ..plain.clone() }, Some("one text at a time"));
        check(RunRequest { companions: vec!["A".to_owned()], ..plain }, Some("one text at a time"));
    }
}
