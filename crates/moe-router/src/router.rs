//! One checked entry to all rules: a spec becomes a [`Router`] once, and a router turns gate logits into a routing.

use moe_trace::{GateLogits, Normalise, Overflow, RouterSpec, Routing, RoutingSpec, SecondExpert, TokenId, Weighting};

use crate::capacity::capacity;
use crate::dispatch::admit;
use crate::spec_error::SpecError;
use crate::token_choice::{dense, gshard, switch, top_k};

/// A routing spec, checked against the number of experts it will meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Router {
    spec: RoutingSpec,
    num_experts: usize,
}

/// Everything a router may see. Make it with [`RouterInput::new`] and the `with_…` methods: rules to come may see more.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RouterInput<'a> {
    /// What the gate said, `[tokens, experts]`. Its tokens are one group: they share capacity.
    pub gate_logits: &'a GateLogits,
    /// `[tokens]`: one uniform draw in [0, 1) per token, for rules that use chance. Missing draws count as 0: a second
    /// expert that chance decides about is then always asked.
    pub uniforms: &'a [f32],
    /// `[tokens, experts]`: one Gumbel draw per token and expert, for rules that sample experts. Missing draws count as
    /// 0: the best experts are then taken.
    pub gumbels: &'a [f32],
    /// `[tokens, experts]`: one normal draw per token and expert, for noisy gates. Missing draws count as 0: no noise.
    pub normals: &'a [f32],
    /// `[tokens]`: the ids that went into the model, for hash routing. A missing id counts as 0.
    pub token_ids: &'a [TokenId],
    /// `[experts]`: added to sigmoid scores when experts are selected, as loss-free balancing learns it; or empty.
    pub bias: &'a [f32],
}

impl<'a> RouterInput<'a> {
    /// The gate logits of one group of tokens, and no draws.
    pub fn new(gate_logits: &'a GateLogits) -> RouterInput<'a> {
        RouterInput { gate_logits, uniforms: &[], gumbels: &[], normals: &[], token_ids: &[], bias: &[] }
    }

    /// The same with one uniform draw in [0, 1) per token, `[tokens]`.
    pub fn with_uniforms(self, uniforms: &'a [f32]) -> RouterInput<'a> {
        RouterInput { uniforms, ..self }
    }

    /// The same with one Gumbel draw per token and expert, `[tokens, experts]`.
    pub fn with_gumbels(self, gumbels: &'a [f32]) -> RouterInput<'a> {
        RouterInput { gumbels, ..self }
    }

    /// The same with one normal draw per token and expert, `[tokens, experts]`.
    pub fn with_normals(self, normals: &'a [f32]) -> RouterInput<'a> {
        RouterInput { normals, ..self }
    }

    /// The same with the tokens' ids, `[tokens]`.
    pub fn with_token_ids(self, token_ids: &'a [TokenId]) -> RouterInput<'a> {
        RouterInput { token_ids, ..self }
    }

    /// The same with a selection bias, `[experts]`.
    pub fn with_bias(self, bias: &'a [f32]) -> RouterInput<'a> {
        RouterInput { bias, ..self }
    }
}

impl Router {
    /// Checks `spec` for layers of `num_experts` experts.
    pub fn new(spec: RoutingSpec, num_experts: usize) -> Result<Router, SpecError> {
        if num_experts == 0 {
            return Err(SpecError::NoExperts);
        }
        match spec.router {
            RouterSpec::Dense | RouterSpec::Switch => {}
            RouterSpec::TopK { k, weighting } => {
                check_choices(k, num_experts)?;
                if let Weighting::PNorm { p } = weighting {
                    check_positive("The order p of the norm", p, "a finite number above 0, such as 2")?;
                }
            }
            RouterSpec::Gshard { second, normalise: _ } => {
                if num_experts < 2 {
                    return Err(SpecError::TooFewExperts { rule: "gshard", needs: 2, num_experts });
                }
                match second {
                    SecondExpert::Always | SecondExpert::Never | SecondExpert::Proportional | SecondExpert::Sampled => {
                    }
                    SecondExpert::Threshold { threshold } | SecondExpert::Random { threshold } => {
                        let what = "The threshold of the second expert";
                        check_positive(what, threshold, "a finite number above 0, such as 0.2")?;
                    }
                }
            }
        }
        check_overflow(spec.overflow)?;
        Ok(Router { spec, num_experts })
    }

    /// Routes one group of tokens. Cannot fail: the spec was checked and gate logits are finite by their type.
    ///
    /// Panics if the logits are of a layer with another number of experts, which is the caller's bug.
    pub fn route(&self, input: &RouterInput) -> Routing {
        self.route_with_capacity(input, self.capacity(input.gate_logits.num_tokens()))
    }

    /// Routes with a given number of slots per expert, instead of the one that follows from the number of tokens: to
    /// route a prefix as part of a longer text. Panics as [`route`](Router::route) does.
    pub fn route_with_capacity(&self, input: &RouterInput, capacity: Option<u32>) -> Routing {
        let RouterInput { gate_logits, uniforms, gumbels, .. } = *input;
        assert_eq!(gate_logits.num_experts(), self.num_experts, "gate logits of a layer this router was not made for");
        let requests = match self.spec.router {
            RouterSpec::Dense => dense::requests(gate_logits),
            RouterSpec::Switch => switch::requests(gate_logits),
            RouterSpec::TopK { k, weighting } => top_k::requests(gate_logits, k as usize, weighting),
            RouterSpec::Gshard { second, normalise } => {
                gshard::requests(gate_logits, second, normalise, uniforms, gumbels)
            }
        };
        let mut routing = admit(&requests, gate_logits, self.spec.overflow, capacity);
        if let RouterSpec::Gshard { normalise: Normalise::AfterDrop, .. } = self.spec.router {
            gshard::renormalise_kept(&mut routing.assignments);
        }
        routing
    }

    /// The spec this router was made from.
    pub fn spec(&self) -> &RoutingSpec {
        &self.spec
    }

    /// Experts of the layers this router was made for.
    pub fn num_experts(&self) -> usize {
        self.num_experts
    }

    /// Experts a token asks, as counted in the capacity formula.
    pub fn k(&self) -> usize {
        self.spec.router.k(self.num_experts)
    }

    /// Slots per expert for a group of `num_tokens` tokens; `None` where nobody is ever turned away.
    pub fn capacity(&self, num_tokens: usize) -> Option<u32> {
        match self.spec.overflow {
            Overflow::Dropless => None,
            // Every token has a seat at every expert; there is nothing to share out.
            Overflow::Drop(_) if self.spec.router == RouterSpec::Dense => None,
            Overflow::Drop(slots) => Some(capacity(&slots, num_tokens, self.k(), self.num_experts)),
        }
    }
}

pub(crate) fn check_choices(k: u32, num_experts: usize) -> Result<(), SpecError> {
    let k = k as usize;
    if (1..=num_experts).contains(&k) { Ok(()) } else { Err(SpecError::Choices { k, num_experts }) }
}

pub(crate) fn check_overflow(overflow: Overflow) -> Result<(), SpecError> {
    match overflow {
        Overflow::Dropless => Ok(()),
        Overflow::Drop(slots) => {
            check_positive("The capacity factor", slots.factor, "a finite number above 0, such as 1.25")
        }
    }
}

pub(crate) fn check_positive(what: &'static str, found: f32, allowed: &'static str) -> Result<(), SpecError> {
    if found.is_finite() && found > 0.0 { Ok(()) } else { Err(SpecError::Number { what, found, allowed }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moe_trace::CapacitySpec;

    #[test]
    fn refusals_name_what_is_allowed() {
        let check = |rule: &str, factor: f32, num_experts: usize, message: &str| {
            let router = rule.parse().expect(rule);
            let overflow = Overflow::Drop(CapacitySpec { factor, ..CapacitySpec::default() });
            let error = Router::new(RoutingSpec { router, overflow }, num_experts).expect_err(rule);
            assert_eq!(error.to_string(), message);
        };
        check("switch", 1.0, 0, "A layer needs at least one expert.");
        check("top_k:5", 1.0, 4, "A token cannot ask 5 of 4 experts; allowed: 1 to 4.");
        check("top_k:0", 1.0, 4, "A token cannot ask 0 of 4 experts; allowed: 1 to 4.");
        check("gshard", 1.0, 1, "The rule gshard needs at least 2 experts; this layer has 1.");
        check("switch", 0.0, 4, "The capacity factor is 0; allowed: a finite number above 0, such as 1.25.");
        check("switch", f32::NAN, 4, "The capacity factor is NaN; allowed: a finite number above 0, such as 1.25.");
        check("top_k:2,p=-1", 1.0, 4, "The order p of the norm is -1; allowed: a finite number above 0, such as 2.");
        let random = "The threshold of the second expert is 0; allowed: a finite number above 0, such as 0.2.";
        check("gshard:random=0", 1.0, 4, random);
    }
}
