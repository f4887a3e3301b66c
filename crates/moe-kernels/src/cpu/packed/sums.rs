//! The inner loop: 8-bit weights times 16-bit activations, summed in 32 bits.
//!
//! A block of 64 inputs makes at most 64 · 127 · 32768, an eighth of what 32 bits hold.

use std::array::from_fn;

/// Columns that lie together.
pub const TILE: usize = 8;
/// Inputs that lie together: one instruction multiplies two neighbours and adds.
pub const PAIR: usize = 2;

/// Weights of a pair of inputs, `[TILE, PAIR]`.
type Weights = [i8; TILE * PAIR];

/// Half the columns of a tile in a register.
pub trait Lanes: Copy {
    fn zeros() -> Self;

    /// The weights of the first four columns, and of the others, as 16-bit pairs.
    fn weights(weights: &Weights) -> (Self, Self);

    /// The activations of a pair, for every column.
    fn activations(pair: &[i16; PAIR]) -> Self;

    /// 32-bit sums, and what a pair adds to them.
    fn plus(self, weights: Self, activations: Self) -> Self;

    fn sums(self) -> [i32; TILE / 2];
}

/// The sums of a tile, its columns in two halves.
type Sums = [[i32; TILE / 2]; 2];

/// For `R` rows and `T` tiles: `Σ weights · activations` of a block.
///
/// `weights[t]`: `[pairs, TILE, PAIR]`; `activations[r]`: `[pairs, PAIR]`.
#[inline(always)]
pub fn block<L: Lanes, const R: usize, const T: usize>(
    weights: [&[i8]; T],
    activations: [&[i16]; R],
) -> [[Sums; T]; R] {
    let num_pairs = activations[0].len() / PAIR;
    // Of one length for sure, so that the loop below need not check its bounds.
    let activations: [_; R] = from_fn(|r| &activations[r].as_chunks::<PAIR>().0[..num_pairs]);
    let weights: [_; T] = from_fn(|t| &weights[t].as_chunks::<{ TILE * PAIR }>().0[..num_pairs]);
    let mut sums = [[[L::zeros(); 2]; T]; R];
    for pair in 0..num_pairs {
        // In loops, and not by `map`, which the compiler may leave a call.
        let mut of_rows = [L::zeros(); R];
        for (of_row, row) in of_rows.iter_mut().zip(&activations) {
            *of_row = L::activations(&row[pair]);
        }
        for (t, weights) in weights.iter().enumerate() {
            let (first, second) = L::weights(&weights[pair]);
            for (sums, &of_row) in sums.iter_mut().zip(&of_rows) {
                sums[t][0] = sums[t][0].plus(first, of_row);
                sums[t][1] = sums[t][1].plus(second, of_row);
            }
        }
    }
    from_fn(|r| from_fn(|t| from_fn(|half| sums[r][t][half].sums())))
}

/// What this machine computes with.
#[cfg(target_arch = "wasm32")]
pub type Fastest = core::arch::wasm32::v128;
#[cfg(target_arch = "x86_64")]
pub type Fastest = core::arch::x86_64::__m128i;
#[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
pub type Fastest = Plain;

/// The same without SIMD: for other machines, and to compare with.
#[derive(Clone, Copy)]
pub struct Plain([i32; TILE]);

impl Lanes for Plain {
    fn zeros() -> Plain {
        Plain([0; TILE])
    }

    fn weights(weights: &Weights) -> (Plain, Plain) {
        let (first, second) = weights.split_at(TILE);
        let half = |weights: &[i8]| Plain(std::array::from_fn(|at| i32::from(weights[at])));
        (half(first), half(second))
    }

    fn activations(pair: &[i16; PAIR]) -> Plain {
        Plain(std::array::from_fn(|at| i32::from(pair[at % PAIR])))
    }

    /// A column's sum is that of its two numbers.
    fn plus(self, weights: Plain, activations: Plain) -> Plain {
        Plain(std::array::from_fn(|at| self.0[at] + weights.0[at] * activations.0[at]))
    }

    fn sums(self) -> [i32; TILE / 2] {
        std::array::from_fn(|column| self.0[column * PAIR] + self.0[column * PAIR + 1])
    }
}

#[cfg(target_arch = "wasm32")]
mod simd128 {
    use core::arch::wasm32::{
        i16x8_load_extend_i8x8, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, v128, v128_load32_splat,
    };

    use super::{Lanes, PAIR, TILE, Weights};

    impl Lanes for v128 {
        #[inline(always)]
        fn zeros() -> v128 {
            i32x4_splat(0)
        }

        #[inline(always)]
        fn weights(weights: &Weights) -> (v128, v128) {
            let (first, second) = weights.split_at(TILE);
            // SAFETY: eight weights each, of any alignment.
            unsafe { (i16x8_load_extend_i8x8(first.as_ptr()), i16x8_load_extend_i8x8(second.as_ptr())) }
        }

        #[inline(always)]
        fn activations(pair: &[i16; PAIR]) -> v128 {
            // SAFETY: two activations are 32 bits, of any alignment.
            unsafe { v128_load32_splat(pair.as_ptr().cast()) }
        }

        #[inline(always)]
        fn plus(self, weights: v128, activations: v128) -> v128 {
            i32x4_add(self, i32x4_dot_i16x8(weights, activations))
        }

        #[inline(always)]
        fn sums(self) -> [i32; TILE / 2] {
            [
                i32x4_extract_lane::<0>(self),
                i32x4_extract_lane::<1>(self),
                i32x4_extract_lane::<2>(self),
                i32x4_extract_lane::<3>(self),
            ]
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use core::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_loadu_si128, _mm_madd_epi16, _mm_set1_epi32, _mm_setzero_si128, _mm_srai_epi16,
        _mm_unpackhi_epi8, _mm_unpacklo_epi8,
    };

    use super::{Lanes, PAIR, TILE, Weights};

    impl Lanes for __m128i {
        #[inline(always)]
        fn zeros() -> __m128i {
            // SAFETY: every x86-64 has SSE2.
            unsafe { _mm_setzero_si128() }
        }

        #[inline(always)]
        fn weights(weights: &Weights) -> (__m128i, __m128i) {
            // SAFETY: every x86-64 has SSE2; sixteen weights are 128 bits, of any alignment.
            unsafe {
                let bytes = _mm_loadu_si128(weights.as_ptr().cast());
                // Each byte goes into the upper half of 16 bits and is shifted down with its sign.
                let (first, second) = (_mm_unpacklo_epi8(bytes, bytes), _mm_unpackhi_epi8(bytes, bytes));
                (_mm_srai_epi16::<8>(first), _mm_srai_epi16::<8>(second))
            }
        }

        #[inline(always)]
        fn activations(pair: &[i16; PAIR]) -> __m128i {
            let [first, second] = pair.map(i16::cast_unsigned).map(u32::from);
            // SAFETY: every x86-64 has SSE2.
            unsafe { _mm_set1_epi32((first | second << 16).cast_signed()) }
        }

        #[inline(always)]
        fn plus(self, weights: __m128i, activations: __m128i) -> __m128i {
            // SAFETY: every x86-64 has SSE2.
            unsafe { _mm_add_epi32(self, _mm_madd_epi16(weights, activations)) }
        }

        #[inline(always)]
        fn sums(self) -> [i32; TILE / 2] {
            // SAFETY: both are four whole numbers of 32 bits.
            unsafe { std::mem::transmute(self) }
        }
    }
}
