//! Model, residuals, and what a search step needs of their derivatives.

use nalgebra::{DMatrix, DVector};

use super::Problem;

/// The problem at one position: chi-squared, J'r and J'J in search coordinates.
#[derive(Clone, Debug)]
pub(in crate::analysis::fit) struct Normal {
    pub chi_squared: f64,
    pub gradient: DVector<f64>,
    pub curvature: DMatrix<f64>,
}

impl Problem<'_> {
    /// Memory for [`Problem::evaluate`].
    pub fn normal(&self) -> Normal {
        let n = self.coordinates.len();
        Normal {
            chi_squared: f64::INFINITY,
            gradient: DVector::zeros(n),
            curvature: DMatrix::zeros(n, n),
        }
    }

    /// Model and exact derivatives at a position. A model that is not finite has an infinite chi-squared.
    pub fn evaluate(&mut self, position: &[f64], normal: &mut Normal) {
        for (coordinate, &position) in self.coordinates.iter().zip(position) {
            for &index in &coordinate.parameters {
                self.natural[index] = coordinate.natural(position);
            }
        }
        self.circuit
            .tape()
            .evaluate(&self.grid, &self.natural, &mut self.workspace);
        let model = self.workspace.impedance_column();
        for (((residual, z), data), weight) in self
            .residuals
            .iter_mut()
            .zip(model)
            .zip(&self.measured)
            .zip(&self.weights)
        {
            *residual = (z - data) * weight;
        }
        let numbers = self.residuals.len();
        normal.chi_squared = dot(&self.residuals, &self.residuals);
        for (coordinate, column) in self
            .coordinates
            .iter()
            .zip(self.jacobian.chunks_exact_mut(numbers))
        {
            for (place, &index) in coordinate.parameters.iter().enumerate() {
                let slope = if coordinate.logarithmic {
                    self.natural[index]
                } else {
                    1.0
                };
                let derivatives = self.workspace.derivative_column(index).iter().zip(&self.weights);
                for (entry, (derivative, weight)) in column.iter_mut().zip(derivatives) {
                    let own = derivative * (weight * slope);
                    *entry = if place == 0 { own } else { *entry + own };
                }
            }
        }
        for row in 0..self.coordinates.len() {
            let left = &self.jacobian[numbers * row..numbers * (row + 1)];
            normal.gradient[row] = dot(left, &self.residuals);
            for column in 0..=row {
                let right = &self.jacobian[numbers * column..numbers * (column + 1)];
                let product = dot(left, right);
                normal.curvature[(row, column)] = product;
                normal.curvature[(column, row)] = product;
            }
        }
        let finite = normal.chi_squared.is_finite()
            && normal.gradient.iter().all(|g| g.is_finite())
            && normal.curvature.iter().all(|c| c.is_finite());
        if !finite {
            normal.chi_squared = f64::INFINITY;
        }
    }
}

/// Eight running sums, which the compiler keeps in vector registers.
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (left_blocks, right_blocks) = (left.chunks_exact(8), right.chunks_exact(8));
    let rest: f64 = left_blocks
        .remainder()
        .iter()
        .zip(right_blocks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in left_blocks.zip(right_blocks) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}
