//! Activations as 16-bit whole numbers, a scale for every block.

use super::sums::PAIR;

/// The largest magnitude of a rounded activation.
const LARGEST: f32 = 32767.0;

/// Below this the reciprocal of a block's largest number is not finite: such a block counts as zeros.
const TINY: f32 = 1e-30;

/// Added to a number of at most 22 bits, it leaves the number rounded to a whole one, ties to even, in the last bits.
const ROUNDER: f32 = 12_582_912.0;

/// Rows of activations, rounded.
pub struct Activations {
    /// `[rows, blocks, numbers of a block]`, an even number of them; the last may be a zero that is no activation.
    values: Vec<i16>,
    /// `[rows, blocks]`
    scales: Vec<f32>,
    row_len: usize,
    num_blocks: usize,
}

impl Activations {
    /// Room for rows of `d_in` numbers in blocks of `block`.
    pub fn new(num_rows: usize, d_in: usize, block: usize) -> Activations {
        let num_blocks = d_in.div_ceil(block);
        let row_len = num_blocks * block.next_multiple_of(PAIR);
        Activations {
            values: vec![0; num_rows * row_len],
            scales: vec![0.0; num_rows * num_blocks],
            row_len,
            num_blocks,
        }
    }

    /// Rounds `row · weights`, number by number, both `[d_in]`; or `row` alone.
    pub fn round(&mut self, index: usize, row: &[f32], weights: Option<&[f32]>, block: usize) {
        let values = &mut self.values[index * self.row_len..][..self.row_len];
        let scales = &mut self.scales[index * self.num_blocks..][..self.num_blocks];
        let blocks = values.chunks_exact_mut(block.next_multiple_of(PAIR)).zip(scales).zip(row.chunks(block));
        for (at, ((values, scale), x)) in blocks.enumerate() {
            *scale = match weights {
                None => round_block(x, values),
                Some(weights) => {
                    let mut product = [0.0; 64];
                    let product = &mut product[..x.len()];
                    for ((product, x), weight) in product.iter_mut().zip(x).zip(&weights[at * block..]) {
                        *product = x * weight;
                    }
                    round_block(product, values)
                }
            };
        }
    }

    /// Of a row: `[blocks, numbers of a block]`, and `[blocks]` scales.
    #[inline]
    pub fn row(&self, index: usize) -> (&[i16], &[f32]) {
        let values = &self.values[index * self.row_len..][..self.row_len];
        (values, &self.scales[index * self.num_blocks..][..self.num_blocks])
    }
}

/// Gives the scale. Of a block with a number that is not finite it is not finite either, and so is what is computed of it.
fn round_block(x: &[f32], rounded: &mut [i16]) -> f32 {
    // Magnitudes are ordered as their bits are; not-a-number is the largest.
    let largest = x.iter().fold(0, |largest: i32, x| largest.max((x.to_bits() & 0x7fff_ffff) as i32));
    let largest = f32::from_bits(largest as u32);
    let steps = if largest > TINY { LARGEST / largest } else { 0.0 };
    for (rounded, x) in rounded.iter_mut().zip(x) {
        *rounded = (x * steps + ROUNDER).to_bits() as i16;
    }
    largest / LARGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(x: &[f32]) -> (Vec<i16>, f32) {
        let mut rounded = vec![0; x.len()];
        let scale = round_block(x, &mut rounded);
        (rounded, scale)
    }

    #[test]
    fn to_the_nearest_ties_to_even() {
        // 32767 steps are 1, so a step is 1 / 32767.
        let step = 1.0 / LARGEST;
        let (rounded, scale) = round(&[1.0, -1.0, 0.0, step, 100.4 * step, -100.6 * step, 0.2 * step]);
        assert_eq!((rounded, scale), (vec![32767, -32767, 0, 1, 100, -101, 0], step));
        let (rounded, scale) = round(&[32767.0, 0.5, 1.5, -2.5, 2.51]);
        assert_eq!((rounded, scale), (vec![32767, 0, 2, -2, 3], 1.0));
    }

    #[test]
    fn nothing_and_what_is_no_number() {
        assert_eq!(round(&[0.0, -0.0]), (vec![0, 0], 0.0));
        assert_eq!(round(&[1e-38, 0.0]).0, [0, 0]);
        assert!(round(&[1.0, f32::NAN]).1.is_nan());
        assert!(!round(&[1.0, f32::NEG_INFINITY]).1.is_finite());
    }
}
