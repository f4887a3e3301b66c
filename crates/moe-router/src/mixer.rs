//! One checked entry to all rules that mix: a spec becomes a [`Mixer`] once, and a mixer turns gate logits into shares.
//!
//! What [`Router`](crate::Router) is to rules that assign, with the same input and the same errors. The formulas that
//! apply the shares to hidden states and weights are in [`crate::mixing`].

use moe_trace::{GateLogits, MixerSpec, Mixing, SharedGate};

use crate::gate::{sigmoid, softmax, top_k};
use crate::input::{InputError, RouterInput};
use crate::limits;
use crate::matrix::Matrix;
use crate::mixing::{lory, meo, soft_moe};
use crate::padding::RealTokens;
use crate::rules;
use crate::spec_error::SpecError;
use crate::token_choice::per_sequence::mean_logits;

/// A mixing rule, checked against the number of columns its gate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mixer {
    spec: MixerSpec,
    num_columns: usize,
}

impl Mixer {
    /// Checks `spec` for a gate of `num_columns` columns: experts, or for Soft MoE slots of all experts.
    pub fn new(spec: MixerSpec, num_columns: usize) -> Result<Mixer, SpecError> {
        limits::at_least_one(num_columns)?;
        (rules::mixes(&spec).check)(&spec, num_columns)?;
        Ok(Mixer { spec, num_columns })
    }

    /// The shares for one group of tokens. Sees logits, sequences and padding of the input, of which padding gets no
    /// share of anything.
    pub fn mix(&self, input: &RouterInput) -> Result<Mixing, InputError> {
        let found = input.gate_logits.num_experts();
        if found != self.num_columns {
            return Err(InputError::Experts { checked: self.num_columns, found });
        }
        input.check()?;
        let real = RealTokens::of(input);
        Ok(match self.spec {
            MixerSpec::SoftMoe { slots } => self.slots(&real, slots),
            MixerSpec::Smear => self.merged(&real, self.num_columns),
            MixerSpec::Meo { k } => self.merged(&real, k as usize),
            MixerSpec::Lory { segment } => {
                let (logits, segment_of) = segments(&real.input(), segment as usize);
                self.merged_by(&logits, &segment_of, &real, self.num_columns)
            }
            MixerSpec::Molora { k: None } | MixerSpec::Mov | MixerSpec::Loramoe => self.outputs(&real, softmax),
            MixerSpec::Molora { k: Some(k) } => self.outputs(&real, |logits| {
                let (probs, chosen) = (softmax(logits), top_k(logits, k as usize));
                (0..logits.len()).map(|expert| if chosen.contains(&expert) { probs[expert] } else { 0.0 }).collect()
            }),
            MixerSpec::Mixlora => self.outputs(&real, |logits| meo::shares(logits, 2)),
            MixerSpec::Shared { gate: SharedGate::None } => self.outputs(&real, |logits| vec![1.0; logits.len()]),
            MixerSpec::Shared { gate: SharedGate::Sigmoid } => {
                self.outputs(&real, |logits| logits.iter().map(|&z| sigmoid(f64::from(z))).collect())
            }
        })
    }

    /// The spec this mixer was made from.
    pub fn spec(&self) -> &MixerSpec {
        &self.spec
    }

    fn slots(&self, real: &RealTokens, slots_per_expert: u32) -> Mixing {
        let logits = Matrix::new(self.num_columns, real.input().gate_logits.values().to_vec());
        Mixing::Slots {
            num_tokens: real.num_all() as u32,
            num_experts: self.num_columns as u32 / slots_per_expert,
            slots_per_expert,
            dispatch: real.among_all(&soft_moe::dispatch_weights(&logits, &[])),
            combine: real.among_all(&soft_moe::combine_weights(&logits)),
        }
    }

    /// One merged expert of the `k` best per sequence.
    fn merged(&self, real: &RealTokens, k: usize) -> Mixing {
        let (sequence_of, num_sequences) = real.input().sequences();
        let means = mean_logits(real.input().gate_logits, &sequence_of, num_sequences);
        self.merged_by(&means, &sequence_of, real, k)
    }

    /// One merged expert of the `k` best per row of logits; token `t` of the real ones uses row `row_of[t]`.
    fn merged_by(&self, logits: &GateLogits, row_of: &[usize], real: &RealTokens, k: usize) -> Mixing {
        let mut of_all = vec![None; real.num_all()];
        for (&token, &row) in real.positions().iter().zip(row_of) {
            of_all[token] = Some(row as u32);
        }
        let shares = logits.rows().flat_map(|logits| meo::shares(logits, k)).map(|share| share as f32).collect();
        Mixing::Merged { num_experts: self.num_columns as u32, shares, row_of: of_all }
    }

    /// `weights`: from the logits of one token, `[experts]`, to its weights.
    fn outputs(&self, real: &RealTokens, weights: impl Fn(&[f32]) -> Vec<f64>) -> Mixing {
        let weights: Vec<f64> = real.input().gate_logits.rows().flat_map(weights).collect();
        Mixing::Outputs {
            num_tokens: real.num_all() as u32,
            num_experts: self.num_columns as u32,
            weights: real.among_all(&Matrix::rounded(self.num_columns, weights)),
        }
    }
}

/// Lory's logits of every segment of every sequence, and each token's segment. Segments do not cross sequences.
fn segments(input: &RouterInput, segment: usize) -> (GateLogits, Vec<usize>) {
    let (sequence_of, num_sequences) = input.sequences();
    let num_experts = input.gate_logits.num_experts();
    let mut values = Vec::new();
    let mut segment_of = vec![0; sequence_of.len()];
    let mut num_segments = 0;
    for sequence in 0..num_sequences {
        let tokens: Vec<usize> = (0..sequence_of.len()).filter(|&token| sequence_of[token] == sequence).collect();
        let own = tokens.iter().flat_map(|&token| input.gate_logits.row(token).iter().copied()).collect();
        let own = GateLogits::new(num_experts, own).expect("rows of a matrix of logits");
        let logits = lory::segment_logits(&own, segment);
        values.extend_from_slice(logits.values());
        for (at, &token) in tokens.iter().enumerate() {
            segment_of[token] = num_segments + at / segment;
        }
        num_segments += logits.num_tokens();
    }
    (GateLogits::new(num_experts, values).expect("rows of matrices of logits"), segment_of)
}
