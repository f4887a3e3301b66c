//! Finding of the microscope: what the open step says, in a sentence.

use moe_router::rule::GateReads;

use super::{experts, proof};
use crate::run::decision::Decision;
use crate::run::gate_reading::GateReading;
use crate::run::text::quoted;
use crate::settings::micro_step::MicroStep;
use crate::views::panel::PanelInput;
use crate::words::names;
use crate::words::numbers::{count, digits};

pub fn finding(input: &PanelInput, decision: &Decision, step: MicroStep) -> String {
    let text = quoted(decision.scene.token_text(decision.token));
    let Some(followed) = decision.followed(input.selection.expert) else {
        return match step {
            MicroStep::Proof => of_proof(input),
            _ if decision.layer.experts_take() => format!("No expert took {text}"),
            _ => format!("{text} asks no expert in this layer"),
        };
    };
    let expert = followed.expert;
    match step {
        MicroStep::Logits => match decision.logits {
            Some(logits) => format!(
                "The gate gives {text} the logit {} for expert {expert}",
                experts::logit(logits[expert.index()])
            ),
            None => GateReading::NOT_RECORDED.to_owned(),
        },
        MicroStep::Scores => {
            let value = decision.layer.values_of(decision.token).get(expert.index()).copied();
            match (decision.layer.reading().0, value) {
                (GateReads::Nothing, _) => format!("No gate has a say in where {text} goes"),
                (_, None) => GateReading::NOT_RECORDED.to_owned(),
                (GateReads::Sigmoid, Some(value)) => {
                    format!("Expert {expert} scores {} by sigmoid", digits(value.into()))
                }
                (_, Some(value)) => format!("Softmax gives expert {expert} the probability {}", digits(value.into())),
            }
        }
        MicroStep::Choice => {
            let experts: Vec<String> = decision.requests.iter().map(|request| request.expert.to_string()).collect();
            let experts = experts.join(", ");
            match decision.layer.experts_take() {
                true => format!(
                    "{text} was taken by {} of {}: {experts}",
                    decision.requests.len(),
                    decision.layer.num_experts
                ),
                false => format!(
                    "{text} asks {} of {} experts: {experts}",
                    decision.requests.len(),
                    decision.layer.num_experts
                ),
            }
        }
        MicroStep::Queue => {
            let place = decision.place(followed);
            format!("{} came before {text} at expert {expert}", count(place.taken, "token", "tokens"))
        }
        MicroStep::Capacity => {
            let group = decision.scene.tokens[decision.token].group;
            match decision.layer.capacities.get(group).copied().flatten() {
                Some(slots) => format!(
                    "Expert {expert} has {} for {}",
                    count(slots as usize, "slot", "slots"),
                    count(decision.place(followed).demand, "request", "requests")
                ),
                None => "No expert has a limit here".to_owned(),
            }
        }
        MicroStep::Fate => match followed.fate.slot() {
            Some(slot) => format!("Expert {expert} serves {text} in slot {slot}"),
            None => format!("Expert {expert} and {text}: {}", names::fate(followed.fate)),
        },
        MicroStep::Weights => {
            let weight = if followed.fate.is_kept() { digits(followed.weight.into()) } else { "0".to_owned() };
            format!("What expert {expert} puts out counts {weight} times")
        }
        MicroStep::Output => "How long the experts’ outputs are".to_owned(),
        MicroStep::Proof => of_proof(input),
    }
}

fn of_proof(input: &PanelInput) -> String {
    match proof::again(input) {
        Ok(comparison) if comparison.holds => {
            let requests = comparison.requests.len();
            format!("Routed again on this page: {} and the same", count(requests, "request", "requests"))
        }
        Ok(_) => "Routed again on this page, the decision is another one".to_owned(),
        Err(why) => why.into_owned(),
    }
}
