//! Least squares by modified Gram-Schmidt, with what the statistics need: the orthogonal columns and standard
//! errors. Backward stable when the right-hand side is treated as a last column (A. Bjorck 1967,
//! doi:10.1007/BF01934122).

use super::problem::{Design, Problem, dot};

/// Solution by orthogonal columns.
#[derive(Clone, Debug)]
pub(super) struct Orthogonal {
    pub(super) coefficients: Vec<f64>,
    pub(super) residual: Vec<f64>,
    /// Orthonormal columns, one after the other.
    basis: Vec<f64>,
    /// Upper triangle, by rows.
    triangle: Vec<f64>,
    rows: usize,
}

impl Orthogonal {
    pub(super) fn solve(problem: &Problem, design: Design) -> Self {
        let (rows, columns) = (design.rows, design.columns());
        let mut basis = design.values;
        let mut residual = problem.target.clone();
        let mut triangle = vec![0.0; columns * columns];
        let mut coefficients = vec![0.0; columns];
        for k in 0..columns {
            let (done, rest) = basis.split_at_mut((k + 1) * rows);
            let own = &mut done[k * rows..];
            let norm = dot(own, own).sqrt();
            triangle[k * columns + k] = norm;
            if norm > 0.0 {
                own.iter_mut().for_each(|value| *value /= norm);
            }
            for (other, entry) in rest
                .chunks_exact_mut(rows)
                .zip(&mut triangle[k * columns + k + 1..(k + 1) * columns])
            {
                *entry = remove(own, other);
            }
            coefficients[k] = remove(own, &mut residual);
        }
        for k in (0..columns).rev() {
            let row = &triangle[k * columns..(k + 1) * columns];
            let known: f64 = (k + 1..columns).map(|j| row[j] * coefficients[j]).sum();
            coefficients[k] = if row[k] > 0.0 {
                (coefficients[k] - known) / row[k]
            } else {
                0.0
            };
        }
        Self {
            coefficients,
            residual,
            basis,
            triangle,
            rows,
        }
    }

    /// Orthonormal columns.
    pub(super) fn basis(&self) -> impl Iterator<Item = &[f64]> {
        self.basis.chunks_exact(self.rows)
    }

    /// Standard deviation of a coefficient where that of each row is one.
    pub(super) fn deviation(&self, index: usize) -> f64 {
        let columns = self.coefficients.len();
        // The row of the inverse triangle, from R^T y = e.
        let mut row = vec![0.0; columns];
        for k in index..columns {
            let known: f64 = (index..k).map(|j| self.triangle[j * columns + k] * row[j]).sum();
            let unit = if k == index { 1.0 } else { 0.0 };
            row[k] = (unit - known) / self.triangle[k * columns + k];
        }
        row.iter().map(|value| value * value).sum::<f64>().sqrt()
    }
}

/// Takes what `other` has along the unit vector `unit` out of it; returns how much.
fn remove(unit: &[f64], other: &mut [f64]) -> f64 {
    let along = dot(unit, other);
    for (value, unit) in other.iter_mut().zip(unit) {
        *value -= along * unit;
    }
    along
}
