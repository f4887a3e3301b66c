//! Finding of the losses: how far the layer is from balance, and which expert has most to do with it.

use moe_router::auxiliary::Measured;
use moe_router::rules;

use crate::run::losses::{self, Found};
use crate::run::scene::Scene;
use crate::words::numbers::digits;

pub fn finding(scene: &Scene, layer: usize, found: &[Found]) -> String {
    let measured = |name: &str| found.iter().find(|(loss, _)| loss.name == name);
    let Some(of_layer) = scene.layers.get(layer) else { return String::new() };
    let number = of_layer.layer;
    if let Some((loss, Ok(Measured { value, terms }))) = measured("switch") {
        let even = losses::at_balance(scene, loss).map_or("1".to_owned(), digits);
        let busiest = terms.as_ref().and_then(|terms| largest(&terms.values));
        let busiest = busiest.filter(|_| scene.num_experts() > 1);
        let most = busiest.map_or(String::new(), |(expert, term)| format!("; expert {expert} adds {}", digits(term)));
        return format!("Layer {number}: Switch’s balance loss is {}, even use gives {even}{most}", digits(*value));
    }
    if let Some((_, Ok(Measured { value, .. }))) = measured("importance") {
        let spread = digits(*value);
        return format!("Layer {number}: the weights are spread with CV² {spread}, even use gives 0");
    }
    format!("Layer {number}: no token requested an expert by {}", rules::of(&of_layer.rule).title)
}

/// The largest number and where it stands; the first of equals.
fn largest(values: &[f64]) -> Option<(usize, f64)> {
    values.iter().copied().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })
}
