//! Routing rows: what the kernels leave behind for each token, read back as the trace's `GateLogits` and `Routing`.
//!
//! A row is `[logits: experts | expert: k | weight: k | gate probability: k | slot: k]`, see `shaders/gate_top_k.wgsl`.

use moe_kernels::{SLOT_LOST, SLOT_SKIPPED, routing_width};
use moe_trace::{Assignment, ExpertIdx, Fate, GateLogits, Routing, ShapeError};

/// Rows that no kernel writes: the device gave back something else.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RowError {
    #[error(transparent)]
    Logits(#[from] ShapeError),
    #[error("choice {rank} of token {token} names expert {expert} with weight {weight}")]
    Nonsense { token: usize, rank: usize, expert: f32, weight: f32 },
}

/// Reads rows, `[tokens, experts + 4 k]`. An expert of -1 fills up the row of a token that made fewer requests.
pub fn read(
    rows: &[f32],
    num_experts: usize,
    k: usize,
    capacity: Option<u32>,
) -> Result<(GateLogits, Routing), RowError> {
    let rows = rows.chunks_exact(routing_width(num_experts, k));
    let num_tokens = rows.len() as u32;
    let mut logits = Vec::with_capacity(rows.len() * num_experts);
    let mut assignments = Vec::with_capacity(rows.len() * k);
    for (token, row) in rows.enumerate() {
        let (row_logits, chosen) = row.split_at(num_experts);
        logits.extend_from_slice(row_logits);
        for rank in 0..k {
            let [expert, weight, weight_raw, slot] = [0, 1, 2, 3].map(|column| chosen[column * k + rank]);
            if expert < 0.0 {
                continue;
            }
            if expert >= num_experts as f32 || !weight.is_finite() || !weight_raw.is_finite() {
                return Err(RowError::Nonsense { token, rank, expert, weight });
            }
            let fate = if slot >= 0.0 {
                Fate::Kept { slot: slot as u32 }
            } else if slot == SLOT_SKIPPED {
                Fate::Skipped
            } else {
                Fate::Lost
            };
            let expert = ExpertIdx(expert as u32);
            assignments.push(Assignment { token: token as u32, rank: rank as u32, expert, weight, weight_raw, fate });
        }
    }
    let routing = Routing { num_tokens, num_experts: num_experts as u32, capacity, assignments };
    Ok((GateLogits::new(num_experts, logits)?, routing))
}

/// The largest number of requests a token makes: the `k` of rows that [`write`] makes.
pub fn row_k(routing: &Routing) -> usize {
    routing.assignments.iter().map(|a| a.rank as usize + 1).max().unwrap_or(1)
}

/// Writes rows that [`read`] would read, for a routing that was decided on the host.
pub fn write(logits: &GateLogits, routing: &Routing) -> Vec<f32> {
    let (num_experts, k) = (logits.num_experts(), row_k(routing));
    let width = routing_width(num_experts, k);
    let mut rows = vec![-1.0; logits.num_tokens() * width];
    for (row, logits) in rows.chunks_exact_mut(width).zip(logits.rows()) {
        row[..num_experts].copy_from_slice(logits);
    }
    for a in &routing.assignments {
        let start = a.token as usize * width + num_experts + a.rank as usize;
        rows[start] = a.expert.0 as f32;
        rows[start + k] = a.weight;
        rows[start + 2 * k] = a.weight_raw;
        rows[start + 3 * k] = match a.fate {
            Fate::Kept { slot } => slot as f32,
            Fate::Skipped => SLOT_SKIPPED,
            _ => SLOT_LOST,
        };
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let logits = GateLogits::new(2, vec![0.5, 1.0, 2.0, -1.0]).expect("two tokens, two experts");
        let request = |token, rank, expert, fate| Assignment {
            token,
            rank,
            expert: ExpertIdx(expert),
            weight: 0.75,
            weight_raw: 0.5,
            fate,
        };
        let routing = Routing {
            num_tokens: 2,
            num_experts: 2,
            capacity: Some(1),
            // Token 1 makes one request only.
            assignments: vec![
                request(0, 0, 1, Fate::Kept { slot: 0 }),
                request(0, 1, 0, Fate::Skipped),
                request(1, 0, 1, Fate::Lost),
            ],
        };
        let rows = write(&logits, &routing);
        assert_eq!(read(&rows, 2, 2, Some(1)), Ok((logits, routing)));
    }
}
