//! Dropless routing in blocks (MegaBlocks, Gale et al. 2022, arXiv:2211.15841, section 5): sort requests by expert, round
//! every expert's share up to whole blocks, and nobody needs to be turned away.
//!
//! Causal; the same in training and inference. The block is 128 in MegaBlocks; 8 or 16 suits WebGPU tiles. What rounding
//! up costs is the waste.
//!
//! Top-2 of the [running example](crate::example): its twelve requests, numbered token by token, sorted by expert. Experts
//! serve 4, 4, 2 and 2; in blocks of four that is 16 rows, of which a quarter is empty.
//!
//! ```
//! use moe_router::{dispatch::dropless, example, overflow::blocks, token_choice::top_k};
//!
//! let requests = top_k::requests(&example::gate_logits(), 2, moe_trace::Weighting::Norm);
//! let blocks = blocks::blocks(&dropless(&requests, 6, 4), 4);
//! assert_eq!(blocks.sorted, [0, 2, 4, 8, 1, 3, 7, 9, 6, 11, 5, 10]);
//! assert_eq!((blocks.tokens_per_expert, blocks.ends), (vec![4, 4, 2, 2], vec![4, 8, 10, 12]));
//! assert_eq!((blocks.padded, blocks.padded_ends), (vec![4, 4, 4, 4], vec![4, 8, 12, 16]));
//! assert_eq!(blocks.waste, 0.25);
//! ```

use moe_trace::{ExpertIdx, Routing};

use crate::gate::sorted;

/// Where each expert's requests lie once they are sorted.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    /// `[kept requests]`: indices of requests in token-major order, sorted by expert; a stable sort.
    pub sorted: Vec<u32>,
    /// `[experts]`: kept requests of each.
    pub tokens_per_expert: Vec<u32>,
    /// `[experts]`: where each expert's stretch of `sorted` ends.
    pub ends: Vec<u32>,
    /// `[experts]`: `tokens_per_expert` rounded up to whole blocks.
    pub padded: Vec<u32>,
    /// `[experts]`: where each expert's padded stretch ends.
    pub padded_ends: Vec<u32>,
    /// Part of the padded rows that is padding.
    pub waste: f64,
}

/// Sorts the kept requests of a routing by expert. `block`: rows per block, at least 1.
pub fn blocks(routing: &Routing, block: u32) -> Blocks {
    let kept = routing.assignments.iter().enumerate().filter(|(_, assignment)| assignment.fate.is_kept());
    let kept: Vec<(ExpertIdx, usize)> = kept.map(|(at, assignment)| (assignment.expert, at)).collect();
    let by_expert = sorted(kept.len(), &|a, b| kept[a].0.cmp(&kept[b].0));
    let tokens_per_expert = crate::metrics::load(routing);
    let padded: Vec<u32> = tokens_per_expert.iter().map(|tokens| tokens.div_ceil(block) * block).collect();
    let (filled, rows) = (tokens_per_expert.iter().sum::<u32>(), padded.iter().sum::<u32>());
    Blocks {
        waste: f64::from(rows - filled) / f64::from(rows.max(1)),
        sorted: by_expert.into_iter().map(|at| kept[at].1 as u32).collect(),
        ends: running_sum(&tokens_per_expert),
        padded_ends: running_sum(&padded),
        tokens_per_expert,
        padded,
    }
}

fn running_sum(counts: &[u32]) -> Vec<u32> {
    let sums = counts.iter().scan(0, |sum, count| {
        *sum += count;
        Some(*sum)
    });
    sums.collect()
}
