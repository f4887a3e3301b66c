//! Rows times a matrix, the loop nearly all time is spent in: sums live in registers while the matrix streams by.

/// Columns of one tile: eight SIMD registers of four f32 in WebAssembly.
const LANES: usize = 32;

/// Adds `scale[r] · (rows[r] · weight)` to `out[r]` for up to four rows.
///
/// `rows[r]`: `[d_in]`; `weight`: `[d_in, d_out]`, row-major; `out[r]`: `[d_out]`.
pub fn add_rows_times_matrix(rows: &[&[f32]], scale: &[f32], weight: &[f32], d_out: usize, out: &mut [&mut [f32]]) {
    match (rows, scale, out) {
        ([], [], []) => {}
        ([a], &[s], [y]) => tiles([a], [s], weight, d_out, [y]),
        ([a, b], &[s, t], [y, z]) => tiles([a, b], [s, t], weight, d_out, [y, z]),
        ([a, b, c, d], &[s, t, u, v], [y, z, p, q]) => tiles([a, b, c, d], [s, t, u, v], weight, d_out, [y, z, p, q]),
        ([a, b, c], &[s, t, u], [y, z, p]) => tiles([a, b, c], [s, t, u], weight, d_out, [y, z, p]),
        _ => unreachable!("at most four rows, and as many scales and outputs"),
    }
}

/// One row in tiles of 32 columns, several in tiles of eight: eight registers of sums either way, and each weight is
/// read once for all rows.
fn tiles<const R: usize>(rows: [&[f32]; R], scale: [f32; R], weight: &[f32], d_out: usize, out: [&mut [f32]; R]) {
    if R == 1 {
        tiles_of::<R, LANES>(rows, scale, weight, d_out, out);
    } else {
        tiles_of::<R, 8>(rows, scale, weight, d_out, out);
    }
}

#[inline(always)]
fn tiles_of<const R: usize, const L: usize>(
    rows: [&[f32]; R],
    scale: [f32; R],
    weight: &[f32],
    d_out: usize,
    out: [&mut [f32]; R],
) {
    let d_in = rows[0].len();
    let whole = d_out - d_out % L;
    for column in (0..whole).step_by(L) {
        let mut sums = [[0.0f32; L]; R];
        for i in 0..d_in {
            let start = i * d_out + column;
            let w: &[f32; L] = weight[start..start + L].try_into().expect("a slice of L columns");
            for (sum, row) in sums.iter_mut().zip(&rows) {
                let x = row[i];
                for (s, w) in sum.iter_mut().zip(w) {
                    *s += x * w;
                }
            }
        }
        for r in 0..R {
            for (y, s) in out[r][column..column + L].iter_mut().zip(&sums[r]) {
                *y += scale[r] * s;
            }
        }
    }
    for column in whole..d_out {
        for r in 0..R {
            let mut sum = 0.0;
            for i in 0..d_in {
                sum += rows[r][i] * weight[i * d_out + column];
            }
            out[r][column] += scale[r] * sum;
        }
    }
}

/// `out += x · weight`, row by row. `x`: `[rows, d_in]`, `weight`: `[d_in, d_out]`, `out`: `[rows, d_out]`.
pub fn add_matrix_times_matrix(x: &[f32], d_in: usize, weight: &[f32], d_out: usize, out: &mut [f32]) {
    for (x, out) in x.chunks(4 * d_in).zip(out.chunks_mut(4 * d_out)) {
        let rows: Vec<&[f32]> = x.chunks(d_in).collect();
        let mut out: Vec<&mut [f32]> = out.chunks_mut(d_out).collect();
        add_rows_times_matrix(&rows, &[1.0; 4][..rows.len()], weight, d_out, &mut out);
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
