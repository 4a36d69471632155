//! Bounded Levenberg-Marquardt search.
//!
//! Damping after H. B. Nielsen (1999), IMM-REP-1999-05, on the diagonal scaled as D. W. Marquardt (1963),
//! doi:10.1137/0111030. Two things make it robust here: no coordinate moves by more than [`STEP_LIMIT`] at once
//! (a factor of e² for a scale parameter), and parameters that push against a bound are left out of the step.

use nalgebra::{Cholesky, DVector};

use super::problem::{Normal, Problem};

const STEP_LIMIT: f64 = 2.0;
/// Relative decrease of chi-squared that a converged search no longer expects.
const FINE: f64 = 1e-12;
const COARSE: f64 = 1e-6;
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
        let (mut damping, mut growth) = (1e-3, 2.0);
        while !converged && evaluations < limit && current.chi_squared.is_finite() && damping < 1e20 {
            let Some((next, predicted)) = self.step(&position, &current, damping) else {
                damping *= 10.0;
                continue;
            };
            if predicted <= 0.0 {
                // Rounding, or every direction leads out of bounds; else a bound has bent the step too much.
                converged = predicted.abs() <= tolerance * current.chi_squared || damping > 1e8;
                damping = damping.max(1e-3) * 10.0;
                continue;
            }
            self.evaluate(&next, &mut trial);
            evaluations += 1;
            let gained = current.chi_squared - trial.chi_squared;
            // So close to the minimum the difference of two sums is rounding; the step is still the better one.
            let settled = predicted <= tolerance * current.chi_squared || current.chi_squared <= floor;
            if gained >= 0.0 || (settled && trial.chi_squared <= current.chi_squared * (1.0 + 1e-12)) {
                let ratio = gained / predicted;
                damping = (damping * (1.0 - (2.0 * ratio - 1.0).powi(3)).clamp(0.1, 2.0)).max(1e-12);
                growth = 2.0;
                position = next;
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

    /// The next position and the decrease that the quadratic model promises; none where the damped matrix is
    /// still singular.
    ///
    /// A coordinate that the step would carry over a bound stops there, and the others take the step that is best
    /// with it there: cutting the whole step at the bound can leave no descent at all where coordinates hang
    /// together as closely as Q and n.
    fn step(&self, position: &[f64], normal: &Normal, damping: f64) -> Option<(Vec<f64>, f64)> {
        let size = position.len();
        let mut held: Vec<Option<f64>> = (0..size)
            .map(|k| {
                let outward = (position[k] <= self.coordinates[k].lower && normal.gradient[k] > 0.0)
                    || (position[k] >= self.coordinates[k].upper && normal.gradient[k] < 0.0);
                outward.then_some(0.0)
            })
            .collect();
        let mut step = self.free_step(normal, damping, &held)?;
        for _ in 0..size {
            let mut stopped = false;
            for k in 0..size {
                let coordinate = &self.coordinates[k];
                let next = position[k] + step[k];
                if held[k].is_none() && !(coordinate.lower..=coordinate.upper).contains(&next) {
                    held[k] = Some(next.clamp(coordinate.lower, coordinate.upper) - position[k]);
                    stopped = true;
                }
            }
            if !stopped {
                break;
            }
            step = self.free_step(normal, damping, &held)?;
        }
        let mut next = position.to_vec();
        for k in 0..size {
            next[k] = (position[k] + step[k]).clamp(self.coordinates[k].lower, self.coordinates[k].upper);
            step[k] = next[k] - position[k];
        }
        let predicted = -(2.0 * normal.gradient.dot(&step) + step.dot(&(&normal.curvature * &step)));
        Some((next, predicted))
    }

    /// The damped step of the coordinates that are not held, beside those that are; no longer than allowed.
    fn free_step(&self, normal: &Normal, damping: f64, held: &[Option<f64>]) -> Option<DVector<f64>> {
        let mut damped = normal.curvature.clone();
        let mut step = -normal.gradient.clone();
        for (k, distance) in held.iter().enumerate() {
            if let Some(distance) = distance.filter(|distance| *distance != 0.0) {
                step.axpy(-distance, &normal.curvature.column(k), 1.0);
            }
        }
        for (k, distance) in held.iter().enumerate() {
            if let Some(distance) = distance {
                damped.row_mut(k).fill(0.0);
                damped.column_mut(k).fill(0.0);
                damped[(k, k)] = 1.0;
                step[k] = *distance;
            } else {
                // The second summand holds parameters that nothing determines where they are.
                damped[(k, k)] += damping * normal.curvature[(k, k)] + 1e-14 * normal.chi_squared;
            }
        }
        Cholesky::new(damped)?.solve_mut(&mut step);
        let largest = step.amax();
        if !largest.is_finite() {
            return None;
        }
        if largest > STEP_LIMIT {
            step *= STEP_LIMIT / largest;
        }
        Some(step)
    }
}
