//! One fit of a series of spectra in which some parameters are shared: equal in all, or following one activation
//! energy. There is one chi-squared and one covariance for the whole series, so that what one spectrum knows of
//! a shared parameter helps the others.

mod arrow;
mod search;
mod sharing;
mod start;

use nalgebra::DMatrix;

use super::covariance::Covariance;
use super::options::{FitError, FitOptions};
use super::problem::Problem;
use super::result::{FitResult, Weight};
use super::summary;
use crate::circuit::{Circuit, Scale};
use crate::spectrum::Spectrum;
use arrow::Factors;
use search::{Outcome, Series};
pub use sharing::{BOLTZMANN_EV_PER_K, REFERENCE_TEMPERATURE_K, Sharing};
use sharing::{Layout, Link};

/// SE(ln p) above which a shared scale parameter is not determined, and SE of an exponent.
const SCALE_LIMIT: f64 = 0.3;
const EXPONENT_LIMIT: f64 = 0.05;
/// Standard error in eV above which an activation energy is not determined.
const ENERGY_LIMIT_EV: f64 = 0.1;

/// A parameter that the whole series shares.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedParameter {
    /// `CPE1.n`.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// Its value; of an activated parameter that at [`REFERENCE_TEMPERATURE_K`].
    pub value: f64,
    /// One standard error; none where it stands on a bound.
    pub std_error: Option<f64>,
    /// Whether the series determines it.
    pub determined: bool,
    /// The activation energy in eV, where the parameter has one.
    pub activation_energy_ev: Option<SharedEnergy>,
}

/// An activation energy of a shared parameter, in eV.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedEnergy {
    /// The energy.
    pub value: f64,
    /// One standard error; none where it stands on a bound.
    pub std_error: Option<f64>,
    /// Whether the series determines it.
    pub determined: bool,
}

/// The outcome of a fit of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct JointFit {
    /// What is shared.
    pub shared: Vec<SharedParameter>,
    /// Each spectrum with all its parameters, their errors from the covariance of the series. Its chi-squared is
    /// its own part of the sum; of the shared parameters an equal part counts as its own.
    pub fits: Vec<FitResult>,
    /// Sum over all spectra.
    pub chi_squared: f64,
    /// chi-squared over numbers minus free parameters of the whole series; none where these are not fewer.
    pub reduced_chi_squared: Option<f64>,
    /// Free parameters of the whole series.
    pub free: usize,
    /// Whether the search ended at a minimum.
    pub converged: bool,
    /// Evaluations of the whole series in the final search.
    pub evaluations: usize,
}

/// Fits `circuit` to all spectra at once.
///
/// Each spectrum is first fitted by itself, in order and from the last one's optimum, so that arcs keep their
/// names through the series. Same input, same output, to the bit.
///
/// # Errors
/// As [`super::fit`], naming the spectrum, and where the sharing contradicts itself or the options.
pub fn fit_jointly(
    spectra: &[Spectrum],
    circuit: &Circuit,
    options: &FitOptions,
    shared: &[(String, Sharing)],
) -> Result<JointFit, FitError> {
    if spectra.len() < 2 {
        return Err(FitError::TooFewSpectra { given: spectra.len() });
    }
    let mut problems = Vec::with_capacity(spectra.len());
    for (index, spectrum) in spectra.iter().enumerate() {
        problems.push(Problem::new(spectrum, circuit, options).map_err(|error| of_spectrum(index, error))?);
    }
    let layout = Layout::new(circuit, &problems, shared)?;
    let singles = start::single_fits(spectra, circuit, options)?;
    let starts = start::starts(&layout, &problems, &singles);
    let tried = starts.len();
    let mut series = Series {
        problems: &mut problems,
        layout: &layout,
    };
    let mut best: Option<Outcome> = None;
    for start in starts {
        let outcome = series.search(start, options.max_evaluations);
        let better = best
            .as_ref()
            .is_none_or(|best| outcome.arrow.chi_squared < best.arrow.chi_squared * (1.0 - 1e-9));
        if outcome.arrow.is_finite() && better {
            best = Some(outcome);
        }
    }
    let best = best.ok_or(FitError::NoFiniteModel)?;
    Ok(tell(&series, circuit, options, spectra, &best, tried))
}

fn of_spectrum(index: usize, error: FitError) -> FitError {
    FitError::OfSpectrum {
        number: index + 1,
        source: Box::new(error),
    }
}

fn tell(
    series: &Series<'_, '_>,
    circuit: &Circuit,
    options: &FitOptions,
    spectra: &[Spectrum],
    outcome: &Outcome,
    starts: usize,
) -> JointFit {
    let layout = series.layout;
    let own: usize = layout.own.iter().map(Vec::len).sum();
    let free = layout.shared.len() + own;
    let numbers: usize = series.problems.iter().map(|problem| 2 * problem.points()).sum();
    let reduced = (numbers > free).then(|| outcome.arrow.chi_squared / (numbers - free) as f64);
    let held = series.at_bounds(&outcome.position);
    let mut equations = outcome.arrow.clone();
    equations.hold(&held);
    let noise = match options.weight {
        Weight::Sigma => Some(1.0),
        _ => reduced,
    };
    let factors = noise.and_then(|noise| equations.factor().map(|factors| (factors, noise)));
    let share = layout.shared.len() as f64 / spectra.len() as f64;
    let fits = (0..spectra.len())
        .map(|spectrum| {
            let problem = &series.problems[spectrum];
            let position = layout.position(
                spectrum,
                &outcome.position.shared,
                &outcome.position.own[spectrum],
            );
            let covariance = local_covariance(series, &held, factors.as_ref(), spectrum, &position, circuit);
            let (residuals, chi_squared) = &outcome.residuals[spectrum];
            let local = super::search::Outcome {
                position,
                chi_squared: *chi_squared,
                normal: problem.normal(),
                residuals: residuals.clone(),
                evaluations: outcome.evaluations,
                converged: outcome.converged,
            };
            let effort = summary::Effort {
                starts,
                elapsed_us: 0.0,
                guess_us: 0.0,
                left_out: super::left_out(&spectra[spectrum]),
            };
            let free = layout.own[spectrum].len() as f64 + share;
            summary::tell(problem, circuit, options, &local, &effort, &covariance, free)
        })
        .collect();
    JointFit {
        shared: shared_parameters(circuit, layout, outcome, &held, factors.as_ref()),
        fits,
        chi_squared: outcome.arrow.chi_squared,
        reduced_chi_squared: reduced,
        free,
        converged: outcome.converged,
        evaluations: outcome.evaluations,
    }
}

/// Covariance of the parameters of one spectrum in natural units, from that of the whole series.
fn local_covariance(
    series: &Series<'_, '_>,
    held: &arrow::Held,
    factors: Option<&(Factors, f64)>,
    spectrum: usize,
    position: &[f64],
    circuit: &Circuit,
) -> Covariance {
    let parameters = circuit.parameters().len();
    let mut matrix = DMatrix::zeros(parameters, parameters);
    let mut candidates = vec![false; parameters];
    let Some((factors, noise)) = factors else {
        return Covariance::known(matrix, candidates);
    };
    let links = &series.layout.links[spectrum];
    let count = series.layout.shared.len();
    let inverse = factors.inverse_with(spectrum);
    // Each coordinate of the spectrum as a combination of shared and own ones; those that stand on a bound do not vary.
    let terms: Vec<Vec<(usize, f64)>> = links
        .iter()
        .map(|link| match link {
            Link::Own(index) if held.own[spectrum][*index] => Vec::new(),
            Link::Own(index) => vec![(count + index, 1.0)],
            Link::Shared(terms, _) => terms
                .iter()
                .copied()
                .filter(|(index, _)| !held.shared[*index])
                .collect(),
        })
        .collect();
    let coordinates = &series.problems[spectrum].coordinates;
    for (k, left) in terms.iter().enumerate() {
        for (l, right) in terms.iter().enumerate() {
            let variance: f64 = left
                .iter()
                .flat_map(|&(i, a)| right.iter().map(move |&(j, b)| (i, j, a * b)))
                .map(|(i, j, factor)| factor * inverse[(i, j)])
                .sum();
            let slopes = coordinates[k].slope(position[k]) * coordinates[l].slope(position[l]);
            for &row in &coordinates[k].parameters {
                for &column in &coordinates[l].parameters {
                    matrix[(row, column)] = noise * variance * slopes;
                }
            }
        }
        for &index in &coordinates[k].parameters {
            candidates[index] = !left.is_empty();
        }
    }
    Covariance::known(matrix, candidates)
}

fn shared_parameters(
    circuit: &Circuit,
    layout: &Layout,
    outcome: &Outcome,
    held: &arrow::Held,
    factors: Option<&(Factors, f64)>,
) -> Vec<SharedParameter> {
    let inverse = factors.map(|(factors, noise)| factors.shared_inverse() * *noise);
    let error = |k: usize| {
        inverse
            .as_ref()
            .filter(|_| !held.shared[k])
            .map(|inverse| inverse[(k, k)].sqrt())
            .filter(|error| error.is_finite())
    };
    let mut told = Vec::new();
    for (k, coordinate) in layout.shared.iter().enumerate().filter(|(_, c)| !c.is_energy) {
        let spec = &circuit.parameters()[coordinate.parameter];
        let position = outcome.position.shared[k];
        let logarithmic = spec.scale == Scale::Log;
        let value = if logarithmic { position.exp() } else { position };
        let energy = layout
            .shared
            .get(k + 1)
            .filter(|next| next.is_energy)
            .map(|_| SharedEnergy {
                value: outcome.position.shared[k + 1],
                std_error: error(k + 1),
                determined: error(k + 1).is_some_and(|error| error <= ENERGY_LIMIT_EV),
            });
        let limit = if logarithmic { SCALE_LIMIT } else { EXPONENT_LIMIT };
        told.push(SharedParameter {
            name: spec.name.clone(),
            unit: spec.unit,
            value,
            std_error: error(k).map(|error| if logarithmic { error * value } else { error }),
            determined: error(k).is_some_and(|error| error <= limit),
            activation_energy_ev: energy,
        });
    }
    told
}

#[cfg(test)]
mod tests;
