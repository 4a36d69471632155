//! Variable projection (G. H. Golub and V. Pereyra 1973, doi:10.1137/0710036): a search that moves the shapes
//! alone, with the sizes at each step those of the linear least-squares solution. Derivatives after L. Kaufman
//! (1975), doi:10.1007/BF01932995; damping and step limit as in the fit itself.

use super::Guess;
use super::shape::Target;
use super::solve::{cholesky_solve, dot};
use super::term::Term;
use crate::circuit::Role;

/// Most a time constant (as its logarithm) or an exponent moves in one step.
const LOGARITHMIC_STEP: f64 = 2.0;
const EXPONENT_STEP: f64 = 0.15;

/// The shapes of all terms at a minimum, and what they reach.
#[derive(Clone, Debug)]
pub(super) struct Projected {
    pub shapes: Vec<f64>,
    /// Sizes of the terms; zero where one would be negative.
    pub sizes: Vec<f64>,
    pub chi_squared: f64,
}

/// What is known at one choice of shapes.
#[derive(Clone, Debug)]
struct State {
    sizes: Vec<f64>,
    chi_squared: f64,
    gradient: Vec<f64>,
    curvature: Vec<f64>,
}

/// Where the free numbers of the shapes stand.
struct Free {
    term: usize,
    /// Place among the numbers of all terms.
    place: usize,
    lower: f64,
    upper: f64,
    step: f64,
}

pub(super) struct Projection<'a> {
    target: &'a Target<'a>,
    terms: &'a [Term<'a>],
    free: Vec<Free>,
    /// Columns of all terms and derivatives by all numbers of all shapes.
    columns: Vec<f64>,
    derivatives: Vec<f64>,
    residuals: Vec<f64>,
    scratch: Vec<f64>,
    /// Whether the columns of terms without a free number have been filled.
    filled: bool,
}

impl<'a> Projection<'a> {
    /// None where a term has no unit.
    pub fn new(guess: &'a Guess<'a>) -> Option<Self> {
        let mut free = Vec::new();
        let mut place = 0;
        for (term, unit) in guess.terms.iter().map(|term| term.unit.as_ref()).enumerate() {
            for dimension in &unit?.dimensions {
                if !dimension.is_held() {
                    free.push(Free {
                        term,
                        place,
                        lower: dimension.lower,
                        upper: dimension.upper,
                        step: if dimension.role == Role::Exponent {
                            EXPONENT_STEP
                        } else {
                            LOGARITHMIC_STEP
                        },
                    });
                }
                place += 1;
            }
        }
        let numbers = guess.target.column.len();
        Some(Self {
            target: &guess.target,
            terms: &guess.terms,
            free,
            columns: vec![0.0; numbers * guess.terms.len()],
            derivatives: vec![0.0; numbers * place],
            residuals: vec![0.0; numbers],
            scratch: Vec::new(),
            filled: false,
        })
    }

    /// Searches from the shapes of all terms, one after the other, for the nearest minimum.
    pub fn search(&mut self, shapes: &[f64], evaluations: usize, tolerance: f64) -> Projected {
        let mut shapes = shapes.to_vec();
        let mut current = self.evaluate(&shapes);
        let order = self.free.len();
        let (mut damping, mut growth) = (1e-3, 2.0);
        let mut used = 1;
        while order > 0 && used < evaluations && current.chi_squared.is_finite() && damping < 1e12 {
            let Some((next, predicted)) = self.step(&shapes, &current, damping) else {
                damping *= 10.0;
                continue;
            };
            if predicted <= 0.0 && damping < 1e6 {
                damping *= 10.0;
                continue;
            }
            if predicted <= tolerance * current.chi_squared {
                break;
            }
            let trial = self.evaluate(&next);
            used += 1;
            let gained = current.chi_squared - trial.chi_squared;
            if gained >= 0.0 {
                let ratio = gained / predicted;
                damping = (damping * (1.0 - (2.0 * ratio - 1.0).powi(3)).clamp(0.1, 2.0)).max(1e-12);
                growth = 2.0;
                shapes = next;
                current = trial;
            } else {
                damping *= growth;
                growth *= 2.0;
            }
        }
        Projected {
            shapes,
            sizes: current.sizes,
            chi_squared: current.chi_squared,
        }
    }

    /// A size of the term that is negligible beside the data, but not zero.
    pub fn least_size(&self, term: usize) -> f64 {
        let numbers = self.residuals.len();
        let column = &self.columns[numbers * term..numbers * (term + 1)];
        let least = 1e-4 * (dot(&self.target.column, &self.target.column) / dot(column, column)).sqrt();
        if least.is_finite() { least } else { 0.0 }
    }

    fn step(&self, shapes: &[f64], state: &State, damping: f64) -> Option<(Vec<f64>, f64)> {
        let order = self.free.len();
        let leads_out = |k: usize, direction: f64| {
            let (free, at) = (&self.free[k], shapes[self.free[k].place]);
            (at <= free.lower && direction < 0.0) || (at >= free.upper && direction > 0.0)
        };
        let mut held: Vec<bool> = (0..order).map(|k| leads_out(k, -state.gradient[k])).collect();
        let mut step = loop {
            let step = step_of_free(state, damping, &held)?;
            let mut found = false;
            for (k, held) in held.iter_mut().enumerate() {
                // A number on a bound may be drawn out by the others although its own gradient points in.
                if !*held && leads_out(k, step[k]) {
                    *held = true;
                    found = true;
                }
            }
            if !found {
                break step;
            }
        };
        let excess = step
            .iter()
            .zip(&self.free)
            .map(|(s, free)| s.abs() / free.step)
            .fold(1.0, f64::max);
        let mut next = shapes.to_vec();
        for (step, free) in step.iter_mut().zip(&self.free) {
            next[free.place] = (shapes[free.place] + *step / excess).clamp(free.lower, free.upper);
            *step = next[free.place] - shapes[free.place];
        }
        let mut predicted = 0.0;
        for (k, step_k) in step.iter().enumerate() {
            let bend = dot(&state.curvature[k * order..(k + 1) * order], &step);
            predicted -= step_k * (2.0 * state.gradient[k] + bend);
        }
        Some((next, predicted))
    }

    fn evaluate(&mut self, shapes: &[f64]) -> State {
        self.fill(shapes);
        let numbers = self.residuals.len();
        let terms = self.terms.len();
        let column = |term: usize| &self.columns[numbers * term..numbers * (term + 1)];
        let mut gram = vec![0.0; terms * terms];
        let mut projections = vec![0.0; terms];
        for i in 0..terms {
            for j in 0..=i {
                gram[i * terms + j] = dot(column(i), column(j));
                gram[j * terms + i] = gram[i * terms + j];
            }
            projections[i] = dot(column(i), &self.target.column);
        }
        let Some((sizes, active, factor)) = self.sizes(&gram, &projections) else {
            return State {
                sizes: vec![0.0; terms],
                chi_squared: f64::INFINITY,
                gradient: vec![0.0; self.free.len()],
                curvature: vec![0.0; self.free.len() * self.free.len()],
            };
        };
        self.residuals.copy_from_slice(&self.target.column);
        for (term, &size) in sizes.iter().enumerate().filter(|(_, size)| **size != 0.0) {
            let column = &self.columns[numbers * term..numbers * (term + 1)];
            for (residual, value) in self.residuals.iter_mut().zip(column) {
                *residual -= size * value;
            }
        }
        let (gradient, curvature) = self.reduced(&sizes, &active, &factor);
        State {
            sizes,
            chi_squared: dot(&self.residuals, &self.residuals),
            gradient,
            curvature,
        }
    }

    fn fill(&mut self, shapes: &[f64]) {
        let numbers = self.residuals.len();
        let mut place = 0;
        for (index, term) in self.terms.iter().enumerate() {
            let Some(unit) = &term.unit else { continue };
            let count = unit.dimensions.len();
            let moves = unit.dimensions.iter().any(|dimension| !dimension.is_held());
            if moves || !self.filled {
                self.target.unit_with_derivatives(
                    unit,
                    &shapes[place..place + count],
                    &mut self.scratch,
                    &mut self.columns[numbers * index..numbers * (index + 1)],
                    &mut self.derivatives[numbers * place..numbers * (place + count)],
                );
            }
            place += count;
        }
        self.filled = true;
    }

    /// Sizes, the terms that were solved for, and the Cholesky factor of their scaled Gram matrix with its scales.
    #[allow(clippy::type_complexity)]
    fn sizes(&self, gram: &[f64], projections: &[f64]) -> Option<(Vec<f64>, Vec<usize>, Factor)> {
        let terms = self.terms.len();
        let mut sizes: Vec<f64> = self
            .terms
            .iter()
            .map(|term| term.held_size.unwrap_or(0.0))
            .collect();
        let mut active: Vec<usize> = (0..terms)
            .filter(|&i| self.terms[i].held_size.is_none() && gram[i * terms + i] > 0.0)
            .collect();
        let right: Vec<f64> = (0..terms)
            .map(|i| projections[i] - (0..terms).map(|j| gram[i * terms + j] * sizes[j]).sum::<f64>())
            .collect();
        loop {
            let order = active.len();
            let scales: Vec<f64> = active
                .iter()
                .map(|&i| gram[i * terms + i].sqrt().recip())
                .collect();
            let mut matrix = vec![0.0; order * order];
            for (row, &i) in active.iter().enumerate() {
                for (column, &j) in active[..=row].iter().enumerate() {
                    matrix[row * order + column] = gram[i * terms + j] * (scales[row] * scales[column]);
                }
                matrix[row * order + row] += 1e-12;
            }
            let mut solution: Vec<f64> = active
                .iter()
                .zip(&scales)
                .map(|(&i, scale)| right[i] * scale)
                .collect();
            if !cholesky_solve(&mut matrix, &mut solution, order) {
                return None;
            }
            let worst = (0..order).min_by(|&a, &b| solution[a].total_cmp(&solution[b]));
            match worst {
                Some(worst) if solution[worst] < 0.0 => {
                    active.remove(worst);
                }
                _ => {
                    for ((&i, value), scale) in active.iter().zip(&solution).zip(&scales) {
                        sizes[i] = value * scale;
                    }
                    return Some((sizes, active, Factor { matrix, scales }));
                }
            }
        }
    }

    /// Gradient and curvature of the reduced problem: J_k = -P (dB_k c), with P the projection out of the space of
    /// the columns. With B'B = L L', the part inside is v_k = L^-1 B' dB_k c.
    fn reduced(&self, sizes: &[f64], active: &[usize], factor: &Factor) -> (Vec<f64>, Vec<f64>) {
        let numbers = self.residuals.len();
        let order = self.free.len();
        let inner = active.len();
        let derivative = |free: &Free| &self.derivatives[numbers * free.place..numbers * (free.place + 1)];
        let mut inside = vec![0.0; order * inner];
        let mut gradient = vec![0.0; order];
        let mut curvature = vec![0.0; order * order];
        for (k, free) in self.free.iter().enumerate() {
            let (own, size) = (derivative(free), sizes[free.term]);
            gradient[k] = -size * dot(own, &self.residuals);
            if size != 0.0 {
                for (row, &i) in active.iter().enumerate() {
                    let column = &self.columns[numbers * i..numbers * (i + 1)];
                    let product = size * dot(own, column) * factor.scales[row];
                    let before = dot(
                        &factor.matrix[row * inner..row * inner + row],
                        &inside[k * inner..k * inner + row],
                    );
                    inside[k * inner + row] = (product - before) / factor.matrix[row * inner + row];
                }
            }
            for (l, other) in self.free[..=k].iter().enumerate() {
                let both = size * sizes[other.term];
                let product = if both == 0.0 {
                    0.0
                } else {
                    both * dot(own, derivative(other))
                };
                let value = product
                    - dot(
                        &inside[k * inner..(k + 1) * inner],
                        &inside[l * inner..(l + 1) * inner],
                    );
                curvature[k * order + l] = value;
                curvature[l * order + k] = value;
            }
        }
        (gradient, curvature)
    }
}

fn step_of_free(state: &State, damping: f64, held: &[bool]) -> Option<Vec<f64>> {
    let order = held.len();
    let mut matrix = state.curvature.clone();
    let mut step: Vec<f64> = state.gradient.iter().map(|g| -g).collect();
    let trace: f64 = (0..order).map(|k| state.curvature[k * order + k]).sum();
    let least = trace * 1e-9 + f64::MIN_POSITIVE;
    for (k, &held) in held.iter().enumerate() {
        if held {
            for other in 0..order {
                matrix[k * order + other] = 0.0;
                matrix[other * order + k] = 0.0;
            }
            matrix[k * order + k] = 1.0;
            step[k] = 0.0;
        } else {
            matrix[k * order + k] += damping * state.curvature[k * order + k] + least;
        }
    }
    cholesky_solve(&mut matrix, &mut step, order).then_some(step)
}

struct Factor {
    matrix: Vec<f64>,
    scales: Vec<f64>,
}
