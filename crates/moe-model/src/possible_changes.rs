//! Which of a reader's changes can be made in a run, and why one cannot.

use moe_router::rule::{GateReads, Slots};
use moe_router::{Router, RouterInput};
use moe_trace::{ExpertIdx, GateLogits, Intervention, LayerIdx, Overflow};

use crate::changes::Changes;
use crate::config::ModelConfig;
use crate::routing_inputs::RoutingInputs;

/// Tokens of the text that a rule is tried on before a run.
const NUM_TRIED: usize = 16;

/// An error in words where a change would be made in name only: there is no such expert, or the rule does not go by what
/// is changed. `inputs` are of every layer, with the changes.
pub fn check(
    interventions: &[Intervention],
    router: &Router,
    config: &ModelConfig,
    inputs: &[RoutingInputs],
) -> Result<(), String> {
    let (num_layers, num_experts) = (config.num_layers as u32, config.num_experts as u32);
    for change in interventions {
        change.check(num_layers, num_experts).map_err(|error| format!("It says that {change}, but {error}."))?;
        suits(change, router, config.selection_bias).map_err(|why| format!("It says that {change}, but {why}."))?;
    }
    for layer in 0..num_layers {
        let muted = muted(interventions, LayerIdx(layer));
        if muted.is_empty() {
            continue;
        }
        let num_left = config.num_experts - muted.len();
        if num_left < router.k() && !router.facts().looks_ahead {
            let k = router.k();
            let left = match num_left {
                0 => "all are muted".to_owned(),
                1 => "only 1 is not muted".to_owned(),
                more => format!("only {more} are not muted"),
            };
            return Err(format!("A token asks {k} experts, and in layer {layer} {left}."));
        }
        for change in interventions {
            if let Intervention::Force { layer: of, expert, .. } = change
                && of.0 == layer
                && muted.contains(expert)
            {
                return Err(format!("It says that {change}, which is muted."));
            }
        }
        if let Some(expert) = inputs.get(layer as usize).and_then(|inputs| asked_though_muted(router, inputs)) {
            let rule = router.rule_text();
            return Err(format!("{rule} sends tokens to expert {expert} of layer {layer} whatever its gate logit is."));
        }
    }
    Ok(())
}

/// The muted experts of a layer, each once.
fn muted(interventions: &[Intervention], of: LayerIdx) -> Vec<ExpertIdx> {
    let mut muted: Vec<ExpertIdx> = interventions
        .iter()
        .filter_map(|change| match change {
            Intervention::Mute { layer, expert } if *layer == of => Some(*expert),
            _ => None,
        })
        .collect();
    muted.sort_unstable();
    muted.dedup();
    muted
}

/// Does the rule look at what this changes?
fn suits(change: &Intervention, router: &Router, has_bias: bool) -> Result<(), String> {
    let (facts, rule) = (router.facts(), router.rule_text());
    let is_swap = matches!(change, Intervention::Swap { .. });
    if facts.reads == GateReads::Nothing && !is_swap {
        return Err(format!("{rule} does not look at the gate"));
    }
    if let (Intervention::Mute { .. }, Overflow::Drop(_), Slots::OwnOrder { looks_ahead: true }) =
        (change, router.spec().overflow, facts.slots)
    {
        return Err(format!("{rule} asks expert after expert until one has a slot"));
    }
    if let Intervention::Force { .. } = change {
        if facts.reads == GateReads::WholeText {
            return Err(format!("{rule} decides once for the whole text"));
        }
        if facts.looks_ahead {
            return Err(format!("{rule} weighs all tokens of the text against each other"));
        }
        if has_bias {
            return Err("this model chooses experts by a bias of their own as well".to_owned());
        }
        if !lets_a_token_be_sent(router) {
            return Err(format!("under {rule} a token cannot ask just any expert"));
        }
    }
    Ok(())
}

/// Does every token of some ask the expert that it is sent to, whichever?
fn lets_a_token_be_sent(router: &Router) -> bool {
    let num_experts = router.num_experts();
    (0..num_experts as u32).all(|expert| {
        let forced = (0..NUM_TRIED as u32).map(|position| Intervention::Force {
            layer: LayerIdx(0),
            position,
            expert: ExpertIdx(expert),
        });
        let changes = Changes::of_layer(&forced.collect::<Vec<_>>(), 0, 0, NUM_TRIED, num_experts);
        let Ok(logits) = GateLogits::new(num_experts, unlike(num_experts)) else { return false };
        let logits = changes.bend(0, logits);
        let routing = router.try_route(&RouterInput::new(&logits));
        // A rule that wants more than gate logits is asked in the run.
        routing.map_or(true, |routing| {
            let asks = |token| routing.of_token(token).iter().any(|request| request.expert == ExpertIdx(expert));
            (0..NUM_TRIED as u32).all(asks)
        })
    })
}

/// Gate logits of some tokens, `[tokens, experts]`, no two of a token alike.
fn unlike(num_experts: usize) -> Vec<f32> {
    let of_token = |token: usize| {
        (0..num_experts).map(move |expert| ((expert * 7 + token * 3) % 13) as f32 - 6.0 + expert as f32 / 64.0)
    };
    (0..NUM_TRIED).flat_map(of_token).collect()
}

/// A muted expert that the rule asks all the same, tried on logits that are all alike and on some that are not.
fn asked_though_muted(router: &Router, inputs: &RoutingInputs) -> Option<ExpertIdx> {
    let num_experts = router.num_experts();
    let ids: Vec<u32> = (0..NUM_TRIED as u32).collect();
    let inputs = inputs.at(0..NUM_TRIED, &ids);
    let alike = vec![0.0; NUM_TRIED * num_experts];
    [alike, unlike(num_experts)].into_iter().find_map(|logits| {
        let logits = inputs.changes.bend(0, GateLogits::new(num_experts, logits).ok()?);
        let routing = router.try_route(&inputs.with(&logits)).ok()?;
        inputs.changes.asked_though_muted(&routing)
    })
}

#[cfg(test)]
mod tests {
    use moe_router::rules::parse_router;
    use moe_trace::{CapacitySpec, RoutingSpec};

    use super::*;

    /// Why these changes cannot be made under a rule, in a model of four experts and two layers.
    fn why(rule: &str, interventions: &[Intervention]) -> Option<String> {
        why_under(Overflow::Dropless, rule, interventions)
    }

    fn why_under(overflow: Overflow, rule: &str, interventions: &[Intervention]) -> Option<String> {
        let config = ModelConfig { num_experts: 4, num_layers: 2, ..ModelConfig::tiny() };
        let spec = RoutingSpec { router: parse_router(rule).expect(rule), overflow };
        let router = Router::new(spec, config.num_experts).expect("a valid spec");
        let inputs = RoutingInputs::draw(7, 2, NUM_TRIED, 4).into_iter().zip(0..);
        let changed = |(inputs, layer)| RoutingInputs {
            changes: Changes::of_layer(interventions, layer, 7, NUM_TRIED, 4),
            ..inputs
        };
        check(interventions, &router, &config, &inputs.map(changed).collect::<Vec<_>>()).err()
    }

    #[test]
    fn what_would_be_changed_in_name_only_is_refused_and_named() {
        let (layer, one, two) = (LayerIdx(1), ExpertIdx(1), ExpertIdx(2));
        let mute = |expert: u32| Intervention::Mute { layer, expert: ExpertIdx(expert) };
        let force = Intervention::Force { layer, position: 3, expert: two };
        let swap = Intervention::Swap { layer, experts: [one, two] };
        assert_eq!(why("top_k:2", &[mute(1), force, swap]), None);
        assert_eq!(why("hash:42", &[swap]), None);
        let check = |rule: &str, interventions: &[Intervention], expected: &str| {
            let said = why(rule, interventions).unwrap_or_default();
            assert!(said.contains(expected), "{rule}: {said}");
        };
        check("top_k:2", &[mute(4)], "expert 4 of layer 1 is muted, but there is no expert 4");
        check("top_k:2", &[mute(0), mute(1), mute(2)], "asks 2 experts, and in layer 1 only 1 is not muted");
        check("top_k:2", &[mute(2), force], "token 3 is forced to expert 2 of layer 1, which is muted");
        check("deepseek:k=2,groups=2,kept=1,scale=2.5", &[force], "a token cannot ask just any expert");
        let tries = "no_token_left_behind:2";
        assert_eq!(why(tries, &[mute(1)]), None);
        let slots = Overflow::Drop(CapacitySpec::default());
        assert!(why_under(slots, tries, &[mute(1)]).is_some_and(|why| why.contains("until one has a slot")));
        check("hash:42", &[mute(1)], "does not look at the gate");
        check("expert_choice:average=2", &[force], "weighs all tokens of the text against each other");
        check("expert_choice:average=2", &[mute(1)], "sends tokens to expert 1 of layer 1 whatever its gate logit is");
    }
}
