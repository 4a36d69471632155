//! Levenberg-Marquardt over a whole series, within bounds and with a limited step, damped on the diagonal after
//! Marquardt.

use super::arrow::{Arrow, Held, Position};
use super::sharing::{Layout, Link};
use crate::analysis::fit::problem::{Normal, Problem};

const STEP_LIMIT: f64 = 2.0;
/// Relative decrease of chi-squared that a converged search no longer expects.
const TOLERANCE: f64 = 1e-12;

/// A series as one least-squares problem.
pub(super) struct Series<'a, 'c> {
    pub problems: &'a mut [Problem<'c>],
    pub layout: &'a Layout,
}

/// Where a search ended.
pub(super) struct Outcome {
    pub position: Position,
    pub arrow: Arrow,
    /// Weighted residuals of each spectrum, and its chi-squared.
    pub residuals: Vec<(Vec<f64>, f64)>,
    pub evaluations: usize,
    pub converged: bool,
}

impl Series<'_, '_> {
    /// The nearest minimum.
    pub fn search(&mut self, start: Position, most_evaluations: usize) -> Outcome {
        let floor: f64 = self.problems.iter().map(Problem::rounding_floor).sum();
        let mut position = self.bounded(start);
        let (mut arrow, mut residuals) = self.evaluate(&position);
        let (mut evaluations, mut converged) = (1, false);
        let (mut damping, mut growth) = (1e-3, 2.0);
        while !converged && evaluations < most_evaluations && arrow.is_finite() && damping < 1e20 {
            let Some((next, promised)) = self.step(&position, &arrow, damping) else {
                damping *= 10.0;
                continue;
            };
            if promised <= 0.0 {
                converged = true;
                break;
            }
            let (trial, trial_residuals) = self.evaluate(&next);
            evaluations += 1;
            let gained = arrow.chi_squared - trial.chi_squared;
            let settled = promised <= TOLERANCE * arrow.chi_squared || arrow.chi_squared <= floor;
            let equal = trial.chi_squared <= arrow.chi_squared * (1.0 + 1e-12);
            if trial.is_finite() && (gained >= 0.0 || (settled && equal)) {
                let surplus = 2.0 * gained / promised - 1.0;
                damping = (damping * (1.0 - surplus.powi(3)).clamp(0.1, 2.0)).max(1e-12);
                growth = 2.0;
                (position, arrow, residuals) = (next, trial, trial_residuals);
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
            arrow,
            residuals,
            evaluations,
            converged,
        }
    }

    fn evaluate(&mut self, position: &Position) -> (Arrow, Vec<(Vec<f64>, f64)>) {
        let mut arrow = Arrow::new(self.layout);
        let mut residuals = Vec::with_capacity(self.problems.len());
        for (spectrum, problem) in self.problems.iter_mut().enumerate() {
            let local = self
                .layout
                .position(spectrum, &position.shared, &position.own[spectrum]);
            let mut normal: Normal = problem.normal();
            problem.evaluate(&local, &mut normal);
            residuals.push((problem.residuals().to_vec(), normal.chi_squared));
            arrow.add(self.layout, &normal);
        }
        (arrow, residuals)
    }

    fn step(&self, position: &Position, arrow: &Arrow, damping: f64) -> Option<(Position, f64)> {
        let mut damped = arrow.clone();
        damped.hold(&self.pushed_out(position, arrow));
        damped.damp(damping);
        let step = damped.step(&damped.factor()?);
        let largest = self.largest_move(&step);
        if !largest.is_finite() {
            return None;
        }
        let factor = if largest > STEP_LIMIT {
            STEP_LIMIT / largest
        } else {
            1.0
        };
        let moved = |from: &[f64], by: &[f64]| -> Vec<f64> {
            from.iter().zip(by).map(|(from, by)| from + factor * by).collect()
        };
        let next = self.bounded(Position {
            shared: moved(&position.shared, &step.shared),
            own: position
                .own
                .iter()
                .zip(&step.own)
                .map(|(from, by)| moved(from, by))
                .collect(),
        });
        let taken = |to: &[f64], from: &[f64]| -> Vec<f64> {
            to.iter().zip(from).map(|(to, from)| to - from).collect()
        };
        let taken = Position {
            shared: taken(&next.shared, &position.shared),
            own: next
                .own
                .iter()
                .zip(&position.own)
                .map(|(to, from)| taken(to, from))
                .collect(),
        };
        let promised = arrow.promise(&taken);
        Some((next, promised))
    }

    /// The farthest that a coordinate of any spectrum moves.
    fn largest_move(&self, step: &Position) -> f64 {
        let mut largest = 0.0_f64;
        for (spectrum, links) in self.layout.links.iter().enumerate() {
            for link in links {
                let by = match link {
                    Link::Own(index) => step.own[spectrum][*index],
                    Link::Shared(terms, _) => terms.iter().map(|(k, factor)| factor * step.shared[*k]).sum(),
                };
                if by.is_nan() {
                    return f64::NAN;
                }
                largest = largest.max(f64::abs(by));
            }
        }
        largest
    }

    fn bounded(&self, mut position: Position) -> Position {
        for (value, shared) in position.shared.iter_mut().zip(&self.layout.shared) {
            *value = value.clamp(shared.lower, shared.upper);
        }
        for (spectrum, own) in position.own.iter_mut().enumerate() {
            for (value, &coordinate) in own.iter_mut().zip(&self.layout.own[spectrum]) {
                let coordinate = &self.problems[spectrum].coordinates[coordinate];
                *value = value.clamp(coordinate.lower, coordinate.upper);
            }
        }
        position
    }

    /// Coordinates that stand on a bound and would leave it.
    fn pushed_out(&self, position: &Position, arrow: &Arrow) -> Held {
        let outward = |value: f64, lower: f64, upper: f64, gradient: f64| {
            (value <= lower && gradient > 0.0) || (value >= upper && gradient < 0.0)
        };
        self.held(position, |place, value, lower, upper| {
            let gradient = match place {
                Place::Shared(k) => arrow.gradient[k],
                Place::Own(spectrum, k) => arrow.blocks[spectrum].gradient[k],
            };
            outward(value, lower, upper, gradient)
        })
    }

    fn held(&self, position: &Position, is_held: impl Fn(Place, f64, f64, f64) -> bool) -> Held {
        Held {
            shared: position
                .shared
                .iter()
                .zip(&self.layout.shared)
                .enumerate()
                .map(|(k, (&value, shared))| is_held(Place::Shared(k), value, shared.lower, shared.upper))
                .collect(),
            own: position
                .own
                .iter()
                .enumerate()
                .map(|(spectrum, own)| {
                    let coordinates = &self.problems[spectrum].coordinates;
                    own.iter()
                        .zip(&self.layout.own[spectrum])
                        .enumerate()
                        .map(|(k, (&value, &coordinate))| {
                            let coordinate = &coordinates[coordinate];
                            is_held(Place::Own(spectrum, k), value, coordinate.lower, coordinate.upper)
                        })
                        .collect()
                })
                .collect(),
        }
    }
}

/// Which coordinate of the series.
#[derive(Clone, Copy)]
enum Place {
    Shared(usize),
    /// Spectrum and own coordinate.
    Own(usize, usize),
}
