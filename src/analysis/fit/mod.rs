//! Complex nonlinear least squares (CNLS): a circuit's parameters from a spectrum.
//!
//! [`fit`] minimises the weighted sum of squared residuals of both components over the logarithms of the scale
//! parameters (exponents as they are) by a bounded Levenberg-Marquardt search with a limited step, from starts
//! that the caller gives, or that [`super::guess`] finds in the data.

mod arc_track;
mod covariance;
mod identity;
pub mod joint;
pub mod options;
mod problem;
pub mod result;
mod robust;
mod runs;
mod search;
mod summary;
mod verdict;

pub use arc_track::ArcTrack;
pub use identity::{ArcForecast, Expected};
pub use options::{ColdStarts, FitError, FitOptions};
pub use result::{FitResult, Parameter, Robust, Sum, Weight};
pub use verdict::{Degenerate, RUNS_LEVEL};

use crate::circuit::Circuit;
use crate::spectrum::Spectrum;

use super::guess;
use problem::Problem;
use robust::Reweighting;
use search::{Effort, Outcome};

/// How much worse than expected a warm start may end before cold starts are tried: ratio of the reduced
/// chi-squared.
const POOR_RATIO: f64 = 2.0;
/// Two searches ended in the same minimum when their chi-squared differ by less than this fraction.
const SAME_MINIMUM: f64 = 1e-3;
/// Starts drawn at random where the systematic ones do not convince.
const RANDOM_STARTS: usize = 40;
/// Starts drawn at random for a circuit that the systematic guess cannot treat.
const RANDOM_STARTS_ALONE: usize = 120;

/// Fits `circuit` to the usable points of `spectrum`.
///
/// Same input, same output, to the bit. The times in the result are zero: see [`fit_timed`].
///
/// # Errors
/// Where the options contradict the circuit or each other, where the points are too few, and where the circuit
/// has no finite impedance at any start.
pub fn fit(spectrum: &Spectrum, circuit: &Circuit, options: &FitOptions) -> Result<FitResult, FitError> {
    fit_timed(spectrum, circuit, options, &|| 0.0)
}

/// As [`fit`], with the times of guess and final search read from `clock`, which gives microseconds.
///
/// # Errors
/// As [`fit`].
pub fn fit_timed(
    spectrum: &Spectrum,
    circuit: &Circuit,
    options: &FitOptions,
    clock: &dyn Fn() -> f64,
) -> Result<FitResult, FitError> {
    let began = clock();
    let mut problem = Problem::new(spectrum, circuit, options)?;
    let mut starts = 0;
    let mut warm = None;
    for start in options.start.iter().chain(&options.also_start) {
        starts += 1;
        keep_better(
            &mut warm,
            problem.search(&problem.to_search(start), Effort::Full(options.max_evaluations)),
        );
    }
    let mut guess_us = 0.0;
    let mut elapsed_us = clock() - began;
    let wants_cold = match options.cold {
        ColdStarts::Always => true,
        ColdStarts::Never => warm.is_none(),
        ColdStarts::IfPoor => warm
            .as_ref()
            .is_none_or(|outcome| is_poor(&problem, outcome, options)),
    };
    if wants_cold {
        let began = clock();
        let (cold, tried) = cold_search(&mut problem, circuit, options);
        starts += tried;
        let guessed = clock();
        if let Some(cold) = cold {
            let polished = problem.search(&cold.position, Effort::Full(options.max_evaluations));
            keep_better(&mut warm, polished);
        }
        guess_us = guessed - began;
        elapsed_us += clock() - guessed;
    }
    let outcome = warm
        .filter(|outcome| outcome.chi_squared.is_finite())
        .ok_or(FitError::NoFiniteModel)?;
    let (outcome, reweighting) = if options.robust {
        let (outcome, reweighting) = Reweighting::search(&mut problem, spectrum, circuit, options, outcome);
        (outcome, Some(reweighting))
    } else {
        (outcome, None)
    };
    let mut outcome = identity::settle(&mut problem, circuit, options, outcome);
    let robust = reweighting.and_then(|reweighting| reweighting.finish(&mut problem, &mut outcome));
    Ok(summary::summarise(
        &mut problem,
        circuit,
        options,
        &outcome,
        robust,
        &summary::Effort {
            starts,
            elapsed_us,
            guess_us,
            left_out: left_out(spectrum),
        },
    ))
}

fn left_out(spectrum: &Spectrum) -> usize {
    spectrum.points.iter().filter(|point| !point.is_usable()).count()
}

/// Strictly better only, so that of equal minima the first tried stands.
fn keep_better(best: &mut Option<Outcome>, other: Outcome) {
    let better = best.as_ref().is_none_or(|best| {
        other.chi_squared < best.chi_squared * (1.0 - 1e-9) || !best.chi_squared.is_finite()
    });
    if better {
        *best = Some(other);
    }
}

fn is_poor(problem: &Problem<'_>, outcome: &Outcome, options: &FitOptions) -> bool {
    if !outcome.chi_squared.is_finite() {
        return true;
    }
    let freedom = problem.degrees_of_freedom();
    match options.expected_reduced_chi_squared {
        Some(expected) => outcome.chi_squared / freedom > POOR_RATIO * expected,
        None => looks_structured(problem, outcome),
    }
}

fn looks_structured(problem: &Problem<'_>, outcome: &Outcome) -> bool {
    outcome.chi_squared > problem.negligible()
        && problem
            .runs_probability(&outcome.residuals)
            .is_some_and(|p| p < RUNS_LEVEL)
}

/// The best optimum that quick searches from guessed starts reach, and how many were tried.
fn cold_search(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
) -> (Option<Outcome>, usize) {
    let data = problem.data();
    let systematic = guess::from_data(circuit, &data);
    let mut best = None;
    let mut reached: Vec<f64> = Vec::new();
    for start in &systematic {
        let outcome = problem.search(&problem.to_guess(start, options), Effort::Quick);
        reached.push(outcome.chi_squared);
        keep_better(&mut best, outcome);
    }
    let convincing = best.as_ref().is_some_and(|best| {
        let limit = best.chi_squared * (1.0 + SAME_MINIMUM) + problem.negligible();
        reached.iter().filter(|&&chi| chi <= limit).count() >= 2 && !looks_structured(problem, best)
    });
    let mut tried = systematic.len();
    if !convincing {
        let count = if systematic.is_empty() {
            RANDOM_STARTS_ALONE
        } else {
            RANDOM_STARTS
        };
        for start in guess::random(circuit, &data, count) {
            tried += 1;
            let outcome = problem.search(&problem.to_guess(&start, options), Effort::Quick);
            keep_better(&mut best, outcome);
        }
    }
    (best, tried)
}

#[cfg(test)]
mod tests;
