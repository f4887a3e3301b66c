//! Rows times a packed matrix.

use super::activations::Activations;
use super::matrix::{PackedMatrix, Scales};
use super::sums::{self, Fastest, Lanes, PAIR, Plain, TILE};

/// Rows of one tile, and tiles of one row, whose sums are made together: eight registers of them either way. Of several
/// rows each weight is widened once for all.
const TOGETHER: usize = 4;

/// `out += x · matrix`, row by row. `x`: `[rows, d_in]`, `out`: `[rows, d_out]`.
pub fn add_matrix_times_packed(x: &[f32], matrix: &PackedMatrix, out: &mut [f32]) {
    let rows: Vec<&[f32]> = x.chunks_exact(matrix.d_in).collect();
    let mut out: Vec<&mut [f32]> = out.chunks_exact_mut(matrix.d_out).collect();
    add_rows_times_packed(&rows, &vec![1.0; rows.len()], matrix, &mut out);
}

/// Adds `scale[r] · (rows[r] · matrix)` to `out[r]`. `rows[r]`: `[d_in]`; `out[r]`: `[d_out]`.
///
/// Of each number the blocks' sums are added in order, whatever rows it is computed beside.
pub fn add_rows_times_packed(rows: &[&[f32]], scale: &[f32], matrix: &PackedMatrix, out: &mut [&mut [f32]]) {
    add_rows::<Fastest>(rows, scale, matrix, out);
}

/// The same without SIMD, to compare with.
pub fn add_rows_times_packed_plainly(rows: &[&[f32]], scale: &[f32], matrix: &PackedMatrix, out: &mut [&mut [f32]]) {
    add_rows::<Plain>(rows, scale, matrix, out);
}

fn add_rows<L: Lanes>(rows: &[&[f32]], scale: &[f32], matrix: &PackedMatrix, out: &mut [&mut [f32]]) {
    let mut activations = Activations::new(rows.len(), matrix.d_in, matrix.block);
    let tiles_of_group = matrix.group.div_ceil(TILE);
    for group in 0..matrix.d_out.div_ceil(matrix.group) {
        let weights = match &matrix.scales {
            Scales::OfInputs(scales) => Some(&scales[group * matrix.d_in..][..matrix.d_in]),
            Scales::OfColumns(_) => None,
        };
        for (index, row) in rows.iter().enumerate() {
            activations.round(index, row, weights, matrix.block);
        }
        let (first, end) = (group * tiles_of_group, (group + 1) * tiles_of_group);
        let whole_rows = rows.len() - rows.len() % TOGETHER;
        for row in (0..whole_rows).step_by(TOGETHER) {
            for tile in first..end {
                add_tiles::<L, TOGETHER, 1>(matrix, tile, &activations, row, scale, out);
            }
        }
        let whole = end - tiles_of_group % TOGETHER;
        for tile in (first..whole).step_by(TOGETHER) {
            for row in whole_rows..rows.len() {
                add_tiles::<L, 1, TOGETHER>(matrix, tile, &activations, row, scale, out);
            }
        }
        for tile in whole..end {
            for row in whole_rows..rows.len() {
                add_tiles::<L, 1, 1>(matrix, tile, &activations, row, scale, out);
            }
        }
    }
}

/// The columns of `T` tiles for `R` rows from `first_row` on. By itself, so that its sums find registers.
#[inline(never)]
fn add_tiles<L: Lanes, const R: usize, const T: usize>(
    matrix: &PackedMatrix,
    tile: usize,
    activations: &Activations,
    first_row: usize,
    scale: &[f32],
    out: &mut [&mut [f32]],
) {
    let (inputs, weights_len) = (matrix.pairs() * PAIR, matrix.pairs() * TILE * PAIR);
    let tiles: [_; T] = std::array::from_fn(|t| &matrix.values[(tile + t) * matrix.tile_len()..][..matrix.tile_len()]);
    let rows: [_; R] = std::array::from_fn(|r| activations.row(first_row + r));
    let mut totals = [[[0.0f32; TILE]; T]; R];
    for block in 0..matrix.num_blocks() {
        let weights = std::array::from_fn(|t| &tiles[t][block * weights_len..][..weights_len]);
        let activations = std::array::from_fn(|r| &rows[r].0[block * inputs..][..inputs]);
        let sums = sums::block::<L, R, T>(weights, activations);
        for ((totals, sums), (_, scales)) in totals.iter_mut().zip(&sums).zip(&rows) {
            let of_row = scales[block];
            for (t, (totals, sums)) in totals.iter_mut().zip(sums).enumerate() {
                let of_columns = match &matrix.scales {
                    Scales::OfInputs(_) => [1.0; TILE],
                    Scales::OfColumns(scales) => scales[(tile + t) * matrix.num_blocks() + block],
                };
                for ((total, sum), of_column) in totals.iter_mut().zip(sums.as_flattened()).zip(of_columns) {
                    *total += of_row * of_column * *sum as f32;
                }
            }
        }
    }
    for ((totals, out), scale) in totals.iter().zip(&mut out[first_row..]).zip(&scale[first_row..]) {
        for (t, totals) in totals.iter().enumerate() {
            let (column, width) = matrix.columns(tile + t);
            for (out, total) in out[column..column + width].iter_mut().zip(totals) {
                *out += scale * total;
            }
        }
    }
}
