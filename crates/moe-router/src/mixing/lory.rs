//! Lory (Zhong et al. 2024, arXiv:2405.03133, section 2.2): merged experts for language models, one segment behind.
//!
//! The text is cut into segments (256 tokens in the paper). A segment is processed by the expert merged for the mean of
//! the segment *before* it, so nothing looks ahead; the first one uses its own mean, with the gradient stopped there.
//! Inference: routed once by the prompt's mean. Causal but for the first segment. Known to us from a summary only.
//!
//! The [running example](crate::example) in segments of two tokens. The first segment is merged by its own mean, the second
//! by that of the first (so their rows agree), the third by that of the second; what the last two tokens say moves nobody.
//!
//! ```
//! use moe_router::example::{self, assert_close};
//! use moe_router::{gate::softmax, mixing::lory};
//!
//! let logits = lory::segment_logits(&example::gate_logits(), 2);
//! assert_close(logits.row(0), &[1.675, 0.905, -0.825, -0.660]); // (1.85 + 1.50) / 2 = 1.675
//! assert_close(&softmax(logits.row(0)), &[0.6090, 0.2820, 0.0500, 0.0590]);
//! assert_eq!(logits.row(1), logits.row(0));
//! assert_close(&softmax(logits.row(2)), &[0.2056, 0.2537, 0.3007, 0.2401]);
//! ```

use moe_trace::{GateLogits, MixerSpec};

use crate::limits;
use crate::rule::{Argument, Explained, Family, Form, Mixes, Rule, Run, own};
use crate::token_choice::per_sequence::mean_logits;

/// What the rest of the project knows of this rule.
pub static RULE: Rule = Rule {
    name: "lory",
    title: "Lory",
    one_line: "One merged expert per segment, by the mean of the segment before; the first one sees itself.",
    family: Family::ExpertMerging,
    paper: "Zhong et al. 2024, arXiv:2405.03133",
    equation: Some("section 2.2"),
    needs: "sequence ids where there is more than one",
    trained_with: "segments of 256 tokens",
    at_inference: "routed once, by the prompt",
    run: Run::Mixes(Mixes {
        form: Form {
            arguments: &[Argument::count("segment")],
            example: "lory:256",
            read: |given| Some(MixerSpec::Lory { segment: given.count("segment")? }),
            print: own!(MixerSpec::Lory { segment } => vec![("segment", segment.into())]),
        },
        check: own!(MixerSpec::Lory { segment }, _num_columns => {
            limits::positive("The length of a segment", segment as f32, "a whole number from 1 on, such as 256")
        }),
        looks_ahead: true,
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "θ_s = Σ_e r_{s−1,e} · θ_e for segment s",
    text: "Merging made fit for language models: a segment is processed by the expert merged for the mean of the \
           segment before it, so that nothing looks ahead, but in the first segment, which sees itself.",
};

/// Logits that each segment is merged by, `[segments, experts]`: softmax gives the shares of the experts.
///
/// `gate_logits`: `[tokens, experts]` of a linear gate, so that the mean may be taken after it. A last segment that is
/// not full is a segment too.
pub fn segment_logits(gate_logits: &GateLogits, segment: usize) -> GateLogits {
    let num_segments = gate_logits.num_tokens().div_ceil(segment);
    // Segment 0 is averaged for itself and for segment 1; the last one for nobody.
    let segment_of: Vec<usize> = (0..gate_logits.num_tokens()).map(|token| token / segment).collect();
    let means = mean_logits(gate_logits, &segment_of, num_segments);
    let sources = (0..num_segments).map(|segment| segment.saturating_sub(1));
    let values = sources.flat_map(|source| means.row(source).iter().copied()).collect();
    GateLogits::new(gate_logits.num_experts(), values).expect("rows of a matrix of logits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_segment_behind() {
        let gate_logits = GateLogits::new(1, vec![1.0, 3.0, 5.0, 7.0, 9.0]).expect("five rows");
        assert_eq!(segment_logits(&gate_logits, 2).values(), [2.0, 2.0, 6.0]);
        assert_eq!(segment_logits(&gate_logits, 5).values(), [5.0]);
        assert_eq!(segment_logits(&GateLogits::new(2, vec![]).expect("no rows"), 2).values(), [0.0; 0]);
    }
}
