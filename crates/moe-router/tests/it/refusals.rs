//! Specs that cannot be run are refused with the numbers and what is allowed.

use moe_router::{Mixer, Router, SpecError, rules};
use moe_trace::{CapacitySpec, Overflow, Rounding, RoutingSpec};

/// Can this rule be run on so many experts?
fn refused(text: &str, num_experts: usize) -> Result<(), SpecError> {
    let router = rules::parse_router(text).expect(text);
    Router::new(RoutingSpec { router, overflow: Overflow::Dropless }, num_experts).map(drop)
}

#[test]
fn refusals_name_what_is_allowed() {
    let check = |text: &str, num_experts: usize, message: &str| {
        let error = refused(text, num_experts).expect_err(text);
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
    assert_eq!(refused("deepseek_v2:2,4,2", 4), Ok(()), "judged by the best alone");
    let no_try = "The number of tries is 0; allowed: a whole number from 1 on, such as 4.";
    check("no_token_left_behind:0", 4, no_try);
    // The default is four tries, on however few experts.
    assert_eq!(refused("no_token_left_behind", 2), Ok(()));
    check("hierarchical:2,1,5", 8, "A token cannot ask 5 of 4 experts; allowed: 1 to 4.");
    check("noisy:2,0", 4, "The deviation of the noise is 0; allowed: a finite number above 0, such as 1.");
    check("null_experts:2,4", 4, "4 of 4 experts are null; allowed: 0 to 3.");
    // Also where the source reads 0 or less as "dropless": Tutel.
    for (factor, rounding) in [(f32::NAN, Rounding::Ceil), (0.0, Rounding::Tutel), (-1.0, Rounding::Tutel)] {
        let slots = CapacitySpec { factor, rounding, ..CapacitySpec::default() };
        let message = format!("The capacity factor is {factor}; allowed: a finite number above 0, such as 1.25.");
        let spec = RoutingSpec { overflow: Overflow::Drop(slots), ..RoutingSpec::default() };
        assert_eq!(Router::new(spec, 4).expect_err(&message).to_string(), message);
    }
}

#[test]
fn refusals_of_blends_too() {
    let check = |text: &str, num_columns: usize, message: &str| {
        let error = Mixer::new(rules::parse_mixer(text).expect(text), num_columns).expect_err(text);
        assert_eq!(error.to_string(), message);
    };
    check("soft_moe:3", 8, "8 columns of the gate do not make experts of 3 slots each; allowed: a divisor of 8.");
    check("soft_moe:0", 8, "8 columns of the gate do not make experts of 0 slots each; allowed: a divisor of 8.");
    check("meo:5", 4, "A token cannot ask 5 of 4 experts; allowed: 1 to 4.");
    check("mixlora", 1, "A token cannot ask 2 of 1 experts; allowed: 1 to 1.");
    check("lory:0", 4, "The length of a segment is 0; allowed: a whole number from 1 on, such as 256.");
    check("smear", 0, "A layer needs at least one expert.");
}
