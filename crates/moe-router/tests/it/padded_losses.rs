//! Padding is in no loss: with rows that only fill up a batch, marked as such, every loss is that of the others.

use moe_router::{Router, gate_probs, losses, rules};
use moe_trace::{GateLogits, Overflow, RoutingSpec};
use proptest::prelude::*;

use crate::common::logits;

/// All losses of these tokens that average or sum over them, and what they are made of.
fn of(gate_logits: &GateLogits, is_padding: &[bool]) -> Vec<f64> {
    let (probs, num_experts) = (gate_probs(gate_logits), gate_logits.num_experts());
    let router = RoutingSpec { router: rules::parse_router("top_k:2").expect("a rule"), overflow: Overflow::Dropless };
    let router = Router::new(router, num_experts).expect("two of four");
    let routing = router.route(&moe_router::RouterInput::new(gate_logits).with_padding(is_padding));
    let wide: Vec<f64> = probs.iter().map(|p| f64::from(*p)).collect();
    let tasks: Vec<usize> = (0..gate_logits.num_tokens()).map(|_| 0).collect();
    let information = losses::token_information(&probs, num_experts, is_padding);
    let device = losses::device_balance(&wide, &routing, &[0, 0, 1, 1], 2);
    // What LoRAMoE balances: the whole group as one sample, of the type of the first two experts.
    let given = losses::sums_of_probs(&probs, num_experts, is_padding);
    let importance: Vec<f32> = given.iter().map(|sum| *sum as f32).collect();
    let local = losses::localized_balance(&importance, &[0, 0, 1, 1], &[0], 0.1);
    let mut found = vec![
        losses::z_loss(gate_logits, is_padding),
        losses::relu_l1(gate_logits, is_padding),
        losses::relu_l1_balanced(gate_logits, 2, is_padding),
        losses::importance_of_probs(&probs, num_experts, is_padding),
        losses::importance_of_weights(&routing),
        losses::second_place(&probs, &routing),
        device.experts,
        information.loss,
        information.of_experts,
        information.given_token,
        local.paper,
        local.code,
    ];
    found.extend(losses::BalanceScaling::ALL.map(|scaling| scaling.loss(&probs, &routing)));
    found.extend(losses::expected_load(&wide, num_experts, is_padding));
    found.extend(losses::mean_probs_by_task(&probs, num_experts, &tasks, 1, is_padding));
    found.extend(given);
    found.extend(losses::sums_of_weights(&routing));
    // What each expert adds.
    found.extend(losses::token_information_terms(&probs, num_experts, is_padding));
    found.extend(losses::relu_l1_terms(gate_logits, is_padding));
    found.extend(losses::relu_l1_balanced_terms(gate_logits, 2, is_padding));
    found.extend(losses::second_place_terms(&probs, &routing));
    found
}

proptest! {
    #[test]
    fn padding_changes_no_loss(
        gate_logits in (0_usize..9).prop_flat_map(|num_tokens| logits(num_tokens, 4)),
        marks in prop::collection::vec(prop::bool::weighted(0.4), 9),
    ) {
        let is_padding = &marks[..gate_logits.num_tokens()];
        let real = gate_logits.rows().zip(is_padding).filter(|(_, padding)| !**padding).flat_map(|(row, _)| row.to_vec());
        let real = GateLogits::new(4, real.collect()).expect("whole rows");
        let (padded, alone) = (of(&gate_logits, is_padding), of(&real, &[]));
        for (number, (padded, alone)) in padded.iter().zip(&alone).enumerate() {
            let is_same = (padded - alone).abs() <= 1e-9 * alone.abs().max(1.0) || padded.is_nan() && alone.is_nan();
            prop_assert!(is_same, "loss {number}: {padded} with padding, {alone} without");
        }
    }
}
