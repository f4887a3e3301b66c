//! The question of the routing time machine: how would the gates of earlier moments of the training route this text?

use moe_model::history::{self, Moment};
use moe_model::{Besides, Router, TensorError};
use moe_trace::gate_history::NOBODY;
use moe_trace::{GateHistory, Overflow, RecordedHistory, RoutingSpec, RunId, UserError};

use crate::engine::Engine;
use crate::run::RunError;

const WHAT: &str = "The gates of earlier moments could not be tried.";

fn refused(why: impl Into<String>, try_this: &str) -> RunError {
    RunError { error: UserError::new(WHAT, why, try_this), fatal: false }
}

impl Engine {
    /// Routes a text by the gates of every moment of a history file, by the rule the model was trained with and with
    /// nobody turned away. The states that the gates see are those of the model as it is. Of a text that is too long the
    /// beginning is routed.
    pub async fn route_then(&mut self, run: RunId, text: &str, history: &[u8]) -> Result<GateHistory, RunError> {
        let moments = history::from_bytes(history).map_err(|error| {
            refused(format!("The file of the training's moments cannot be read: {error}."), "Choose another model.")
        })?;
        let trained = RoutingSpec { overflow: Overflow::Dropless, ..self.info().trained_routing };
        let num_experts = self.model.config().num_experts;
        let router =
            Router::new(trained, num_experts).map_err(|error| refused(error.to_string(), "Choose another model."))?;
        let facts = router.facts();
        let k = match facts.top_k(num_experts as u32) {
            Some(k) if facts.besides == Besides::Nothing && !facts.chance.draws_live() => k as usize,
            _ => {
                let why = format!("{} looks at more than a token's gate logits.", router.rule_text());
                return Err(refused(why, "Choose a model that takes the k largest logits."));
            }
        };
        let mut ids = self.tokenizer.encode(text);
        ids.truncate(self.model.config().max_tokens);
        if ids.is_empty() {
            return Err(refused("There is no text to route.", "Run the model on a few words first."));
        }
        let routes = match self.model.route_then(&ids, &router, &moments).await {
            Ok(routes) => routes,
            Err(TensorError(error)) => {
                let try_this = "The run on the screen is not affected; if this repeats, reload the page.";
                return Err(RunError { error: UserError::new(WHAT, format!("{error}."), try_this), fatal: false });
            }
        };
        let of_token = |experts: &Vec<u32>| -> Vec<u8> {
            let expert = |rank: usize| experts.get(rank).and_then(|&expert| u8::try_from(expert).ok());
            (0..k).map(|rank| expert(rank).unwrap_or(NOBODY)).collect()
        };
        let choices: Vec<u8> = routes.iter().flatten().flatten().flat_map(of_token).collect();
        Ok(GateHistory {
            run,
            steps: moments.iter().map(|moment| moment.step as u32).collect(),
            num_layers: self.model.config().num_layers as u32,
            k: k as u32,
            ids,
            choices: choices.into(),
            recorded: recorded(&moments),
        })
    }
}

fn recorded(moments: &[Moment]) -> RecordedHistory {
    let num_tokens = moments.first().and_then(|moment| moment.choices.first()).map_or(0, Vec::len);
    RecordedHistory { num_tokens: num_tokens as u32, saturation: history::saturation(moments) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use moe_model::{Manifest, device};
    use moe_trace::{Event, RoutingGroup, RunRequest, Sampling};

    use super::*;
    use crate::engine::Arithmetic;
    use crate::self_check::tests::ready;

    const TEXT: &str = "The cat sat on the mat, and 12 + 30 = 42; the dog ran. fn main() { let x = 3; }";

    fn file(model: &str, name: &str) -> Vec<u8> {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../www/site/models");
        std::fs::read(models.join(model).join(name)).expect("the site has the model")
    }

    fn engine(name: &str) -> Engine {
        let manifest = Manifest::from_json(&file(name, "manifest.json")).expect("a manifest");
        let (weights, tokenizer) = (file(name, "weights.safetensors"), file(name, "tokenizer.json"));
        ready(Engine::load(&manifest, &weights, &tokenizer, &Arithmetic::F32(device::cpu()))).expect("it loads")
    }

    fn loaded(name: &str) -> (Engine, Vec<u8>) {
        (engine(name), file(name, "history.safetensors"))
    }

    /// Experts by layer, token and rank, as a run with nobody turned away asks them.
    fn as_run(engine: &mut Engine, text: &str) -> Vec<u8> {
        let request = RunRequest {
            run: RunId(1),
            prompt: text.to_owned(),
            companions: Vec::new(),
            max_new_tokens: 0,
            sampling: Sampling::Greedy,
            routing: RoutingSpec { overflow: Overflow::Dropless, ..engine.info().trained_routing },
            group: RoutingGroup::ThisText,
            seed: 7,
            interventions: Vec::new(),
        };
        let step = std::cell::RefCell::new(None);
        let emit = |event| {
            if let Event::Step { trace, .. } = event {
                *step.borrow_mut() = trace.expand(None).ok();
            }
        };
        ready(engine.run(&request, || 0.0, emit, async || false)).map_err(|error| error.error).expect("it runs");
        let step = step.into_inner().expect("one step");
        let requests = step.layers.iter().flat_map(|layer| layer.routing().expect("decided").assignments.clone());
        requests.map(|request| request.expert.0 as u8).collect()
    }

    #[test]
    fn the_last_moment_is_the_model_itself_and_the_first_is_another() {
        for name in ["default", "cosine"] {
            let (mut engine, file) = loaded(name);
            let then = ready(engine.route_then(RunId(4), TEXT, &file)).map_err(|error| error.error).expect(name);
            assert!(then.fits());
            assert_eq!((then.run, then.steps.len(), then.num_layers, then.k), (RunId(4), 20, 4, 2), "{name}");
            let at = |moment| (0..4).flat_map(|layer| then.of(moment, layer).to_vec()).collect::<Vec<u8>>();
            let now = as_run(&mut engine, TEXT);
            assert_eq!(at(19), now, "{name}");
            assert_ne!(at(0), now, "{name}");
            // As docs/measurements/saturation.json has it.
            let recorded = &then.recorded;
            assert_eq!((recorded.num_tokens, recorded.saturation.len()), (768, 80), "{name}");
            assert_eq!(recorded.saturation[76..], [1.0; 4], "{name}");
        }
    }

    /// States are those of the model as it is: nothing of a moment reaches another layer.
    #[test]
    fn a_moment_differs_only_by_its_gates() {
        let (mut engine, file) = loaded("default");
        let moments = history::from_bytes(&file).expect("the shipped file");
        let ids = engine.tokenizer.encode(TEXT);
        let trained = RoutingSpec { overflow: Overflow::Dropless, ..engine.info().trained_routing };
        let router = Router::new(trained, 8).expect("the shipped rule");
        // A history whose moments all have the last gates routes alike at all of them.
        let last = moments.last().expect("twenty").clone();
        let alike: Vec<Moment> =
            moments.iter().map(|moment| Moment { gates: last.gates.clone(), ..moment.clone() }).collect();
        let routes = ready(engine.model.route_then(&ids, &router, &alike)).expect("it runs");
        assert!(routes.iter().all(|moment| *moment == routes[19]));
        // One layer's gate of another moment changes that layer alone.
        let mut mixed = last.clone();
        for ((name, values), (_, then)) in mixed.gates.iter_mut().zip(&moments[0].gates) {
            if name.starts_with("blocks.2.") {
                values.clone_from(then);
            }
        }
        let routes = ready(engine.model.route_then(&ids, &router, &[mixed, last.clone()])).expect("it runs");
        let differs: Vec<bool> = (0..4).map(|layer| routes[0][layer] != routes[1][layer]).collect();
        assert_eq!(differs, [false, false, true, false]);
        // And a history of another model is refused by name.
        let short = Moment { gates: last.gates[..2].to_vec(), ..last };
        let error = ready(engine.model.route_then(&ids, &router, &[short])).expect_err("gates are missing");
        assert!(error.to_string().contains("blocks.1."), "{error}");
    }

    #[test]
    fn what_is_no_history_is_refused_in_words() {
        let (mut loaded, history) = loaded("default");
        let error = ready(loaded.route_then(RunId(4), TEXT, &history[..100])).expect_err("cut off").error;
        assert!(error.why.contains("cannot be read"), "{error:?}");
        let error = ready(loaded.route_then(RunId(4), "", &history)).expect_err("no text").error;
        assert_eq!(error.why, "There is no text to route.");
        let mut hash = engine("hash");
        let error = ready(hash.route_then(RunId(4), TEXT, &history)).expect_err("a hash reads no gate").error;
        assert!(error.why.contains("looks at more than a token's gate logits"), "{error:?}");
    }
}
