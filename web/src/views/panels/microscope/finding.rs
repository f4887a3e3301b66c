//! Finding of the microscope: what the open step says, in a sentence.

use moe_router::rule::GateReads;

use super::{experts, proof};
use crate::run::decision::Decision;
use crate::run::gate_reading::GateReading;
use crate::run::text::quoted;
use crate::settings::micro_step::MicroStep;
use crate::views::panel::PanelInput;
use crate::words::numbers::digits;
use crate::words::{names, tongue};

pub fn finding(input: &PanelInput, decision: &Decision, step: MicroStep) -> String {
    let text = quoted(decision.scene.token_text(decision.token));
    let Some(followed) = decision.followed(input.selection.expert) else {
        return match step {
            MicroStep::Proof => of_proof(input),
            _ if decision.layer.experts_take() => say!("No expert took {text}", text),
            _ => say!("{text} asks no expert in this layer", text),
        };
    };
    let expert = followed.expert;
    match step {
        MicroStep::Logits => match decision.logits {
            // A change inside the model may have changed what the gate gave.
            Some(logits) if decision.has_bent_gate() => say!(
                "The rule sees {text} with the logit {logit} for expert {expert}",
                text,
                logit = experts::logit(logits[expert.index()]),
                expert
            ),
            Some(_) if decision.layer.reading().0 == GateReads::Nothing => {
                say!("What the gate gives {text} decides nothing under this rule", text)
            }
            Some(logits) => say!(
                "The gate gives {text} the logit {logit} for expert {expert}",
                text,
                logit = experts::logit(logits[expert.index()]),
                expert
            ),
            None => tongue::translated(GateReading::NOT_RECORDED).into_owned(),
        },
        MicroStep::Scores => {
            let value = decision.layer.values_of(decision.token).get(expert.index()).copied();
            match (decision.layer.reading().0, value) {
                (GateReads::Nothing, _) => say!("No gate has a say in where {text} goes", text),
                (_, None) => tongue::translated(GateReading::NOT_RECORDED).into_owned(),
                (GateReads::Sigmoid, Some(value)) => {
                    say!("Expert {expert} scores {score} by sigmoid", expert, score = digits(value.into()))
                }
                (_, Some(value)) => say!(
                    "Softmax gives expert {expert} the probability {probability}",
                    expert,
                    probability = digits(value.into())
                ),
            }
        }
        MicroStep::Choice => {
            let experts: Vec<String> = decision.requests.iter().map(|request| request.expert.to_string()).collect();
            let experts = experts.join(&say!(", "));
            let (number, all) = (decision.requests.len(), decision.layer.num_experts);
            match decision.layer.experts_take() {
                true => say!("{text} was taken by {number} of {all}: {experts}", text, number, all, experts),
                false => say!("{text} asks {number} of {all} experts: {experts}", text, number, all, experts),
            }
        }
        MicroStep::Queue => {
            let place = decision.place(followed);
            many!(
                place.taken,
                "{n} token came before {text} at expert {expert}",
                "{n} tokens came before {text} at expert {expert}",
                text,
                expert
            )
        }
        MicroStep::Capacity => {
            let group = decision.scene.tokens[decision.token].group;
            match decision.layer.capacities.get(group).copied().flatten() {
                Some(slots) => say!(
                    "Expert {expert} has {slots} for {requests}",
                    expert,
                    slots = many!(slots, "{n} slot", "{n} slots"),
                    requests = many!(decision.place(followed).demand, "{n} request", "{n} requests")
                ),
                None => say!("No expert has a limit here").into_owned(),
            }
        }
        MicroStep::Fate => match followed.fate.slot() {
            Some(slot) => say!("Expert {expert} serves {text} in slot {slot}", expert, text, slot),
            None => say!("Expert {expert} and {text}: {fate}", expert, text, fate = names::fate(followed.fate)),
        },
        MicroStep::Weights => {
            let weight = if followed.fate.is_kept() { digits(followed.weight.into()) } else { "0".to_owned() };
            say!("What expert {expert} puts out counts {weight} times", expert, weight)
        }
        MicroStep::Output => say!("How long the experts’ outputs are").into_owned(),
        MicroStep::Proof => of_proof(input),
    }
}

fn of_proof(input: &PanelInput) -> String {
    match proof::again(input) {
        Ok(comparison) if comparison.holds => {
            many!(
                comparison.requests.len(),
                "Routed again on this page: {n} request and the same",
                "Routed again on this page: {n} requests and the same"
            )
        }
        Ok(_) => say!("Routed again on this page, the decision is another one").into_owned(),
        Err(why) => why.into_owned(),
    }
}
