//! A circuit, data and weights as a least-squares problem in search coordinates.

mod coordinate;
mod normal;
mod reach;
mod request;
mod setup;
mod weights;

use num_complex::Complex64;

use crate::analysis::guess::Data;
use crate::circuit::{Circuit, Grid, Workspace};

use super::options::{FitError, FitOptions};
use super::runs;
pub(super) use coordinate::Coordinate;
pub(super) use normal::Normal;

/// Whether the options make sense for a circuit, whatever the data.
pub(super) fn check(circuit: &Circuit, options: &FitOptions) -> Result<(), FitError> {
    request::check_bounds_strictly(circuit, options)?;
    request::Request::new(circuit, options).map(|_| ())
}

/// A circuit, data and weights, ready to be searched.
pub(super) struct Problem<'a> {
    circuit: &'a Circuit,
    pub grid: Grid,
    /// Where the points used stand in the spectrum.
    pub places: Vec<usize>,
    /// Real and then imaginary parts of the data.
    measured: Vec<f64>,
    /// Square roots of the weights in the same order.
    pub weights: Vec<f64>,
    /// What a search moves.
    pub coordinates: Vec<Coordinate>,
    /// Values of all parameters; those of the free ones are overwritten.
    natural: Vec<f64>,
    workspace: Workspace,
    /// Weighted residuals of the last evaluation.
    residuals: Vec<f64>,
    /// Weighted derivatives of the model by each coordinate in turn.
    jacobian: Vec<f64>,
    scratch: Vec<f64>,
}

impl Problem<'_> {
    /// Points used.
    pub fn points(&self) -> usize {
        self.grid.len()
    }

    /// Numbers minus coordinates.
    pub fn degrees_of_freedom(&self) -> f64 {
        (2 * self.points()) as f64 - self.coordinates.len() as f64
    }

    /// The chi-squared below which only rounding is left.
    pub fn rounding_floor(&self) -> f64 {
        1e-29
            * self
                .measured
                .iter()
                .zip(&self.weights)
                .map(|(z, w)| (z * w).powi(2))
                .sum::<f64>()
    }

    /// The chi-squared at which residuals are numerical dust whose structure means nothing.
    pub fn negligible(&self) -> f64 {
        1e6 * self.rounding_floor()
    }

    /// The data as the guess wants them.
    pub fn data(&self) -> Data {
        let (real, imaginary) = self.measured.split_at(self.points());
        let impedance = real
            .iter()
            .zip(imaginary)
            .map(|(&re, &im)| Complex64::new(re, im))
            .collect();
        Data {
            grid: self.grid.clone(),
            impedance,
        }
    }

    /// Search coordinates of a full vector, moved into the bounds. Of parameters that are tied the first counts.
    pub fn to_search(&self, natural: &[f64]) -> Vec<f64> {
        self.coordinates
            .iter()
            .map(|coordinate| coordinate.to_position(natural[coordinate.parameters[0]]))
            .collect()
    }

    /// Search coordinates of a guess, in which the user's single start values take precedence.
    pub fn to_guess(&self, guess: &[f64], options: &FitOptions) -> Vec<f64> {
        let mut start = guess.to_vec();
        for (name, value) in &options.named_start {
            if let Some(index) = self.circuit.parameter_index(name) {
                start[index] = *value;
            }
        }
        self.to_search(&start)
    }

    /// All parameters at a position.
    pub fn to_natural(&self, position: &[f64]) -> Vec<f64> {
        let mut natural = self.natural.clone();
        for (coordinate, &position) in self.coordinates.iter().zip(position) {
            for &index in &coordinate.parameters {
                natural[index] = coordinate.natural(position);
            }
        }
        natural
    }

    /// Weighted residuals of the last evaluation, real parts first.
    pub fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    /// Probability of the runs in residuals, in order of frequency.
    pub fn runs_probability(&self, residuals: &[f64]) -> Option<f64> {
        let points = self.points();
        let mut order: Vec<usize> = (0..points).collect();
        order.sort_by(|&a, &b| self.grid.omega[b].total_cmp(&self.grid.omega[a]));
        let (real, imaginary) = residuals.split_at(points);
        let sequence = |part: &[f64]| order.iter().map(|&index| part[index]).collect::<Vec<_>>();
        runs::probability(&[sequence(real), sequence(imaginary)])
    }
}
