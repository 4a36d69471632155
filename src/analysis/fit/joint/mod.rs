//! One fit of a series of spectra in which some parameters are shared: equal in all, or following one activation
//! energy. There is one chi-squared and one covariance for the whole series, so that what one spectrum knows of
//! a shared parameter helps the others.

mod arrow;
mod errors;
mod search;
mod sharing;
mod start;

use super::options::{FitError, FitOptions};
use super::problem::Problem;
use super::result::{FitResult, Weight};
use super::summary;
use crate::circuit::{Circuit, Scale};
use crate::spectrum::Spectrum;
use errors::Errors;
use search::{Outcome, Series};
use sharing::Layout;
pub use sharing::{BOLTZMANN_EV_PER_K, REFERENCE_TEMPERATURE_K, Sharing};

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
    /// The search ended on one of its bounds.
    pub at_bound: bool,
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
    if options.robust {
        return Err(FitError::RobustJointly);
    }
    let mut problems = Vec::with_capacity(spectra.len());
    for (index, spectrum) in spectra.iter().enumerate() {
        problems.push(Problem::new(spectrum, circuit, options).map_err(|error| of_spectrum(index, error))?);
    }
    let layout = Layout::new(circuit, &mut problems, options, shared)?;
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
    let noise = match options.weight {
        Weight::Sigma => 1.0,
        // Each spectrum has more numbers than free parameters, so that the series has.
        _ => reduced.unwrap_or(f64::INFINITY),
    };
    let errors = Errors::new(series, outcome, noise);
    let share = layout.shared.len() as f64 / spectra.len() as f64;
    let shared = shared_parameters(circuit, layout, outcome, &errors.of_shared());
    let mut fits: Vec<FitResult> = (0..spectra.len())
        .map(|spectrum| {
            let problem = &series.problems[spectrum];
            let position = layout.position(
                spectrum,
                &outcome.position.shared,
                &outcome.position.own[spectrum],
            );
            let parameters = circuit.parameters().len();
            let covariance = errors.of_spectrum(spectrum, &problem.coordinates, &position, parameters);
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
    // One parameter has one error, to the last digit.
    for (coordinate, told) in layout.shared.iter().filter(|c| !c.is_energy).zip(&shared) {
        let groups = series.problems[0].coordinates.iter();
        let mut groups = groups.filter(|group| group.parameters.contains(&coordinate.parameter));
        if let (None, Some(group)) = (told.activation_energy_ev, groups.next()) {
            for fitted in &mut fits {
                for &index in &group.parameters {
                    fitted.parameters[index].std_error = told.std_error;
                }
            }
        }
    }
    JointFit {
        shared,
        fits,
        chi_squared: outcome.arrow.chi_squared,
        reduced_chi_squared: reduced,
        free,
        converged: outcome.converged,
        evaluations: outcome.evaluations,
    }
}

fn shared_parameters(
    circuit: &Circuit,
    layout: &Layout,
    outcome: &Outcome,
    errors: &[Option<f64>],
) -> Vec<SharedParameter> {
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
                std_error: errors[k + 1],
                determined: errors[k + 1].is_some_and(|error| error <= ENERGY_LIMIT_EV),
            });
        let limit = if logarithmic { SCALE_LIMIT } else { EXPONENT_LIMIT };
        told.push(SharedParameter {
            name: spec.name.clone(),
            unit: spec.unit,
            value,
            std_error: errors[k].map(|error| if logarithmic { error * value } else { error }),
            determined: errors[k].is_some_and(|error| error <= limit),
            at_bound: coordinate.coordinate().at_bound(position),
            activation_energy_ev: energy,
        });
    }
    told
}

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod tests;
