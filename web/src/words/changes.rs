//! What is changed inside the model, in a few words.

use moe_trace::{Intervention, LayerIdx};

use crate::words::names;

/// "expert 3 of layer 2 muted".
pub fn said(change: &Intervention) -> String {
    match *change {
        Intervention::Mute { layer, expert } => say!("expert {expert} of layer {layer} muted", expert, layer),
        Intervention::Force { layer, position, expert } => {
            say!("token {position} sent to expert {expert} in layer {layer}", position, expert, layer)
        }
        Intervention::Swap { layer, experts: [one, other] } => {
            say!("experts {one} and {other} of layer {layer} swapped", one, other, layer)
        }
        Intervention::Bias { layer, expert, bias } => {
            say!("bias {bias} on expert {expert} of layer {layer}", bias, expert, layer)
        }
        Intervention::RouterTemperature { layer, temperature } => {
            say!("router temperature {temperature} in {place}", temperature, place = place(layer))
        }
        Intervention::GateNoise { layer, deviation } => {
            say!("gate noise {deviation} in {place}", deviation, place = place(layer))
        }
    }
}

/// What is said of a change that was taken back: "expert 3 of layer 2 no longer muted".
pub fn taken_back(change: &Intervention) -> String {
    match *change {
        Intervention::Mute { layer, expert } => say!("expert {expert} of layer {layer} no longer muted", expert, layer),
        Intervention::Force { layer, position, expert } => {
            say!("token {position} no longer sent to expert {expert} in layer {layer}", position, expert, layer)
        }
        Intervention::Swap { layer, experts: [one, other] } => {
            say!("experts {one} and {other} of layer {layer} no longer swapped", one, other, layer)
        }
        Intervention::Bias { layer, expert, .. } => {
            say!("no bias on expert {expert} of layer {layer} any more", expert, layer)
        }
        Intervention::RouterTemperature { layer, .. } => {
            say!("router temperature 1 again in {place}", place = place(layer))
        }
        Intervention::GateNoise { layer, .. } => say!("no gate noise in {place} any more", place = place(layer)),
    }
}

/// All of them, where there are some.
pub fn all(changes: &[Intervention]) -> String {
    names::listed(changes.iter().map(said))
}

fn place(layer: Option<LayerIdx>) -> String {
    layer.map_or_else(|| say!("every layer").into_owned(), |layer| say!("layer {layer}", layer))
}
