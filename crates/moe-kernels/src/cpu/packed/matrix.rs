//! A matrix of 8-bit numbers in blocks with a scale each, ordered as the products read it.

use super::sums::{PAIR, TILE};

/// Numbers of a weights file that share a scale: neighbours in the flattened tensor.
pub const STORED_BLOCK: usize = 64;

/// A tensor as a weights file holds it: number `i` is `values[i] · scales[i / 64]`.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// `i8` by their bits.
    pub values: &'a [u8],
    pub scales: &'a [f32],
}

/// `[d_in, d_out]` in tiles of eight columns, and in a tile two inputs of a column side by side.
#[derive(Debug, Clone)]
pub struct PackedMatrix {
    pub d_in: usize,
    pub d_out: usize,
    /// `[tiles, blocks, pairs of a block, TILE, PAIR]`. Where a tile has fewer columns, or a block fewer inputs: zeros.
    pub(super) values: Vec<i8>,
    pub(super) scales: Scales,
    /// Inputs whose activations share a scale.
    pub(super) block: usize,
    /// Columns for which activations are rounded together.
    pub(super) group: usize,
}

/// Where the scales are: the file's blocks run along the columns of an input, or along the inputs of a column.
#[derive(Debug, Clone)]
pub(super) enum Scales {
    /// `[groups, d_in]`: of an input's weights in a group of columns. Activations are multiplied by them, then rounded.
    OfInputs(Vec<f32>),
    /// `[tiles, blocks]`: of the columns' weights in a block of inputs. Sums are multiplied by them.
    OfColumns(Vec<[f32; TILE]>),
}

impl PackedMatrix {
    /// Of a tensor `[…, d_in, d_out]`, the matrix that begins at number `first`.
    pub fn new(stored: Stored<'_>, first: usize, d_in: usize, d_out: usize) -> PackedMatrix {
        let at = |input: usize, column: usize| first + input * d_out + column;
        // As many columns as have one scale at every input.
        let group = common_divisor(STORED_BLOCK, common_divisor(first, d_out));
        let mut scales = Vec::with_capacity(d_out / group * d_in);
        for column in (0..d_out).step_by(group) {
            scales.extend((0..d_in).map(|input| stored.scales[at(input, column) / STORED_BLOCK]));
        }
        let (scales, block) = (Scales::OfInputs(scales), STORED_BLOCK.min(d_in));
        let matrix = PackedMatrix { d_in, d_out, values: Vec::new(), scales, block, group };
        matrix.filled(|input, column| stored.values[at(input, column)].cast_signed())
    }

    /// The transpose, `[d_in, d_out]`, of a tensor `[d_out, d_in]`.
    pub fn transposed(stored: Stored<'_>, d_in: usize, d_out: usize) -> PackedMatrix {
        let at = |input: usize, column: usize| column * d_in + input;
        let block = common_divisor(STORED_BLOCK, d_in);
        let mut scales = Vec::with_capacity(d_out.div_ceil(TILE) * (d_in / block));
        for tile in (0..d_out).step_by(TILE) {
            for input in (0..d_in).step_by(block) {
                let scale = |column: usize| stored.scales[at(input, column) / STORED_BLOCK];
                scales.push(std::array::from_fn(|at| if tile + at < d_out { scale(tile + at) } else { 0.0 }));
            }
        }
        let matrix =
            PackedMatrix { d_in, d_out, values: Vec::new(), scales: Scales::OfColumns(scales), block, group: d_out };
        matrix.filled(|input, column| stored.values[at(input, column)].cast_signed())
    }

    fn filled(mut self, value: impl Fn(usize, usize) -> i8) -> PackedMatrix {
        let mut values = Vec::with_capacity(self.num_tiles() * self.tile_len());
        for tile in 0..self.num_tiles() {
            let (first, width) = self.columns(tile);
            for block in (0..self.d_in).step_by(self.block) {
                let end = self.d_in.min(block + self.block);
                for pair in (block..block + self.block).step_by(PAIR) {
                    for column in 0..TILE {
                        let number = |input: usize| match input < end && column < width {
                            true => value(input, first + column),
                            false => 0,
                        };
                        values.extend((pair..pair + PAIR).map(number));
                    }
                }
            }
        }
        self.values = values;
        self
    }

    /// Column `column`, which is row `column` of the tensor where this is its transpose: `[d_in]` numbers as stored.
    pub fn read_column(&self, column: usize, out: &mut [f32]) {
        let width = self.group.min(TILE);
        let (tile, within) = (column / width, column % width);
        for (input, out) in out.iter_mut().enumerate() {
            let (block, of_block) = (input / self.block, input % self.block);
            let pair = block * self.pairs() + of_block / PAIR;
            let value = self.values[tile * self.tile_len() + (pair * TILE + within) * PAIR + of_block % PAIR];
            let scale = match &self.scales {
                Scales::OfInputs(scales) => scales[column / self.group * self.d_in + input],
                Scales::OfColumns(scales) => scales[tile * self.num_blocks() + block][within],
            };
            *out = f32::from(value) * scale;
        }
    }

    /// First column and number of columns of a tile.
    pub(super) fn columns(&self, tile: usize) -> (usize, usize) {
        let width = self.group.min(TILE);
        (tile * width, width.min(self.d_out - tile * width))
    }

    pub(super) fn num_tiles(&self) -> usize {
        self.d_out.div_ceil(self.group.min(TILE))
    }

    pub(super) fn num_blocks(&self) -> usize {
        self.d_in.div_ceil(self.block)
    }

    /// Of a block.
    pub(super) fn pairs(&self) -> usize {
        self.block.div_ceil(PAIR)
    }

    /// Numbers of a tile, the zeros included.
    pub(super) fn tile_len(&self) -> usize {
        self.num_blocks() * self.pairs() * TILE * PAIR
    }
}

/// The greatest; of 0 and a number it is the number.
fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
