//! The head of a trace: what it says of model, request and columns, one against the other.

use crate::check::model::name;
use crate::check::{model_info, routing_spec};
use crate::header::{ExpertCount, RouteSchema, TraceHeader};
use crate::limits::{ENTRIES, EXPERTS, LAYERS, TEXT_BYTES, TOKENS};
use crate::model_info::ModelInfo;
use crate::request::{MAX_BATCH, RunRequest, Sampling};
use crate::spec::RoutingGroup;
use crate::wrong::{Place, Wrong};

const AT: Place = Place::HEAD;

pub fn header(header: &TraceHeader) -> Result<(), Wrong> {
    let origin = &header.origin;
    name("origin.producer", &origin.producer)?;
    let others = [("version", &origin.version), ("format", &origin.format), ("model_name", &origin.model_name)];
    for (field, text) in others {
        name(field, text.as_deref().unwrap_or_default())?;
    }
    AT.at_most(format_args!("the number of notes"), header.notes.len() as u64, "the format", ENTRIES)?;
    header.notes.iter().try_for_each(|note| length("a note", note, TEXT_BYTES))?;
    AT.at_most(format_args!("the number of parts in absent"), header.absent.len() as u64, "the format", ENTRIES)?;
    routes(&header.routes)?;
    if let Some(model) = &header.model {
        model_info(model)?;
        as_the_model_has_it(&header.routes, model)?;
    }
    match &header.request {
        Some(of_run) => request(of_run, header.model.as_ref()),
        None => Ok(()),
    }
}

fn length(field: &str, text: &str, most: u64) -> Result<(), Wrong> {
    AT.at_most(format_args!("the length of {field}"), text.len() as u64, "the format", most)
}

fn routes(routes: &RouteSchema) -> Result<(), Wrong> {
    if let Some(layers) = routes.num_layers {
        AT.at_most(format_args!("routes.num_layers"), layers.into(), "the format", LAYERS)?;
    }
    if let Some(ids) = &routes.moe_layer_ids {
        AT.at_most(format_args!("the length of routes.moe_layer_ids"), ids.len() as u64, "the format", LAYERS)?;
        for (at, id) in ids.iter().enumerate() {
            let (found, field) = (u64::from(id.0), format_args!("routes.moe_layer_ids[{at}]"));
            match routes.num_layers {
                Some(num_layers) => AT.index(field, found, "routes.num_layers", num_layers.into())?,
                None => AT.at_most(field, found, "the format", LAYERS)?,
            }
        }
    }
    match routes.num_experts {
        ExpertCount::Exactly(count) => AT.count(format_args!("routes.num_experts"), count.into(), EXPERTS)?,
        count => AT.at_most(format_args!("routes.num_experts"), count.known().into(), "the format", EXPERTS)?,
    }
    let Some(top_k) = routes.top_k else { return Ok(()) };
    let most = match routes.num_experts {
        ExpertCount::Exactly(count) => count.into(),
        _ => EXPERTS,
    };
    AT.at_most(format_args!("routes.top_k"), top_k.into(), "routes.num_experts", most)
}

/// Every layer of a model of ours routes.
fn as_the_model_has_it(routes: &RouteSchema, model: &ModelInfo) -> Result<(), Wrong> {
    let (layers, experts) = (u64::from(model.num_layers), u64::from(model.num_experts));
    if let Some(num_layers) = routes.num_layers {
        AT.equal(format_args!("routes.num_layers"), num_layers.into(), "model.num_layers", layers)?;
    }
    if let Some(ids) = &routes.moe_layer_ids {
        AT.equal(format_args!("the length of routes.moe_layer_ids"), ids.len() as u64, "model.num_layers", layers)?;
    }
    AT.equal(format_args!("routes.num_experts"), routes.num_experts.known().into(), "model.num_experts", experts)
}

fn request(request: &RunRequest, model: Option<&ModelInfo>) -> Result<(), Wrong> {
    let companions = request.companions.len() as u64;
    let allowed = if request.group == RoutingGroup::Batch { MAX_BATCH as u64 - 1 } else { 0 };
    AT.at_most(format_args!("the number of request.companions"), companions, "request.group", allowed)?;
    length("request.prompt", &request.prompt, TEXT_BYTES)?;
    request.companions.iter().try_for_each(|prompt| length("a companion", prompt, TEXT_BYTES))?;
    AT.at_most(format_args!("request.max_new_tokens"), request.max_new_tokens.into(), "the format", TOKENS)?;
    if let Sampling::Random { temperature, top_p, .. } = request.sampling {
        AT.number(format_args!("request.sampling.temperature"), temperature, f32::MIN_POSITIVE, f32::MAX)?;
        AT.number(format_args!("request.sampling.top_p"), top_p, 0.0, 1.0)?;
    }
    let changes = request.interventions.len() as u64;
    AT.at_most(format_args!("the number of request.interventions"), changes, "the format", ENTRIES)?;
    let max_tokens = model.map_or(TOKENS as u32, |model| model.max_tokens);
    routing_spec("request.routing", &request.routing, max_tokens)?;
    let Some(model) = model else { return Ok(()) };
    for (number, change) in request.interventions.iter().enumerate() {
        change.check(model.num_layers, model.num_experts).map_err(|why| {
            AT.wrong(format_args!("request.interventions[{number}]"), change, format_args!(", but {why}"))
        })?;
    }
    Ok(())
}
