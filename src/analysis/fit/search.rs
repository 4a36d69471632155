//! Bounded Levenberg-Marquardt search.
//!
//! Damping after H. B. Nielsen (1999), IMM-REP-1999-05, on a diagonal between those of K. Levenberg (1944),
//! doi:10.1090/qam/10666, and D. W. Marquardt (1963), doi:10.1137/0111030, within a radius of trust as in J. J. More
//! (1978), doi:10.1007/BFb0067700: where a step would be longer, it is damped further rather than shortened, so that
//! a coordinate that runs away does not hold back the others. Parameters that push against a bound are left out of
//! it (see [`super::step`]).

use super::problem::{Normal, Problem};
use super::step::Stepper;

/// A start is presumed to be far away, where steps along weak directions mislead ...
const FIRST_DAMPING: f64 = 0.1;
/// ... unless so little damping leads no further than so many units of a logarithm.
const NEAR_DAMPING: f64 = 1e-3;
const NEAR: f64 = 0.3;
/// How much the damping falls after a step that did what was expected of it.
const LARGEST_DROP: f64 = 0.01;
const LEAST_DAMPING: f64 = 1e-12;
/// No logarithm moves by more than this at once: a factor of 4.5 for a scale parameter.
const LARGEST_RADIUS: f64 = 1.5;
/// What is left of the radius of trust after a step that led up, of the length of the step.
const SHRINKAGE: f64 = 0.3;
/// The gain, as a part of what was expected, from which the radius grows, and below which it shrinks.
const GOOD: f64 = 0.7;
const BAD: f64 = 0.25;
/// Relative decrease of chi-squared that is not worth another evaluation.
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
        let mut stepper = Stepper::new(position.len());
        let mut radius = LARGEST_RADIUS;
        let mut damping = NEAR_DAMPING;
        while !converged && evaluations < limit && current.chi_squared.is_finite() {
            let step = stepper.take(&position, &current, &self.coordinates, &mut damping, radius);
            if evaluations == 1 && damping < FIRST_DAMPING && stepper.length(&self.coordinates) > NEAR {
                damping = FIRST_DAMPING;
                continue;
            }
            let Some(predicted) = step else {
                break;
            };
            if predicted <= 0.0 {
                // Rounding, or a bound cut the step off; a shorter one follows the gradient, if there is any.
                converged = damping > HOPELESS;
                damping *= 10.0;
                continue;
            }
            if current.chi_squared <= floor {
                converged = true;
                break;
            }
            if predicted <= tolerance * current.chi_squared {
                // Taken, but not looked at: nothing that is told of this place changes by as much as its digits.
                position.copy_from_slice(&stepper.next);
                converged = true;
                break;
            }
            self.evaluate(&stepper.next, &mut trial);
            evaluations += 1;
            let length = stepper.length(&self.coordinates);
            let ratio = (current.chi_squared - trial.chi_squared) / predicted;
            if ratio > GOOD {
                radius = (2.0 * radius).min(LARGEST_RADIUS);
            } else if ratio < BAD {
                radius = SHRINKAGE * length;
            }
            if ratio >= 0.0 {
                let factor = (1.0 - (2.0 * ratio - 1.0).powi(3)).clamp(LARGEST_DROP, 2.0);
                // Short steps need no damping.
                damping = (damping * factor).min(0.1 * length * length).max(LEAST_DAMPING);
                position.copy_from_slice(&stepper.next);
                std::mem::swap(&mut current, &mut trial);
                residuals.copy_from_slice(self.residuals());
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
