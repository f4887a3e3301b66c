//! What is changed inside the model, in a few words.

use moe_trace::{Intervention, LayerIdx};

/// "expert 3 of layer 2 muted".
pub fn said(change: &Intervention) -> String {
    match *change {
        Intervention::Mute { layer, expert } => format!("expert {expert} of layer {layer} muted"),
        Intervention::Force { layer, position, expert } => {
            format!("token {position} sent to expert {expert} in layer {layer}")
        }
        Intervention::Swap { layer, experts: [one, other] } => {
            format!("experts {one} and {other} of layer {layer} swapped")
        }
        Intervention::Bias { layer, expert, bias } => format!("bias {bias} on expert {expert} of layer {layer}"),
        Intervention::RouterTemperature { layer, temperature } => {
            format!("router temperature {temperature} in {}", place(layer))
        }
        Intervention::GateNoise { layer, deviation } => format!("gate noise {deviation} in {}", place(layer)),
    }
}

/// What is said of a change that was taken back: "expert 3 of layer 2 no longer muted".
pub fn taken_back(change: &Intervention) -> String {
    match *change {
        Intervention::Mute { layer, expert } => format!("expert {expert} of layer {layer} no longer muted"),
        Intervention::Force { layer, position, expert } => {
            format!("token {position} no longer sent to expert {expert} in layer {layer}")
        }
        Intervention::Swap { layer, experts: [one, other] } => {
            format!("experts {one} and {other} of layer {layer} no longer swapped")
        }
        Intervention::Bias { layer, expert, .. } => format!("no bias on expert {expert} of layer {layer} any more"),
        Intervention::RouterTemperature { layer, .. } => format!("router temperature 1 again in {}", place(layer)),
        Intervention::GateNoise { layer, .. } => format!("no gate noise in {} any more", place(layer)),
    }
}

/// All of them, where there are some.
pub fn all(changes: &[Intervention]) -> String {
    changes.iter().map(said).collect::<Vec<_>>().join(", ")
}

fn place(layer: Option<LayerIdx>) -> String {
    layer.map_or("every layer".to_owned(), |layer| format!("layer {layer}"))
}
