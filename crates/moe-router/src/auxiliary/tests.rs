//! What holds for all losses, and the values of the running example.

use moe_trace::{Overflow, Routing, RoutingSpec};

use super::{AuxiliaryLoss, Family, Measured, Missing, Seen, all};
use crate::{Router, RouterInput, example, rules};

/// The running example under a rule.
fn measured(rule: &str) -> Vec<(&'static AuxiliaryLoss, Result<Measured, Missing>)> {
    let router = rules::parse_router(rule).expect("a rule");
    let gate_logits = example::gate_logits();
    let spec = RoutingSpec { router, overflow: Overflow::Dropless };
    let routing = Router::new(spec, 4).expect("four experts").route(&RouterInput::new(&gate_logits));
    let seen = Seen { gate_logits: Some(&gate_logits), routing: &routing, router: &router };
    all().map(|loss| (loss, (loss.measure)(&seen))).collect()
}

#[test]
fn names_are_one_each_and_families_stand_together() {
    let mut names: Vec<&str> = all().map(|loss| loss.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().count());
    let families: Vec<Family> = all().map(|loss| loss.family).collect();
    let blocks: Vec<Family> = families.chunk_by(|a, b| a == b).map(|block| block[0]).collect();
    assert_eq!(blocks, Family::ALL);
}

#[test]
fn terms_that_add_up_add_up() {
    for rule in ["top_k:2", "switch", "dense", "deepseek:k=2", "expert_choice:2", "noisy:k=2,std=1", "top_p:0.6"] {
        for (loss, found) in measured(rule) {
            let Ok(Measured { value, terms: Some(terms) }) = found else { continue };
            assert_eq!(terms.values.len(), 4, "{rule}: {}", loss.name);
            let sum: f64 = terms.values.iter().sum();
            let is_sum = (sum - value).abs() < 1e-9;
            assert!(is_sum || !terms.add_up, "{rule}: {} is {value}, and its terms {sum}", loss.name);
        }
    }
}

/// The values that the files of the losses give for the running example, under top-2.
#[test]
fn top_2_of_the_running_example() {
    let all = measured("top_k:2");
    let check = |name: &str, expected: Result<f64, Missing>| {
        let (_, found) = all.iter().find(|(loss, _)| loss.name == name).expect(name);
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert!((found.value - expected).abs() < 5e-5, "{name}: {}", found.value),
            (found, expected) => assert_eq!(found.clone().map(|found| found.value), expected, "{name}"),
        }
    };
    check("switch", Ok(1.4273));
    check("survey", Ok(1.4273));
    check("gshard", Ok(0.0892));
    check("hf_topk", Ok(2.2141));
    check("per_choice", Ok(1.1071));
    check("deepseek_experts", Ok(1.1071));
    check("importance", Ok(0.2720));
    check("importance_vmoe", Ok(0.2205));
    check("token_information", Ok(-0.2555));
    check("entropy", Ok(1.0321));
    check("z", Ok(4.2775));
    check("relu", Ok(2.2233));
    check("relu_balanced", Ok(3.0339));
    check("loss_free", Ok(4.0 / 3.0 - 1.0));
    check("adaptive", Ok(0.0));
    check("load", Err(Missing::Noise));
    check("deepseek_devices", Err(Missing::Devices));
    check("deepseek_messages", Err(Missing::Devices));
    check("task_information", Err(Missing::Tasks));
    check("localized", Err(Missing::Kinds));
}

#[test]
fn what_is_missing_is_named() {
    let check = |rule: &str, name: &str, missing: Missing| {
        let all = measured(rule);
        let (_, found) = all.iter().find(|(loss, _)| loss.name == name).expect(name);
        assert_eq!(*found, Err(missing), "{rule}: {name}");
        assert!(missing.to_string().starts_with("Needs "));
    };
    check("switch", "second_place", Missing::SecondChoice);
    check("top_p:0.6", "relu_balanced", Missing::K);
    check("hash:seed=0", "z", Missing::Gate);
    assert!(measured("noisy:k=2,std=1").iter().any(|(loss, found)| loss.name == "load" && found.is_ok()));
    let routing = Routing { num_tokens: 1, num_experts: 4, capacity: None, assignments: Vec::new() };
    let router = rules::parse_router("top_k:2").expect("a rule");
    let seen = Seen { gate_logits: None, routing: &routing, router: &router };
    for loss in all() {
        assert!((loss.measure)(&seen).is_err(), "{} of nothing", loss.name);
    }
}
