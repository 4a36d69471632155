//! Symmetric positive definite matrices of a few diagonals: solution, and the same diagonals of the inverse.

/// Lower diagonals: `value(row, k)` stands at `(row, row - k)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Banded {
    size: usize,
    diagonals: usize,
    values: Vec<f64>,
}

impl Banded {
    /// Nothing but zeros in the diagonal and in `diagonals - 1` below it.
    pub(super) fn zero(size: usize, diagonals: usize) -> Self {
        Self {
            size,
            diagonals,
            values: vec![0.0; size * diagonals],
        }
    }

    fn index(&self, row: usize, column: usize) -> usize {
        row * self.diagonals + (row - column)
    }

    /// The entry of a row at or below the diagonal.
    pub(super) fn at(&self, row: usize, column: usize) -> f64 {
        self.values[self.index(row, column)]
    }

    /// Adds to an entry at or below the diagonal.
    pub(super) fn add(&mut self, row: usize, column: usize, value: f64) {
        let index = self.index(row, column);
        self.values[index] += value;
    }

    /// The first column of a row that is not outside the diagonals.
    fn first(&self, row: usize) -> usize {
        row.saturating_sub(self.diagonals - 1)
    }

    /// Sum with another, which has no more diagonals, times a factor.
    pub(super) fn plus(&self, factor: f64, other: &Self) -> Self {
        let mut sum = self.clone();
        for row in 0..other.size {
            for column in other.first(row)..=row {
                sum.add(row, column, factor * other.at(row, column));
            }
        }
        sum
    }

    /// The factors L and D of L D L^T, L with unit diagonal; none where the matrix is not positive definite.
    pub(super) fn factor(&self) -> Option<Factor> {
        let mut lower = self.clone();
        let mut pivots = vec![0.0; self.size];
        for row in 0..self.size {
            let first = self.first(row);
            for column in first..row {
                let from = first.max(self.first(column));
                let known: f64 = (from..column)
                    .map(|k| lower.at(row, k) * lower.at(column, k) * pivots[k])
                    .sum();
                let index = lower.index(row, column);
                lower.values[index] = (lower.values[index] - known) / pivots[column];
            }
            let known: f64 = (first..row).map(|k| lower.at(row, k).powi(2) * pivots[k]).sum();
            let pivot = self.at(row, row) - known;
            // Also stops at NaN.
            if pivot.is_nan() || pivot <= 0.0 {
                return None;
            }
            pivots[row] = pivot;
        }
        Some(Factor { lower, pivots })
    }
}

/// A factored matrix.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    lower: Banded,
    pivots: Vec<f64>,
}

impl Factor {
    /// Solves for one right-hand side in place.
    pub(super) fn solve(&self, values: &mut [f64]) {
        let (lower, size) = (&self.lower, self.lower.size);
        for row in 0..size {
            let known: f64 = (lower.first(row)..row)
                .map(|column| lower.at(row, column) * values[column])
                .sum();
            values[row] -= known;
        }
        for (value, pivot) in values.iter_mut().zip(&self.pivots) {
            *value /= pivot;
        }
        for row in (0..size).rev() {
            let end = (row + lower.diagonals).min(size);
            let known: f64 = (row + 1..end)
                .map(|below| lower.at(below, row) * values[below])
                .sum();
            values[row] -= known;
        }
    }

    /// The diagonals of the inverse, from the last row upwards (M. F. Hutchinson and F. R. de Hoog 1985,
    /// doi:10.1007/BF01389878).
    pub(super) fn inverse(&self) -> Banded {
        let (lower, size) = (&self.lower, self.lower.size);
        let mut inverse = Banded::zero(size, lower.diagonals);
        for column in (0..size).rev() {
            let end = (column + lower.diagonals).min(size);
            // Entries of this column below the diagonal, then the diagonal itself.
            for row in (column + 1..end).rev().chain([column]) {
                let known: f64 = (column + 1..end)
                    .map(|k| lower.at(k, column) * inverse.at(k.max(row), k.min(row)))
                    .sum();
                let own = if row == column {
                    1.0 / self.pivots[column]
                } else {
                    0.0
                };
                inverse.add(row, column, own - known);
            }
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> (Banded, nalgebra::DMatrix<f64>) {
        let (size, diagonals) = (9, 4);
        let mut banded = Banded::zero(size, diagonals);
        let mut dense = nalgebra::DMatrix::zeros(size, size);
        for row in 0..size {
            for column in row.saturating_sub(diagonals - 1)..=row {
                let value = if row == column {
                    5.0 + row as f64
                } else {
                    (row as f64 * 1.7 + column as f64).sin()
                };
                banded.add(row, column, value);
                dense[(row, column)] = value;
                dense[(column, row)] = value;
            }
        }
        (banded, dense)
    }

    #[test]
    fn solution_and_inverse_are_those_of_the_dense_matrix() {
        let (banded, dense) = matrix();
        let factor = banded.factor().unwrap();
        let inverse = dense.clone().try_inverse().unwrap();
        let own = factor.inverse();
        let mut values: Vec<f64> = (0..9).map(f64::from).collect();
        let expected = &inverse * nalgebra::DVector::from_vec(values.clone());
        factor.solve(&mut values);
        for row in 0..9 {
            assert!((values[row] - expected[row]).abs() < 1e-12, "{row}");
            for column in row.saturating_sub(3)..=row {
                assert!((own.at(row, column) - inverse[(row, column)]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        let (mut banded, _) = matrix();
        banded.add(4, 4, -20.0);
        assert!(banded.factor().is_none());
        banded.add(4, 4, f64::NAN);
        assert!(banded.factor().is_none());
    }
}
