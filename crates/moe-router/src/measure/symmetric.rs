//! Symmetric matrices, for covariances: sums of outer products, and eigenvalues.

/// A symmetric matrix in f64, `[size, size]`.
pub(super) struct Square {
    size: usize,
    values: Vec<f64>,
}

impl Square {
    /// Zeros, `[size, size]`.
    pub fn zero(size: usize) -> Square {
        Square { size, values: vec![0.0; size * size] }
    }

    /// Adds `factor · v vᵀ`.
    pub fn add_outer(&mut self, vector: &[f64], factor: f64) {
        for (row, a) in self.values.chunks_mut(self.size).zip(vector) {
            row.iter_mut().zip(vector).for_each(|(value, b)| *value += factor * a * b);
        }
    }

    /// The sum of the diagonal.
    pub fn trace(&self) -> f64 {
        self.values.iter().step_by(self.size + 1).sum()
    }

    /// `vᵀ M v`.
    pub fn form(&self, v: &[f64]) -> f64 {
        let rows = self.values.chunks(self.size).zip(v);
        rows.map(|(row, a)| a * row.iter().zip(v).map(|(value, b)| value * b).sum::<f64>()).sum()
    }

    /// Eigenvalues and unit eigenvectors by Jacobi's rotations (1846): each makes one off-diagonal entry 0, and sweeping
    /// over all of them converges quadratically. Slow for hundreds of dimensions, exact enough for all.
    pub fn eigen(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let n = self.size;
        let mut m: Vec<Vec<f64>> = self.values.chunks(n).map(<[f64]>::to_vec).collect();
        let mut vectors: Vec<Vec<f64>> =
            (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        let scale = self.values.iter().map(|value| value.abs()).fold(0.0, f64::max);
        for _ in 0..100 {
            let mut is_diagonal = true;
            for p in 0..n {
                for q in p + 1..n {
                    if m[p][q].abs() <= 1e-15 * scale {
                        continue;
                    }
                    is_diagonal = false;
                    // The smaller of the two angles that annihilate m[p][q].
                    let theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
                    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
                    let sine = tangent * cosine;
                    for row in &mut m {
                        (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
                    }
                    for column in 0..n {
                        let (a, b) = (m[p][column], m[q][column]);
                        (m[p][column], m[q][column]) = (cosine * a - sine * b, sine * a + cosine * b);
                        let (a, b) = (vectors[p][column], vectors[q][column]);
                        (vectors[p][column], vectors[q][column]) = (cosine * a - sine * b, sine * a + cosine * b);
                    }
                }
            }
            if is_diagonal {
                break;
            }
        }
        ((0..n).map(|i| m[i][i]).collect(), vectors)
    }
}

/// The mean of rows, `[width]`; zeros for no rows.
pub(super) fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, width: usize) -> Vec<f64> {
    let (mut sums, mut count) = (vec![0.0; width], 0.0_f64);
    for row in rows {
        count += 1.0;
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    sums.into_iter().map(|sum| sum / count.max(1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_of_a_symmetric_matrix() {
        let matrix = Square { size: 3, values: vec![2.0, 1.0, 0.5, 1.0, 3.0, -1.0, 0.5, -1.0, 1.0] };
        let (values, vectors) = matrix.eigen();
        assert!((values.iter().sum::<f64>() - 6.0).abs() < 1e-12);
        for (value, v) in values.iter().zip(&vectors) {
            for (row, x) in matrix.values.chunks(3).zip(v) {
                let product: f64 = row.iter().zip(v).map(|(a, b)| a * b).sum();
                assert!((product - value * x).abs() < 1e-12);
            }
        }
    }
}
