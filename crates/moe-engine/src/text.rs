//! One text of a run: what is known of it, and how it goes on.

use std::ops::Range;

use moe_model::sample::{Choice, Expectation, Seeded, num_considered};
use moe_model::tokenizer::END_OF_TEXT;
use moe_model::{Router, RoutingInputs};
use moe_trace::{Candidate, FinishReason, NextToken, RunRequest, TokenId, TracedToken};

use crate::engine::Engine;
use crate::run::RunError;

/// Next-token candidates a step reports.
const NUM_CANDIDATES: usize = 10;

/// A text as far as it has come.
pub(crate) struct Text {
    /// Prompt and what was written so far.
    pub ids: Vec<u32>,
    num_prompt_tokens: usize,
    /// Nats of each token, as far as known; the first has none.
    losses: Vec<Option<f32>>,
    /// Of every layer, by position.
    pub inputs: Vec<RoutingInputs>,
    random: Seeded,
}

impl Text {
    /// What routing sees of some positions, by layer.
    pub fn inputs_at(&self, positions: Range<usize>) -> Vec<RoutingInputs> {
        let ids = &self.ids[positions.clone()];
        self.inputs.iter().map(|inputs| inputs.at(positions.clone(), ids)).collect()
    }

    /// Takes down what the tokens from `first` on cost.
    pub fn note_losses(&mut self, first: usize, losses: &[f32]) {
        for (known, loss) in self.losses[first..].iter_mut().zip(losses) {
            *known = Some(*loss);
        }
    }
}

impl Engine {
    /// Reads a prompt. `seed`: of what this text leaves to chance, in routing and sampling.
    pub(crate) fn text(&self, prompt: &str, seed: u32, router: &Router) -> Result<Text, RunError> {
        let config = self.model.config();
        let ids = self.tokenizer.encode(prompt);
        if ids.is_empty() {
            let why = "The model continues a text, and there is none.";
            return Err(RunError::refused("The prompt is empty.", why, "Type a few words and press Run."));
        }
        if ids.len() > config.max_tokens {
            let characters = prompt.chars().count() * config.max_tokens / ids.len();
            let why = format!("It is {} tokens long; this model sees at most {}.", ids.len(), config.max_tokens);
            let try_this = format!("Shorten it to about {characters} characters. Nothing of your text is lost.");
            return Err(RunError::refused("The prompt is too long.", why, &try_this));
        }
        Ok(Text {
            num_prompt_tokens: ids.len(),
            losses: vec![None; ids.len()],
            ids,
            inputs: draws(router, seed, config.num_layers, config.max_tokens),
            random: Seeded::new(seed),
        })
    }

    /// The tokens at some positions, as a trace has them.
    pub(crate) fn traced(&self, text: &Text, positions: Range<usize>) -> Vec<TracedToken> {
        let token = |position: usize| {
            let id = text.ids[position];
            TracedToken::text(TokenId(id), self.tokenizer.bytes(id).to_vec(), text.losses[position])
        };
        positions.map(token).collect()
    }

    /// What the model expects after the tokens before `end`, by its logits there; and the token that comes there: what the
    /// prompt says, or what sampling takes, which then is the text's. And why the text is over, if it is.
    pub(crate) fn next(
        &self,
        text: &mut Text,
        end: usize,
        logits: &[f32],
        request: &RunRequest,
    ) -> (NextToken, Option<FinishReason>) {
        let expectation = Expectation::new(logits);
        let ranked = expectation.first(NUM_CANDIDATES.max(num_considered(request.sampling)));
        let candidate = |choice: &Choice| Candidate {
            id: TokenId(choice.id),
            bytes: self.tokenizer.bytes(choice.id).to_vec(),
            probability: choice.probability,
        };
        let candidates = ranked.iter().take(NUM_CANDIDATES).map(candidate).collect();
        let (chosen, finished) = match text.ids.get(end) {
            // Still inside the prompt: the next token is given.
            Some(&id) => (Some(expectation.of(id)), None),
            None => self.sample_next(text, &ranked, request),
        };
        if let Some(choice) = chosen {
            let loss = Some(-choice.probability.max(f32::MIN_POSITIVE).ln());
            match text.losses.get_mut(end) {
                Some(known) => *known = loss,
                None => {
                    text.ids.push(choice.id);
                    text.losses.push(loss);
                }
            }
        }
        (NextToken { candidates, chosen: chosen.as_ref().map(candidate) }, finished)
    }

    /// Samples the next token, unless the text is over.
    fn sample_next(
        &self,
        text: &mut Text,
        ranked: &[Choice],
        request: &RunRequest,
    ) -> (Option<Choice>, Option<FinishReason>) {
        let written = text.ids.len() - text.num_prompt_tokens;
        if written == request.max_new_tokens as usize {
            return (None, Some(FinishReason::Length));
        }
        if text.ids.len() == self.model.config().max_tokens {
            return (None, Some(FinishReason::ContextFull));
        }
        let choice = text.random.sample(ranked, request.sampling);
        match choice.id {
            END_OF_TEXT => (None, Some(FinishReason::EndOfText)),
            _ => (Some(choice), None),
        }
    }
}

/// The draws of a text, by layer. Noise that a gate has only in training is left out, as in all papers.
fn draws(router: &Router, seed: u32, num_layers: usize, num_tokens: usize) -> Vec<RoutingInputs> {
    let drawn = match router.facts().chance.draws_live() {
        true => RoutingInputs::draw,
        false => RoutingInputs::draw_without_noise,
    };
    drawn(seed, num_layers, num_tokens, router.num_experts())
}
