//! Fits that a few wrong points cannot pull away.
//!
//! MM-estimation after V. J. Yohai (1987), doi:10.1214/aos/1176350366. The residual of a point is the length of
//! its weighted complex residual, so that a point is believed or doubted as a whole. From each start a Huber loss,
//! whose scale is the median residual, leads to a fit that outliers bend but do not break; there the scale is
//! kept, and Tukey's bisquare, which gives the outliers no weight at all, leads to the end. Huber's loss alone
//! would leave a gross outlier the pull of a residual of 1.5 scales, Cauchy's still a little; the bisquare leaves none.
//! Both losses are minimised by iterative reweighting, each round a whole search from the last optimum.

use nalgebra::DVector;

use crate::circuit::Circuit;
use crate::spectrum::Spectrum;

use super::options::{ColdStarts, FitOptions};
use super::problem::Problem;
use super::result::Robust;
use super::search::{Effort, Outcome};

/// Median length of a vector of two independent standard normal numbers, sqrt(2 ln 2).
const MEDIAN_LENGTH: f64 = 1.177_410_022_515_474_7;
/// Residual in scales from which on Huber's loss grows in proportion.
const HUBER: f64 = 1.5;
/// Residual in scales from which on the bisquare does not count a point: 95 % efficiency for complex residuals
/// with Gaussian noise.
const BISQUARE: f64 = 5.123;
/// Weight below which a point is named.
const NAMED: f64 = 0.1;
const HUBER_ROUNDS: usize = 50;
const BISQUARE_ROUNDS: usize = 200;
/// Change of a search coordinate at which reweighting ends.
const SETTLED: f64 = 1e-9;
/// How many times its usual distance from its neighbours a point may lie and still help to find a start.
const LONELY: f64 = 8.0;

/// A robust optimum. The weights of the problem are those of its last round until [`Reweighting::finish`].
pub(super) struct Reweighting {
    base: Vec<f64>,
    scale: f64,
}

/// What replaces residual variance and chi-squared of a plain fit.
pub(super) struct RobustNoise {
    /// Factor of the inverse curvature.
    pub variance: f64,
    pub told: Robust,
}

impl Reweighting {
    /// The robust optimum that follows from a plain one, or from a plain one of the points that lie near their
    /// neighbours, whichever leaves the smaller scale.
    pub fn search(
        problem: &mut Problem<'_>,
        spectrum: &Spectrum,
        circuit: &Circuit,
        options: &FitOptions,
        plain: Outcome,
    ) -> (Outcome, Self) {
        let base = problem.weights.clone();
        let mut starts = vec![plain.position.clone()];
        if let Some(natural) = without_lonely_points(problem, spectrum, circuit, options) {
            starts.push(problem.to_search(&natural));
        }
        let mut best: Option<(f64, Outcome)> = None;
        let mut candidates = Vec::new();
        for start in &starts {
            // Huber's loss alone is at the mercy of points whose weight is wrong, such as the modulus of a point
            // that is far too small; the start itself may be better.
            let scale = scale_at(problem, &base, start);
            candidates.push((problem.search(start, Effort::Full(1)), scale));
            candidates.push(huber(problem, &base, start, options));
        }
        for (outcome, scale) in candidates {
            if scale.is_finite()
                && best
                    .as_ref()
                    .is_none_or(|(least, _)| scale < *least * (1.0 - 1e-9))
            {
                best = Some((scale, outcome));
            }
        }
        let dust = (problem.negligible() / base.len() as f64).sqrt();
        match best {
            Some((scale, outcome)) if scale > dust => {
                let outcome = bisquare(problem, &base, scale, outcome, options);
                (outcome, Self { base, scale })
            }
            // More than half of the points lie on the curve: there is no scale of noise to judge others by.
            _ => {
                problem.weights.copy_from_slice(&base);
                (plain, Self { base, scale: 0.0 })
            }
        }
    }

    /// Gives the problem its own weights back, and the outcome its residuals and curvature with them. None where
    /// nothing was weighted anew.
    pub fn finish(self, problem: &mut Problem<'_>, outcome: &mut Outcome) -> Option<RobustNoise> {
        problem.weights.copy_from_slice(&self.base);
        if self.scale == 0.0 {
            return None;
        }
        let mut normal = problem.normal();
        problem.evaluate(&outcome.position, &mut normal);
        outcome.chi_squared = normal.chi_squared;
        outcome.residuals = problem.residuals().to_vec();
        let lengths = lengths(&outcome.residuals);
        let counted: Vec<f64> = lengths
            .iter()
            .map(|&length| weight(length / self.scale))
            .collect();
        // What sound points say of the curvature, as if all were sound: wrong ones may have any derivatives.
        let mean = counted.iter().sum::<f64>() / counted.len() as f64;
        normal.curvature = &outcome.normal.curvature / mean;
        normal.gradient = &outcome.normal.gradient / mean;
        outcome.normal = normal;
        let below = |limit: f64| -> Vec<usize> {
            counted
                .iter()
                .zip(&problem.places)
                .filter(|(weight, _)| **weight < limit)
                .map(|(_, place)| *place)
                .collect()
        };
        Some(RobustNoise {
            variance: variance(&lengths, self.scale, problem.coordinates.len()),
            told: Robust {
                scale: self.scale,
                down_weighted: below(NAMED),
                rejected: below(f64::MIN_POSITIVE),
            },
        })
    }
}

/// P. J. Huber's (1981) estimate of the covariance's factor, Robust Statistics, eq. 6.5 in chapter 7, carried over to
/// residuals of two components, with the weighted curvature of M. Koller and W. A. Stahel (2011),
/// doi:10.1016/j.csda.2011.02.014: K² [sum psi²/(N-p)]/[mean psi']², K = 1 + p/N var(psi')/(mean psi')².
fn variance(lengths: &[f64], scale: f64, coordinates: usize) -> f64 {
    let points = lengths.len() as f64;
    let (numbers, free) = (2.0 * points, coordinates as f64);
    // The mean of psi' over the directions along and across the residual.
    let slopes: Vec<f64> = lengths
        .iter()
        .map(|length| {
            let square = (length / scale / BISQUARE).powi(2);
            if square < 1.0 {
                (1.0 - square) * (1.0 - 3.0 * square)
            } else {
                0.0
            }
        })
        .collect();
    let mean = slopes.iter().sum::<f64>() / points;
    let spread = slopes.iter().map(|slope| (slope - mean).powi(2)).sum::<f64>() / points;
    let influence: f64 = lengths
        .iter()
        .map(|length| (length * weight(length / scale)).powi(2))
        .sum();
    let correction = 1.0 + free / numbers * spread / (mean * mean);
    correction * correction * influence / (numbers - free) / (mean * mean)
}

/// Weight of a point by the bisquare; the argument is its residual in scales.
fn weight(residual: f64) -> f64 {
    let square = (residual / BISQUARE).powi(2);
    if square < 1.0 { (1.0 - square).powi(2) } else { 0.0 }
}

/// Huber's loss with the median as scale, which is sought anew every round.
fn huber(problem: &mut Problem<'_>, base: &[f64], start: &[f64], options: &FitOptions) -> (Outcome, f64) {
    let mut position = start.to_vec();
    let mut last = f64::INFINITY;
    for _ in 0..HUBER_ROUNDS {
        let scale = scale_at(problem, base, &position);
        let lengths = lengths(problem.residuals());
        // The scale falls from round to round, and once it does so no more there is nothing left to gain.
        if !scale.is_finite() || scale == 0.0 || (scale / last - 1.0).abs() < 1e-4 {
            break;
        }
        last = scale;
        set_weights(problem, base, &lengths, |length| {
            (HUBER * scale / length.max(f64::MIN_POSITIVE)).min(1.0)
        });
        position = problem
            .search(&position, Effort::Full(options.max_evaluations))
            .position;
    }
    let scale = scale_at(problem, base, &position);
    problem.weights.copy_from_slice(base);
    (problem.search(&position, Effort::Full(1)), scale)
}

/// The bisquare with a scale that stays. Leaves its last weights in the problem.
fn bisquare(
    problem: &mut Problem<'_>,
    base: &[f64],
    scale: f64,
    start: Outcome,
    options: &FitOptions,
) -> Outcome {
    let mut outcome = start;
    let mut evaluations = 0;
    let mut settled = false;
    for _ in 0..BISQUARE_ROUNDS {
        scale_at(problem, base, &outcome.position);
        let lengths = lengths(problem.residuals());
        set_weights(problem, base, &lengths, |length| weight(length / scale));
        let next = problem.search(&outcome.position, Effort::Full(options.max_evaluations));
        evaluations += next.evaluations;
        let step = DVector::from_column_slice(&next.position) - DVector::from_column_slice(&outcome.position);
        settled = next.converged && step.amax() < SETTLED;
        outcome = next;
        if settled {
            break;
        }
    }
    Outcome {
        evaluations,
        converged: settled,
        ..outcome
    }
}

/// The scale of the residuals at a position with the problem's own weights; the residuals stand in the problem.
fn scale_at(problem: &mut Problem<'_>, base: &[f64], position: &[f64]) -> f64 {
    problem.weights.copy_from_slice(base);
    let mut normal = problem.normal();
    problem.evaluate(position, &mut normal);
    if !normal.chi_squared.is_finite() {
        return f64::INFINITY;
    }
    let numbers = problem.residuals().len() as f64;
    let freedom = problem.degrees_of_freedom();
    if freedom <= 0.0 {
        return 0.0;
    }
    median(lengths(problem.residuals())) / MEDIAN_LENGTH * (numbers / freedom).sqrt()
}

fn set_weights(problem: &mut Problem<'_>, base: &[f64], lengths: &[f64], weight: impl Fn(f64) -> f64) {
    let points = lengths.len();
    for (index, (entry, base)) in problem.weights.iter_mut().zip(base).enumerate() {
        *entry = base * weight(lengths[index % points]).sqrt();
    }
}

/// Length of the complex residual of each point.
fn lengths(residuals: &[f64]) -> Vec<f64> {
    let (real, imaginary) = residuals.split_at(residuals.len() / 2);
    real.iter().zip(imaginary).map(|(re, im)| re.hypot(*im)).collect()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len().is_multiple_of(2) {
        f64::midpoint(numbers[middle - 1], numbers[middle])
    } else {
        numbers[middle]
    }
}

/// The plain fit of the points that lie near the median of their neighbours in frequency (F. R. Hampel 1974,
/// doi:10.1080/01621459.1974.10482962); none where all do, or where there is none.
fn without_lonely_points(
    problem: &Problem<'_>,
    spectrum: &Spectrum,
    circuit: &Circuit,
    options: &FitOptions,
) -> Option<Vec<f64>> {
    let data = problem.data();
    let mut order: Vec<usize> = (0..problem.points()).collect();
    order.sort_by(|&a, &b| data.grid.omega[b].total_cmp(&data.grid.omega[a]));
    let near = 3;
    let distance: Vec<f64> = (0..order.len())
        .map(|at| {
            let reach = near.min(at).min(order.len() - 1 - at);
            let around = if reach == 0 {
                at.saturating_sub(2)..(at + 3).min(order.len())
            } else {
                at - reach..at + reach + 1
            };
            let part = |of: fn(&num_complex::Complex64) -> f64| {
                let others = around.clone().filter(|&other| other != at);
                median(others.map(|other| of(&data.impedance[order[other]])).collect())
            };
            let expected = num_complex::Complex64::new(part(|z| z.re), part(|z| z.im));
            (data.impedance[order[at]] - expected).norm() / expected.norm().max(f64::MIN_POSITIVE)
        })
        .collect();
    let limit = LONELY * median(distance.clone());
    let kept: Vec<usize> = (0..order.len())
        .filter(|&at| distance[at] <= limit)
        .map(|at| order[at])
        .collect();
    if kept.len() == order.len() {
        return None;
    }
    let mut places: Vec<usize> = kept.into_iter().map(|used| problem.places[used]).collect();
    places.sort_unstable();
    let points: Vec<_> = places
        .into_iter()
        .map(|place| spectrum.points[place].clone())
        .collect();
    let options = FitOptions {
        robust: false,
        cold: ColdStarts::IfPoor,
        ..options.clone()
    };
    let result = super::fit(&Spectrum::from(points), circuit, &options).ok()?;
    Some(
        result
            .parameters
            .iter()
            .map(|parameter| parameter.value)
            .collect(),
    )
}
