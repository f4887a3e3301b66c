//! Finding of the layers × tokens matrix: the layer that turned away the most requests.

use crate::run::scene::Scene;

pub fn finding(scene: &Scene) -> String {
    let worst = scene.layers.iter().map(|layer| (layer.totals().lost, layer.layer.0)).max_by_key(|&(lost, layer)| {
        // On a tie the lowest layer.
        (lost, std::cmp::Reverse(layer))
    });
    let losing = scene.layers.iter().filter(|layer| layer.totals().lost > 0).count();
    match worst {
        Some((lost, layer)) if lost > 0 && losing == 1 => {
            many!(
                lost,
                "Only layer {layer} overflowed: {n} request turned away",
                "Only layer {layer} overflowed: {n} requests turned away",
                layer,
            )
        }
        Some((lost, layer)) if lost > 0 => {
            many!(
                lost,
                "Layer {layer} turned away the most: {n} request",
                "Layer {layer} turned away the most: {n} requests",
                layer,
            )
        }
        _ => say!("No layer turned away any request").into_owned(),
    }
}
