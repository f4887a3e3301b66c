//! Products with 8-bit matrices: the exact product to the rounding of activations, in the same bits by every way. These
//! tests also run in a browser, as part of `moe-worker/tests/numerics`.

use moe_kernels::cpu::packed::{
    PackedMatrix, STORED_BLOCK, Stored, add_matrix_times_packed, add_rows_times_packed, add_rows_times_packed_plainly,
};

/// Numbers of a seed, `(0..1)`.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 24) as f32
    }
}

/// A matrix in a tensor of several, as it is stored, and rows to multiply.
struct Case {
    d_in: usize,
    d_out: usize,
    /// `i8` by their bits.
    values: Vec<u8>,
    scales: Vec<f32>,
    rows: Vec<f32>,
}

impl Case {
    fn new(num_rows: usize, d_in: usize, d_out: usize) -> Case {
        let mut numbers = Numbers(7);
        let len = 2 * d_in * d_out;
        Case {
            d_in,
            d_out,
            values: (0..len).map(|_| (numbers.next() * 255.0) as i16 - 127).map(|value| value as u8).collect(),
            scales: (0..len.div_ceil(STORED_BLOCK)).map(|_| 0.001 + 0.01 * numbers.next()).collect(),
            // Of different sizes, as activations are.
            rows: (0..num_rows * d_in)
                .map(|_| (numbers.next() - 0.5) * 400.0 * numbers.next() * numbers.next())
                .collect(),
        }
    }

    fn stored(&self) -> Stored<'_> {
        Stored { values: &self.values, scales: &self.scales }
    }

    /// Both forms: the second matrix of the tensor, and the transpose of the first rows of it.
    fn packed(&self) -> [(PackedMatrix, Place); 2] {
        let (d_in, d_out) = (self.d_in, self.d_out);
        let first = d_in * d_out;
        [
            (
                PackedMatrix::new(self.stored(), first, d_in, d_out),
                Box::new(move |i, column| first + i * d_out + column),
            ),
            (PackedMatrix::transposed(self.stored(), d_in, d_out), Box::new(move |i, column| column * d_in + i)),
        ]
    }

    fn value(&self, at: usize) -> f32 {
        f32::from(self.values[at].cast_signed())
    }

    fn weight(&self, at: usize) -> f64 {
        f64::from(self.value(at)) * f64::from(self.scales[at / STORED_BLOCK])
    }

    fn product(&self, matrix: &PackedMatrix) -> Vec<f32> {
        let mut out = vec![0.0; self.rows.len() / self.d_in * self.d_out];
        add_matrix_times_packed(&self.rows, matrix, &mut out);
        out
    }
}

/// Where in the tensor the weight of an input and a column is.
type Place = Box<dyn Fn(usize, usize) -> usize>;

/// Widths of the shipped models, of the small ones in tests, and some that fit no tile and no block.
const SIZES: [(usize, usize); 9] =
    [(128, 256), (256, 128), (128, 1024), (16, 64), (24, 48), (33, 24), (24, 33), (130, 70), (1, 1)];

#[cfg_attr(not(target_family = "wasm"), test)]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn a_product_is_off_by_the_rounding_of_its_activations_at_most() {
    for (d_in, d_out) in SIZES {
        let case = Case::new(3, d_in, d_out);
        for (matrix, at) in case.packed() {
            let found = case.product(&matrix);
            for (row, found) in case.rows.chunks_exact(d_in).zip(found.chunks_exact(d_out)) {
                for (column, found) in found.iter().enumerate() {
                    let (mut sum, mut bound) = (0.0, 0.0);
                    for (i, x) in row.iter().enumerate() {
                        sum += f64::from(*x) * case.weight(at(i, column));
                        // Half a step for each number. A step is at most the largest activation, by the largest scale, of
                        // its block over 32767.
                        let block = &row[i / 64 * 64..d_in.min(i / 64 * 64 + 64)];
                        let largest = block.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
                        bound +=
                            0.5 * f64::from(largest) * 0.011 / 32767.0 * f64::from(case.value(at(i, column)).abs());
                    }
                    let error = (f64::from(*found) - sum).abs();
                    assert!(
                        error <= bound + 1e-5 * sum.abs(),
                        "{d_in} by {d_out}, column {column}: {found} is not {sum}"
                    );
                }
            }
        }
    }
}

#[cfg_attr(not(target_family = "wasm"), test)]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn simd_gives_the_bits_of_the_plain_loop_and_one_row_those_of_many() {
    for (d_in, d_out) in SIZES {
        for num_rows in [1, 2, 5] {
            let case = Case::new(num_rows, d_in, d_out);
            let rows: Vec<&[f32]> = case.rows.chunks_exact(d_in).collect();
            let scale: Vec<f32> = (0..num_rows).map(|row| 1.0 / (1.0 + row as f32)).collect();
            for (matrix, _) in case.packed() {
                let run = |add: &dyn Fn(&mut [&mut [f32]])| -> Vec<u32> {
                    let mut out = vec![0.5; num_rows * d_out];
                    add(&mut out.chunks_exact_mut(d_out).collect::<Vec<_>>());
                    out.iter().map(|value| value.to_bits()).collect()
                };
                let plain = run(&|out| add_rows_times_packed_plainly(&rows, &scale, &matrix, out));
                assert_eq!(run(&|out| add_rows_times_packed(&rows, &scale, &matrix, out)), plain, "{d_in} by {d_out}");
                let one_by_one = run(&|out| {
                    for (row, out) in out.iter_mut().enumerate() {
                        add_rows_times_packed(&rows[row..=row], &scale[row..=row], &matrix, std::slice::from_mut(out));
                    }
                });
                assert_eq!(one_by_one, plain, "{d_in} by {d_out}");
            }
        }
    }
}

#[cfg_attr(not(target_family = "wasm"), test)]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn a_column_comes_back_as_it_is_stored() {
    for (d_in, d_out) in SIZES {
        let case = Case::new(0, d_in, d_out);
        for (matrix, at) in case.packed() {
            let mut column = vec![0.0; d_in];
            for index in 0..d_out {
                matrix.read_column(index, &mut column);
                for (i, found) in column.iter().enumerate() {
                    assert_eq!(*found, case.value(at(i, index)) * case.scales[at(i, index) / STORED_BLOCK]);
                }
            }
        }
    }
}

#[cfg_attr(not(target_family = "wasm"), test)]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn what_is_no_number_makes_no_number() {
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut case = Case::new(1, 128, 64);
        case.rows[100] = wrong;
        for (matrix, _) in case.packed() {
            assert!(case.product(&matrix).iter().all(|value| !value.is_finite()), "{wrong}");
        }
    }
}

#[cfg_attr(not(target_family = "wasm"), test)]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn native_and_webassembly_give_the_same_bits() {
    let case = Case::new(3, 256, 128);
    let hashes = case.packed().map(|(matrix, _)| {
        let bits = case.product(&matrix).into_iter().map(f32::to_bits);
        bits.fold(0u32, |hash, bits| hash.wrapping_mul(31).wrapping_add(bits))
    });
    assert_eq!(hashes, [3_581_854_693, 2_310_505_027]);
}
