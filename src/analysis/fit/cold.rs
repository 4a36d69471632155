//! Searches without a start: the schemes of [`crate::analysis::guess`] one after the other, from quick to
//! patient, until the best minimum is convincing.

use crate::analysis::guess::{Guess, Refiner};
use crate::circuit::Circuit;

use super::keep_better;
use super::options::FitOptions;
use super::problem::Problem;
use super::search::{Effort, Outcome};

/// Two searches ended in the same minimum when their chi-squared differ by less than this fraction.
const SAME_MINIMUM: f64 = 1e-3;
/// Up to so many shapes the grid alone may convince.
const FEW_SHAPES: usize = 2;
/// Starts drawn at random where the systematic ones do not convince.
const RANDOM_STARTS: usize = 40;
/// Rounds in which every term may be put elsewhere.
const RELOCATIONS: usize = 3;
/// Evaluations of one variable projection.
const REFINEMENT: usize = 60;

/// What the searches so far have reached.
struct Portfolio<'p, 'c> {
    problem: &'p mut Problem<'c>,
    options: &'p FitOptions,
    best: Option<Outcome>,
    /// Chi-squared of the minima found, one for each start.
    reached: Vec<f64>,
    tried: usize,
}

/// The best optimum that searches from guessed starts reach, and how many were tried.
pub(super) fn cold_search(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
) -> (Option<Outcome>, usize) {
    let data = problem.data();
    let limits = problem.limits(options);
    let guess = Guess::new(circuit, &data, &limits);
    let shapes = guess.shapes();
    let mut refiner = guess.refiner();
    let mut portfolio = Portfolio {
        problem,
        options,
        best: None,
        reached: Vec::new(),
        tried: 0,
    };
    portfolio.try_all(&guess.gram_grid(), refiner.as_mut());
    if shapes <= FEW_SHAPES && portfolio.convinces(2) {
        return portfolio.end();
    }
    let further: Vec<Vec<f64>> = guess
        .relaxation_times()
        .into_iter()
        .chain(guess.geometry())
        .collect();
    portfolio.try_all(&further, refiner.as_mut());
    if portfolio.convinces(shapes) {
        return portfolio.end();
    }
    portfolio.try_all(&guess.random(RANDOM_STARTS), refiner.as_mut());
    portfolio.end()
}

/// The optimum that the given starts lead to when their sizes are left to the data, where it is better than
/// `chi_squared`: from a start that is far off, a search for all parameters at once may get lost.
pub(super) fn second_opinion(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
    chi_squared: f64,
) -> Option<Outcome> {
    let data = problem.data();
    let limits = problem.limits(options);
    let guess = Guess::new(circuit, &data, &limits);
    let mut refiner = guess.refiner()?;
    let mut best: Option<(f64, Vec<f64>)> = None;
    for start in options.start.iter().chain(&options.also_start) {
        keep_lower(&mut best, refiner.refine(start, REFINEMENT));
    }
    for _ in 0..RELOCATIONS {
        let Some((before, start)) = best.clone() else {
            break;
        };
        for start in guess.relocations(&start) {
            keep_lower(&mut best, refiner.refine(&start, REFINEMENT));
        }
        if best
            .as_ref()
            .is_none_or(|(after, _)| *after > before * (1.0 - SAME_MINIMUM))
        {
            break;
        }
    }
    let outcome = problem.search(
        &problem.to_guess(&best?.1, options),
        Effort::Full(options.max_evaluations),
    );
    (outcome.chi_squared < chi_squared).then_some(outcome)
}

fn keep_lower(best: &mut Option<(f64, Vec<f64>)>, other: (f64, Vec<f64>)) {
    if best
        .as_ref()
        .is_none_or(|(chi_squared, _)| other.0 < *chi_squared)
    {
        *best = Some(other);
    }
}

impl Portfolio<'_, '_> {
    fn try_all(&mut self, starts: &[Vec<f64>], mut refiner: Option<&mut Refiner<'_>>) {
        for start in starts {
            self.tried += 1;
            let refined = refiner
                .as_mut()
                .map(|refiner| refiner.refine(start, REFINEMENT).1);
            let start = refined.as_ref().unwrap_or(start);
            let outcome = self
                .problem
                .search(&self.problem.to_guess(start, self.options), Effort::Quick);
            self.reached.push(outcome.chi_squared);
            keep_better(&mut self.best, outcome);
        }
    }

    /// Whether so many starts reached the best minimum, and left nothing but noise.
    fn convinces(&self, wanted: usize) -> bool {
        self.best.as_ref().is_some_and(|best| {
            let limit = best.chi_squared * (1.0 + SAME_MINIMUM) + self.problem.negligible();
            self.reached.iter().filter(|&&chi| chi <= limit).count() >= wanted
                && self.problem.looks_like_noise(best)
        })
    }

    fn end(self) -> (Option<Outcome>, usize) {
        (self.best, self.tried)
    }
}
