//! What holds for every rule that mixes, on any finite input: shares are finite, add up to what they should, and padding
//! gets none.

use moe_router::rule::Kind;
use moe_router::{Mixer, RouterInput, rules};
use moe_trace::{GateLogits, MixerSpec, Mixing};
use proptest::prelude::*;

use crate::common::{seen, text_of};

fn close(sum: f32, expected: f32) -> bool {
    (sum - expected).abs() < 1e-4
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn shares_add_up(text in text_of(Kind::Mixes), seen in seen(0..13)) {
        let num_columns = seen.gate_logits.num_experts();
        let spec = rules::parse_mixer(&text).expect("texts of forms are complete");
        let Ok(mixer) = Mixer::new(spec, num_columns) else { return Ok(()) };
        let mixing = mixer.mix(&seen.input()).expect("a finite input");
        let num_tokens = seen.gate_logits.num_tokens();
        let is_padding = |token: usize| seen.is_padding.get(token).copied().unwrap_or(false);
        let any_real = (0..num_tokens).any(|token| !is_padding(token));
        match mixing {
            Mixing::Slots { num_experts, slots_per_expert, dispatch, combine, .. } => {
                prop_assert_eq!((num_experts * slots_per_expert) as usize, num_columns);
                for slot in 0..num_columns {
                    let column: f32 = dispatch.iter().skip(slot).step_by(num_columns).sum();
                    let expected = if any_real { 1.0 } else { 0.0 };
                    prop_assert!(close(column, expected), "slot {} sums to {}", slot, column);
                }
                for (token, row) in combine.chunks(num_columns).enumerate() {
                    let expected = if is_padding(token) { 0.0 } else { 1.0 };
                    prop_assert!(close(row.iter().sum(), expected));
                }
            }
            Mixing::Merged { shares, row_of, .. } => {
                prop_assert!(shares.chunks(num_columns).all(|row| close(row.iter().sum(), 1.0)));
                for (token, row) in row_of.iter().enumerate() {
                    prop_assert_eq!(row.is_none(), is_padding(token));
                    prop_assert!(row.is_none_or(|row| (row as usize) < shares.len() / num_columns));
                }
            }
            Mixing::Outputs { weights, .. } => {
                for (token, row) in weights.chunks(num_columns).enumerate() {
                    prop_assert!(row.iter().all(|weight| (0.0..=1.0 + 1e-6).contains(weight)));
                    prop_assert!(!is_padding(token) || row.iter().all(|weight| *weight == 0.0));
                    let softmax = MixerSpec::Molora { k: None };
                    let whole = spec == softmax || matches!(spec, MixerSpec::Mov | MixerSpec::Loramoe | MixerSpec::Mixlora);
                    prop_assert!(!whole || is_padding(token) || close(row.iter().sum(), 1.0));
                }
            }
        }
    }
}

/// Shares of the first token of two: logits (2, 0) and (0, 1).
fn check(rule: &str, expected: [f32; 2]) {
    let gate_logits = GateLogits::new(2, vec![2.0, 0.0, 0.0, 1.0]).expect("two rows of two");
    let mixer = Mixer::new(rules::parse_mixer(rule).expect(rule), 2).expect(rule);
    let found = match mixer.mix(&RouterInput::new(&gate_logits)).expect("a finite input") {
        Mixing::Slots { dispatch, .. } => dispatch[..2].to_vec(),
        Mixing::Merged { shares, .. } => shares[..2].to_vec(),
        Mixing::Outputs { weights, .. } => weights[..2].to_vec(),
    };
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{rule}: {found} for {expected}");
    }
}

#[test]
fn two_tokens_by_hand() {
    // e² / (e² + 1) = 0.8808 and 1 / (1 + e) = 0.2689: token 0's shares of both slots.
    check("soft_moe:1", [0.8808, 0.2689]);
    // The mean of the logits is (1, 0.5): e^0.5 / (e^0.5 + 1) = 0.6225.
    check("smear", [0.6225, 0.3775]);
    check("meo:1", [1.0, 0.0]);
    // Segments of one token: the first one uses its own logits.
    check("lory:1", [0.8808, 0.1192]);
    check("molora", [0.8808, 0.1192]);
    check("molora:1", [0.8808, 0.0]);
    check("mov", [0.8808, 0.1192]);
    check("loramoe", [0.8808, 0.1192]);
    check("mixlora", [0.8808, 0.1192]);
    check("shared:none", [1.0, 1.0]);
    check("shared:sigmoid", [0.8808, 0.5]);
}

#[test]
fn what_cannot_be_mixed_is_refused() {
    let gate_logits = GateLogits::new(2, vec![0.0; 4]).expect("two rows of two");
    let mixer = Mixer::new(MixerSpec::Smear, 3).expect("three experts");
    let error = mixer.mix(&RouterInput::new(&gate_logits)).expect_err("two experts");
    assert_eq!(error.to_string(), "The gate logits have 2 columns; the spec was checked for 3.");
}
