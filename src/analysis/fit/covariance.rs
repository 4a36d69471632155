//! Covariance of the parameters at the optimum, in natural units.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use statrs::function::erf::erfc;

use super::problem::{Coordinate, Problem};
use super::search::Outcome;

/// Eigenvalues of the scaled curvature (unit diagonal) below this are zero as far as rounding lets us see.
const SINGULAR: f64 = 1e-13;
/// Part of a direction that may lie in what the data do not determine.
const CONTAMINATION: f64 = 1e-6;

/// Covariance of all parameters of a circuit; rows and columns of those without one are zero.
pub(super) struct Covariance {
    matrix: DMatrix<f64>,
    /// Which parameters have a variance of their own: free, not at a bound.
    candidates: Vec<bool>,
    /// Orthonormal directions (scaled search coordinates) that the data do not determine.
    undetermined: Vec<DVector<f64>>,
    /// From natural parameters to the scaled coordinates of the directions; zero for parameters without any.
    scale: Vec<f64>,
    /// For each parameter its index in the directions.
    slot: Vec<Option<usize>>,
    /// Length of the directions.
    size: usize,
    /// Whether the data are without noise, so that an error of zero is one.
    is_noiseless: bool,
}

/// A search at its end, as errors see it.
pub(super) struct Optimum<'a> {
    pub coordinates: &'a [Coordinate],
    pub position: &'a [f64],
    /// J'J there.
    pub curvature: &'a DMatrix<f64>,
    /// J'r there.
    pub gradient: &'a DVector<f64>,
}

impl Covariance {
    /// `noise` (J'J)^-1 where the data determine it. With the residual variance S/(N-p) as noise this is what
    /// scipy's `curve_fit` gives by default, with 1 what it gives for absolute sigmas.
    pub fn new(problem: &Problem<'_>, parameters: usize, outcome: &Outcome, noise: f64) -> Self {
        let optimum = Optimum {
            coordinates: &problem.coordinates,
            position: &outcome.position,
            curvature: &outcome.normal.curvature,
            gradient: &outcome.normal.gradient,
        };
        let mut curvature = outcome.normal.curvature.clone();
        for (k, stiffness) in optimum.stiffness_at_bounds(noise) {
            curvature[(k, k)] += stiffness;
        }
        let optimum = Optimum {
            curvature: &curvature,
            ..optimum
        };
        Self::of(&optimum, parameters, noise)
    }

    /// As [`Covariance::new`], of a curvature in which coordinates on a bound already have what
    /// [`Optimum::stiffness_at_bounds`] asks for.
    pub fn of(optimum: &Optimum<'_>, parameters: usize, noise: f64) -> Self {
        let size = optimum.coordinates.len();
        let (scaled, norm) = with_unit_diagonal(optimum.curvature);
        let on_bound = optimum.on_bound();
        let (inverse, undetermined) = invert(scaled);
        let mut covariance = Self {
            matrix: DMatrix::zeros(parameters, parameters),
            candidates: vec![false; parameters],
            undetermined,
            scale: vec![0.0; parameters],
            slot: vec![None; parameters],
            size,
            is_noiseless: noise == 0.0,
        };
        let slope = |k: usize| optimum.coordinates[k].slope(optimum.position[k]);
        for k in (0..size).filter(|k| !on_bound.contains(k)) {
            for &index in &optimum.coordinates[k].parameters {
                covariance.candidates[index] = true;
                covariance.slot[index] = Some(k);
                covariance.scale[index] = norm[k] / slope(k);
            }
        }
        for k in (0..size).filter(|k| !on_bound.contains(k)) {
            for l in (0..size).filter(|l| !on_bound.contains(l)) {
                let entry = noise * inverse[(k, l)] * slope(k) * slope(l) / (norm[k] * norm[l]);
                if !entry.is_finite() {
                    continue;
                }
                for &row in &optimum.coordinates[k].parameters {
                    for &column in &optimum.coordinates[l].parameters {
                        covariance.matrix[(row, column)] = entry;
                    }
                }
            }
        }
        covariance
    }

    /// Standard error of a sum of parameters with these weights; none where the data do not determine it, zero
    /// where all its parts are held.
    pub fn std_error(&self, weights: &[(usize, f64)]) -> Option<f64> {
        let parts = || weights.iter().filter(|(index, _)| self.candidates[*index]);
        // In scaled coordinates the sum's direction is w/scale.
        let mut direction = DVector::zeros(self.size);
        for &(index, weight) in parts() {
            if self.scale[index] == 0.0 {
                return None;
            }
            if let Some(slot) = self.slot[index] {
                direction[slot] += weight / self.scale[index];
            }
        }
        let length = direction.norm_squared();
        let lost: f64 = self.undetermined.iter().map(|v| v.dot(&direction).powi(2)).sum();
        if lost > CONTAMINATION * length {
            return None;
        }
        let variance: f64 = parts()
            .flat_map(|&(i, a)| parts().map(move |&(j, b)| (i, j, a * b)))
            .map(|(i, j, weight)| weight * self.matrix[(i, j)])
            .sum();
        // The square of an error below 1e-162 is zero to the machine.
        let is_lost = variance == 0.0 && !self.is_noiseless && parts().next().is_some();
        (variance.is_finite() && variance >= 0.0 && !is_lost).then(|| variance.sqrt())
    }

    /// Standard error of one parameter; none where it is held, at a bound, or not determined.
    pub fn parameter_error(&self, index: usize) -> Option<f64> {
        if !self.candidates[index] {
            return None;
        }
        self.std_error(&[(index, 1.0)])
    }

    /// Correlation matrix of all parameters; zero rows for those without a covariance.
    pub fn correlation(&self) -> Vec<Vec<f64>> {
        let count = self.candidates.len();
        let errors: Vec<Option<f64>> = (0..count)
            .map(|index| self.parameter_error(index).filter(|e| *e > 0.0))
            .collect();
        let entry = |i: usize, j: usize| match (errors[i], errors[j]) {
            (Some(_), Some(_)) if i == j => 1.0,
            (Some(a), Some(b)) => (self.matrix[(i, j)] / (a * b)).clamp(-1.0, 1.0),
            _ => 0.0,
        };
        (0..count)
            .map(|i| (0..count).map(|j| entry(i, j)).collect())
            .collect()
    }
}

impl Optimum<'_> {
    fn on_bound(&self) -> Vec<usize> {
        (0..self.coordinates.len())
            .filter(|&k| self.coordinates[k].at_bound(self.position[k]))
            .collect()
    }

    /// What to add to the curvature of coordinates on a bound, so that they vary as far as data and bound leave them
    /// room, for the sake of the errors of the others: taken as known exactly, an exponent of 1 would make its Q far
    /// more certain than it is.
    ///
    /// The likelihood of such a coordinate is a normal distribution cut at the bound, with its peak d standard errors
    /// outside. Its mean square distance from the bound is that of the uncut distribution times 1 + d² - d phi(d)/Q(d)
    /// (N. L. Johnson, S. Kotz, N. Balakrishnan (1994), Continuous Univariate Distributions 1, section 13.10.1).
    pub fn stiffness_at_bounds(&self, noise: f64) -> Vec<(usize, f64)> {
        let on_bound = self.on_bound();
        if on_bound.is_empty() {
            return Vec::new();
        }
        let (scaled, norm) = with_unit_diagonal(self.curvature);
        let (inverse, undetermined) = invert(scaled);
        let downhill = DVector::from_fn(norm.len(), |k, _| {
            if norm[k] > 0.0 {
                -self.gradient[k] / norm[k]
            } else {
                0.0
            }
        });
        let wanted = &inverse * downhill;
        let mut stiffness = Vec::new();
        for k in on_bound {
            let variance = inverse[(k, k)];
            let is_lost = undetermined
                .iter()
                .any(|direction| direction[k].powi(2) > CONTAMINATION);
            if is_lost || variance <= 0.0 {
                continue;
            }
            let (coordinate, position) = (&self.coordinates[k], self.position[k]);
            let at_upper = coordinate.upper - position < position - coordinate.lower;
            let outward = if at_upper { wanted[k] } else { -wanted[k] };
            let beyond = outward.max(0.0) / (noise * variance).sqrt();
            let room = room_inside(if beyond.is_nan() { 0.0 } else { beyond.min(1e4) });
            stiffness.push((k, (1.0 / room - 1.0) / variance * norm[k] * norm[k]));
        }
        stiffness
    }
}

/// Inverse of a curvature where it has one, zero along what it does not determine.
pub(super) fn inverse(curvature: &DMatrix<f64>) -> DMatrix<f64> {
    let (scaled, norm) = with_unit_diagonal(curvature);
    let (mut inverse, _) = invert(scaled);
    for (k, length) in norm.iter().enumerate() {
        let factor = if *length > 0.0 { 1.0 / length } else { 0.0 };
        inverse.row_mut(k).scale_mut(factor);
        inverse.column_mut(k).scale_mut(factor);
    }
    inverse
}

/// The matrix divided by the square roots of its diagonal on both sides, and these.
fn with_unit_diagonal(curvature: &DMatrix<f64>) -> (DMatrix<f64>, Vec<f64>) {
    let size = curvature.nrows();
    let norm: Vec<f64> = (0..size).map(|k| curvature[(k, k)].sqrt()).collect();
    let scaled = DMatrix::from_fn(size, size, |a, b| {
        let product = norm[a] * norm[b];
        if product > 0.0 {
            curvature[(a, b)] / product
        } else {
            0.0
        }
    });
    (scaled, norm)
}

/// Mean square distance from the cut of a standard normal distribution whose peak lies so far outside.
fn room_inside(beyond: f64) -> f64 {
    if beyond > 6.0 {
        return 2.0 / (beyond * beyond);
    }
    let density = (-0.5 * beyond * beyond).exp() / std::f64::consts::TAU.sqrt();
    let tail = 0.5 * erfc(beyond * std::f64::consts::FRAC_1_SQRT_2);
    1.0 + beyond * beyond - beyond * density / tail
}

/// Inverse of a matrix with unit diagonal, and the directions in which it has none.
fn invert(scaled: DMatrix<f64>) -> (DMatrix<f64>, Vec<DVector<f64>>) {
    let size = scaled.nrows();
    if size == 0 {
        return (scaled, Vec::new());
    }
    if let Some(cholesky) = scaled.clone().cholesky() {
        let smallest = cholesky.l_dirty().diagonal().min();
        if smallest * smallest > 1e-8 {
            return (cholesky.inverse(), Vec::new());
        }
    }
    let eigen = SymmetricEigen::new(scaled);
    let mut inverse = DMatrix::zeros(size, size);
    let mut undetermined = Vec::new();
    for (value, vector) in eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter()) {
        if *value > SINGULAR {
            inverse += vector * vector.transpose() / *value;
        } else {
            undetermined.push(vector.into_owned());
        }
    }
    (inverse, undetermined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_distribution_has_less_room_the_farther_its_peak_lies_outside() {
        // At the cut itself that of the uncut one; 0.25357 at two standard errors, by numerical integration.
        assert!((room_inside(0.0) - 1.0).abs() < 1e-12);
        assert!(
            (room_inside(2.0) - 0.253_568_934).abs() < 1e-6,
            "{}",
            room_inside(2.0)
        );
        assert!((room_inside(5.999_999) / room_inside(6.000_001) - 1.0).abs() < 0.15);
    }
}
