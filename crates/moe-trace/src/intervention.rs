//! What a reader changes inside the model for one run: experts muted or swapped, tokens forced, gates bent.

use std::fmt;

use crate::ids::{ExpertIdx, LayerIdx};
use crate::tagged::tagged;

/// One change, in force from the run's first step to its last. Several act together, in the order they are listed.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(tag = "kind", rename_all = "snake_case"))]
#[cfg_attr(feature = "codegen", schemars(tag = "kind", rename_all = "snake_case"))]
pub enum Intervention {
    /// Nobody can ask this expert: its gate logit counts as −∞, and the others share the probability.
    Mute { layer: LayerIdx, expert: ExpertIdx },
    /// The token at this position of the text asks this expert in place of its first choice, with that one's weight. If
    /// it asks it anyway, the two change ranks.
    Force { layer: LayerIdx, position: u32, expert: ExpertIdx },
    /// Wherever the router names one of the two, the other one computes. Decisions, slots and weights stay.
    Swap { layer: LayerIdx, experts: [ExpertIdx; 2] },
    /// Gate logits are divided by this before anything else; above 1 choices become alike. Of one layer, or of all.
    RouterTemperature { layer: Option<LayerIdx>, temperature: f32 },
    /// Added to the gate logit of this expert, for every token.
    Bias { layer: LayerIdx, expert: ExpertIdx, bias: f32 },
    /// Normal noise of this standard deviation is added to every gate logit, drawn by the request's seed. Of one layer,
    /// or of all.
    GateNoise { layer: Option<LayerIdx>, deviation: f32 },
}

tagged! {
    Intervention by "kind" {
        "mute" Mute { layer, expert }
        "force" Force { layer, position, expert }
        "swap" Swap { layer, experts }
        "router_temperature" RouterTemperature { layer, temperature }
        "bias" Bias { layer, expert, bias }
        "gate_noise" GateNoise { layer, deviation }
    }
}

/// Why a change cannot be made in a model.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InterventionError {
    #[error("there is no layer {layer}; the model has {num_layers}, counted from 0")]
    Layer { layer: LayerIdx, num_layers: u32 },
    #[error("there is no expert {expert}; a layer has {num_experts}, counted from 0")]
    Expert { expert: ExpertIdx, num_experts: u32 },
    #[error("the router temperature is {temperature}; it must be a positive number")]
    Temperature { temperature: f32 },
    #[error("a gate is changed by {number}, which is not a finite number, or is a negative deviation")]
    Number { number: f32 },
}

impl Intervention {
    /// Is there such a layer and expert, and is the number one that a gate can take?
    pub fn check(&self, num_layers: u32, num_experts: u32) -> Result<(), InterventionError> {
        let of_layer = |layer: LayerIdx| match layer.0 < num_layers {
            true => Ok(()),
            false => Err(InterventionError::Layer { layer, num_layers }),
        };
        let of_expert = |expert: ExpertIdx| match expert.0 < num_experts {
            true => Ok(()),
            false => Err(InterventionError::Expert { expert, num_experts }),
        };
        match *self {
            Intervention::Mute { layer, expert } | Intervention::Force { layer, expert, .. } => {
                of_layer(layer).and(of_expert(expert))
            }
            Intervention::Swap { layer, experts: [one, other] } => {
                of_layer(layer).and(of_expert(one)).and(of_expert(other))
            }
            Intervention::Bias { layer, expert, bias } => {
                let is_number = if bias.is_finite() { Ok(()) } else { Err(InterventionError::Number { number: bias }) };
                of_layer(layer).and(of_expert(expert)).and(is_number)
            }
            Intervention::RouterTemperature { layer, temperature } => {
                let is_positive = temperature.is_finite() && temperature > 0.0;
                let of_number = if is_positive { Ok(()) } else { Err(InterventionError::Temperature { temperature }) };
                layer.map_or(Ok(()), of_layer).and(of_number)
            }
            Intervention::GateNoise { layer, deviation } => {
                let is_width = deviation.is_finite() && deviation >= 0.0;
                let of_number = if is_width { Ok(()) } else { Err(InterventionError::Number { number: deviation }) };
                layer.map_or(Ok(()), of_layer).and(of_number)
            }
        }
    }
}

/// "expert 3 of layer 1 is muted".
impl fmt::Display for Intervention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |layer: Option<LayerIdx>| layer.map_or("every layer".to_owned(), |layer| format!("layer {layer}"));
        match *self {
            Intervention::Mute { layer, expert } => write!(f, "expert {expert} of layer {layer} is muted"),
            Intervention::Force { layer, position, expert } => {
                write!(f, "token {position} is forced to expert {expert} of layer {layer}")
            }
            Intervention::Swap { layer, experts: [one, other] } => {
                write!(f, "experts {one} and {other} of layer {layer} are swapped")
            }
            Intervention::RouterTemperature { layer, temperature } => {
                write!(f, "the router temperature of {} is {temperature}", place(layer))
            }
            Intervention::Bias { layer, expert, bias } => {
                write!(f, "expert {expert} of layer {layer} has a bias of {bias}")
            }
            Intervention::GateNoise { layer, deviation } => {
                write!(f, "the gate of {} has noise of deviation {deviation}", place(layer))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_said_and_checked() {
        let check = |json: &str, said: &str, problem: Option<&str>| {
            let change: Intervention = serde_json::from_str(json).expect("an intervention");
            assert_eq!(serde_json::to_string(&change).expect("serialises"), json);
            assert_eq!(change.to_string(), said);
            let found = change.check(4, 8).err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), problem);
        };
        check(r#"{"kind":"mute","layer":1,"expert":3}"#, "expert 3 of layer 1 is muted", None);
        let nowhere = "there is no layer 4; the model has 4, counted from 0";
        check(r#"{"kind":"mute","layer":4,"expert":3}"#, "expert 3 of layer 4 is muted", Some(nowhere));
        let nobody = "there is no expert 8; a layer has 8, counted from 0";
        let swap = r#"{"kind":"swap","layer":0,"experts":[2,8]}"#;
        check(swap, "experts 2 and 8 of layer 0 are swapped", Some(nobody));
        let force = r#"{"kind":"force","layer":0,"position":5,"expert":7}"#;
        check(force, "token 5 is forced to expert 7 of layer 0", None);
        let cold = "the router temperature is 0; it must be a positive number";
        let temperature = r#"{"kind":"router_temperature","layer":null,"temperature":0.0}"#;
        check(temperature, "the router temperature of every layer is 0", Some(cold));
        check(r#"{"kind":"bias","layer":2,"expert":0,"bias":-1.5}"#, "expert 0 of layer 2 has a bias of -1.5", None);
        let noise = r#"{"kind":"gate_noise","layer":2,"deviation":0.5}"#;
        check(noise, "the gate of layer 2 has noise of deviation 0.5", None);
    }
}
