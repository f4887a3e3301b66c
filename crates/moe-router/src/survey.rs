//! One checked entry to the rest of the survey: the rules that one compares with, on the same gate logits.
//!
//! What [`Router`](crate::Router) is to the rules models are trained with here, [`SurveyRouter`] is to those of
//! [`SurveySpec`]. Rules in which every token asks the same number of experts meet the capacity of the spec; those that
//! ask as many as they like are dropless, as in their papers; those that fill experts themselves need none.

use moe_trace::{GateLogits, Overflow, Routing, SurveySpec, TokenId, Weighting};

use crate::capacity::capacity;
use crate::dispatch::admit;
use crate::group_choice::{auction, best_assignment, expert_choice, sinkhorn, strictly_balanced};
use crate::overflow::no_token_left_behind;
use crate::request::Request;
use crate::router::{RouterInput, check_choices, check_overflow, check_positive};
use crate::spec_error::SpecError;
use crate::token_choice::deepseek::{self, DeepSeek, GroupScore, Groups, Score, Weights};
use crate::token_choice::{
    dense_to_sparse, hash, logit_norm, noisy_top_k, per_sequence, prototypes, random, relu, top_k, top_p,
};

/// A rule of the survey, checked against the number of experts it will meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurveyRouter {
    spec: SurveySpec,
    overflow: Overflow,
    num_experts: usize,
}

impl SurveyRouter {
    /// Checks `spec` for layers of `num_experts` experts.
    pub fn new(spec: SurveySpec, overflow: Overflow, num_experts: usize) -> Result<SurveyRouter, SpecError> {
        if num_experts == 0 {
            return Err(SpecError::NoExperts);
        }
        match spec {
            SurveySpec::Relu | SurveySpec::Hash { .. } | SurveySpec::Random | SurveySpec::BestAssignment => {}
            SurveySpec::TopP { threshold } => check_fraction("The threshold of top-p", threshold)?,
            SurveySpec::Sigmoid { k, groups, kept, scale } | SurveySpec::DeviceLimited { k, groups, kept, scale } => {
                check_choices(k, num_experts)?;
                check_groups(groups, num_experts)?;
                let (k, kept, groups) = (k as usize, kept as usize, groups as usize);
                let group_size = num_experts / groups;
                if kept == 0 || kept > groups || kept * group_size < k {
                    return Err(SpecError::KeptGroups { kept, groups, group_size, k });
                }
                check_positive("The scale of the weights", scale, "a finite number above 0, such as 2.5")?;
            }
            SurveySpec::Noisy { k, std } => {
                check_choices(k, num_experts)?;
                check_positive("The deviation of the noise", std, "a finite number above 0, such as 1")?;
            }
            SurveySpec::Normalised { k, lambda } => {
                check_choices(k, num_experts)?;
                check_positive("The factor lambda", lambda, "a finite number above 0, such as 1")?;
            }
            SurveySpec::DenseToSparse { temperature, threshold } => {
                check_positive("The temperature", temperature, "a finite number above 0, such as 0.5")?;
                check_fraction("The threshold of the gate", threshold)?;
            }
            SurveySpec::Prototypes { count } => check_groups(count, num_experts)?,
            SurveySpec::PerSequence { k } | SurveySpec::StrictlyBalanced { k } | SurveySpec::Sinkhorn { k } => {
                check_choices(k, num_experts)?;
            }
            SurveySpec::ExpertChoice { average } => {
                check_positive("The average number of experts", average, "a finite number above 0, such as 2")?;
            }
            SurveySpec::NoTokenLeftBehind { tries } => check_choices(tries, num_experts)?,
        }
        check_overflow(overflow)?;
        Ok(SurveyRouter { spec, overflow, num_experts })
    }

    /// Routes one group of tokens. Cannot fail: the spec was checked and gate logits are finite by their type.
    ///
    /// Panics if the logits are of a layer with another number of experts, which is the caller's bug.
    pub fn route(&self, input: &RouterInput) -> Routing {
        let RouterInput { gate_logits, uniforms, gumbels, normals, token_ids, bias } = *input;
        assert_eq!(gate_logits.num_experts(), self.num_experts, "gate logits of a layer this router was not made for");
        let (num_tokens, num_experts) = (gate_logits.num_tokens(), self.num_experts);
        match self.spec {
            SurveySpec::TopP { threshold } => self.dropless(gate_logits, &top_p::requests(gate_logits, threshold)),
            SurveySpec::Relu => self.dropless(gate_logits, &relu::requests(gate_logits)),
            SurveySpec::Sigmoid { k, groups, kept, scale } => {
                let groups = groups_of(groups, kept, GroupScore::TopTwoSum);
                let (score, weights) = (Score::Sigmoid, Weights::Norm);
                let rule = DeepSeek { k: k as usize, score, groups, weights, scale };
                self.admit(gate_logits, k, &deepseek::requests(gate_logits, &rule, bias))
            }
            SurveySpec::DeviceLimited { k, groups, kept, scale } => {
                let groups = groups_of(groups, kept, GroupScore::Max);
                let (score, weights) = (Score::Softmax, Weights::Raw);
                let rule = DeepSeek { k: k as usize, score, groups, weights, scale };
                self.admit(gate_logits, k, &deepseek::requests(gate_logits, &rule, &[]))
            }
            SurveySpec::Noisy { k, std } => {
                let draw = |at: usize| normals.get(at).copied().unwrap_or(0.0);
                let normals: Vec<f32> = (0..num_tokens * num_experts).map(draw).collect();
                let noisy = noisy_top_k::noisy_logits(gate_logits, &vec![std; normals.len()], &normals);
                self.admit(&noisy, k, &noisy_top_k::requests(&noisy, k as usize))
            }
            SurveySpec::Normalised { k, lambda } => {
                let normalised = logit_norm::normalised(gate_logits, lambda);
                self.admit(&normalised, k, &top_k::requests(&normalised, k as usize, Weighting::Norm))
            }
            SurveySpec::DenseToSparse { temperature, threshold } => {
                self.dropless(gate_logits, &dense_to_sparse::requests(gate_logits, gumbels, temperature, threshold))
            }
            SurveySpec::Prototypes { count } => {
                self.admit(gate_logits, count, &prototypes::requests(gate_logits, count as usize))
            }
            SurveySpec::PerSequence { k } => {
                let one_sequence = vec![0; num_tokens];
                let means = per_sequence::mean_logits(gate_logits, &one_sequence, 1);
                let requests = per_sequence::requests(&means, &one_sequence, k as usize, Weighting::Norm);
                self.admit(gate_logits, k, &requests)
            }
            SurveySpec::Hash { seed } => {
                let id = |token: usize| token_ids.get(token).copied().unwrap_or(TokenId(0));
                let ids: Vec<TokenId> = (0..num_tokens).map(id).collect();
                self.admit(gate_logits, 1, &hash::requests(&ids, seed, num_experts))
            }
            SurveySpec::Random => {
                let draw = |token: usize| uniforms.get(token).copied().unwrap_or(0.0);
                let draws: Vec<f32> = (0..num_tokens).map(draw).collect();
                self.admit(gate_logits, 1, &random::requests(&draws, num_experts))
            }
            SurveySpec::ExpertChoice { average } => {
                expert_choice::route(gate_logits, expert_choice::tokens_per_expert(average, num_tokens, num_experts))
            }
            SurveySpec::StrictlyBalanced { k } => {
                let per_expert = expert_choice::tokens_per_expert(k as f32, num_tokens, num_experts);
                let mask = strictly_balanced::batch_mask(gate_logits, per_expert);
                self.dropless(gate_logits, &strictly_balanced::requests(gate_logits, &mask))
            }
            SurveySpec::Sinkhorn { k } => self.admit(gate_logits, k, &sinkhorn::requests(gate_logits, k as usize)),
            SurveySpec::BestAssignment => {
                let experts = best_assignment::best_assignment(gate_logits);
                self.dropless(gate_logits, &auction::requests(gate_logits, &experts))
            }
            SurveySpec::NoTokenLeftBehind { tries } => {
                let capacity = self.capacity(num_tokens, 1);
                // As many slots as tokens are as good as no limit.
                let slots = capacity.unwrap_or(num_tokens as u32);
                Routing { capacity, ..no_token_left_behind::route(gate_logits, slots, tries as usize) }
            }
        }
    }

    /// The spec this router was made from.
    pub fn spec(&self) -> &SurveySpec {
        &self.spec
    }

    fn admit(&self, gate_logits: &GateLogits, k: u32, requests: &[Request]) -> Routing {
        admit(requests, gate_logits, self.overflow, self.capacity(gate_logits.num_tokens(), k as usize))
    }

    fn dropless(&self, gate_logits: &GateLogits, requests: &[Request]) -> Routing {
        admit(requests, gate_logits, Overflow::Dropless, None)
    }

    fn capacity(&self, num_tokens: usize, k: usize) -> Option<u32> {
        match self.overflow {
            Overflow::Dropless => None,
            Overflow::Drop(slots) => Some(capacity(&slots, num_tokens, k, self.num_experts)),
        }
    }
}

/// `None` where there is only one group, which limits nobody.
fn groups_of(groups: u32, kept: u32, score: GroupScore) -> Option<Groups> {
    (groups > 1).then_some(Groups { count: groups as usize, kept: kept as usize, score })
}

fn check_groups(groups: u32, num_experts: usize) -> Result<(), SpecError> {
    let groups = groups as usize;
    let divides = groups > 0 && num_experts.is_multiple_of(groups);
    if divides { Ok(()) } else { Err(SpecError::UnevenGroups { groups, num_experts }) }
}

fn check_fraction(what: &'static str, found: f32) -> Result<(), SpecError> {
    let allowed = "a number from 0 to 1";
    if (0.0..=1.0).contains(&found) { Ok(()) } else { Err(SpecError::Number { what, found, allowed }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moe_trace::CapacitySpec;

    #[test]
    fn refusals_name_what_is_allowed() {
        let check = |rule: &str, num_experts: usize, message: &str| {
            let spec: SurveySpec = rule.parse().expect(rule);
            let error = SurveyRouter::new(spec, Overflow::Dropless, num_experts).expect_err(rule);
            assert_eq!(error.to_string(), message);
        };
        check("relu", 0, "A layer needs at least one expert.");
        check("top_p:1.5", 4, "The threshold of top-p is 1.5; allowed: a number from 0 to 1.");
        check("sigmoid:9", 8, "A token cannot ask 9 of 8 experts; allowed: 1 to 8.");
        check("prototypes:4", 6, "6 experts do not divide into 4 equal groups; allowed: a divisor of 6.");
        check(
            "sigmoid:4,4,1,2.5",
            8,
            "A token may visit 1 of 4 groups of 2 experts and asks 4 experts; \
             allowed: 1 to 4 groups that hold at least 4 experts together.",
        );
        check("noisy:2,0", 4, "The deviation of the noise is 0; allowed: a finite number above 0, such as 1.");
    }

    /// Experts of each token of the running example, by rank; capacity factor 1, ids 0 to 5, no draws.
    fn check(rule: &str, expected: &str) {
        let gate_logits = crate::test_support::running_example();
        let token_ids = [0, 1, 2, 3, 4, 5].map(TokenId);
        let overflow = Overflow::Drop(CapacitySpec { factor: 1.0, ..CapacitySpec::default() });
        let router = SurveyRouter::new(rule.parse().expect(rule), overflow, 4).expect(rule);
        let routing = router.route(&RouterInput::new(&gate_logits).with_token_ids(&token_ids));
        let of_token = |token| routing.of_token(token).iter().map(|a| a.expert.to_string()).collect::<String>();
        let found: Vec<String> = (0..6).map(of_token).collect();
        assert_eq!(found.join(" "), expected, "{rule}");
    }

    #[test]
    fn every_rule_on_the_running_example() {
        check("top_p:0.4", "0 0 0 2 0 3");
        check("relu", "01 01 032 21 01 320");
        check("sigmoid:2", "01 01 03 21 01 32");
        check("sigmoid:2,2,1,2.5", "01 01 01 23 01 32");
        check("device_limited:2,2,1,1", "01 01 01 23 01 32");
        check("noisy:2,1", "01 01 03 21 01 32");
        check("normalised:2,1", "01 01 03 21 01 32");
        check("dense_to_sparse:0.5,0.02", "0132 0123 0321 2130 0132 3201");
        check("prototypes:2", "03 02 03 12 03 03");
        check("per_sequence:2", "01 01 01 01 01 01");
        check("hash:42", "1 0 3 2 3 1");
        check("random", "0 0 0 0 0 0");
        check("expert_choice:2", "01 01 32 213 0 32");
        check("strictly_balanced:2", "01 01 32 213 0 32");
        check("sinkhorn:1", "0 1 3 2 0 3");
        check("best_assignment", "0 1 3 2 0 3");
        check("no_token_left_behind:4", "0 0 3 2 1 3");
    }

    #[test]
    fn groups_are_judged_by_two_experts_or_by_one() {
        // Expert 0 is the best of all, but its neighbour is poor; experts 2 and 3 are both good.
        let gate_logits = GateLogits::new(4, vec![2.0, -3.0, 1.5, 1.4]).expect("one row");
        let check = |rule: &str, expected: [u32; 2]| {
            let router = SurveyRouter::new(rule.parse().expect(rule), Overflow::Dropless, 4).expect(rule);
            let routing = router.route(&RouterInput::new(&gate_logits));
            assert_eq!([routing.assignments[0].expert.0, routing.assignments[1].expert.0], expected, "{rule}");
        };
        check("sigmoid:2,2,1,1", [2, 3]);
        check("device_limited:2,2,1,1", [0, 1]);
    }
}
