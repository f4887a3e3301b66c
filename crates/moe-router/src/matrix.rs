//! A matrix of numbers that are not gate logits: hidden states, embeddings, weights of small experts.
//!
//! Most rules see gate logits and nothing else. The few that look further (cosine routing, Soft MoE, merged experts)
//! see plain rows of f32; sums are f64.

use crate::input::{self, InputError};

/// Rows of equal width, row-major. Its numbers are whatever they are; [`check`](Matrix::check) finds those that are none.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    width: usize,
    values: Vec<f32>,
}

impl Matrix {
    /// `values`: `[rows, width]`, row-major. Panics if they do not fill whole rows.
    pub fn new(width: usize, values: Vec<f32>) -> Matrix {
        assert!(width > 0 && values.len().is_multiple_of(width), "{} values in rows of {width}", values.len());
        Matrix { width, values }
    }

    /// The same, rounded from f64.
    pub fn rounded(width: usize, values: impl IntoIterator<Item = f64>) -> Matrix {
        Matrix::new(width, values.into_iter().map(|value| value as f32).collect())
    }

    /// Are all numbers finite? `what` names one of them in the error: "hidden state".
    pub fn check(&self, what: &'static str) -> Result<(), InputError> {
        input::number(what, &self.values, f32::is_finite, "a finite number")
    }

    /// Number of rows.
    pub fn num_rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// Length of every row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// One row, `[width]`.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Row after row, `[width]` each.
    pub fn rows(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.width)
    }

    /// All values, `[rows, width]`, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Columns become rows: `[width, rows]`.
    pub fn transposed(&self) -> Matrix {
        let columns = (0..self.width).flat_map(|column| self.rows().map(move |row| row[column]));
        Matrix::new(self.num_rows().max(1), columns.collect())
    }

    /// The matrix product, `[rows, width] · [width, columns] = [rows, columns]`, rounded to f32: what is beyond its range
    /// becomes infinite. Panics if the shapes do not fit.
    pub fn times(&self, other: &Matrix) -> Matrix {
        assert_eq!(self.width, other.num_rows(), "a product of matrices that do not fit");
        let columns = other.transposed();
        let products = self.rows().flat_map(|row| columns.rows().map(move |column| dot(row, column)));
        Matrix::rounded(other.width, products)
    }
}

/// `Σ a_i · b_i` in f64.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_by_hand() {
        let a = Matrix::new(2, vec![1.0, 2.0, 3.0, 4.0]);
        let b = Matrix::new(3, vec![1.0, 0.0, -1.0, 2.0, 1.0, 0.0]);
        assert_eq!(a.times(&b), Matrix::new(3, vec![5.0, 2.0, -1.0, 11.0, 4.0, -3.0]));
        assert_eq!(b.transposed(), Matrix::new(2, vec![1.0, 2.0, 0.0, 1.0, -1.0, 0.0]));
    }

    #[test]
    fn what_is_no_number_is_found() {
        let check = |value: f32| Matrix::new(2, vec![0.5, 1.0, value, 0.0]).check("hidden state");
        assert_eq!(check(f32::MAX), Ok(()));
        let message = check(f32::NAN).expect_err("not a number").to_string();
        assert_eq!(message, "The hidden state at index 2 is NaN; allowed: a finite number.");
        assert!(check(f32::INFINITY).is_err());
    }
}
