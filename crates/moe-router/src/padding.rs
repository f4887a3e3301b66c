//! Padding: tokens that only fill up a batch are taken out before routing and put back after it.
//!
//! So no rule, whatever it looks at, can give them a slot or count them: not in a capacity, a mean, a plan or a choice of
//! experts. Sources differ: flaxformer's scatter and expert-choice routers only multiply padding's probabilities by 0, so
//! that it may still take slots.

use moe_trace::{Assignment, ExpertIdx, Fate, GateLogits, Routing, TokenId};

use crate::dispatch::by_token;
use crate::gate::{softmax, top_k};
use crate::input::RouterInput;
use crate::matrix::Matrix;

/// The real tokens of an input, owned, and where they stood.
pub(crate) struct RealTokens<'a> {
    of_all: RouterInput<'a>,
    /// Indices of the real tokens, ascending.
    positions: Vec<usize>,
    gate_logits: GateLogits,
    group_logits: Option<GateLogits>,
    uniforms: Vec<f32>,
    gumbels: Vec<f32>,
    normals: Vec<f32>,
    lots: Vec<f32>,
    noise_std: Vec<f32>,
    token_ids: Vec<TokenId>,
    sequence_ids: Vec<u32>,
}

impl<'a> RealTokens<'a> {
    /// Leaves the padding out of a checked input.
    pub fn of(input: &RouterInput<'a>) -> RealTokens<'a> {
        let num_experts = input.gate_logits.num_experts();
        let is_padding = |token: usize| input.is_padding.get(token).copied().unwrap_or(false);
        let positions: Vec<usize> = (0..input.gate_logits.num_tokens()).filter(|&token| !is_padding(token)).collect();
        let rows = |logits: &GateLogits| {
            let values = positions.iter().flat_map(|&token| logits.row(token).iter().copied()).collect();
            GateLogits::new(logits.num_experts(), values).expect("rows of a matrix of logits")
        };
        RealTokens {
            gate_logits: rows(input.gate_logits),
            group_logits: input.group_logits.map(rows),
            uniforms: picked(input.uniforms, &positions, 1),
            gumbels: picked(input.gumbels, &positions, num_experts),
            normals: picked(input.normals, &positions, num_experts),
            lots: picked(input.lots, &positions, num_experts),
            noise_std: picked(input.noise_std, &positions, num_experts),
            token_ids: picked(input.token_ids, &positions, 1),
            sequence_ids: picked(input.sequence_ids, &positions, 1),
            of_all: *input,
            positions,
        }
    }

    /// The input without padding.
    pub fn input(&self) -> RouterInput<'_> {
        RouterInput {
            gate_logits: &self.gate_logits,
            group_logits: self.group_logits.as_ref(),
            uniforms: &self.uniforms,
            gumbels: &self.gumbels,
            normals: &self.normals,
            lots: &self.lots,
            noise_std: &self.noise_std,
            token_ids: &self.token_ids,
            sequence_ids: &self.sequence_ids,
            is_padding: &[],
            ..self.of_all
        }
    }

    /// Indices of the real tokens among all, ascending.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// How many tokens there are with the padding.
    pub fn num_all(&self) -> usize {
        self.of_all.gate_logits.num_tokens()
    }

    /// Rows of the real tokens among those of all, `[tokens, width]`; zeros for padding.
    pub fn among_all(&self, rows: &Matrix) -> Vec<f32> {
        let mut of_all = vec![0.0; self.num_all() * rows.width()];
        for (&token, row) in self.positions.iter().zip(rows.rows()) {
            of_all[token * rows.width()..][..rows.width()].copy_from_slice(row);
        }
        of_all
    }

    /// The routing of all tokens from that of the real ones. A token of padding gets one record: its most probable
    /// expert, weight 0, [`Fate::Padding`].
    pub fn with_padding(&self, routing: Routing) -> Routing {
        let gate_logits = self.of_all.gate_logits;
        let mut assignments = routing.assignments;
        for assignment in &mut assignments {
            assignment.token = self.positions[assignment.token as usize] as u32;
        }
        for token in (0..gate_logits.num_tokens()).filter(|&token| self.of_all.is_padding[token]) {
            let best = top_k(gate_logits.row(token), 1)[0];
            assignments.push(Assignment {
                token: token as u32,
                rank: 0,
                expert: ExpertIdx(best as u32),
                weight: 0.0,
                weight_raw: softmax(gate_logits.row(token))[best] as f32,
                fate: Fate::Padding,
            });
        }
        let assignments = by_token(assignments);
        Routing { num_tokens: gate_logits.num_tokens() as u32, assignments, ..routing }
    }
}

/// The rows of `width` at these positions, as far as there are any: a list may be empty or stop early.
fn picked<T: Copy>(values: &[T], positions: &[usize], width: usize) -> Vec<T> {
    positions.iter().map_while(|&at| values.get(at * width..(at + 1) * width)).flatten().copied().collect()
}
