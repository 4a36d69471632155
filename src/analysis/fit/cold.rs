//! Searches without a start: the schemes of [`crate::analysis::guess`] one after the other, from quick to
//! patient, until the best minimum is convincing.

use crate::analysis::guess::{Guess, ParameterLimit, Refiner};
use crate::circuit::Circuit;

use super::noise;
use super::options::FitOptions;
use super::problem::Problem;
use super::result::Weight;
use super::search::{Effort, Outcome};
use super::{SAME_MINIMUM, keep_better};

/// Up to so many shapes the grid alone may convince.
const FEW_SHAPES: usize = 2;
/// Where the systematic starts do not convince, up to so many times so many starts are drawn at random.
const RANDOM_BATCHES: u64 = 5;
/// The same for a circuit whose starts cannot be refined, so that each of them is less likely to lead to the end.
const UNREFINED_BATCHES: u64 = 12;
const RANDOM_STARTS: usize = 8;
/// How often the best minimum must be reached until no further random start is tried.
const ENOUGH: usize = 12;
/// Rounds in which every term may be put elsewhere.
const RELOCATIONS: usize = 3;
/// Evaluations of one variable projection.
const REFINEMENT: usize = 60;

/// The best optimum that searches from guessed starts reach, and how many were tried.
pub(super) fn cold_search(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
) -> (Option<Outcome>, usize) {
    let data = problem.data();
    let guess = Guess::new(circuit, &data, &limits(problem, circuit, options));
    let shapes = guess.shapes();
    let mut portfolio = Portfolio::new(problem, options, &guess);
    portfolio.try_all(guess.gram_grid());
    // Starts that cannot be refined are searched from as they are, and may all lead to the same side minimum.
    let refined = portfolio.refiner.is_some();
    if refined && shapes <= FEW_SHAPES && portfolio.convinces(shapes + 1) {
        portfolio.relocate();
        if portfolio.convinces(shapes + 1) {
            return portfolio.end();
        }
    }
    portfolio.try_all(guess.relaxation_times());
    portfolio.try_all(guess.geometry());
    portfolio.relocate();
    if refined && portfolio.convinces(2 * shapes) {
        return portfolio.end();
    }
    let batches = if refined {
        RANDOM_BATCHES
    } else {
        UNREFINED_BATCHES
    };
    for batch in 0..batches {
        portfolio.try_all(guess.random(RANDOM_STARTS, batch));
        if portfolio.times_reached() >= ENOUGH {
            break;
        }
    }
    portfolio.end()
}

/// The optimum that the given starts lead to when their sizes are left to the data and their terms may be put
/// elsewhere, and how many starts that took: from a start that is far off, a search for all parameters at once may
/// get lost. None for a circuit with a nested group.
pub(super) fn second_opinion(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
) -> (Option<Outcome>, usize) {
    let data = problem.data();
    let guess = Guess::new(circuit, &data, &limits(problem, circuit, options));
    let mut portfolio = Portfolio::new(problem, options, &guess);
    if portfolio.refiner.is_some() {
        portfolio.try_all(options.start.iter().chain(&options.also_start).cloned());
        portfolio.relocate();
    }
    portfolio.end()
}

/// Where each parameter may lie; one that is held has equal limits.
fn limits(problem: &Problem<'_>, circuit: &Circuit, options: &FitOptions) -> Vec<ParameterLimit> {
    let lowest: Vec<f64> = problem
        .coordinates
        .iter()
        .map(|coordinate| coordinate.lower)
        .collect();
    let mut limits: Vec<ParameterLimit> = problem
        .to_natural(&lowest)
        .into_iter()
        .map(|value| ParameterLimit {
            lower: value,
            upper: value,
            start: None,
        })
        .collect();
    for coordinate in &problem.coordinates {
        for &index in &coordinate.parameters {
            limits[index].upper = coordinate.natural(coordinate.upper);
        }
    }
    for (name, value) in &options.named_start {
        if let Some(index) = circuit.parameter_index(name)
            && limits[index].lower < limits[index].upper
        {
            limits[index].start = Some(*value);
        }
    }
    limits
}

/// What the searches so far have reached.
struct Portfolio<'p, 'c> {
    problem: &'p mut Problem<'c>,
    options: &'p FitOptions,
    guess: &'p Guess<'p>,
    refiner: Option<Refiner<'p>>,
    best: Option<Outcome>,
    /// Chi-squared by modulus of the best refined start, and that start.
    best_refined: Option<(f64, Vec<f64>)>,
    /// Chi-squared of the minima found, one for each start: of the refined starts where they can be refined.
    reached: Vec<f64>,
}

impl<'p, 'c> Portfolio<'p, 'c> {
    fn new(problem: &'p mut Problem<'c>, options: &'p FitOptions, guess: &'p Guess<'p>) -> Self {
        Self {
            problem,
            options,
            guess,
            refiner: guess.refiner(),
            best: None,
            best_refined: None,
            reached: Vec::new(),
        }
    }

    fn try_all(&mut self, starts: impl IntoIterator<Item = Vec<f64>>) {
        for start in starts {
            let Some(refiner) = &mut self.refiner else {
                let chi_squared = self.search(&start);
                self.reached.push(chi_squared);
                continue;
            };
            let (chi_squared, refined) = refiner.refine(&start, REFINEMENT);
            if self.is_promising(chi_squared) {
                self.search(&refined);
            }
            self.reached.push(chi_squared);
            if self
                .best_refined
                .as_ref()
                .is_none_or(|(best, _)| chi_squared < *best)
            {
                self.best_refined = Some((chi_squared, refined));
            }
        }
    }

    /// Whether a refined start may lead to another minimum than those found, and a better one.
    fn is_promising(&self, chi_squared: f64) -> bool {
        // Other weights rank minima in another order.
        let slack = if self.options.weight == Weight::Modulus {
            1.01
        } else {
            10.0
        };
        let Some((best, _)) = &self.best_refined else {
            return true;
        };
        chi_squared <= slack * best
            && self
                .reached
                .iter()
                .all(|other| (chi_squared - other).abs() > SAME_MINIMUM * 0.1 * other.min(chi_squared))
    }

    fn search(&mut self, start: &[f64]) -> f64 {
        let outcome = self
            .problem
            .search(&self.problem.to_guess(start, self.options), Effort::Quick);
        let chi_squared = outcome.chi_squared;
        keep_better(&mut self.best, outcome);
        chi_squared
    }

    /// Puts one term after the other elsewhere, as long as that helps.
    fn relocate(&mut self) {
        for _ in 0..RELOCATIONS {
            let Some((before, start)) = self.best_refined.clone() else {
                return;
            };
            self.try_all(self.guess.relocations(&start));
            if self
                .best_refined
                .as_ref()
                .is_none_or(|(after, _)| *after > before * (1.0 - SAME_MINIMUM))
            {
                return;
            }
        }
    }

    /// How many starts reached the best minimum.
    fn times_reached(&self) -> usize {
        let best = self.reached.iter().copied().fold(f64::INFINITY, f64::min);
        let limit = best * (1.0 + SAME_MINIMUM) + self.problem.negligible();
        self.reached.iter().filter(|&&chi| chi <= limit).count()
    }

    /// Whether so many starts reached the best minimum, and left nothing but noise.
    fn convinces(&self, wanted: usize) -> bool {
        self.times_reached() >= wanted
            && self
                .best
                .as_ref()
                .is_some_and(|best| noise::is_all_that_is_left(self.problem, best))
    }

    fn end(self) -> (Option<Outcome>, usize) {
        (self.best, self.reached.len())
    }
}
