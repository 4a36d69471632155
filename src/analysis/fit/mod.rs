//! Complex nonlinear least squares (CNLS): a circuit's parameters from a spectrum.
//!
//! [`fit`] minimises the weighted sum of squared residuals of both components over the logarithms of the scale
//! parameters (exponents as they are) by a bounded Levenberg-Marquardt search with a limited step, from starts
//! that the caller gives, or that [`super::guess`] finds in the data.

mod arc_track;
mod cold;
mod covariance;
mod exchange;
mod identity;
pub mod joint;
mod noise;
pub mod options;
mod problem;
pub mod result;
mod robust;
mod runs;
mod search;
mod step;
mod summary;
mod verdict;

pub use arc_track::ArcTrack;
pub use identity::{ArcForecast, Expected};
pub use options::{ColdStarts, FitError, FitOptions};
pub use result::{FitResult, Parameter, Robust, Sum, Weight};
pub use summary::sum_names;
pub use verdict::{Degenerate, RUNS_LEVEL};

use crate::circuit::Circuit;
use crate::spectrum::Spectrum;

use problem::Problem;
use robust::Reweighting;
use search::{Effort, Outcome};

/// How much worse than expected a warm start may end before cold starts are tried: ratio of the reduced
/// chi-squared.
const POOR_RATIO: f64 = 2.0;
/// Two searches ended in the same minimum when their chi-squared differ by less than this fraction.
const SAME_MINIMUM: f64 = 1e-3;

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
    let mut problem = Problem::new(spectrum, circuit, options)?;
    // A hint is a start more, never a fence: where it leads nowhere good, the search goes on without it.
    let without_hints = FitOptions {
        named_start: Vec::new(),
        ..options.clone()
    };
    let mut names_by = options;
    let began = clock();
    let mut warm = None;
    let given = usize::from(options.start.is_some()) + options.also_start.len();
    let mut starts = given;
    for start in options.start.iter().chain(&options.also_start) {
        keep_better(
            &mut warm,
            problem.search(&problem.to_search(start), Effort::Full(options.max_evaluations)),
        );
    }
    let mut elapsed_us = clock() - began;
    let began = clock();
    let mut guessed = None;
    if warm
        .as_ref()
        .is_some_and(|outcome| falls_short(&problem, outcome, options))
    {
        let (found, tried) = cold::second_opinion(&mut problem, circuit, &without_hints);
        starts += tried;
        guessed = found;
    }
    let wants_cold = match options.cold {
        ColdStarts::Always => true,
        ColdStarts::Never => warm.is_none(),
        ColdStarts::IfPoor => {
            let best = guessed
                .as_ref()
                .filter(|found| is_better(found, warm.as_ref()))
                .or(warm.as_ref());
            best.is_none_or(|best| is_poor(&problem, best, options))
        }
    };
    if wants_cold {
        let (found, tried) = cold::cold_search(&mut problem, circuit, options);
        starts += tried;
        if let Some(found) = found {
            keep_better(&mut guessed, found);
        }
        let best = guessed
            .as_ref()
            .filter(|found| is_better(found, warm.as_ref()))
            .or(warm.as_ref());
        if !options.named_start.is_empty()
            && best.is_none_or(|best| {
                !best.chi_squared.is_finite() || !noise::is_all_that_is_left(&problem, best)
            })
        {
            let (found, tried) = cold::cold_search(&mut problem, circuit, &without_hints);
            starts += tried;
            // What is only as good as what the hints lead to keeps the names that they give.
            if let Some(found) = found
                && best_chi_squared(&guessed, &warm)
                    .is_none_or(|best| found.chi_squared < best * (1.0 - SAME_MINIMUM))
            {
                names_by = &without_hints;
                keep_better(&mut guessed, found);
            }
        }
    }
    if wants_cold
        && let Some(best) = guessed
            .as_ref()
            .filter(|found| is_better(found, warm.as_ref()))
            .or(warm.as_ref())
            .cloned()
    {
        let (found, tried) = exchange::search(&mut problem, spectrum, circuit, names_by, &best);
        starts += tried;
        if let Some(found) = found {
            // Of assignments that fit alike the one stands that was found first.
            if found.chi_squared < best.chi_squared * (1.0 - SAME_MINIMUM) {
                keep_better(&mut guessed, found);
            }
        }
    }
    let guess_us = if starts > given { clock() - began } else { 0.0 };
    let began = clock();
    if let Some(guessed) = guessed.filter(|guessed| is_better(guessed, warm.as_ref())) {
        let polished = problem.search(&guessed.position, Effort::Full(options.max_evaluations));
        keep_better(&mut warm, polished);
    }
    elapsed_us += clock() - began;
    let outcome = warm
        .filter(|outcome| outcome.chi_squared.is_finite())
        .ok_or(FitError::NoFiniteModel)?;
    let (outcome, reweighting) = if options.robust {
        let (outcome, reweighting) = Reweighting::search(&mut problem, spectrum, circuit, options, outcome);
        (outcome, Some(reweighting))
    } else {
        (outcome, None)
    };
    let mut outcome = identity::settle(&mut problem, circuit, names_by, outcome);
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

/// The least chi-squared of two outcomes.
fn best_chi_squared(one: &Option<Outcome>, other: &Option<Outcome>) -> Option<f64> {
    [one, other]
        .into_iter()
        .flatten()
        .map(|outcome| outcome.chi_squared)
        .filter(|chi_squared| chi_squared.is_finite())
        .min_by(f64::total_cmp)
}

/// Strictly better only, so that of equal minima the first tried stands.
fn is_better(outcome: &Outcome, than: Option<&Outcome>) -> bool {
    than.is_none_or(|best| {
        outcome.chi_squared < best.chi_squared * (1.0 - 1e-9) || !best.chi_squared.is_finite()
    })
}

fn keep_better(best: &mut Option<Outcome>, other: Outcome) {
    if is_better(&other, best.as_ref()) {
        *best = Some(other);
    }
}

/// Whether a given start ended where more may be had. Where the caller says what a good fit reaches, that decides:
/// a few points let a search for more end in minima that explain their noise too.
fn falls_short(problem: &Problem<'_>, outcome: &Outcome, options: &FitOptions) -> bool {
    match options.expected_reduced_chi_squared {
        Some(_) => is_poor(problem, outcome, options),
        None => !noise::is_all_that_is_left(problem, outcome),
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

#[cfg(test)]
mod tests;
