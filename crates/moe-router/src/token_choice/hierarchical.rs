//! Hierarchical routing (Shazeer et al. 2017, arXiv:1701.06538, appendix B; Jordan and Jacobs 1994): a gate over groups
//! of experts, and a gate within each group.
//!
//! `y = Σ_i Σ_j Gp_i · G_ij · E_ij` (eq. 12). Both gates are softmaxes over their top-k: `k_groups` groups, then
//! `k_within` experts in each of them, so at most their product. With all groups and all experts it is Jordan and
//! Jacobs' tree. Causal; noise as in [`super::noisy_top_k`] in training, none at inference.
//! The price: an expert outside the chosen groups is out of reach, however good it is.
//!
//! Token 2 of the [running example](crate::example), two groups of two, the gate over groups being the mean of each: 0.67
//! beats 0.41, and its second best expert, 3, is in the group that loses. Expert 1 is asked in its place.
//!
//! ```
//! use moe_router::example::{self, assert_close, experts, weights};
//! use moe_router::token_choice::hierarchical;
//!
//! let expert_logits = example::gate_logits();
//! let group_logits = hierarchical::group_means(&expert_logits, 2);
//! assert_close(group_logits.row(2), &[0.67, 0.41]);
//! let requests = hierarchical::requests(&group_logits, &expert_logits, 1, 2);
//! assert_eq!(experts(&requests[4..6]), [0, 1]);
//! assert_close(&weights(&requests[4..6]), &[0.8235, 0.1765]); // 1 · exp(1.44) / (exp(1.44) + exp(-0.10))
//! ```

use moe_trace::{GateLogits, RouterSpec, Weighting};

use crate::gate::{computed_logits, softmax, top_k};
use crate::limits;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Besides, Explained, Facts, Family, Form, GateReads, Requests, Rule, Run, own};
use crate::spec_error::SpecError;
use crate::token_choice::top_k::weights;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "hierarchical",
    title: "Hierarchical",
    one_line: "A gate over groups of experts, then a gate within each chosen group.",
    family: Family::TokenChoice,
    paper: "Shazeer et al. 2017, arXiv:1701.06538",
    equation: Some("appendix B, eq. 12-14"),
    needs: "logits of the first gate; without them the mean logit of each group",
    trained_with: "noise in both gates",
    at_inference: "no noise",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::count("groups"), Argument::count("k_groups"), Argument::count("k_within")],
            example: "hierarchical:groups=2,k_groups=1,k_within=2",
            read: |given| {
                Some(RouterSpec::Hierarchical {
                    groups: given.count("groups")?,
                    k_groups: given.count("k_groups")?,
                    k_within: given.count("k_within")?,
                })
            },
            print: own!(RouterSpec::Hierarchical { groups, k_groups, k_within } => {
                vec![("groups", groups.into()), ("k_groups", k_groups.into()), ("k_within", k_within.into())]
            }),
        },
        check: own!(RouterSpec::Hierarchical { groups, k_groups, k_within }, num_experts => {
            limits::equal_groups(groups, num_experts)?;
            let (kept, groups) = (k_groups as usize, groups as usize);
            let group_size = num_experts / groups;
            if !(1..=groups).contains(&kept) {
                return Err(SpecError::KeptGroups { kept, groups, group_size, k: 1 });
            }
            limits::choices(k_within, group_size)
        }),
        facts: own!(RouterSpec::Hierarchical { groups, k_groups, k_within } => Facts {
            reads: GateReads::OtherSoftmax,
            requests: Requests::Exactly(k_groups.saturating_mul(k_within)),
            besides: Besides::GroupLogits { groups },
            ..Facts::OF_SWITCH
        }),
        assign: own!(RouterSpec::Hierarchical { groups, k_groups, k_within }, group => {
            let gate_logits = group.gate_logits();
            let (k_groups, k_within) = (k_groups as usize, k_within as usize);
            group.admit(&match group.input.group_logits {
                Some(of_groups) => requests(of_groups, gate_logits, k_groups, k_within),
                None => requests(&group_means(gate_logits, groups as usize), gate_logits, k_groups, k_within),
            })
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "y = Σ_i Σ_j G_i · G_{i,j} · FFN_{i,j}(x)",
    text: "A first gate chooses groups, a second one experts within each chosen group; a weight is the product of \
           both. That makes thousands of experts cheap to search, and an expert outside the chosen groups is out of \
           reach, however good it is.",
};

/// Requests for the chosen experts of the chosen groups, by descending weight.
///
/// `group_logits`: `[tokens, groups]`. `expert_logits`: `[tokens, groups · experts per group]`, group after group.
pub fn requests(
    group_logits: &GateLogits,
    expert_logits: &GateLogits,
    k_groups: usize,
    k_within: usize,
) -> Vec<Request> {
    let group_size = expert_logits.num_experts() / group_logits.num_experts();
    let mut requests = Vec::with_capacity(group_logits.num_tokens() * k_groups * k_within);
    for (token, (of_groups, of_experts)) in group_logits.rows().zip(expert_logits.rows()).enumerate() {
        let mut weighed: Vec<(usize, f64)> = Vec::with_capacity(k_groups * k_within);
        for (group, group_weight) in chosen(of_groups, k_groups) {
            let first = group * group_size;
            let within = chosen(&of_experts[first..first + group_size], k_within);
            weighed.extend(within.map(|(expert, weight)| (first + expert, group_weight * weight)));
        }
        let products: Vec<f64> = weighed.iter().map(|&(_, weight)| weight).collect();
        for (rank, at) in top_k(&products, products.len()).into_iter().enumerate() {
            let (expert, weight) = weighed[at];
            requests.push(Request::new(token, rank, expert, weight, weight));
        }
    }
    requests
}

/// Logits of the groups where no gate over groups was trained: the mean of each group's logits, `[tokens, groups]`
/// (ours; a linear gate whose rows are the means of the experts' rows says the same).
pub fn group_means(expert_logits: &GateLogits, num_groups: usize) -> GateLogits {
    let group_size = expert_logits.num_experts() / num_groups;
    let mean = |group: &[f32]| group.iter().map(|&z| f64::from(z)).sum::<f64>() / group_size as f64;
    computed_logits(num_groups, expert_logits.values().chunks(group_size).map(mean))
}

/// The `k` best and their softmax weights.
fn chosen(logits: &[f32], k: usize) -> impl Iterator<Item = (usize, f64)> {
    let best = top_k(logits, k);
    let weights = weights(logits, &softmax(logits), &best, Weighting::SoftmaxAfter);
    best.into_iter().zip(weights)
}

/// `Load_ij = Load_i · Load_j(X⁽ⁱ⁾) / |X⁽ⁱ⁾|` (eq. 14), `[groups · experts per group]`; 0 for a group without tokens.
///
/// `group_loads`: `[groups]`, estimates of the first gate. `loads_within`: `[groups · experts per group]`, estimates of
/// the second gates over the `tokens_sent` (`[groups]`) that reached them. Without noise these are all counts.
pub fn loads(group_loads: &[f64], loads_within: &[f64], tokens_sent: &[u32]) -> Vec<f64> {
    let group_size = loads_within.len() / group_loads.len();
    let share = |(at, load): (usize, &f64)| {
        let group = at / group_size;
        if tokens_sent[group] == 0 { 0.0 } else { group_loads[group] * load / f64::from(tokens_sent[group]) }
    };
    loads_within.iter().enumerate().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_on_is_a_tree_of_softmaxes() {
        let expert_logits = GateLogits::new(4, vec![0.3, -1.0, 2.0, 0.0]).expect("one row");
        let group_logits = GateLogits::new(2, vec![0.5, 0.1]).expect("one row");
        // Groups 0.5987 and 0.4013; within them 0.7858 and 0.2142, 0.8808 and 0.1192.
        let expected = [(0, 0.4705), (2, 0.3535), (1, 0.1282), (3, 0.0478)];
        for (request, (expert, weight)) in requests(&group_logits, &expert_logits, 2, 2).iter().zip(expected) {
            assert_eq!(request.expert.0, expert);
            assert!((request.weight - weight).abs() < 1e-4, "{} for {weight}", request.weight);
        }
    }

    #[test]
    fn the_load_of_a_group_is_shared_out_and_an_empty_one_has_none() {
        // The first gate's estimate for group 0 is 2.4 tokens, while 3 were sent.
        let found = loads(&[2.4, 0.5], &[2.0, 1.0, 0.0, 0.0], &[3, 0]);
        for (found, expected) in found.iter().zip([1.6, 0.8, 0.0, 0.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        }
        assert_eq!(loads(&[3.0, 0.5], &[2.0, 1.0, 0.0, 0.0], &[3, 0]), [2.0, 1.0, 0.0, 0.0]);
    }
}
