//! Covariance of the parameters at the optimum, in natural units.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::problem::Problem;
use super::search::Outcome;

/// Eigenvalues of the scaled curvature (unit diagonal) below this are zero as far as rounding lets us see.
const SINGULAR: f64 = 1e-13;
/// Part of a direction that may lie in what the data do not determine.
const CONTAMINATION: f64 = 1e-6;

/// Covariance of all parameters of a circuit; rows and columns of those without one are zero.
pub(super) struct Covariance {
    matrix: DMatrix<f64>,
    /// Which parameters have a variance at all: free, not at a bound.
    candidates: Vec<bool>,
    /// Orthonormal directions (scaled search coordinates) that the data do not determine.
    undetermined: Vec<DVector<f64>>,
    /// From natural parameters to the scaled coordinates of the directions; zero for parameters without any.
    scale: Vec<f64>,
    /// For each parameter its index in the directions.
    slot: Vec<Option<usize>>,
}

impl Covariance {
    /// `noise` (J'J)^-1 where the data determine it. With the residual variance S/(N-p) as noise this is what
    /// scipy's `curve_fit` gives by default, with 1 what it gives for absolute sigmas.
    pub fn new(problem: &Problem<'_>, parameters: usize, outcome: &Outcome, noise: f64) -> Self {
        let inner: Vec<usize> = (0..problem.coordinates.len())
            .filter(|&k| !problem.coordinates[k].at_bound(outcome.position[k]))
            .collect();
        let size = inner.len();
        let curvature = &outcome.normal.curvature;
        let norm: Vec<f64> = inner.iter().map(|&k| curvature[(k, k)].sqrt()).collect();
        let scaled = DMatrix::from_fn(size, size, |a, b| {
            let product = norm[a] * norm[b];
            if product > 0.0 {
                curvature[(inner[a], inner[b])] / product
            } else {
                0.0
            }
        });
        let (inverse, undetermined) = invert(scaled);
        let mut covariance = Self {
            matrix: DMatrix::zeros(parameters, parameters),
            candidates: vec![false; parameters],
            undetermined,
            scale: vec![0.0; parameters],
            slot: vec![None; parameters],
        };
        let slope = |k: usize| problem.coordinates[k].slope(outcome.position[k]);
        for (a, &k) in inner.iter().enumerate() {
            for &index in &problem.coordinates[k].parameters {
                covariance.candidates[index] = true;
                covariance.slot[index] = Some(a);
                covariance.scale[index] = norm[a] / slope(k);
            }
        }
        for (a, &k) in inner.iter().enumerate() {
            for (b, &l) in inner.iter().enumerate() {
                let entry = noise * inverse[(a, b)] * slope(k) * slope(l) / (norm[a] * norm[b]);
                if !entry.is_finite() {
                    continue;
                }
                for &row in &problem.coordinates[k].parameters {
                    for &column in &problem.coordinates[l].parameters {
                        covariance.matrix[(row, column)] = entry;
                    }
                }
            }
        }
        covariance
    }

    /// A covariance that is known in natural units; `candidates` says which parameters have one.
    pub fn known(matrix: DMatrix<f64>, candidates: Vec<bool>) -> Self {
        Self {
            scale: candidates.iter().map(|&has| f64::from(u8::from(has))).collect(),
            slot: candidates
                .iter()
                .enumerate()
                .map(|(index, &has)| has.then_some(index))
                .collect(),
            matrix,
            candidates,
            undetermined: Vec::new(),
        }
    }

    /// Standard error of a sum of parameters with these weights; none where the data do not determine it, zero
    /// where all its parts are held.
    pub fn std_error(&self, weights: &[(usize, f64)]) -> Option<f64> {
        let parts = || weights.iter().filter(|(index, _)| self.candidates[*index]);
        // In scaled coordinates the sum's direction is w/scale.
        let size = self.slot.iter().flatten().map(|slot| slot + 1).max().unwrap_or(0);
        let mut direction = DVector::zeros(size);
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
        (variance.is_finite() && variance >= 0.0).then(|| variance.sqrt())
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
