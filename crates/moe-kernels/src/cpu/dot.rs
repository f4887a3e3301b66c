//! Rows times a matrix, the loop nearly all time is spent in: sums live in registers while the matrix streams by.
//!
//! Every number is one sum over `d_in` in order, whatever rows it is computed beside: a text gives the same numbers
//! token by token and as a whole.

/// Columns of a tile of one row: eight SIMD registers of four f32 in WebAssembly.
const WIDE: usize = 32;
/// Columns of a tile of four rows: eight registers again, and each weight is read once for all four. Also of one row's
/// last tiles, where fewer than `WIDE` are left.
const PANEL: usize = 8;

/// Adds `scale[r] · (rows[r] · weight)` to `out[r]`.
///
/// `rows[r]`: `[d_in]`; `weight`: `[d_in, d_out]`, row-major; `out[r]`: `[d_out]`.
pub fn add_rows_times_matrix(rows: &[&[f32]], scale: &[f32], weight: &[f32], d_out: usize, out: &mut [&mut [f32]]) {
    match (rows, out) {
        ([], _) => {}
        ([row], [out]) => add_row_times_matrix(row, scale[0], weight, d_out, out),
        (rows, out) => add_many_rows(rows, scale, weight, d_out, out),
    }
}

/// `out += x · weight`, row by row. `x`: `[rows, d_in]`, `weight`: `[d_in, d_out]`, `out`: `[rows, d_out]`.
pub fn add_matrix_times_matrix(x: &[f32], d_in: usize, weight: &[f32], d_out: usize, out: &mut [f32]) {
    let rows: Vec<&[f32]> = x.chunks_exact(d_in).collect();
    let mut out: Vec<&mut [f32]> = out.chunks_exact_mut(d_out).collect();
    add_rows_times_matrix(&rows, &vec![1.0; rows.len()], weight, d_out, &mut out);
}

/// The matrix is read once, in order; there is nothing to share it with.
fn add_row_times_matrix(row: &[f32], scale: f32, weight: &[f32], d_out: usize, out: &mut [f32]) {
    let wide = d_out - d_out % WIDE;
    for column in (0..wide).step_by(WIDE) {
        add_columns::<WIDE>(row, scale, weight, d_out, column, out);
    }
    let whole = d_out - d_out % PANEL;
    for column in (wide..whole).step_by(PANEL) {
        add_columns::<PANEL>(row, scale, weight, d_out, column, out);
    }
    for column in whole..d_out {
        add_columns::<1>(row, scale, weight, d_out, column, out);
    }
}

/// `C` columns from `column` on.
#[inline(always)]
fn add_columns<const C: usize>(row: &[f32], scale: f32, weight: &[f32], d_out: usize, column: usize, out: &mut [f32]) {
    let mut sums = [0.0f32; C];
    for (x, weights) in row.iter().zip(weight.chunks_exact(d_out)) {
        let weights: &[f32; C] = weights[column..column + C].try_into().expect("a slice of C columns");
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += x * weight;
        }
    }
    for (y, sum) in out[column..column + C].iter_mut().zip(&sums) {
        *y += scale * sum;
    }
}

/// A few columns at a time are copied together first. Read in place, they lie so far apart that each falls out of the
/// cache before the next rows want it.
fn add_many_rows(rows: &[&[f32]], scale: &[f32], weight: &[f32], d_out: usize, out: &mut [&mut [f32]]) {
    let mut panel = vec![[0.0f32; PANEL]; rows[0].len()];
    for column in (0..d_out).step_by(PANEL) {
        let width = PANEL.min(d_out - column);
        for (panel, weights) in panel.iter_mut().zip(weight.chunks_exact(d_out)) {
            // Beyond the last column the panel holds numbers of another one, and their sums go nowhere.
            panel[..width].copy_from_slice(&weights[column..column + width]);
        }
        for ((rows, scale), out) in rows.chunks(4).zip(scale.chunks(4)).zip(out.chunks_mut(4)) {
            match *rows {
                [a] => add_tile([a], scale, &panel, column, out),
                [a, b] => add_tile([a, b], scale, &panel, column, out),
                [a, b, c] => add_tile([a, b, c], scale, &panel, column, out),
                [a, b, c, d] => add_tile([a, b, c, d], scale, &panel, column, out),
                _ => unreachable!("chunks of one to four rows"),
            }
        }
    }
}

/// `panel`: `[d_in]` of `PANEL` columns, which begin at `column` of the matrix.
#[inline(always)]
fn add_tile<const R: usize>(
    rows: [&[f32]; R],
    scale: &[f32],
    panel: &[[f32; PANEL]],
    column: usize,
    out: &mut [&mut [f32]],
) {
    // Of one length for sure, so that the loop below need not check its bounds.
    let rows = rows.map(|row| &row[..panel.len()]);
    let mut sums = [[0.0f32; PANEL]; R];
    for (i, weights) in panel.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let x = row[i];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += x * weight;
            }
        }
    }
    for ((out, sums), scale) in out.iter_mut().zip(&sums).zip(scale) {
        for (y, sum) in out[column..].iter_mut().zip(sums) {
            *y += scale * sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_rows_and_odd_widths() {
        for num_rows in 1..=9 {
            for d_out in [1, 7, 8, 33, 40] {
                let d_in = 5;
                let x: Vec<f32> = (0..num_rows * d_in).map(|i| (i % 7) as f32 - 3.0).collect();
                let weight: Vec<f32> = (0..d_in * d_out).map(|i| (i % 5) as f32 - 2.0).collect();
                let mut out = vec![1.0; num_rows * d_out];
                add_matrix_times_matrix(&x, d_in, &weight, d_out, &mut out);
                for row in 0..num_rows {
                    for column in 0..d_out {
                        let sum: f32 = (0..d_in).map(|i| x[row * d_in + i] * weight[i * d_out + column]).sum();
                        assert_eq!(out[row * d_out + column], 1.0 + sum, "row {row}, column {column} of {d_out}");
                    }
                }
            }
        }
    }
}
