//! Circuits compared on one spectrum: all fitted to the same points with the same weights, ranked by the
//! information criterion of G. Schwarz (1978), doi:10.1214/aos/1176344136 (BIC), with the tests that may be made
//! between circuits of which one is a special case of the other. It ranks and says what speaks against trusting
//! the order; it never decides.

mod bootstrap;
mod candidate;
pub mod family;
mod nesting;
mod remarks;
mod starts;

pub use candidate::{Candidate, CandidateError};

use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::fit::{ColdStarts, FitError, FitOptions, FitResult, Weight, fit};
use crate::circuit::Grid;
use crate::spectrum::Spectrum;
use bootstrap::Pair;
use nesting::{Nesting, Place};

/// Difference of BIC from which on the evidence is strong (A. E. Raftery (1995), doi:10.2307/271063).
const STRONG: f64 = 10.0;
/// Most pairs that are worth a bootstrap.
const MOST_BOOTSTRAPS: usize = 3;
/// Relative residuals below this are rounding, and do not rank anything.
const ROUNDING: f64 = 1e-9;

/// How circuits are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct RankOptions {
    /// How residuals are weighted, the same for all circuits.
    pub weight: Weight,
    /// Spectra drawn for a test by bootstrap; none where 0, and then no such test is made.
    pub resamples: usize,
    /// Seed of the noise of the bootstrap. The same seed gives the same result.
    pub seed: u64,
    /// Threads for the bootstrap.
    pub threads: usize,
}

impl Default for RankOptions {
    fn default() -> Self {
        Self {
            weight: Weight::default(),
            resamples: 200,
            seed: 1,
            threads: 1,
        }
    }
}

/// A circuit in its place.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// What was fitted.
    pub candidate: Candidate,
    /// Its fit, or why there is none.
    pub outcome: Result<FitResult, FitError>,
    /// Free parameters.
    pub free: usize,
    /// BIC less the smallest of all; none where there is no fit.
    pub delta_bic: Option<f64>,
}

impl Ranked {
    /// Names of the free parameters that the data do not determine.
    #[must_use]
    pub fn undetermined(&self) -> Vec<&str> {
        self.names(|parameter| !parameter.fixed && !parameter.determined)
    }

    /// Names of the parameters that ended on a bound.
    #[must_use]
    pub fn at_bound(&self) -> Vec<&str> {
        self.names(|parameter| parameter.at_bound)
    }

    fn names(&self, wanted: impl Fn(&super::fit::Parameter) -> bool) -> Vec<&str> {
        self.outcome
            .iter()
            .flat_map(|result| &result.parameters)
            .filter(|p| wanted(p))
            .map(|p| p.name.as_str())
            .collect()
    }
}

/// How a pair of circuits was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// By the F distribution: the smaller circuit lies inside the parameter range of the larger.
    F,
    /// By spectra drawn from the smaller circuit: it lies on the edge of the range of the larger, where the F
    /// distribution does not hold.
    Bootstrap,
}

impl Test {
    /// The word used in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::F => "f",
            Self::Bootstrap => "bootstrap",
        }
    }
}

/// A circuit and one of which it is a special case.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Place of the smaller circuit in the ranking, from 0.
    pub smaller: usize,
    /// Place of the larger circuit in the ranking, from 0.
    pub larger: usize,
    /// How it was tested; none where no test was made.
    pub test: Option<Test>,
    /// The decrease of chi-squared a further parameter over the reduced chi-squared of the larger circuit.
    pub f: Option<f64>,
    /// Probability of so large an F if the smaller circuit were the true one.
    pub p: Option<f64>,
}

/// Circuits in order, and what must be said about the order.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Points offered.
    pub n_points: usize,
    /// Points used.
    pub n_used: usize,
    /// How residuals were weighted.
    pub weight: Weight,
    /// The circuits, smallest BIC first, those without a fit last.
    pub candidates: Vec<Ranked>,
    /// The first circuit against those that contain it, or that it contains, with none between them.
    pub comparisons: Vec<Comparison>,
    /// What must be said about the order, in words.
    pub remarks: Vec<String>,
}

/// Fits all candidates to the usable points of `spectrum` and ranks them.
///
/// Same input, same output, whatever the number of threads.
#[must_use]
pub fn rank(spectrum: &Spectrum, candidates: &[Candidate], options: &RankOptions) -> Ranking {
    let (mut candidates, doubles) = without_doubles(candidates);
    candidates.sort_by_key(Candidate::free);
    let direct = direct_pairs(&candidates);
    let fits = fit_all(spectrum, &candidates, &direct, options.weight);
    let floor = noise_floor(spectrum, options.weight);
    let n_used = spectrum.points.iter().filter(|point| point.is_usable()).count();
    let numbers = (2 * n_used) as f64;
    let bic = |place: usize| {
        let result = fits[place].as_ref().ok()?;
        let free = candidates[place].free() as f64;
        Some(numbers * (result.chi_squared.max(floor) / numbers).ln() + free * numbers.ln())
    };
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    // Circuits without a fit come last; the sort is stable, so that of equals the smaller one is first.
    order.sort_by(|&a, &b| {
        let key = |place| bic(place).unwrap_or(f64::INFINITY);
        key(a).total_cmp(&key(b))
    });
    let least = order.first().and_then(|&first| bic(first));
    let ranked: Vec<Ranked> = order
        .iter()
        .map(|&place| Ranked {
            candidate: candidates[place].clone(),
            outcome: fits[place].clone(),
            free: candidates[place].free(),
            delta_bic: bic(place).zip(least).map(|(own, least)| own - least),
        })
        .collect();
    let place_of = |old: usize| order.iter().position(|&other| other == old).unwrap_or(old);
    let mut pairs: Vec<(usize, usize, Nesting)> = direct
        .into_iter()
        .map(|(smaller, larger, nesting)| (place_of(smaller), place_of(larger), nesting))
        .filter(|&(smaller, larger, _)| smaller == 0 || larger == 0)
        .collect();
    let distance =
        |pair: &(usize, usize, Nesting)| ranked[pair.0.max(pair.1)].delta_bic.unwrap_or(f64::INFINITY);
    pairs.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    let comparisons = compare(spectrum, &ranked, &pairs, options, floor);
    let mut ranking = Ranking {
        n_points: spectrum.points.len(),
        n_used,
        weight: options.weight,
        candidates: ranked,
        comparisons,
        remarks: Vec::new(),
    };
    ranking.remarks = remarks::of(&ranking, &doubles, floor);
    ranking
}

/// Each circuit once, and those that were named again.
fn without_doubles(candidates: &[Candidate]) -> (Vec<Candidate>, Vec<String>) {
    let mut kept: Vec<Candidate> = Vec::new();
    let mut doubles = Vec::new();
    for candidate in candidates {
        if kept.contains(candidate) {
            doubles.push(candidate.to_string());
        } else {
            kept.push(candidate.clone());
        }
    }
    (kept, doubles)
}

/// Smaller, larger, and how the one lies in the other, without pairs that have a third circuit between them.
fn direct_pairs(candidates: &[Candidate]) -> Vec<(usize, usize, Nesting)> {
    let mut pairs: Vec<(usize, usize, Nesting)> = Vec::new();
    for (larger, large) in candidates.iter().enumerate() {
        for (smaller, small) in candidates.iter().enumerate() {
            if small.free() < large.free()
                && let Some(nesting) = nesting::find(small, large)
            {
                pairs.push((smaller, larger, nesting));
            }
        }
    }
    let is_pair = |smaller, larger| pairs.iter().any(|pair| pair.0 == smaller && pair.1 == larger);
    let direct: Vec<bool> = pairs
        .iter()
        .map(|&(smaller, larger, _)| {
            !(0..candidates.len()).any(|between| is_pair(smaller, between) && is_pair(between, larger))
        })
        .collect();
    pairs
        .into_iter()
        .zip(direct)
        .filter_map(|(pair, is_direct)| is_direct.then_some(pair))
        .collect()
}

/// Each candidate from a cold start and, where it contains others, from their optima too: the larger circuit never
/// ends above the smaller.
fn fit_all(
    spectrum: &Spectrum,
    candidates: &[Candidate],
    pairs: &[(usize, usize, Nesting)],
    weight: Weight,
) -> Vec<Result<FitResult, FitError>> {
    let grid = Grid::new(
        spectrum
            .points
            .iter()
            .filter(|p| p.is_usable())
            .map(|p| p.frequency_hz),
    );
    let mut fits: Vec<Result<FitResult, FitError>> = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        let mut best = fit(spectrum, &candidate.circuit, &candidate.options(weight));
        if best.is_ok()
            && let Some(refusal) = too_few(grid.len(), candidate.free())
        {
            fits.push(Err(refusal));
            continue;
        }
        for (smaller, _, nesting) in pairs.iter().filter(|pair| pair.1 == place) {
            let Some(Ok(small)) = fits.get(*smaller) else {
                continue;
            };
            let starts = starts::extended(
                &candidates[*smaller],
                candidate,
                nesting,
                &values_of(small),
                &grid,
            );
            let extended = fit_from(spectrum, candidate, weight, starts);
            let is_better = match (&best, &extended) {
                (Ok(best), Ok(extended)) => extended.chi_squared < best.chi_squared * (1.0 - 1e-9),
                (Err(_), Ok(_)) => true,
                _ => false,
            };
            if is_better {
                best = extended;
            }
        }
        fits.push(best);
    }
    fits
}

/// Without two numbers more than parameters there is no AICc, and nothing that could rank a circuit.
fn too_few(used: usize, free: usize) -> Option<FitError> {
    (2 * used <= free + 1).then(|| FitError::TooFewToRank {
        used,
        free,
        needed: free.div_ceil(2) + 1,
    })
}

/// A fit from given starts alone.
fn fit_from(
    spectrum: &Spectrum,
    candidate: &Candidate,
    weight: Weight,
    starts: Vec<Vec<f64>>,
) -> Result<FitResult, FitError> {
    let options = FitOptions {
        also_start: starts,
        cold: ColdStarts::Never,
        ..candidate.options(weight)
    };
    fit(spectrum, &candidate.circuit, &options)
}

fn values_of(result: &FitResult) -> Vec<f64> {
    result
        .parameters
        .iter()
        .map(|parameter| parameter.value)
        .collect()
}

/// The chi-squared that rounding alone leaves.
fn noise_floor(spectrum: &Spectrum, weight: Weight) -> f64 {
    spectrum
        .points
        .iter()
        .filter(|point| point.is_usable())
        .map(|point| {
            let [real, imaginary] = bootstrap::scale(point, weight);
            let (real, imaginary) = (point.z_real_ohm / real, point.z_imag_ohm / imaginary);
            ROUNDING * ROUNDING * (real * real + imaginary * imaginary)
        })
        .sum()
}

fn compare(
    spectrum: &Spectrum,
    ranked: &[Ranked],
    pairs: &[(usize, usize, Nesting)],
    options: &RankOptions,
    floor: f64,
) -> Vec<Comparison> {
    let mut bootstraps = 0;
    pairs
        .iter()
        .map(|(smaller, larger, nesting)| {
            let mut comparison = Comparison {
                smaller: *smaller,
                larger: *larger,
                test: None,
                f: None,
                p: None,
            };
            let (small, large) = (&ranked[*smaller], &ranked[*larger]);
            let (Ok(small_fit), Ok(large_fit)) = (&small.outcome, &large.outcome) else {
                return comparison;
            };
            let pair = Pair {
                small: &small.candidate,
                large: &large.candidate,
                nesting,
                weight: options.weight,
            };
            comparison.f = pair
                .f(small_fit, large_fit)
                .filter(|_| small_fit.chi_squared > floor);
            let Some(f) = comparison.f else {
                return comparison;
            };
            match nesting.place {
                Place::Interior => {
                    comparison.test = Some(Test::F);
                    comparison.p =
                        f_probability(f, large.free - small.free, 2 * large_fit.n_used - large.free);
                }
                Place::Boundary => {
                    // The difference of a pair far apart needs no test; the nearest pair always gets one.
                    let is_close = ranked[*smaller.max(larger)]
                        .delta_bic
                        .is_some_and(|delta| delta < STRONG);
                    if options.resamples > 0 && bootstraps < MOST_BOOTSTRAPS && (is_close || bootstraps == 0)
                    {
                        bootstraps += 1;
                        comparison.test = Some(Test::Bootstrap);
                        comparison.p = pair.probability(spectrum, small_fit, large_fit, options);
                    }
                }
            }
            comparison
        })
        .collect()
}

/// Probability of an F at least so large, with these degrees of freedom.
fn f_probability(f: f64, numerator: usize, denominator: usize) -> Option<f64> {
    let distribution = FisherSnedecor::new(numerator as f64, denominator as f64).ok()?;
    Some(distribution.sf(f))
}

#[cfg(test)]
mod tests;
