//! Model, residuals, and what a search step needs of their derivatives.

use nalgebra::{DMatrix, DVector};

use crate::circuit::dispatch::{self, Kernel, LANES, Lanes};
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
        // No product of two columns is larger than those of each with itself.
        let diagonal = (0..normal.gradient.len()).map(|k| normal.curvature[(k, k)]);
        if !normal.chi_squared.is_finite() || !diagonal.into_iter().all(f64::is_finite) {
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

/// All products of the Jacobian's columns and the residuals with each other.
struct Products<'a> {
    jacobian: &'a [f64],
    residuals: &'a [f64],
    normal: &'a mut Normal,
}

impl Kernel for Products<'_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        let columns = self.normal.gradient.len() + 1;
        let mut row = 0;
        while row < columns {
            let rows = TILE.min(columns - row);
            for column in (0..row).step_by(TILE) {
                match rows {
                    1 => self.tile::<L, 1, TILE, false>(row, column),
                    2 => self.tile::<L, 2, TILE, false>(row, column),
                    _ => self.tile::<L, TILE, TILE, false>(row, column),
                }
            }
            match rows {
                1 => self.tile::<L, 1, 1, true>(row, row),
                2 => self.tile::<L, 2, 2, true>(row, row),
                _ => self.tile::<L, TILE, TILE, true>(row, row),
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

    /// Products of `R` columns from `row` on with `C` columns from `column` on. Where these are the `SAME`
    /// columns, each product is taken once.
    #[inline(always)]
    fn tile<L: Lanes, const R: usize, const C: usize, const SAME: bool>(
        &mut self,
        row: usize,
        column: usize,
    ) {
        let length = self.residuals.len() / LANES;
        let (mut left, mut left_rest): ([&[[f64; LANES]]; R], [&[f64]; R]) = ([&[]; R], [&[]; R]);
        for r in 0..R {
            let (whole, rest) = self.column(row + r).as_chunks();
            (left[r], left_rest[r]) = (&whole[..length], rest);
        }
        let (mut right, mut right_rest): ([&[[f64; LANES]]; C], [&[f64]; C]) = ([&[]; C], [&[]; C]);
        for c in 0..C {
            let (whole, rest) = self.column(column + c).as_chunks();
            (right[c], right_rest[c]) = (&whole[..length], rest);
        }
        let mut sums = [[L::zero(); C]; R];
        for at in 0..length {
            let mut b = [L::zero(); C];
            for c in 0..C {
                b[c] = L::load(&right[c][at]);
            }
            for r in 0..R {
                let a = if SAME { b[r] } else { L::load(&left[r][at]) };
                for c in 0..if SAME { r + 1 } else { C } {
                    sums[r][c] = sums[r][c].add_product(a, b[c]);
                }
            }
        }
        for r in 0..R {
            for c in 0..if SAME { r + 1 } else { C } {
                let mut sums = sums[r][c].store();
                for (sum, (a, b)) in sums.iter_mut().zip(left_rest[r].iter().zip(right_rest[c])) {
                    *sum += a * b;
                }
                self.store(row + r, column + c, (sums[0] + sums[2]) + (sums[1] + sums[3]));
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
