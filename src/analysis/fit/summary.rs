//! From the optimum to what is told.

use crate::circuit::{Circuit, ParameterSpec, Role, Scale};

use super::covariance::Covariance;
use super::options::FitOptions;
use super::problem::Problem;
use super::result::{FitResult, Parameter, Sum, Weight};
use super::robust::RobustNoise;
use super::search::Outcome;

/// SE(ln p) above which a scale parameter is not determined.
const SCALE_LIMIT: f64 = 0.3;
/// Standard error above which an exponent is not determined.
const EXPONENT_LIMIT: f64 = 0.05;
/// Fraction of |Z| above which the error of a series R or L leaves it undetermined.
const IMPEDANCE_LIMIT: f64 = 0.05;

/// What the search cost.
pub(super) struct Effort {
    pub starts: usize,
    pub elapsed_us: f64,
    pub guess_us: f64,
    pub left_out: usize,
}

pub(super) fn summarise(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
    outcome: &Outcome,
    robust: Option<RobustNoise>,
    effort: &Effort,
) -> FitResult {
    let noise = match (&robust, options.weight) {
        (Some(robust), _) => robust.variance,
        (None, Weight::Sigma) => 1.0,
        (None, _) => outcome.chi_squared / problem.degrees_of_freedom(),
    };
    let covariance = Covariance::new(problem, circuit.parameters().len(), outcome, noise);
    let free = problem.coordinates.len() as f64;
    FitResult {
        robust: robust.map(|robust| robust.told),
        ..tell(problem, circuit, options, outcome, effort, &covariance, free)
    }
}

/// As [`summarise`], with the covariance and the number of free parameters from elsewhere.
pub(super) fn tell(
    problem: &Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
    outcome: &Outcome,
    effort: &Effort,
    covariance: &Covariance,
    free: f64,
) -> FitResult {
    let natural = problem.to_natural(&outcome.position);
    let judge = Judge::new(problem);
    let parameters: Vec<Parameter> = circuit
        .parameters()
        .iter()
        .enumerate()
        .map(|(index, spec)| {
            let coordinate = problem
                .coordinates
                .iter()
                .position(|coordinate| coordinate.parameters.contains(&index));
            let std_error = covariance.parameter_error(index);
            let in_series = circuit.elements()[spec.element].in_series;
            let (lower, upper) = told_bounds(spec, options);
            Parameter {
                name: spec.name.clone(),
                unit: spec.unit.to_owned(),
                value: natural[index],
                std_error,
                lower,
                upper,
                fixed: coordinate.is_none(),
                at_bound: coordinate.is_some_and(|k| problem.coordinates[k].at_bound(outcome.position[k])),
                determined: coordinate.is_none()
                    || std_error
                        .is_some_and(|error| judge.is_determined(spec, in_series, natural[index], error)),
                arc_id: circuit
                    .arcs()
                    .iter()
                    .position(|arc| arc.indices().any(|other| other == index))
                    .and_then(|arc| u32::try_from(arc + 1).ok()),
            }
        })
        .collect();
    let sums = sum_names(circuit, options)
        .into_iter()
        .map(|name| sum(name, circuit, &parameters, covariance))
        .collect();
    let numbers = (2 * problem.points()) as f64;
    let reduced = outcome.chi_squared / (numbers - free);
    let likelihood = numbers * (outcome.chi_squared / numbers).ln();
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    FitResult {
        circuit: circuit.to_string(),
        weight: options.weight,
        converged: outcome.converged,
        n_points: problem.points() + effort.left_out,
        n_used: problem.points(),
        left_out: effort.left_out,
        chi_squared: outcome.chi_squared,
        reduced_chi_squared: finite(reduced),
        noise_percent: finite(100.0 * reduced.sqrt()).filter(|_| options.weight == Weight::Modulus),
        aicc: finite(likelihood + 2.0 * free + 2.0 * free * (free + 1.0) / (numbers - free - 1.0))
            .filter(|_| numbers > free + 1.0),
        bic: finite(likelihood + free * numbers.ln()),
        // Residuals that are rounding have signs that mean nothing.
        runs_p: problem
            .runs_probability(&outcome.residuals)
            .filter(|_| outcome.chi_squared > problem.negligible()),
        starts: effort.starts,
        evaluations: outcome.evaluations,
        elapsed_us: effort.elapsed_us,
        guess_us: effort.guess_us,
        parameters,
        correlation: covariance.correlation(),
        sums,
        robust: None,
    }
}

/// The user's bounds, or else those that the quantity itself has; limits of the search alone are not told.
fn told_bounds(spec: &ParameterSpec, options: &FitOptions) -> (Option<f64>, Option<f64>) {
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    match options
        .bounds
        .iter()
        .rev()
        .find(|(name, _, _)| *name == spec.name)
    {
        Some((_, lower, upper)) if spec.scale == Scale::Linear => {
            (finite(*lower), finite(upper.min(spec.upper)))
        }
        Some((_, lower, upper)) => (finite(*lower), finite(*upper)),
        None if spec.scale == Scale::Log => (Some(0.0), None),
        // What the user asks for may lie below the range of the search.
        None => {
            let asked = options.named_start.iter().chain(&options.fixed);
            let asked = asked.filter(|(name, _)| *name == spec.name);
            let lower = asked.fold(spec.lower, |lower, (_, value)| lower.min(*value));
            (Some(lower), Some(spec.upper))
        }
    }
}

/// What the data can tell at best.
struct Judge {
    /// Smallest |Z|.
    least_impedance: f64,
    fastest_omega: f64,
    /// |Z| at the highest frequency.
    fastest_impedance: f64,
}

impl Judge {
    fn new(problem: &Problem<'_>) -> Self {
        let data = problem.data();
        let mut judge = Self {
            least_impedance: f64::INFINITY,
            fastest_omega: 0.0,
            fastest_impedance: 0.0,
        };
        for (&omega, z) in data.grid.omega.iter().zip(&data.impedance) {
            judge.least_impedance = judge.least_impedance.min(z.norm());
            if omega > judge.fastest_omega {
                judge.fastest_omega = omega;
                judge.fastest_impedance = z.norm();
            }
        }
        judge
    }

    fn is_determined(&self, spec: &ParameterSpec, in_series: bool, value: f64, std_error: f64) -> bool {
        match spec.role {
            Role::Exponent => std_error <= EXPONENT_LIMIT,
            Role::Inductance => self.fastest_omega * std_error <= IMPEDANCE_LIMIT * self.fastest_impedance,
            Role::Resistance if in_series => std_error <= IMPEDANCE_LIMIT * self.least_impedance,
            _ => std_error <= SCALE_LIMIT * value,
        }
    }
}

/// The names of [`FitResult::sums`]: all arcs, all that direct current passes, and what is asked for; each once.
#[must_use]
pub fn sum_names(circuit: &Circuit, options: &FitOptions) -> Vec<String> {
    let name = |index: usize| circuit.parameters()[index].name.clone();
    let arcs: Vec<String> = circuit.arcs().iter().map(|arc| name(arc.resistance)).collect();
    let series = circuit
        .elements()
        .iter()
        .filter(|element| element.in_series && element.kind.parameters[0].role == Role::Resistance)
        .map(|element| element.name.clone());
    let all: Vec<String> = series.chain(arcs.iter().cloned()).collect();
    let mut names: Vec<String> = Vec::new();
    for parts in [arcs, all] {
        if parts.len() > 1 && !names.contains(&parts.join("+")) {
            names.push(parts.join("+"));
        }
    }
    for sum in &options.sums {
        let tidy = sum.split('+').map(str::trim).collect::<Vec<_>>().join("+");
        if !names.contains(&tidy) {
            names.push(tidy);
        }
    }
    names
}

fn sum(name: String, circuit: &Circuit, parameters: &[Parameter], covariance: &Covariance) -> Sum {
    let parts: Vec<usize> = name
        .split('+')
        .filter_map(|part| circuit.parameter_index(part))
        .collect();
    let value: f64 = parts.iter().map(|&index| parameters[index].value).sum();
    let weights: Vec<(usize, f64)> = parts.iter().map(|&index| (index, 1.0)).collect();
    // A part that stands on a bound has no error of its own; the sum has one only where the part does not count.
    let on_bound: f64 = parts
        .iter()
        .filter(|&&index| parameters[index].at_bound)
        .map(|&index| parameters[index].value)
        .sum();
    let std_error = covariance
        .std_error(&weights)
        .filter(|_| on_bound <= 1e-3 * value);
    Sum {
        name,
        value,
        std_error: std_error.filter(|error| *error > 0.0),
        determined: std_error.is_some_and(|error| error <= SCALE_LIMIT * value),
    }
}
