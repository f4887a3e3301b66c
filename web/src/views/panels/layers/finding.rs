//! Finding of the layers × tokens matrix: the layer that turned away the most requests.

use crate::run::scene::Scene;
use crate::words::numbers::count;

pub fn finding(scene: &Scene) -> String {
    let worst = scene.layers.iter().map(|layer| (layer.totals().lost, layer.layer.0)).max_by_key(|&(lost, layer)| {
        // On a tie the lowest layer.
        (lost, std::cmp::Reverse(layer))
    });
    let losing = scene.layers.iter().filter(|layer| layer.totals().lost > 0).count();
    match worst {
        Some((lost, layer)) if lost > 0 && losing == 1 => {
            format!("Only layer {layer} overflowed: {} turned away", count(lost, "request", "requests"))
        }
        Some((lost, layer)) if lost > 0 => {
            format!("Layer {layer} turned away the most: {}", count(lost, "request", "requests"))
        }
        _ => "No layer turned away any request".to_owned(),
    }
}
