//! Which specs can be run on how many experts: the checks behind [`Router::new`](crate::Router::new) and
//! [`Mixer::new`](crate::Mixer::new).

use moe_trace::{MixerSpec, Overflow, RouterSpec, SecondExpert, Weighting};

use crate::spec_error::SpecError;

/// Can this rule run on layers of `num_experts` experts?
pub(crate) fn rule(spec: RouterSpec, num_experts: usize) -> Result<(), SpecError> {
    at_least_one(num_experts)?;
    match spec {
        RouterSpec::Dense
        | RouterSpec::Switch
        | RouterSpec::Relu
        | RouterSpec::Hash { .. }
        | RouterSpec::BalancedHash
        | RouterSpec::Random
        | RouterSpec::Base { .. } => Ok(()),
        RouterSpec::TopK { k, weighting } => {
            choices(k, num_experts)?;
            match weighting {
                Weighting::PNorm { p } => positive("The order p of the norm", p, "a finite number above 0, such as 2"),
                Weighting::Raw | Weighting::Norm | Weighting::SoftmaxAfter => Ok(()),
            }
        }
        RouterSpec::Gshard { second, normalise: _ } => {
            if num_experts < 2 {
                return Err(SpecError::TooFewExperts { rule: "gshard", needs: 2, num_experts });
            }
            match second {
                SecondExpert::Always | SecondExpert::Never | SecondExpert::Proportional | SecondExpert::Sampled => {
                    Ok(())
                }
                SecondExpert::Threshold { threshold } | SecondExpert::Random { threshold } => {
                    let what = "The threshold of the second expert";
                    positive(what, threshold, "a finite number above 0, such as 0.2")
                }
            }
        }
        RouterSpec::Noisy { k, std } => {
            choices(k, num_experts)?;
            positive("The deviation of the noise", std, "a finite number above 0, such as 1")
        }
        RouterSpec::LogitNorm { k, lambda } => {
            choices(k, num_experts)?;
            positive("The factor lambda", lambda, "a finite number above 0, such as 1")
        }
        RouterSpec::DenseToSparse { temperature, threshold } => {
            positive("The temperature", temperature, "a finite number above 0, such as 0.5")?;
            fraction("The threshold of the gate", threshold)
        }
        RouterSpec::Deepseek { k, groups, kept, scale } | RouterSpec::DeepseekV2 { k, groups, kept, scale } => {
            choices(k, num_experts)?;
            equal_groups(groups, num_experts)?;
            let (k, kept, groups) = (k as usize, kept as usize, groups as usize);
            let group_size = num_experts / groups;
            // V3 judges a group by its two best experts; V2 by the best one.
            if matches!(spec, RouterSpec::Deepseek { .. }) && groups > 1 && group_size < 2 {
                return Err(SpecError::SmallGroups { groups, num_experts });
            }
            if kept == 0 || kept > groups || kept * group_size < k {
                return Err(SpecError::KeptGroups { kept, groups, group_size, k });
            }
            positive("The scale of the weights", scale, "a finite number above 0, such as 2.5")
        }
        RouterSpec::TopP { threshold } => fraction("The threshold of top-p", threshold),
        RouterSpec::TopAny { threshold } if threshold.is_finite() => Ok(()),
        RouterSpec::TopAny { threshold } => {
            let (what, allowed) = ("The threshold of top-any", "a finite number, such as 0.5");
            Err(SpecError::Number { what, found: threshold, allowed })
        }
        RouterSpec::NullExperts { k, nulls } => {
            choices(k, num_experts)?;
            let nulls = nulls as usize;
            if nulls < num_experts { Ok(()) } else { Err(SpecError::Nulls { nulls, num_experts }) }
        }
        RouterSpec::Hierarchical { groups, k_groups, k_within } => {
            equal_groups(groups, num_experts)?;
            let (kept, groups, k) = (k_groups as usize, groups as usize, k_within as usize);
            let group_size = num_experts / groups;
            if !(1..=groups).contains(&kept) {
                return Err(SpecError::KeptGroups { kept, groups, group_size, k: 1 });
            }
            if (1..=group_size).contains(&k) { Ok(()) } else { Err(SpecError::Choices { k, num_experts: group_size }) }
        }
        RouterSpec::Prototypes { count } => equal_groups(count, num_experts),
        RouterSpec::PerSequence { k } | RouterSpec::StrictlyBalanced { k } | RouterSpec::Sinkhorn { k, .. } => {
            choices(k, num_experts)
        }
        RouterSpec::ExpertChoice { average } => {
            positive("The average number of experts", average, "a finite number above 0, such as 2")
        }
        // More tries than experts are as good as all: the source takes the smaller number.
        RouterSpec::NoTokenLeftBehind { tries: 0 } => {
            let (what, allowed) = ("The number of tries", "a whole number from 1 on, such as 4");
            Err(SpecError::Number { what, found: 0.0, allowed })
        }
        RouterSpec::NoTokenLeftBehind { .. } => Ok(()),
    }
}

/// Is this a way to handle overflow?
pub(crate) fn overflow(overflow: Overflow) -> Result<(), SpecError> {
    match overflow {
        Overflow::Dropless => Ok(()),
        Overflow::Drop(slots) => positive("The capacity factor", slots.factor, "a finite number above 0, such as 1.25"),
    }
}

/// Can this blend be made of a gate with `num_columns` columns?
pub(crate) fn mixer(spec: MixerSpec, num_columns: usize) -> Result<(), SpecError> {
    at_least_one(num_columns)?;
    match spec {
        MixerSpec::SoftMoe { slots } => {
            let slots = slots as usize;
            let divides = slots > 0 && num_columns.is_multiple_of(slots);
            if divides { Ok(()) } else { Err(SpecError::UnevenSlots { slots, num_columns }) }
        }
        MixerSpec::Meo { k } | MixerSpec::Molora { k: Some(k) } => choices(k, num_columns),
        MixerSpec::Lory { segment: 0 } => {
            let (what, allowed) = ("The length of a segment", "a whole number from 1 on, such as 256");
            Err(SpecError::Number { what, found: 0.0, allowed })
        }
        MixerSpec::Mixlora => choices(2, num_columns),
        MixerSpec::Smear
        | MixerSpec::Lory { .. }
        | MixerSpec::Molora { k: None }
        | MixerSpec::Mov
        | MixerSpec::Loramoe
        | MixerSpec::Shared { .. } => Ok(()),
    }
}

fn at_least_one(num_experts: usize) -> Result<(), SpecError> {
    if num_experts == 0 { Err(SpecError::NoExperts) } else { Ok(()) }
}

fn choices(k: u32, num_experts: usize) -> Result<(), SpecError> {
    let k = k as usize;
    if (1..=num_experts).contains(&k) { Ok(()) } else { Err(SpecError::Choices { k, num_experts }) }
}

fn equal_groups(groups: u32, num_experts: usize) -> Result<(), SpecError> {
    let groups = groups as usize;
    let divides = groups > 0 && num_experts.is_multiple_of(groups);
    if divides { Ok(()) } else { Err(SpecError::UnevenGroups { groups, num_experts }) }
}

fn positive(what: &'static str, found: f32, allowed: &'static str) -> Result<(), SpecError> {
    if found.is_finite() && found > 0.0 { Ok(()) } else { Err(SpecError::Number { what, found, allowed }) }
}

fn fraction(what: &'static str, found: f32) -> Result<(), SpecError> {
    let allowed = "a number from 0 to 1";
    if (0.0..=1.0).contains(&found) { Ok(()) } else { Err(SpecError::Number { what, found, allowed }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moe_trace::{CapacitySpec, Rounding};

    #[test]
    fn refusals_name_what_is_allowed() {
        let check = |text: &str, num_experts: usize, message: &str| {
            let error = rule(text.parse().expect(text), num_experts).expect_err(text);
            assert_eq!(error.to_string(), message);
        };
        check("switch", 0, "A layer needs at least one expert.");
        check("top_k:5", 4, "A token cannot ask 5 of 4 experts; allowed: 1 to 4.");
        check("top_k:0", 4, "A token cannot ask 0 of 4 experts; allowed: 1 to 4.");
        check("gshard", 1, "The rule gshard needs at least 2 experts; this layer has 1.");
        check("top_k:2,p=-1", 4, "The order p of the norm is -1; allowed: a finite number above 0, such as 2.");
        let random = "The threshold of the second expert is 0; allowed: a finite number above 0, such as 0.2.";
        check("gshard:random=0", 4, random);
        check("top_p:1.5", 4, "The threshold of top-p is 1.5; allowed: a number from 0 to 1.");
        check("deepseek:9", 8, "A token cannot ask 9 of 8 experts; allowed: 1 to 8.");
        check("prototypes:4", 6, "6 experts do not divide into 4 equal groups; allowed: a divisor of 6.");
        check(
            "deepseek:4,4,1,2.5",
            8,
            "A token may visit 1 of 4 groups of 2 experts and asks 4 experts; \
             allowed: 1 to 4 groups that hold at least 4 experts together.",
        );
        check(
            "hierarchical:2,3,1",
            8,
            "A token may visit 3 of 2 groups of 4 experts and asks 1 experts; \
             allowed: 1 to 2 groups that hold at least 1 experts together.",
        );
        check(
            "deepseek:2,4,2",
            4,
            "4 experts in 4 groups leave 1 to a group, which is judged by its two best; allowed: at most 2 groups.",
        );
        assert_eq!(rule("deepseek_v2:2,4,2".parse().expect("a rule"), 4), Ok(()), "judged by the best alone");
        let no_try = "The number of tries is 0; allowed: a whole number from 1 on, such as 4.";
        check("no_token_left_behind:0", 4, no_try);
        // The default is four tries, on however few experts.
        assert_eq!(rule("no_token_left_behind".parse().expect("a rule"), 2), Ok(()));
        check("hierarchical:2,1,5", 8, "A token cannot ask 5 of 4 experts; allowed: 1 to 4.");
        check("noisy:2,0", 4, "The deviation of the noise is 0; allowed: a finite number above 0, such as 1.");
        check("null_experts:2,4", 4, "4 of 4 experts are null; allowed: 0 to 3.");
        // Also where the source reads 0 or less as "dropless": Tutel.
        for (factor, rounding) in [(f32::NAN, Rounding::Ceil), (0.0, Rounding::Tutel), (-1.0, Rounding::Tutel)] {
            let slots = CapacitySpec { factor, rounding, ..CapacitySpec::default() };
            let message = format!("The capacity factor is {factor}; allowed: a finite number above 0, such as 1.25.");
            assert_eq!(overflow(Overflow::Drop(slots)).expect_err(&message).to_string(), message);
        }
    }

    #[test]
    fn refusals_of_blends_too() {
        let check = |text: &str, num_columns: usize, message: &str| {
            let error = mixer(text.parse().expect(text), num_columns).expect_err(text);
            assert_eq!(error.to_string(), message);
        };
        check("soft_moe:3", 8, "8 columns of the gate do not make experts of 3 slots each; allowed: a divisor of 8.");
        check("soft_moe:0", 8, "8 columns of the gate do not make experts of 0 slots each; allowed: a divisor of 8.");
        check("meo:5", 4, "A token cannot ask 5 of 4 experts; allowed: 1 to 4.");
        check("mixlora", 1, "A token cannot ask 2 of 1 experts; allowed: 1 to 1.");
        check("lory:0", 4, "The length of a segment is 0; allowed: a whole number from 1 on, such as 256.");
        check("smear", 0, "A layer needs at least one expert.");
    }
}
