//! The tokens that a rule assigns together, and how its requests are let in.

use moe_trace::{GateLogits, Overflow, Routing};

use crate::input::RouterInput;
use crate::overflow::admit::admit;
use crate::request::Request;

/// One group of tokens, none of which is padding, and what the spec says of full experts.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// What the rule may see, checked.
    pub input: RouterInput<'a>,
    /// What happens where an expert is full.
    pub overflow: Overflow,
    /// Slots per expert; `None` where nobody is ever turned away.
    pub capacity: Option<u32>,
}

impl Group<'_> {
    /// `[tokens, experts]`.
    pub fn gate_logits(&self) -> &GateLogits {
        self.input.gate_logits
    }

    /// Tokens of the group.
    pub fn num_tokens(&self) -> usize {
        self.input.gate_logits.num_tokens()
    }

    /// Experts of the layer.
    pub fn num_experts(&self) -> usize {
        self.input.gate_logits.num_experts()
    }

    /// Slots per expert; without a capacity as many as tokens, which are as good as no limit.
    pub fn slots(&self) -> u32 {
        self.capacity.unwrap_or(self.num_tokens() as u32)
    }

    /// Lets requests in as the spec says. `requests`: ordered by token, then rank.
    pub fn admit(&self, requests: &[Request]) -> Routing {
        self.admit_by(self.input.gate_logits, requests)
    }

    /// The same where the rule chose by other logits than the gate's, which then say who is confident.
    pub fn admit_by(&self, logits: &GateLogits, requests: &[Request]) -> Routing {
        admit(requests, logits, self.input.lots, self.overflow, self.capacity)
    }
}
