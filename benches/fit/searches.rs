//! Times of the search alone, in microseconds and in hard-coded scalar evaluations of the same circuit.
//!
//! Evaluations and fits take turns, so that both see the same load. Of a search from far starts, those where the
//! program sought a second opinion are counted apart: their time holds more than one search.

use std::hint::black_box;
use std::time::Instant;

use interphase::analysis::fit::{ColdStarts, FitOptions, FitResult, fit_timed};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Case, hard_coded};

const STARTS: usize = 200;
/// Every start is tried so often, one after the other round and round.
const ROUNDS: usize = 5;
const EVALUATIONS_AT_ONCE: u32 = 10;
/// Two searches ended in the same minimum when their chi-squared differ by less than this fraction.
const SAME_MINIMUM: f64 = 1e-6;

/// Prints all times.
pub fn print() {
    print_case(5, &super::randles(), |p, data| {
        black_box(hard_coded::randles(p, data)).2
    });
    print_case(9, &super::two_arcs_and_finite_diffusion(), |p, data| {
        black_box(hard_coded::two_arcs_and_finite_diffusion(p, data, f64::INFINITY)).2
    });
    print_shortened_yardstick();
}

/// The yardstick of nine parameters need not work out an exponential that is below rounding.
#[allow(clippy::print_stdout, reason = "the figures are what this bench is for")]
fn print_shortened_yardstick() {
    let case = super::two_arcs_and_finite_diffusion();
    let data = hard_coded::points(&case.spectrum);
    let time_at = |limit: f64| {
        let once = || {
            time_us(&|| {
                black_box(hard_coded::two_arcs_and_finite_diffusion(
                    black_box(&case.truth),
                    &data,
                    limit,
                ));
            })
        };
        median((0..STARTS).map(|_| once()).collect())
    };
    println!(
        "scalar evaluation 9 parameters: {:.2} us; with coth taken as 1 where it is: {:.2} us",
        time_at(f64::INFINITY),
        time_at(hard_coded::COTH_IS_ONE),
    );
}

#[allow(clippy::print_stdout, reason = "the figures are what this bench is for")]
fn print_case(parameters: usize, case: &Case, evaluate: impl Fn(&[f64], &[hard_coded::Point]) -> f64) {
    let data = hard_coded::points(&case.spectrum);
    let cold: Vec<FitOptions> = far_starts(case).into_iter().map(one_search).collect();
    let warm = vec![one_search(case.drifted()); STARTS];
    let whole = vec![FitOptions::default(); STARTS / 4];
    let at_truth = evaluate(&case.truth, &data);
    println!();
    for (kind, options, rounds) in [
        ("cold", cold, ROUNDS),
        ("warm", warm, ROUNDS),
        ("without start", whole, 1),
    ] {
        let (mut evaluation_us, mut results) = (Vec::new(), Vec::new());
        for options in (0..rounds).flat_map(|_| &options) {
            evaluation_us.push(time_us(&|| {
                black_box(evaluate(black_box(&case.truth), &data));
            }));
            results.push(timed(case, options));
        }
        let times = Times {
            heading: format!("{parameters} parameters {kind}"),
            evaluation_us: median(evaluation_us),
            results,
            rounds,
        };
        if kind == "without start" {
            times.print_whole();
        } else {
            times.print_search();
        }
        // The yardstick computes the model that is fitted, or it measures nothing.
        let best = least(&times.results);
        assert!(
            best < at_truth && best > 0.8 * at_truth,
            "chi-squared is {best} at the optimum and {at_truth} by the hard-coded function at the truth"
        );
    }
}

struct Times {
    heading: String,
    evaluation_us: f64,
    results: Vec<FitResult>,
    rounds: usize,
}

#[allow(clippy::print_stdout, reason = "the figures are what this bench is for")]
impl Times {
    fn print_search(&self) {
        let (one, more): (Vec<&FitResult>, Vec<&FitResult>) =
            self.results.iter().partition(|result| result.starts == 1);
        let heading = &self.heading;
        if one.is_empty() {
            println!("search {heading}: none ended without a second opinion");
        } else {
            let search_us = median(one.iter().map(|result| result.elapsed_us).collect());
            println!(
                "search {heading}: {search_us:.1} us = {:.1} evaluations (one scalar evaluation: {:.2} us; {} \
                 evaluations of model and derivatives)",
                search_us / self.evaluation_us,
                self.evaluation_us,
                median(one.iter().map(|result| result.evaluations as f64).collect()),
            );
        }
        let least = least(&self.results);
        let elsewhere = self
            .results
            .iter()
            .filter(|result| result.chi_squared > least * (1.0 + SAME_MINIMUM))
            .count();
        println!(
            "    of {} starts {} needed a second opinion, {} ended elsewhere",
            self.results.len() / self.rounds,
            more.len() / self.rounds,
            elsewhere / self.rounds,
        );
        if !more.is_empty() {
            println!(
                "    with second opinion: searches {:.1} us, second opinion {:.1} us",
                median(more.iter().map(|result| result.elapsed_us).collect()),
                median(more.iter().map(|result| result.guess_us).collect()),
            );
        }
    }

    fn print_whole(&self) {
        let whole_us = median(
            self.results
                .iter()
                .map(|result| result.guess_us + result.elapsed_us)
                .collect(),
        );
        println!(
            "fit {}: {whole_us:.0} us = {:.0} evaluations (guess {:.0} us, last search {:.1} us, {} starts)",
            self.heading,
            whole_us / self.evaluation_us,
            median(self.results.iter().map(|result| result.guess_us).collect()),
            median(self.results.iter().map(|result| result.elapsed_us).collect()),
            self.results[0].starts,
        );
    }
}

/// Scale parameters within a factor of ten of the truth, exponents between 0.5 and 1.
fn far_starts(case: &Case) -> Vec<Vec<f64>> {
    let mut generator = ChaCha8Rng::seed_from_u64(11);
    let mut draw = || -> Vec<f64> {
        case.circuit
            .parameters()
            .iter()
            .zip(&case.truth)
            .map(|(spec, value)| match spec.unit {
                "1" => generator.random_range(0.5..1.0),
                _ => value * 10f64.powf(generator.random_range(-1.0..1.0)),
            })
            .collect()
    };
    (0..STARTS).map(|_| draw()).collect()
}

fn one_search(start: Vec<f64>) -> FitOptions {
    FitOptions {
        cold: ColdStarts::Never,
        ..FitOptions::warm(start)
    }
}

fn timed(case: &Case, options: &FitOptions) -> FitResult {
    let began = Instant::now();
    let clock = || began.elapsed().as_secs_f64() * 1e6;
    match fit_timed(black_box(&case.spectrum), &case.circuit, options, &clock) {
        Ok(result) => result,
        Err(error) => panic!("{error}"),
    }
}

fn time_us(work: &dyn Fn()) -> f64 {
    let began = Instant::now();
    for _ in 0..EVALUATIONS_AT_ONCE {
        work();
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(EVALUATIONS_AT_ONCE)
}

fn least(results: &[FitResult]) -> f64 {
    results
        .iter()
        .map(|result| result.chi_squared)
        .fold(f64::INFINITY, f64::min)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        0.5 * (values[middle - 1] + values[middle])
    }
}
