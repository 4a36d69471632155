//! Normal equations in closed form, for the search of the number of elements.
//!
//! With F(t) = sum of w^2/(1 + (w t)^2) the product of two RC columns is
//! (t_a F(t_a) + t_b F(t_b))/(t_a + t_b), by partial fractions of 1/((1 - jwt_a)(1 + jwt_b)). So the matrix costs
//! one pass over the points per element, not per pair of elements. What its squared condition costs in digits is
//! brought back by refinement with the residual of the columns themselves.

use super::problem::{CAPACITANCE, Design, FIXED_COLUMNS, INDUCTANCE, Problem, dot};

/// Smallest square of a pivot, of unit columns, that refinement can make good.
const LEAST_PIVOT: f64 = 1e-13;
/// Pivots below this are refined once more.
const DOUBTFUL_PIVOT: f64 = 1e-10;

/// Coefficients and residual, or none where the columns depend on each other too much.
pub(super) fn solve(problem: &Problem, design: &Design) -> Option<(Vec<f64>, Vec<f64>)> {
    let columns = design.columns();
    let mut matrix = products(problem, design);
    let scale: Vec<f64> = (0..columns)
        .map(|k| 1.0 / matrix[k * columns + k].sqrt())
        .collect();
    for row in 0..columns {
        for column in 0..=row {
            matrix[row * columns + column] *= scale[row] * scale[column];
        }
    }
    let pivot = factor(&mut matrix, columns)?;
    let mut coefficients = vec![0.0; columns];
    let mut residual = problem.target.clone();
    for _ in 0..if pivot < DOUBTFUL_PIVOT { 3 } else { 2 } {
        let mut step: Vec<f64> = (0..columns)
            .map(|k| dot(design.column(k), &residual) * scale[k])
            .collect();
        substitute(&matrix, columns, &mut step);
        for ((coefficient, step), scale) in coefficients.iter_mut().zip(&step).zip(&scale) {
            *coefficient += step * scale;
        }
        residual = design.residual(&problem.target, &coefficients);
    }
    Some((coefficients, residual))
}

/// Lower triangle of the products of the columns.
fn products(problem: &Problem, design: &Design) -> Vec<f64> {
    let columns = design.columns();
    let points = problem.points();
    let mut matrix = vec![0.0; columns * columns];
    let constant = design.column(0);
    for k in 0..FIXED_COLUMNS {
        matrix[k * columns + k] = dot(design.column(k), design.column(k));
    }
    matrix[CAPACITANCE * columns + INDUCTANCE] = dot(design.column(CAPACITANCE), design.column(INDUCTANCE));
    let lowest = problem.lowest();
    let inductance = &design.column(INDUCTANCE)[points..];
    let mut part = Vec::with_capacity(design.tau.len());
    for (a, tau) in design.tau.iter().enumerate() {
        let column = design.column(FIXED_COLUMNS + a);
        let sum = dot(&constant[..points], &column[..points]);
        part.push(tau * sum);
        let row = &mut matrix[(FIXED_COLUMNS + a) * columns..][..columns];
        row[0] = sum;
        row[INDUCTANCE] = dot(inductance, &column[points..]);
        row[CAPACITANCE] = lowest * tau * sum;
        for (b, entry) in row[FIXED_COLUMNS..=FIXED_COLUMNS + a].iter_mut().enumerate() {
            *entry = (part[a] + part[b]) / (tau + design.tau[b]);
        }
    }
    matrix
}

/// Cholesky factor in place; the smallest squared pivot, or none where it is too small.
fn factor(matrix: &mut [f64], columns: usize) -> Option<f64> {
    let mut least = f64::INFINITY;
    for row in 0..columns {
        let (above, below) = matrix.split_at_mut(row * columns);
        let own = &mut below[..columns];
        for column in 0..row {
            let other = &above[column * columns..][..=column];
            own[column] = (own[column] - dot(&own[..column], &other[..column])) / other[column];
        }
        let square = own[row] - dot(&own[..row], &own[..row]);
        // Also stops at NaN.
        if square.is_nan() || square <= LEAST_PIVOT {
            return None;
        }
        least = least.min(square);
        own[row] = square.sqrt();
    }
    Some(least)
}

/// Solves with the factor, forwards and backwards.
fn substitute(factor: &[f64], columns: usize, values: &mut [f64]) {
    for row in 0..columns {
        let own = &factor[row * columns..][..=row];
        values[row] = (values[row] - dot(&own[..row], &values[..row])) / own[row];
    }
    for row in (0..columns).rev() {
        let own = &factor[row * columns..][..=row];
        values[row] /= own[row];
        let value = values[row];
        for (other, entry) in values[..row].iter_mut().zip(own) {
            *other -= value * entry;
        }
    }
}
