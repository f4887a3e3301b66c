//! What a rule reads off the gate, and hence what the numbers beside it may be called.
//!
//! The softmax of gate logits is a distribution whatever the rule. But it is the rule's own number only where the rule is
//! built on it; elsewhere the views say what they show. A trace may come without gate logits, and then they say that.

use std::borrow::Cow;

use moe_router::gate::sigmoid;
use moe_router::rule::GateReads;
use moe_router::rules;
use moe_trace::{GateLogits, RouterSpec};

use crate::words::numbers;

/// How the page says what a rule reads off the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateReading(pub GateReads);

impl GateReading {
    /// What is said in place of values that a trace does not have.
    pub const NOT_RECORDED: &str =
        marked!("The gate was not recorded: this run has the decisions, but no gate logits.");

    pub fn of(rule: RouterSpec) -> GateReading {
        GateReading(rules::facts(&rule).reads)
    }

    /// What is drawn for every token and expert, between 0 and 1, `[tokens, experts]`; empty where the gate is not read.
    pub fn values(self, gate_logits: &GateLogits) -> Vec<f32> {
        self.0.values(gate_logits)
    }

    /// The name of one of these numbers, and of all of them.
    pub fn names(self) -> (Cow<'static, str>, Cow<'static, str>) {
        match self.0 {
            GateReads::Sigmoid => (say!("gate score (sigmoid)"), say!("Gate scores of all experts, by sigmoid")),
            GateReads::Nothing => (say!("gate (none)"), say!("All experts; this rule has no gate")),
            _ => (say!("gate probability"), say!("Gate probabilities of all experts")),
        }
    }

    /// What to know about these numbers, where they are not simply what the rule decides by.
    pub fn note(self) -> Option<Cow<'static, str>> {
        match self.0 {
            GateReads::Softmax => None,
            GateReads::Sigmoid => Some(say!(
                "Sigmoid of each gate logit: scores, not probabilities. A learned bias may change which experts are chosen, never their weights."
            )),
            GateReads::WholeText => {
                Some(say!("This token's own gate probabilities. The rule decides by the mean over the whole text."))
            }
            GateReads::OtherSoftmax => {
                Some(say!("Softmax of the gate logits. The rule changes the logits before it decides by them."))
            }
            GateReads::Logits => Some(say!("Softmax of the gate logits. The rule decides by the logits themselves.")),
            GateReads::Nothing => Some(say!("This rule has no gate: the token's id, or chance, decides the expert.")),
        }
    }

    /// What a request was made with, in words: `gate 61 %`.
    pub fn described(self, weight_raw: f32) -> String {
        match self.0 {
            GateReads::Softmax | GateReads::OtherSoftmax => {
                say!("gate {share}", share = numbers::percent(weight_raw))
            }
            GateReads::WholeText => {
                say!("gate over the whole text {share}", share = numbers::percent(weight_raw))
            }
            _ => self.short(weight_raw),
        }
    }

    /// The same as short as can be: `61 %`.
    pub fn short(self, weight_raw: f32) -> String {
        match self.0 {
            GateReads::Softmax | GateReads::OtherSoftmax | GateReads::WholeText => numbers::percent(weight_raw),
            GateReads::Sigmoid => say!("score {value}", value = format_args!("{weight_raw:.2}")),
            GateReads::Logits => say!("logit {value}", value = format_args!("{weight_raw:.2}")),
            GateReads::Nothing => say!("no gate").into_owned(),
        }
    }

    /// How sure a request was, between 0 and 1, as far as it can be drawn.
    pub fn share(self, weight_raw: f32) -> Option<f32> {
        match self.0 {
            GateReads::Nothing => None,
            GateReads::Logits => Some(sigmoid(f64::from(weight_raw)) as f32),
            _ => Some(weight_raw.clamp(0.0, 1.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_called_what_they_are() {
        let check = |rule: &str, values: &[f32], described: &str| {
            let reading = GateReading::of(rules::parse_router(rule).expect("a rule"));
            let gate_logits = GateLogits::new(2, vec![0.0, 1.0]).expect("one row");
            let found = reading.values(&gate_logits);
            assert_eq!(found.len(), values.len(), "{rule}");
            assert!(found.iter().zip(values).all(|(a, b)| (a - b).abs() < 1e-3), "{rule}: {found:?}");
            assert_eq!(reading.described(0.731).replace('\u{202f}', " "), described);
        };
        // exp(1) / (exp(0) + exp(1)) = 0.731; sigmoid(0) = 0.5, sigmoid(1) = 0.731.
        check("top_k:2", &[0.269, 0.731], "gate 73 %");
        check("expert_choice:1", &[0.269, 0.731], "gate 73 %");
        check("deepseek:k=1", &[0.5, 0.731], "score 0.73");
        check("per_sequence:1", &[0.269, 0.731], "gate over the whole text 73 %");
        check("hash:seed=0", &[], "no gate");
        check("relu", &[0.269, 0.731], "logit 0.73");
    }
}
