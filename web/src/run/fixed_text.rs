//! A run's text as a fixed one: all of it as the prompt, and nothing generated. So settings are compared on the same
//! tokens, each with a loss, in one step.

use moe_trace::{RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling, TracedToken};

use crate::run::recording::Recording;
use crate::run::scene::{Scene, SceneToken};

/// The text of a run as far as it has come. `None` where there is none, or where not all of it was recorded.
pub fn text(run: &Recording) -> Option<String> {
    let mut bytes = Vec::new();
    for token in tokens(run)? {
        if token.bytes().is_empty() {
            return None;
        }
        bytes.extend_from_slice(token.bytes());
    }
    // The last character may be still to come.
    if let Err(error) = std::str::from_utf8(&bytes) {
        bytes.truncate(error.valid_up_to());
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

fn tokens(run: &Recording) -> Option<impl Iterator<Item = &TracedToken>> {
    let last = run.steps.last()?;
    let steps = match run.request.group {
        RoutingGroup::ThisText => std::slice::from_ref(last),
        RoutingGroup::DecodeStep => &run.steps[..],
        // Several texts, of which none is the run's.
        RoutingGroup::Batch => return None,
    };
    Some(steps.iter().flat_map(|step| &step.tokens))
}

/// How many tokens of a result, from the first, are the run's own: a text that was written token by token may be read in
/// others.
pub fn num_shared(run: &Recording, result: &Scene) -> usize {
    let Some(tokens) = tokens(run) else { return 0 };
    let same = |(one, other): &(&TracedToken, &SceneToken)| one.id.is_some() && one.id.map(|id| id.0) == other.id;
    tokens.zip(&result.tokens).take_while(same).count()
}

/// The request that runs this text under another routing, with whatever else was changed in the model's run. Its number
/// is 0: who has it computed gives it one.
pub fn request(run: &Recording, text: &str, routing: RoutingSpec) -> RunRequest {
    RunRequest {
        run: RunId(0),
        prompt: text.to_owned(),
        companions: Vec::new(),
        max_new_tokens: 0,
        sampling: Sampling::Greedy,
        routing,
        group: RoutingGroup::ThisText,
        seed: run.request.seed,
        interventions: run.request.interventions.clone(),
    }
}
