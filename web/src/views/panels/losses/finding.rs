//! Finding of the losses: how far the layer is from balance, and which expert has most to do with it.

use moe_router::auxiliary::Measured;
use moe_router::rules;

use crate::run::losses::{self, Found};
use crate::run::scene::Scene;
use crate::words::numbers::digits;
use crate::words::tongue;

pub fn finding(scene: &Scene, layer: usize, found: &[Found]) -> String {
    let measured = |name: &str| found.iter().find(|(loss, _)| loss.name == name);
    let Some(of_layer) = scene.layers.get(layer) else { return String::new() };
    let number = of_layer.layer;
    if let Some((loss, Ok(Measured { value, terms }))) = measured("switch") {
        let even = losses::at_balance(scene, loss).map_or("1".to_owned(), digits);
        let busiest = terms.as_ref().and_then(|terms| largest(&terms.values));
        let busiest = busiest.filter(|_| scene.num_experts() > 1);
        let value = digits(*value);
        return match busiest {
            None => {
                say!("Layer {number}: Switch’s balance loss is {value}, even use gives {even}", number, value, even)
            }
            Some((expert, term)) => say!(
                "Layer {number}: Switch’s balance loss is {value}, even use gives {even}; expert {expert} adds {term}",
                number,
                value,
                even,
                expert,
                term = digits(term)
            ),
        };
    }
    if let Some((_, Ok(Measured { value, .. }))) = measured("importance") {
        let spread = digits(*value);
        return say!("Layer {number}: the weights are spread with CV² {spread}, even use gives 0", number, spread);
    }
    let rule = tongue::translated(rules::of(&of_layer.rule).title);
    say!("Layer {number}: no token requested an expert by {rule}", number, rule)
}

/// The largest number and where it stands; the first of equals.
fn largest(values: &[f64]) -> Option<(usize, f64)> {
    values.iter().copied().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })
}
