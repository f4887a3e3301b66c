//! The gates of earlier moments of a training, asked by a text of today.

use moe_engine::Engine;
use moe_trace::{GateHistory, RunId, UserError};

use crate::fetch::OnDemand;
use crate::mailbox::Paced;
use crate::model::Failure;

/// Routes the text by the gates of every moment. `asked`: the engine, and the moments where the model has them.
pub async fn route(
    asked: Option<(&mut Engine, Option<&mut OnDemand>)>,
    run: RunId,
    text: &str,
) -> Result<GateHistory, Failure> {
    let what = "The gates of earlier moments could not be tried.";
    let refused = |why: &str, try_this: &str| Failure::lasting(UserError::new(what, why, try_this));
    let Some((engine, history)) = asked else {
        return Err(refused("The engine is not ready.", "Wait until the model has been loaded."));
    };
    let Some(history) = history else {
        let why = "This model has no file of the moments of its training.";
        return Err(refused(
            why,
            "Of the shipped models default, global-batch, unbalanced, cosine and instruct have one.",
        ));
    };
    let paced = Paced::default();
    let bytes = history.get(|progress| paced.post(&progress)).await.map_err(|error| {
        let try_this = "Check the connection and ask again; the run on the screen is not affected.".to_owned();
        Failure::lasting(UserError { what: what.to_owned(), try_this, ..UserError::from(error) })
    })?;
    Ok(engine.route_then(run, text, bytes).await?)
}
