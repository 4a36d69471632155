//! Model, residuals, and what a search step needs of their derivatives.

use nalgebra::{DMatrix, DVector};

use crate::circuit::dispatch::{self, Kernel};
use crate::circuit::pointwise::{Pointwise, map};

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
            let natural = coordinate.natural(position);
            for &index in &coordinate.parameters {
                self.natural[index] = natural;
            }
        }
        self.circuit
            .tape()
            .propagate(&self.grid, &self.natural, &mut self.workspace);
        map(
            [self.workspace.impedance_column(), &self.measured, &self.weights],
            [&mut self.residuals],
            &Residual,
        );
        self.fill_jacobian();
        dispatch::run(Products {
            jacobian: &self.jacobian,
            residuals: &self.residuals,
            normal,
        });
        let finite = normal.chi_squared.is_finite()
            && normal.gradient.iter().all(|g| g.is_finite())
            && normal.curvature.iter().all(|c| c.is_finite());
        if !finite {
            normal.chi_squared = f64::INFINITY;
        }
    }

    /// Weighted derivatives of the model by each coordinate in turn.
    fn fill_jacobian(&mut self) {
        let numbers = self.residuals.len();
        if numbers == 0 {
            return;
        }
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
                let factors = self.circuit.tape().factors(&self.workspace, index);
                if place == 0 {
                    weigh(factors, slope, &self.weights, column);
                } else {
                    weigh(factors, slope, &self.weights, &mut self.scratch);
                    for (sum, summand) in column.iter_mut().zip(&self.scratch) {
                        *sum += summand;
                    }
                }
            }
        }
    }
}

/// One column of the Jacobian: the product of the factors, times slope and weight.
fn weigh((derivative, adjoint): (&[f64], Option<&[f64]>), slope: f64, weights: &[f64], column: &mut [f64]) {
    let Some(adjoint) = adjoint else {
        map([derivative, weights], [column], &Weighted(slope));
        return;
    };
    let points = column.len() / 2;
    let (real, imaginary) = column.split_at_mut(points);
    map(
        [
            &derivative[..points],
            &derivative[points..],
            &adjoint[..points],
            &adjoint[points..],
            &weights[..points],
            &weights[points..],
        ],
        [real, imaginary],
        &WeightedProduct(slope),
    );
}

struct Residual;

impl Pointwise<3, 1> for Residual {
    #[inline(always)]
    fn at(&self, [model, measured, weight]: [f64; 3]) -> [f64; 1] {
        [(model - measured) * weight]
    }
}

/// A weighted derivative, times this slope.
struct Weighted(f64);

impl Pointwise<2, 1> for Weighted {
    #[inline(always)]
    fn at(&self, [derivative, weight]: [f64; 2]) -> [f64; 1] {
        [derivative * (weight * self.0)]
    }
}

/// The same for a complex product, whose parts have weights of their own.
struct WeightedProduct(f64);

impl Pointwise<6, 2> for WeightedProduct {
    #[inline(always)]
    fn at(&self, [a, b, c, d, weight_re, weight_im]: [f64; 6]) -> [f64; 2] {
        [
            (a * c - b * d) * (weight_re * self.0),
            (a * d + b * c) * (weight_im * self.0),
        ]
    }
}

/// Columns multiplied with each other at a time: nine running sums stay in vector registers.
const TILE: usize = 3;
/// Partial sums of one product.
const LANES: usize = 4;

/// All products of the Jacobian's columns and the residuals with each other.
struct Products<'a> {
    jacobian: &'a [f64],
    residuals: &'a [f64],
    normal: &'a mut Normal,
}

impl Kernel for Products<'_> {
    #[inline(always)]
    fn run(mut self) {
        let columns = self.normal.gradient.len() + 1;
        let mut row = 0;
        while row < columns {
            let rows = TILE.min(columns - row);
            for column in (0..row).step_by(TILE) {
                match rows {
                    1 => self.tile::<1, TILE>(row, column),
                    2 => self.tile::<2, TILE>(row, column),
                    _ => self.tile::<TILE, TILE>(row, column),
                }
            }
            match rows {
                1 => self.tile::<1, 1>(row, row),
                2 => self.tile::<2, 2>(row, row),
                _ => self.tile::<TILE, TILE>(row, row),
            }
            row += TILE;
        }
    }
}

impl<'a> Products<'a> {
    #[inline(always)]
    fn column(&self, index: usize) -> &'a [f64] {
        let length = self.residuals.len();
        if index < self.normal.gradient.len() {
            &self.jacobian[length * index..length * (index + 1)]
        } else {
            self.residuals
        }
    }

    /// Products of `R` columns from `row` on with `C` columns from `column` on.
    #[expect(
        clippy::needless_range_loop,
        reason = "loops of fixed length over several arrays are what the compiler unrolls"
    )]
    #[inline(always)]
    fn tile<const R: usize, const C: usize>(&mut self, row: usize, column: usize) {
        let length = self.residuals.len();
        let mut left: [&[f64]; R] = [&[]; R];
        for r in 0..R {
            left[r] = &self.column(row + r)[..length];
        }
        let mut right: [&[f64]; C] = [&[]; C];
        for c in 0..C {
            right[c] = &self.column(column + c)[..length];
        }
        let mut sums = [[[0.0; LANES]; C]; R];
        let whole = length - length % LANES;
        let mut at = 0;
        while at < whole {
            let mut a = [[0.0; LANES]; R];
            for r in 0..R {
                a[r].copy_from_slice(&left[r][at..at + LANES]);
            }
            for c in 0..C {
                let mut b = [0.0; LANES];
                b.copy_from_slice(&right[c][at..at + LANES]);
                for r in 0..R {
                    for lane in 0..LANES {
                        sums[r][c][lane] += a[r][lane] * b[lane];
                    }
                }
            }
            at += LANES;
        }
        for r in 0..R {
            for c in 0..C {
                for at in whole..length {
                    sums[r][c][at - whole] += left[r][at] * right[c][at];
                }
                let [s0, s1, s2, s3] = sums[r][c];
                self.store(row + r, column + c, (s0 + s2) + (s1 + s3));
            }
        }
    }

    #[inline(always)]
    fn store(&mut self, row: usize, column: usize, product: f64) {
        let coordinates = self.normal.gradient.len();
        if row < coordinates && column < coordinates {
            self.normal.curvature[(row, column)] = product;
            self.normal.curvature[(column, row)] = product;
        } else if column < coordinates {
            self.normal.gradient[column] = product;
        } else if row >= coordinates {
            self.normal.chi_squared = product;
        }
    }
}
