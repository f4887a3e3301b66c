//! DeepSeek's gates: sigmoid scores, a balancing bias and groups of experts (V2 arXiv:2405.04434, eq. 20-22; V3
//! arXiv:2412.19437, eq. 13-16), and the plain sigmoid gate without them.
//!
//! V3: `s = sigmoid(z)`; experts are selected by `s + b`, where `b` is no parameter but nudged after every step (see
//! [`crate::losses::bias_update`]); weights are `s[idx] / Σ s[idx] · scale` and never see `b`. Ranks follow the biased
//! key, so the first choice can have the smaller weight. Groups: the best few groups by the sum of their two largest
//! keys; the other experts are out. V2: `s = softmax(z)`, groups by their largest score, weights `s[idx] · scale`.
//! Nobody is turned away, in training or inference. Causal; `b` is frozen at inference.
//! Deviation: groups that are out count as -∞ also for V2, whose code sets them to 0: the same for softmax scores.
//! Saturated sigmoids tie, and then the lower index wins.
//!
//! Top-2 of the [running example](crate::example), tokens 0 and 2. The bias makes expert 0, whom all want, 0.2 less
//! attractive: it comes second now, but weighs what it did. With groups (experts 0 and 1, 2 and 3) token 2 may stay in one
//! only: V3 sends it to the second (keys 0.605 + 0.740 beat 0.608 + 0.525), V2 to the first, which has the best expert.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::deepseek::{DeepSeek, Score, requests, scores};
//!
//! let gate_logits = example::gate_logits();
//! assert_close(&scores(gate_logits.row(0), Score::Sigmoid), &[0.8641, 0.6570, 0.2592, 0.3543]); // no sum of 1
//! let tokens_0_and_2 = |rule, bias: &[f32]| {
//!     let all = requests(&gate_logits, &rule, bias);
//!     [&all[..2], &all[4..6]].concat()
//! };
//! let (plain, bias) = (DeepSeek::v3(2, 1, 1, 1.0), [-0.2, 0.05, 0.1, 0.05]);
//! assert_eq!(experts(&tokens_0_and_2(plain, &[])), [0, 1, 0, 3]);
//! assert_close(&weights(&tokens_0_and_2(plain, &[])), &[0.5681, 0.4319, 0.5395, 0.4605]); // 0.8641 / (0.8641 + 0.6570)
//! assert_eq!(experts(&tokens_0_and_2(plain, &bias)), [1, 0, 3, 0]);
//! assert_close(&weights(&tokens_0_and_2(plain, &bias)), &[0.4319, 0.5681, 0.4605, 0.5395]);
//! assert_eq!(experts(&tokens_0_and_2(DeepSeek::v3(2, 2, 1, 2.5), &bias)), [1, 0, 3, 2]);
//! assert_close(&weights(&tokens_0_and_2(DeepSeek::v3(2, 2, 1, 2.5), &bias)), &[1.0798, 1.4202, 1.4435, 1.0565]);
//! assert_eq!(experts(&tokens_0_and_2(DeepSeek::v2(2, 2, 1, 1.0), &[])), [0, 1, 0, 1]);
//! assert_close(&weights(&tokens_0_and_2(DeepSeek::v2(2, 2, 1, 1.0), &[])), &[0.6932, 0.2088, 0.5042, 0.1081]);
//! ```

use moe_trace::{GateLogits, RouterSpec};

use crate::gate::{sigmoid, softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{
    Argument, Assigns, Besides, Explained, Facts, Family, Form, GateReads, Given, Requests, Rule, Run, own,
};
use crate::spec_error::SpecError;

/// What the rest of the project knows of the rule of V3.
pub static RULE: Rule = Rule {
    name: "deepseek",
    title: "DeepSeek-V3",
    one_line: "Sigmoid scores and a balancing bias select; groups limit the choice; weights never see the bias.",
    family: Family::TokenChoice,
    paper: "DeepSeek-AI 2024, arXiv:2412.19437",
    equation: Some("eq. 13-16"),
    needs: "the selection bias, if one was learned",
    trained_with: "8 of 256 experts, 4 of 8 groups, scale 2.5, 1 shared expert",
    at_inference: "the same, bias frozen",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: GROUPED,
            example: "deepseek:k=2,groups=2,kept=1,scale=2.5",
            read: |given| {
                let (k, groups, kept, scale) = grouped(given)?;
                Some(RouterSpec::Deepseek { k, groups, kept, scale })
            },
            print: own!(RouterSpec::Deepseek { k, groups, kept, scale } => {
                vec![("k", k.into()), ("groups", groups.into()), ("kept", kept.into()), ("scale", scale.into())]
            }),
        },
        check: own!(RouterSpec::Deepseek { k, groups, kept, scale }, num_experts => {
            check_grouped(k, groups, kept, scale, num_experts)?;
            let groups = groups as usize;
            // A group is judged by its two best experts.
            let is_small = groups > 1 && num_experts / groups < 2;
            if is_small { Err(SpecError::SmallGroups { groups, num_experts }) } else { Ok(()) }
        }),
        facts: own!(RouterSpec::Deepseek { k, .. } => Facts {
            reads: GateReads::Sigmoid,
            requests: Requests::Exactly(k),
            besides: Besides::LearnedBias,
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::Deepseek { k, groups, kept, scale }, group => {
            group.admit(&requests(group.gate_logits(), &DeepSeek::v3(k, groups, kept, scale), group.input.bias))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "s = sigmoid(z), chosen by TopK(s + b), w_e = scale · {s_e}/{Σ_i s_i}",
    text: "A bias b moves each expert's chances and never its weight: after every step it rises for experts that \
           got too little and falls for those that got too much. That balances the load without a loss that pulls \
           at the model. Groups keep a token on few machines.",
};

/// And of the rule of V2.
pub static RULE_V2: Rule = Rule {
    name: "deepseek_v2",
    title: "DeepSeek-V2",
    one_line: "Softmax scores; a token visits the groups (devices) of the best experts only; weights as they are.",
    family: Family::TokenChoice,
    paper: "DeepSeek-AI 2024, arXiv:2405.04434",
    equation: Some("eq. 20-22"),
    needs: "nothing",
    trained_with: "6 of 160 experts, 3 of 8 groups, 2 shared experts",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: GROUPED,
            example: "deepseek_v2:k=2,groups=2,kept=1,scale=1",
            read: |given| {
                let (k, groups, kept, scale) = grouped(given)?;
                Some(RouterSpec::DeepseekV2 { k, groups, kept, scale })
            },
            print: own!(RouterSpec::DeepseekV2 { k, groups, kept, scale } => {
                vec![("k", k.into()), ("groups", groups.into()), ("kept", kept.into()), ("scale", scale.into())]
            }),
        },
        check: own!(RouterSpec::DeepseekV2 { k, groups, kept, scale }, num_experts => {
            check_grouped(k, groups, kept, scale, num_experts)
        }),
        facts: own!(RouterSpec::DeepseekV2 { k, .. } => Facts { requests: Requests::Exactly(k), ..Facts::OF_SWITCH }),
        assign: own!(RouterSpec::DeepseekV2 { k, groups, kept, scale }, group => {
            group.admit(&requests(group.gate_logits(), &DeepSeek::v2(k, groups, kept, scale), &[]))
        }),
    }),
};

/// It as a formula and in a few sentences.
pub static EXPLAINED_V2: Explained = Explained {
    formula: "p = softmax(z), groups by max p, w_e = scale · p_e",
    text: "Experts live on devices, and a token may visit the few devices whose best experts it likes most; of the \
           experts there it takes the k best. What is sent between machines is bounded, and balance is left to \
           losses over experts, devices and messages.",
};

/// The arguments of both.
const GROUPED: &[Argument] = &[
    Argument::K,
    Argument::count("groups").optional(),
    Argument::count("kept").optional(),
    Argument::number("scale").optional(),
];

/// `k`, groups, groups that a token may visit, scale; `None` without `k`.
fn grouped(given: &Given) -> Option<(u32, u32, u32, f32)> {
    let groups = given.count("groups").unwrap_or(1);
    let kept = given.count("kept").unwrap_or(groups);
    Some((given.count("k")?, groups, kept, given.number("scale").unwrap_or(1.0)))
}

fn check_grouped(k: u32, groups: u32, kept: u32, scale: f32, num_experts: usize) -> Result<(), SpecError> {
    limits::choices(k, num_experts)?;
    limits::equal_groups(groups, num_experts)?;
    let (k, kept, groups) = (k as usize, kept as usize, groups as usize);
    let group_size = num_experts / groups;
    if kept == 0 || kept > groups || kept * group_size < k {
        return Err(SpecError::KeptGroups { kept, groups, group_size, k });
    }
    limits::positive("The scale of the weights", scale, "a finite number above 0, such as 2.5")
}

/// One of the family, as numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeepSeek {
    /// Experts per token.
    pub k: usize,
    /// How a logit becomes a score.
    pub score: Score,
    /// Limits a token to the experts of a few groups.
    pub groups: Option<Groups>,
    /// Whether weights are divided by their sum.
    pub weights: Weights,
    /// Every weight is multiplied with it (V3: 2.5).
    pub scale: f32,
}

impl DeepSeek {
    /// V3: sigmoid scores, groups by their two best experts, weights over their sum. 1 group for none.
    pub fn v3(k: u32, groups: u32, kept: u32, scale: f32) -> DeepSeek {
        let groups = Groups::of(groups, kept, GroupScore::TopTwoSum);
        DeepSeek { k: k as usize, score: Score::Sigmoid, groups, weights: Weights::Norm, scale }
    }

    /// V2: softmax scores, groups by their best expert, weights as they are. 1 group for none.
    pub fn v2(k: u32, groups: u32, kept: u32, scale: f32) -> DeepSeek {
        let groups = Groups::of(groups, kept, GroupScore::Max);
        DeepSeek { k: k as usize, score: Score::Softmax, groups, weights: Weights::Raw, scale }
    }
}

/// How a logit becomes a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    /// Experts compete (V1, V2).
    Softmax,
    /// Each expert on its own (V3).
    Sigmoid,
}

/// What the chosen scores become before scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// The scores as they are (V2).
    Raw,
    /// The scores over their sum (V3).
    Norm,
}

/// Experts in equal groups of neighbours, of which a token may visit the best `kept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Groups {
    /// A divisor of the number of experts.
    pub count: usize,
    /// Groups a token may visit; between them they hold at least `k` experts.
    pub kept: usize,
    /// What makes a group good.
    pub score: GroupScore,
}

impl Groups {
    /// `None` where there is only one group, which limits nobody.
    fn of(count: u32, kept: u32, score: GroupScore) -> Option<Groups> {
        (count > 1).then_some(Groups { count: count as usize, kept: kept as usize, score })
    }
}

/// What makes a group good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupScore {
    /// Its largest key (V2's device limit).
    Max,
    /// The sum of its two largest keys (V3).
    TopTwoSum,
}

/// `k` requests per token, by descending key. `bias`: `[experts]`, or empty for none.
pub fn requests(gate_logits: &GateLogits, rule: &DeepSeek, bias: &[f32]) -> Vec<Request> {
    let mut requests = Vec::with_capacity(gate_logits.num_tokens() * rule.k);
    for (token, logits) in gate_logits.rows().enumerate() {
        let scores = scores(logits, rule.score);
        let mut keys: Vec<f64> = scores.clone();
        for (key, &bias) in keys.iter_mut().zip(bias) {
            *key += f64::from(bias);
        }
        if let Some(groups) = rule.groups {
            let visited = visited_groups(&keys, groups);
            let group_size = keys.len() / groups.count;
            for (expert, key) in keys.iter_mut().enumerate() {
                if !visited.contains(&(expert / group_size)) {
                    *key = f64::NEG_INFINITY;
                }
            }
        }
        let experts = top_k(&keys, rule.k);
        let divisor = match rule.weights {
            Weights::Raw => 1.0,
            Weights::Norm => experts.iter().map(|&expert| scores[expert]).sum::<f64>() + 1e-20,
        };
        for (rank, expert) in experts.into_iter().enumerate() {
            let weight = scores[expert] / divisor * f64::from(rule.scale);
            requests.push(Request::new(token, rank, expert, weight, scores[expert]));
        }
    }
    requests
}

/// Scores of one token, `[experts]`.
pub fn scores(logits: &[f32], score: Score) -> Vec<f64> {
    match score {
        Score::Softmax => softmax(logits),
        Score::Sigmoid => logits.iter().map(|&logit| sigmoid(f64::from(logit))).collect(),
    }
}

/// The groups one token may visit, best first. `keys`: `[experts]`.
pub fn visited_groups(keys: &[f64], groups: Groups) -> Vec<usize> {
    let group_score = |keys: &[f64]| match groups.score {
        GroupScore::Max => keys.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        GroupScore::TopTwoSum => top_k(keys, 2).into_iter().map(|expert| keys[expert]).sum(),
    };
    let scores: Vec<f64> = keys.chunks(keys.len() / groups.count).map(group_score).collect();
    top_k(&scores, groups.kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_judged_by_two_experts_or_by_one() {
        // Expert 0 is the best of all, but its neighbour is poor; experts 2 and 3 are both good.
        let gate_logits = GateLogits::new(4, vec![2.0, -3.0, 1.5, 1.4]).expect("one row");
        let experts = |rule| requests(&gate_logits, &rule, &[]).iter().map(|r| r.expert.0).collect::<Vec<u32>>();
        assert_eq!(experts(DeepSeek::v3(2, 2, 1, 1.0)), [2, 3]);
        assert_eq!(experts(DeepSeek::v2(2, 2, 1, 1.0)), [0, 1]);
    }
}
