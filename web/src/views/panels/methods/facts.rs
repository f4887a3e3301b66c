//! What a method declares of itself, in words: every line is read off its declaration.

use moe_router::rule::{Chance, GateReads, Requests, Run, Slots};
use moe_router::rules;
use moe_trace::{MixerSpec, RoutingSpec};

use crate::browser::letters::with_capital;
use crate::settings::method::Method;
use crate::words::numbers::count;

/// Name and words of each fact, of a layer of so many experts.
pub fn facts(method: &Method, routing: &RoutingSpec, num_experts: usize) -> Vec<(&'static str, String)> {
    let rule = method.rule();
    let mut found = vec![("Looks ahead", looks_ahead(method, routing))];
    match method {
        Method::Assigns(spec) => {
            let facts = rules::facts(spec);
            found.push(("Can overflow", overflow(facts.slots).to_owned()));
            found.push(("Asks", requests(facts.requests)));
            let active = facts.num_active(num_experts);
            found.push(("Cost", format!("{} of {num_experts} active per token.", count(active, "expert", "experts"))));
            found.push(("Reads", reads(facts.reads).to_owned()));
            found.push(("Chance", chance(facts.chance).to_owned()));
        }
        Method::Mixes(spec) => {
            found.push(("Can overflow", "No: nobody asks, and nobody is turned away.".to_owned()));
            found.push(("Cost", mixing_cost(spec, num_experts)));
        }
        Method::Told(_) => {}
    }
    found.push(("Also looks at", sentence(rule.needs)));
    found.push(("Trained with", sentence(rule.trained_with)));
    found.push(("At inference", sentence(rule.at_inference)));
    if let Run::InRust(in_rust) = rule.run {
        found.push(("In Rust", in_rust.module.to_owned()));
    }
    found
}

fn looks_ahead(method: &Method, routing: &RoutingSpec) -> String {
    let words = match method {
        Method::Assigns(router) => {
            let by_slots = rules::looks_ahead(&RoutingSpec { router: *router, ..*routing });
            match (rules::facts(router).looks_ahead, by_slots) {
                (true, _) => {
                    "Yes: a token's experts depend on later tokens. Fine in training, not possible in generation."
                }
                (false, true) => "Its choice does not; who gets a slot depends on later tokens.",
                (false, false) => "No: nothing about a token depends on later ones.",
            }
        }
        _ if method.rule().is_causal() => "No: nothing about a token depends on later ones.",
        _ => "Yes: what a token gets depends on later tokens. Fine in training, not possible in generation.",
    };
    words.to_owned()
}

fn overflow(slots: Slots) -> &'static str {
    match slots {
        Slots::BySpec => "Yes, where experts have fewer slots than requests.",
        Slots::OwnOrder { .. } => "Yes; slots are given out in an order of its own.",
        Slots::ForEveryone => "No: every request is served.",
        Slots::Filled { .. } => "No: experts take as many tokens as they have slots.",
    }
}

fn requests(requests: Requests) -> String {
    match requests {
        Requests::Exactly(k) => format!("{} per token.", count(k as usize, "expert", "experts")),
        Requests::Everyone => "All experts.".to_owned(),
        Requests::OneOrMore => "One expert or more, as the gate says.".to_owned(),
        Requests::AnyNumber => "Any number of experts, none included.".to_owned(),
    }
}

fn reads(reads: GateReads) -> &'static str {
    match reads {
        GateReads::Softmax => "Gate probabilities, by softmax.",
        GateReads::Sigmoid => "Gate scores, by sigmoid.",
        GateReads::WholeText => "Gate probabilities of the mean of the whole sequence.",
        GateReads::OtherSoftmax => "Probabilities of another kind than the gate's softmax.",
        GateReads::Logits => "Gate logits as they are.",
        GateReads::Nothing => "No gate at all.",
    }
}

fn chance(chance: Chance) -> &'static str {
    match chance {
        Chance::Nothing => "None.",
        Chance::Noise => "Noise on the gate, in training only.",
        Chance::SecondExpert => "A draw decides about the second expert.",
        Chance::Everything => "The choice itself is drawn.",
    }
}

fn mixing_cost(spec: &MixerSpec, num_experts: usize) -> String {
    match spec {
        MixerSpec::SoftMoe { slots } => {
            format!("{} for the whole text, however long", count(num_experts, "slot", "slots"))
                + if *slots > 1 { ", shared by fewer experts." } else { "." }
        }
        MixerSpec::Smear | MixerSpec::Meo { .. } | MixerSpec::Lory { .. } => {
            "One expert active per token, and a blend of the experts' weights for each sequence or segment.".to_owned()
        }
        _ => format!("{} active per token, small ones.", count(num_experts, "expert", "experts")),
    }
}

/// A fact of a declaration as a sentence.
fn sentence(words: &str) -> String {
    with_capital(words) + "."
}
