//! Near ties: keys so close that f32 inputs may order them otherwise than f64 does.
//!
//! Only what follows from such a choice is forgiven, and only for the tokens that made it; probabilities, losses without
//! a choice and whatever else is a smooth function of the input must agree always.

/// Are two keys closer than the rounding of their inputs? Of probabilities, whose error is relative: a logit of 8 in f32 is
/// uncertain by 5e-7, and its exponential by that part of itself.
pub fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 2e-6 * a.abs().max(b.abs())
}

/// Likewise of logits and scores, whose error is absolute.
pub fn near_scores(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6 * a.abs().max(b.abs()).max(1.0)
}

/// Is one of the `k` largest keys near the next?
pub fn top_is_tied(keys: &[f64], k: usize, near: impl Fn(f64, f64) -> bool) -> bool {
    let mut sorted = keys.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted.windows(2).take(k).any(|pair| near(pair[0], pair[1]))
}

/// `[rows]`: is one of the `k` largest logits or scores of the row near the next?
pub fn top_k(rows: &[Vec<f64>], k: usize) -> Vec<bool> {
    rows.iter().map(|row| top_is_tied(row, k, near_scores)).collect()
}

/// `[columns]`: the same of a matrix's columns.
pub fn top_of_columns(rows: &[Vec<f64>], k: usize) -> Vec<bool> {
    let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<f64>>();
    (0..rows.first().map_or(0, Vec::len)).map(|at| top_is_tied(&column(at), k, near)).collect()
}

/// `[keys]`: which have another near them?
pub fn neighbours(keys: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    let mut tied = vec![false; keys.len()];
    for pair in order.windows(2) {
        if near(keys[pair[0]], keys[pair[1]]) {
            tied[pair[0]] = true;
            tied[pair[1]] = true;
        }
    }
    tied
}

pub fn any(ties: &[bool]) -> bool {
    ties.contains(&true)
}

/// Tied by one or by the other.
pub fn either(a: &[bool], b: &[bool]) -> Vec<bool> {
    a.iter().zip(b).map(|(a, b)| *a || *b).collect()
}
