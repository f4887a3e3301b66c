//! A run of several texts that decode in step and share capacity, as a server's would.
//!
//! Each step runs one token of every text that goes on, prompts included, text after text; these tokens are one routing
//! group, whose capacity follows from their number. So whose request is lost depends on what the others ask at the same
//! step, and within a text nothing looks ahead. A text that has ended leaves the group, and the others share what that
//! leaves. Alone in its batch, a text is run as with the group `decode step`.

use moe_model::{Router, RoutingInputs, TextToken};
use moe_trace::{BatchEntry, Event, FinishReason, MAX_BATCH, RunRequest, SequenceStep, Sequences, StepTrace};

use crate::engine::Engine;
use crate::run::RunError;
use crate::text::Text;

/// The texts of a batch, and where they stand.
struct Batch {
    router: Router,
    texts: Vec<Text>,
    /// Why each is over; `None` of those that go on.
    ended: Vec<Option<FinishReason>>,
}

impl Engine {
    /// See [`Engine::run`]. The reason is that of the text that went on longest.
    pub(crate) async fn run_batch(
        &mut self,
        request: &RunRequest,
        clock_ms: impl Fn() -> f64,
        mut emit: impl FnMut(Event),
        mut stopped: impl AsyncFnMut() -> bool,
    ) -> Result<FinishReason, RunError> {
        let mut batch = self.start_batch(request)?;
        let mut caches = self.model.texts(batch.texts.len());
        // All texts begin with the first step, so that the number of a step is the position of its tokens.
        let mut step = 0;
        loop {
            if stopped().await {
                return Ok(FinishReason::Stopped);
            }
            let begin = clock_ms();
            let tokens = batch.tokens_at(step);
            let inputs = batch.inputs_at(step, &tokens);
            let output = self.model.forward_in_step(&mut caches, &tokens, &inputs, &batch.router).await?;
            let mut traced = Vec::with_capacity(tokens.len());
            let mut sequences = Vec::with_capacity(tokens.len());
            let mut reason = None;
            let logits = output.logits.chunks_exact(self.model.config().vocab_size);
            for (token, logits) in tokens.iter().zip(logits) {
                let text = &mut batch.texts[token.text];
                traced.extend(self.traced(text, step..step + 1));
                let (next, ended) = self.next(text, step + 1, logits, request);
                batch.ended[token.text] = ended;
                reason = ended.or(reason);
                let of_text = SequenceStep {
                    first_position: step as u32,
                    num_prompt_tokens: None,
                    next: Some(next),
                    unrouted_tail: None,
                };
                sequences.push(BatchEntry { sequence: token.text as u32, num_tokens: 1, step: of_text });
            }
            let trace = StepTrace {
                run: request.run,
                step: step as u32,
                pass: None,
                sequences: Sequences::Batch { sequences },
                tokens: traced,
                layers: output.layers,
            };
            emit(Event::Step { trace: trace.into(), elapsed_ms: (clock_ms() - begin) as f32 });
            if let (Some(reason), true) = (reason, batch.ended.iter().all(Option::is_some)) {
                return Ok(reason);
            }
            step += 1;
        }
    }

    fn start_batch(&self, request: &RunRequest) -> Result<Batch, RunError> {
        if !request.interventions.is_empty() {
            let why = "A change inside the model is meant for one text, and a batch has several.";
            let try_this = "Take the changes back, or choose the group this text or decode step.";
            return Err(RunError::refused("The model cannot be changed in a batch.", why, try_this));
        }
        let num_texts = 1 + request.companions.len();
        if num_texts > MAX_BATCH {
            let why = format!("There are {num_texts}; {MAX_BATCH} share a step at most.");
            return Err(RunError::refused("There are too many texts.", why, "Leave some out."));
        }
        let router = self.router(request)?;
        if router.facts().besides.is_of_whole_texts() {
            let why =
                format!("{} decides once for a whole text, and a step has one token of each.", router.rule_text());
            let try_this = "Choose the group this text, or another rule.";
            return Err(RunError::refused("This routing cannot be run one token at a time.", why, try_this));
        }
        let prompts = std::iter::once(&request.prompt).chain(&request.companions).zip(0u32..);
        let texts = prompts.map(|(prompt, number)| {
            // Two texts at one position are to draw differently, and each as it does alone with this seed.
            let read = self.text(prompt, request.seed.wrapping_add(number), &router);
            read.map_err(|mut refused| {
                if num_texts > 1 {
                    refused.error.why = format!("Text {} of the batch: {}", number + 1, refused.error.why);
                }
                refused
            })
        });
        let texts = texts.collect::<Result<Vec<Text>, RunError>>()?;
        Ok(Batch { router, ended: vec![None; texts.len()], texts })
    }
}

impl Batch {
    /// The token at this position of each text that goes on.
    fn tokens_at(&self, position: usize) -> Vec<TextToken> {
        let going_on = self.texts.iter().enumerate().filter(|(text, _)| self.ended[*text].is_none());
        going_on.map(|(number, text)| TextToken { text: number, position, id: text.ids[position] }).collect()
    }

    /// What routing sees of these tokens, by layer.
    fn inputs_at(&self, position: usize, tokens: &[TextToken]) -> Vec<RoutingInputs> {
        let of_texts: Vec<Vec<RoutingInputs>> =
            tokens.iter().map(|token| self.texts[token.text].inputs_at(position..position + 1)).collect();
        let num_layers = of_texts.first().map_or(0, Vec::len);
        let of_layer = |layer: usize| RoutingInputs::together(of_texts.iter().map(|of_text| of_text[layer].clone()));
        (0..num_layers).map(of_layer).collect()
    }
}
