//! Bounded Levenberg-Marquardt search.
//!
//! Damping after H. B. Nielsen (1999), IMM-REP-1999-05, on the diagonal scaled as D. W. Marquardt (1963),
//! doi:10.1137/0111030. Two things make it robust here: a step is limited in every
//! coordinate, and parameters that push against a bound are left out of it (see [`super::step`]).

use super::problem::{Normal, Problem};
use super::step::Stepper;

const FIRST_DAMPING: f64 = 1e-3;
/// How much the damping falls after a step that did what was expected of it.
const LARGEST_DROP: f64 = 0.01;
/// Relative decrease of chi-squared that a converged search no longer expects.
const FINE: f64 = 1e-12;
const COARSE: f64 = 1e-6;
/// Damping at which a step that still promises nothing is rounding.
const HOPELESS: f64 = 1e6;
const QUICK_EVALUATIONS: usize = 60;

/// How hard to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// Enough to rank starts.
    Quick,
    /// To the last digit, with at most so many evaluations.
    Full(usize),
}

/// Where a search ended.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub position: Vec<f64>,
    pub chi_squared: f64,
    pub normal: Normal,
    pub residuals: Vec<f64>,
    pub evaluations: usize,
    pub converged: bool,
}

impl Problem<'_> {
    /// Searches for the nearest minimum. A start without finite impedance is returned as it is.
    pub(super) fn search(&mut self, start: &[f64], effort: Effort) -> Outcome {
        let (tolerance, limit) = match effort {
            Effort::Quick => (COARSE, QUICK_EVALUATIONS),
            Effort::Full(limit) => (FINE, limit),
        };
        let floor = self.rounding_floor();
        let mut position = start.to_vec();
        let mut current = self.normal();
        self.evaluate(&position, &mut current);
        let mut residuals = self.residuals().to_vec();
        let mut trial = self.normal();
        let mut evaluations = 1;
        let mut converged = self.coordinates.is_empty();
        let (mut damping, mut growth) = (FIRST_DAMPING, 2.0);
        let mut stepper = Stepper::new(position.len());
        while !converged && evaluations < limit && current.chi_squared.is_finite() && damping < 1e20 {
            let Some(predicted) = stepper.take(&position, &current, &self.coordinates, damping) else {
                damping *= 10.0;
                continue;
            };
            if predicted <= 0.0 {
                // Rounding, or a bound cut the step off; a shorter one follows the gradient, if there is any.
                converged = damping > HOPELESS;
                damping *= 10.0;
                continue;
            }
            self.evaluate(&stepper.next, &mut trial);
            evaluations += 1;
            let gained = current.chi_squared - trial.chi_squared;
            // So close to the minimum the difference of two sums is rounding; the step is still the better one.
            let settled = predicted <= tolerance * current.chi_squared || current.chi_squared <= floor;
            if gained >= 0.0 || (settled && trial.chi_squared <= current.chi_squared * (1.0 + 1e-12)) {
                let ratio = gained / predicted;
                damping = (damping * (1.0 - (2.0 * ratio - 1.0).powi(3)).clamp(LARGEST_DROP, 2.0)).max(1e-12);
                growth = 2.0;
                position.copy_from_slice(&stepper.next);
                std::mem::swap(&mut current, &mut trial);
                residuals.copy_from_slice(self.residuals());
                converged = settled;
            } else if settled {
                converged = true;
            } else {
                damping *= growth;
                growth *= 2.0;
            }
        }
        Outcome {
            position,
            chi_squared: current.chi_squared,
            normal: current,
            residuals,
            evaluations,
            converged,
        }
    }
}
