//! What is said of a model: its sizes, its routing, its entry in a list of models.

use crate::limits::{ENTRIES, EXPERTS, LAYERS, NAME_BYTES, TOKENS};
use crate::model_entry::ModelEntry;
use crate::model_info::ModelInfo;
use crate::spec::{Overflow, RoutingSpec};
use crate::wrong::{Place, Wrong};

/// A name that is read in the middle of sentences: short, and without what nobody sees or what turns a text round.
pub fn name(field: &str, text: &str) -> Result<(), Wrong> {
    Place::HEAD.at_most(format_args!("the length of {field}"), text.len() as u64, "the format", NAME_BYTES)?;
    // Unicode's default ignorable characters but those that choose how a picture is drawn, its line ends, and what is
    // drawn as nothing but room.
    let is_hidden = |c: &char| {
        c.is_control()
            || matches!(*c as u32,
                0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
                | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFEFF | 0xFFA0
                | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
    };
    match text.chars().find(is_hidden) {
        Some(hidden) => {
            let code = format!("U+{:04X}", hidden as u32);
            Err(Place::HEAD.wrong(format_args!("a character of {field}"), code, format_args!(", which cannot be seen")))
        }
        None => Ok(()),
    }
}

/// Can there be such a model?
pub fn model_info(model: &ModelInfo) -> Result<(), Wrong> {
    let at = Place::HEAD;
    name("model.name", &model.name)?;
    let is_hash = model.weights_sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    at.equal(
        format_args!("the length of model.weights_sha256"),
        model.weights_sha256.len() as u64,
        "that of a SHA-256",
        64,
    )?;
    if !is_hash {
        let why = format_args!(", not a number in lower-case hexadecimal");
        return Err(at.wrong(format_args!("model.weights_sha256"), &model.weights_sha256, why));
    }
    let counts = [
        ("model.num_layers", model.num_layers, LAYERS),
        ("model.num_experts", model.num_experts, EXPERTS),
        ("model.max_tokens", model.max_tokens, TOKENS),
        ("model.vocab_size", model.vocab_size, u64::from(u32::MAX)),
        ("model.num_parameters", model.num_parameters, u64::from(u32::MAX)),
        ("model.weights_bytes", model.weights_bytes, u64::from(u32::MAX)),
    ];
    for (field, found, most) in counts {
        at.count(format_args!("{field}"), found.into(), most)?;
    }
    let shared = u64::from(model.num_shared_experts);
    at.at_most(format_args!("model.num_shared_experts"), shared, "the format", EXPERTS)?;
    let (active, all) = (model.num_active_parameters.into(), model.num_parameters.into());
    at.at_most(format_args!("model.num_active_parameters"), active, "model.num_parameters", all)?;
    routing_spec("model.trained_routing", &model.trained_routing, model.max_tokens)
}

/// The part of a routing that needs no rule to be known: slots that an expert has whatever the rule says. The rest is
/// the router's to check.
pub(super) fn routing_spec(field: &str, routing: &RoutingSpec, max_tokens: u32) -> Result<(), Wrong> {
    let Overflow::Drop(slots) = routing.overflow else { return Ok(()) };
    let at = Place::HEAD;
    at.number(format_args!("{field}.overflow.factor"), slots.factor, f32::MIN_POSITIVE, f32::MAX)?;
    at.at_most(format_args!("{field}.overflow.minimum"), slots.minimum.into(), "max_tokens", max_tokens.into())
}

/// Can there be such an entry, the one with this number in its list?
pub fn model_entry(number: usize, entry: &ModelEntry) -> Result<(), Wrong> {
    let at = Place::HEAD;
    at.at_most(format_args!("the number of a model in the list"), number as u64, "the format", ENTRIES)?;
    let texts = [("name", &entry.name), ("title", &entry.title), ("folder", &entry.folder), ("rule", &entry.rule)];
    for (field, text) in texts {
        let field = format!("{field} of model {number}");
        name(&field, text)?;
        at.count(format_args!("the length of {field}"), text.len() as u64, NAME_BYTES)?;
    }
    let most = u64::from(u32::MAX);
    let counts = [
        ("num_experts", entry.num_experts, EXPERTS),
        ("num_parameters", entry.num_parameters, most),
        ("download_bytes", entry.download_bytes, most),
    ];
    for (field, found, most) in counts {
        at.count(format_args!("{field} of model {number}"), found.into(), most)?;
    }
    let (active, all) = (entry.num_active_parameters.into(), entry.num_parameters.into());
    at.at_most(format_args!("num_active_parameters of model {number}"), active, "num_parameters", all)
}
