//! Where a search for a circuit's parameters should start, from the data alone.
//!
//! The terms of a circuit's outer series are each a size times a shape. Once the shapes (time constants,
//! exponents) are chosen, the sizes follow from a non-negative linear least-squares solution; every scheme here
//! chooses shapes and leaves the sizes to that. [`Guess`] offers, from quick and systematic to patient:
//!
//! 1. [`Guess::gram_grid`]: all choices of shapes from a grid, compared on one Gram matrix;
//! 2. [`Guess::relaxation_times`]: the peaks of a distribution of relaxation times;
//! 3. [`Guess::geometry`]: the tops of the arcs of the Nyquist plot;
//! 4. [`Guess::random`]: shapes drawn at random with a fixed seed, the most promising of many.
//!
//! A [`Refiner`] moves any of them to the nearest minimum by variable projection. The order in which they
//! are tried, and when enough is enough, is the fit's affair.

mod geometry;
mod gram_grid;
mod random;
mod relaxation_times;
mod relocation;
mod shape;
mod solve;
mod term;
mod variable_projection;

use crate::circuit::{Circuit, Grid};
use num_complex::Complex64;

use shape::Target;
use solve::{Gram, Work};
use term::{Limit, Term};
use variable_projection::Projection;

pub use term::Limit as ParameterLimit;

/// Frequencies and impedances of the points that a fit uses.
#[derive(Clone, Debug)]
pub struct Data {
    /// Frequencies.
    pub grid: Grid,
    /// Impedances in ohm.
    pub impedance: Vec<Complex64>,
}

/// A circuit and data, prepared for guessing. All starts are full parameter vectors in the circuit's order, of
/// finite positive numbers; the same input always gives the same starts.
#[derive(Debug)]
pub struct Guess<'a> {
    circuit: &'a Circuit,
    target: Target<'a>,
    terms: Vec<Term<'a>>,
}

impl<'a> Guess<'a> {
    /// `limits` say for each parameter of the circuit where it may lie.
    #[must_use]
    pub fn new(circuit: &'a Circuit, data: &'a Data, limits: &[Limit]) -> Self {
        Self {
            circuit,
            target: Target::new(data),
            terms: term::terms(circuit, limits, &data.grid),
        }
    }

    /// How many terms have a shape of their own to be found: arcs, diffusion of finite length, nested groups.
    #[must_use]
    pub fn shapes(&self) -> usize {
        self.terms.iter().filter(|term| term.has_free_time()).count()
    }

    /// Moves starts to the nearest minimum; none for a circuit with a nested group.
    #[must_use]
    pub fn refiner(&self) -> Option<Refiner<'_>> {
        Projection::new(self).map(|projection| Refiner {
            guess: self,
            projection,
        })
    }

    fn has_units(&self) -> bool {
        self.terms.iter().all(|term| term.unit.is_some())
    }

    /// Chi-squared and start of terms whose parameters at unit size are given.
    fn sized(&self, units: &[Vec<f64>], work: &mut Work) -> (f64, Vec<f64>) {
        let columns: Vec<Vec<f64>> = self
            .terms
            .iter()
            .zip(units)
            .map(|(term, unit)| self.target.column_of(self.circuit, term, unit))
            .collect();
        let gram = Gram::new(&columns, &self.target.column, |_, _| true);
        let held: Vec<Option<f64>> = self.terms.iter().map(|term| term.held_size).collect();
        let chosen: Vec<usize> = (0..self.terms.len()).collect();
        let residual = gram.solve(&chosen, &held, work);
        let floor = gram.least();
        let mut start = vec![1.0; self.circuit.parameters().len()];
        for (place, (term, unit)) in self.terms.iter().zip(units).enumerate() {
            let size = gram.size(place, work.coefficients[place].max(floor));
            term.write(self.circuit, unit, term.held_size.unwrap_or(size), &mut start);
        }
        (residual, start)
    }
}

/// Moves starts to the nearest minimum of the data weighted by modulus.
pub struct Refiner<'a> {
    guess: &'a Guess<'a>,
    projection: Projection<'a>,
}

impl Refiner<'_> {
    /// Chi-squared and parameters of the minimum next to the shapes of `start`, whose sizes do not matter.
    #[must_use]
    pub fn refine(&mut self, start: &[f64], evaluations: usize) -> (f64, Vec<f64>) {
        let shapes: Vec<f64> = self
            .guess
            .terms
            .iter()
            .flat_map(|term| term.shape_of(start))
            .collect();
        let found = self.projection.search(&shapes, evaluations, 1e-6);
        let mut refined = vec![1.0; self.guess.circuit.parameters().len()];
        let mut place = 0;
        for (index, (term, &size)) in self.guess.terms.iter().zip(&found.sizes).enumerate() {
            let Some(unit) = &term.unit else { continue };
            let shape = &found.shapes[place..place + unit.dimensions.len()];
            place += unit.dimensions.len();
            let unit = term.unit_parameters(shape);
            let size = term
                .held_size
                .unwrap_or(size.max(self.projection.least_size(index)));
            term.write(self.guess.circuit, &unit, size, &mut refined);
        }
        (found.chi_squared, refined)
    }
}

#[cfg(test)]
mod tests;
