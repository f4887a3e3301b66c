//! The loop of a run: forward, trace, sample, again.

use std::collections::VecDeque;
use std::ops::Range;

use moe_model::possible_changes;
use moe_model::{Changes, Router, StepInput, StepOutput, TensorError};
use moe_trace::{Event, FinishReason, RoutingGroup, RunRequest, StepTrace, UserError};

use crate::engine::{DEVICE_FAILED, Engine};
use crate::text::Text;

/// Why a run could not start or go on.
#[derive(Debug)]
pub struct RunError {
    pub error: UserError,
    /// Is the device beyond repair, so that a new engine is needed?
    pub fatal: bool,
}

impl RunError {
    pub(crate) fn refused(what: &str, why: impl Into<String>, try_this: &str) -> RunError {
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
    text: Text,
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
        if request.group == RoutingGroup::Batch {
            return self.run_batch(request, clock_ms, emit, stopped).await;
        }
        let mut state = self.start(request)?;
        loop {
            if stopped().await {
                return Ok(FinishReason::Stopped);
            }
            let mut begin = clock_ms();
            let (first, end, output, ahead_ms) = match request.group {
                RoutingGroup::ThisText => {
                    let Text { ids, inputs, .. } = &state.text;
                    let output = self.model.forward_text(ids, inputs, &state.router).await?;
                    (0, ids.len(), output, 0.0)
                }
                // A batch is run elsewhere.
                RoutingGroup::DecodeStep | RoutingGroup::Batch => {
                    let at = state.step as usize;
                    if state.ahead.is_empty() {
                        state.ahead = self.decode(&state, at..state.text.ids.len()).await?;
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
        let (first, text) = (positions.start, &state.text);
        let of_all = text.inputs_at(positions.clone());
        let steps = StepInput { ids: &text.ids[positions], first_position: first, inputs: &of_all };
        if let Some(outputs) = self.model.forward_apart(&steps, &state.router).await? {
            return Ok(outputs.into());
        }
        let of_first = text.inputs_at(first..first + 1);
        let step = StepInput { ids: &text.ids[first..=first], first_position: first, inputs: &of_first };
        Ok([self.model.forward(&step, &state.router).await?].into())
    }

    /// The router that a request asks for, if a model can be run with it.
    pub(crate) fn router(&self, request: &RunRequest) -> Result<Router, RunError> {
        let router = Router::new(request.routing, self.model.config().num_experts).map_err(|error| {
            RunError::refused("This routing does not fit the model.", error.to_string(), "Change k or the policy.")
        })?;
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
        Ok(router)
    }

    /// Checks a request and makes its first state.
    fn start<'a>(&self, request: &'a RunRequest) -> Result<RunState<'a>, RunError> {
        needs_a_batch(request)?;
        let config = self.model.config();
        let router = self.router(request)?;
        if request.group == RoutingGroup::DecodeStep && router.facts().looks_ahead {
            let why = format!("{} shares tokens out among experts, and a decode step has one.", router.rule_text());
            let try_this = "Choose the group this text, or the rule's form for inference, such as base:greedy or sinkhorn:1,greedy.";
            return Err(RunError::refused("This routing cannot be run one token at a time.", why, try_this));
        }
        let mut text = self.text(&request.prompt, request.seed, &router)?;
        for (inputs, layer) in text.inputs.iter_mut().zip(0..) {
            let (changes, seed) = (&request.interventions, request.seed);
            inputs.changes = Changes::of_layer(changes, layer, seed, config.max_tokens, config.num_experts);
        }
        possible_changes::check(&request.interventions, &router, config, &text.inputs).map_err(|why| {
            let try_this = "Take that change back, or choose another rule.";
            RunError::refused("The model cannot be changed like that.", why, try_this)
        })?;
        Ok(RunState { request, router, text, step: 0, ahead: VecDeque::new(), ahead_ms: 0.0 })
    }

    /// Turns what a step brought back into a trace, samples the next token, and tells whether the run is over.
    fn finish_step(
        &self,
        state: &mut RunState<'_>,
        first: usize,
        end: usize,
        output: StepOutput,
    ) -> (StepTrace, Option<FinishReason>) {
        state.text.note_losses(first + 1, &output.losses);
        let tokens = self.traced(&state.text, first..end);
        let (next, finished) = self.next(&mut state.text, end, &output.logits, state.request);
        let trace = StepTrace::of_text(state.request.run, state.step, first as u32, tokens, output.layers, next);
        state.step += 1;
        (trace, finished)
    }
}

/// Refuses companions outside of a batch: the engine ignores nothing silently.
fn needs_a_batch(request: &RunRequest) -> Result<(), RunError> {
    if !request.companions.is_empty() {
        let why = "It has companions, which share capacity with it only in a batch.";
        let try_this = "Choose the group batch, or leave the companions out.";
        return Err(RunError::refused("This text is not alone.", why, try_this));
    }
    Ok(())
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
            let refused = needs_a_batch(&request).err().map(|refused| refused.error.why);
            assert_eq!(refused.is_some(), why.is_some(), "{refused:?}");
            assert!(refused.unwrap_or_default().contains(why.unwrap_or_default()));
        };
        check(plain.clone(), None);
        check(RunRequest { companions: vec!["A".to_owned()], ..plain }, Some("only in a batch"));
    }
}
