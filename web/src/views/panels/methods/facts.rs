//! What a method declares of itself, in words: every line is read off its declaration.

use std::borrow::Cow;

use moe_router::rule::{Chance, GateReads, Requests, Run, Slots};
use moe_router::rules;
use moe_trace::{MixerSpec, RoutingSpec};

use crate::browser::letters::with_capital;
use crate::settings::method::Method;
use crate::words::tongue;

/// Name and words of each fact, of a layer of so many experts.
pub fn facts(
    method: &Method,
    routing: &RoutingSpec,
    num_experts: usize,
) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    let rule = method.rule();
    let mut found = vec![(say!("Looks ahead"), looks_ahead(method, routing))];
    match method {
        Method::Assigns(spec) => {
            let facts = rules::facts(spec);
            found.push((say!("Can overflow"), overflow(facts.slots)));
            found.push((say!("Asks"), requests(facts.requests)));
            let active = facts.num_active(num_experts);
            let at_most = matches!(facts.requests, Requests::OneOrMore | Requests::AnyNumber);
            let cost = match at_most && !facts.fills_experts() {
                true => say!("As many of the {all} experts per token as it asks.", all = num_experts),
                false => many!(
                    active,
                    "{n} expert of {all} active per token.",
                    "{n} experts of {all} active per token.",
                    all = num_experts
                ),
            };
            found.push((say!("Cost"), cost.into()));
            found.push((say!("Reads"), reads(facts.reads)));
            found.push((say!("Chance"), chance(facts.chance)));
        }
        Method::Mixes(spec) => {
            found.push((say!("Can overflow"), say!("No: nobody asks, and nobody is turned away.")));
            found.push((say!("Cost"), mixing_cost(spec, num_experts)));
        }
        Method::Told(_) => {}
    }
    found.push((say!("Also looks at"), sentence(rule.needs)));
    found.push((say!("Trained with"), sentence(rule.trained_with)));
    found.push((say!("At inference"), sentence(rule.at_inference)));
    if let Run::InRust(in_rust) = rule.run {
        found.push((say!("In Rust"), in_rust.module.into()));
    }
    found
}

fn looks_ahead(method: &Method, routing: &RoutingSpec) -> Cow<'static, str> {
    match method {
        Method::Assigns(router) => {
            let by_slots = rules::looks_ahead(&RoutingSpec { router: *router, ..*routing });
            match (rules::facts(router).looks_ahead, by_slots) {
                (true, _) => {
                    say!("Yes: a token's experts depend on later tokens. Fine in training, not possible in generation.")
                }
                (false, true) => say!("Its choice does not; who gets a slot depends on later tokens."),
                (false, false) => say!("No: nothing about a token depends on later ones."),
            }
        }
        _ if method.rule().is_causal() => say!("No: nothing about a token depends on later ones."),
        _ => say!("Yes: what a token gets depends on later tokens. Fine in training, not possible in generation."),
    }
}

fn overflow(slots: Slots) -> Cow<'static, str> {
    match slots {
        Slots::BySpec => say!("Yes, where experts have fewer slots than requests."),
        Slots::OwnOrder { .. } => say!("Yes; slots are given out in an order of its own."),
        Slots::ForEveryone => say!("No: every request is served."),
        Slots::Filled { .. } => say!("No: experts take as many tokens as they have slots."),
    }
}

fn requests(requests: Requests) -> Cow<'static, str> {
    match requests {
        Requests::Exactly(k) => many!(k, "{n} expert per token.", "{n} experts per token.").into(),
        Requests::Everyone => say!("All experts."),
        Requests::OneOrMore => say!("One expert or more, as the gate says."),
        Requests::AnyNumber => say!("Any number of experts, none included."),
    }
}

fn reads(reads: GateReads) -> Cow<'static, str> {
    match reads {
        GateReads::Softmax => say!("Gate probabilities, by softmax."),
        GateReads::Sigmoid => say!("Gate scores, by sigmoid."),
        GateReads::WholeText => say!("Gate probabilities of the mean of the whole sequence."),
        GateReads::OtherSoftmax => say!("Probabilities of another kind than the gate's softmax."),
        GateReads::Logits => say!("Gate logits as they are."),
        GateReads::Nothing => say!("No gate at all."),
    }
}

fn chance(chance: Chance) -> Cow<'static, str> {
    match chance {
        Chance::Nothing => say!("None."),
        Chance::Noise => say!("Noise on the gate, in training only."),
        Chance::SecondExpert => say!("A draw decides about the second expert."),
        Chance::Everything => say!("The choice itself is drawn."),
    }
}

fn mixing_cost(spec: &MixerSpec, num_experts: usize) -> Cow<'static, str> {
    match spec {
        MixerSpec::SoftMoe { slots: 0 | 1 } => many!(
            num_experts,
            "{n} slot for the whole text, however long.",
            "{n} slots for the whole text, however long."
        )
        .into(),
        MixerSpec::SoftMoe { .. } => many!(
            num_experts,
            "{n} slot for the whole text, however long, shared by fewer experts.",
            "{n} slots for the whole text, however long, shared by fewer experts."
        )
        .into(),
        MixerSpec::Smear | MixerSpec::Meo { .. } | MixerSpec::Lory { .. } => {
            say!("One expert active per token, and a blend of the experts' weights for each sequence or segment.")
        }
        MixerSpec::Shared { .. } => {
            many!(num_experts, "{n} expert active for every token.", "{n} experts active for every token.").into()
        }
        MixerSpec::Mixlora => small(num_experts.min(2)),
        MixerSpec::Molora { k: Some(k) } => small(num_experts.min(*k as usize)),
        MixerSpec::Molora { k: None } | MixerSpec::Mov | MixerSpec::Loramoe => small(num_experts),
    }
}

/// Of experts that are a few parameters beside a large model.
fn small(num_active: usize) -> Cow<'static, str> {
    many!(num_active, "{n} expert active per token, small ones.", "{n} experts active per token, small ones.").into()
}

/// A fact of a declaration as a sentence.
fn sentence(words: &'static str) -> Cow<'static, str> {
    say!("{fact}.", fact = with_capital(&tongue::translated(words))).into()
}
