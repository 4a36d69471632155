//! Which arc is which. Arcs of the same make can change places without changing the impedance, so that a search
//! may find them under each other's names.

use crate::circuit::{Arc, Circuit};

use super::covariance::Covariance;
use super::options::FitOptions;
use super::problem::Problem;
use super::search::{Effort, Outcome};

/// Above this many arcs of one make the best match is no longer sought among all orders.
const EXHAUSTIVE: usize = 6;

/// What an arc is known by.
pub(super) const FEATURES: usize = 4;
/// How much of each feature means nothing between two sweeps, however small the errors: ln tau, ln R,
/// ln of the effective capacitance tau/R, exponent.
const TOLERANCE: [f64; FEATURES] = [0.1, 0.05, 0.1, 0.02];

/// A number with its variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// The number.
    pub value: f64,
    /// Its variance, infinite where nothing is known.
    pub variance: f64,
}

/// Where the arcs of a circuit are expected, in the order of [`Circuit::arcs`]. [`super::ArcTrack`] makes one
/// from the sweeps so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArcForecast {
    /// ln tau, ln R, ln tau/R and exponent of each arc.
    pub arcs: Vec<[Expected; FEATURES]>,
}

impl ArcForecast {
    /// The arcs as they stand in a vector of parameters.
    #[must_use]
    pub fn from_parameters(circuit: &Circuit, natural: &[f64]) -> Self {
        let arcs = circuit
            .arcs()
            .iter()
            .map(|arc| {
                features(arc, natural).map(|value| Expected {
                    value,
                    variance: if value.is_finite() { 0.0 } else { f64::INFINITY },
                })
            })
            .collect();
        Self { arcs }
    }

    /// A vector of parameters in which every arc of which all is expected stands where it is expected.
    #[must_use]
    pub fn placed(&self, circuit: &Circuit, natural: &[f64]) -> Vec<f64> {
        let mut placed = natural.to_vec();
        for (arc, expected) in circuit.arcs().iter().zip(&self.arcs) {
            let [ln_tau, ln_resistance, _, exponent] = expected;
            if ![ln_tau, ln_resistance, exponent]
                .iter()
                .all(|e| e.variance.is_finite())
            {
                continue;
            }
            let indices: Vec<usize> = arc.indices().collect();
            placed[indices[0]] = ln_resistance.value.exp();
            if let Some(&index) = indices.get(2) {
                let spec = &circuit.parameters()[index];
                placed[index] = exponent.value.clamp(spec.lower, spec.upper);
            }
            // ln tau is linear in the logarithm of the capacitance, of Q and of tau itself.
            let mut ln_tau_for = |ln_second: f64| {
                placed[indices[1]] = ln_second.exp();
                arc.ln_tau(&placed)
            };
            let (at_zero, at_one) = (ln_tau_for(0.0), ln_tau_for(1.0));
            placed[indices[1]] = ((ln_tau.value - at_zero) / (at_one - at_zero)).exp();
        }
        placed
    }

    /// Smallest distance in ln tau between two arcs of one make.
    #[must_use]
    pub fn closest(&self, circuit: &Circuit) -> f64 {
        let arcs = circuit.arcs();
        (0..arcs.len())
            .map(|index| gap(circuit, index, |other| self.arcs[other][0].value))
            .fold(f64::INFINITY, f64::min)
    }
}

/// Distance of an arc in ln tau to the next one of its make.
pub(super) fn gap(circuit: &Circuit, index: usize, ln_tau: impl Fn(usize) -> f64) -> f64 {
    let arcs = circuit.arcs();
    (0..arcs.len())
        .filter(|&other| other != index && arcs[index].is_exchangeable_with(&arcs[other]))
        .map(|other| (ln_tau(index) - ln_tau(other)).abs())
        .fold(f64::INFINITY, f64::min)
}

/// ln tau, ln R, ln tau/R and exponent. Of these, an ageing interface changes tau and R, a pressure step R and
/// the capacitance, and hardly anything the exponent.
pub(super) fn features(arc: &Arc, natural: &[f64]) -> [f64; FEATURES] {
    let ln_tau = arc.ln_tau(natural);
    let ln_resistance = natural[arc.resistance].ln();
    let exponent = arc.indices().nth(2).map_or(1.0, |index| natural[index]);
    [ln_tau, ln_resistance, ln_tau - ln_resistance, exponent]
}

/// The features with their variances; `std_error` gives the standard error of a sum of parameters with weights.
pub(super) fn measured(
    arc: &Arc,
    natural: &[f64],
    std_error: impl Fn(&[(usize, f64)]) -> Option<f64>,
) -> [Expected; FEATURES] {
    let values = features(arc, natural);
    let gradients: Vec<(usize, [f64; FEATURES])> = arc
        .indices()
        .map(|index| {
            let step = 1e-6 * natural[index].abs();
            let at = |value: f64| {
                let mut moved = natural.to_vec();
                moved[index] = value;
                features(arc, &moved)
            };
            let (above, below) = (at(natural[index] + step), at(natural[index] - step));
            let slope = std::array::from_fn(|feature| (above[feature] - below[feature]) / (2.0 * step));
            (index, slope)
        })
        .collect();
    std::array::from_fn(|feature| {
        let weights: Vec<(usize, f64)> = gradients
            .iter()
            .map(|(index, slope)| (*index, slope[feature]))
            .filter(|(_, weight)| *weight != 0.0)
            .collect();
        let known = values[feature].is_finite() && weights.iter().all(|(_, weight)| weight.is_finite());
        Expected {
            value: values[feature],
            variance: std_error(&weights)
                .filter(|_| known)
                .map_or(f64::INFINITY, |error| error * error),
        }
    })
}

/// Gives the arcs the names that are expected, or orders them by time constant where nothing is. An arc of which the
/// user has named a start keeps its name; one that is held, bound or tied changes it where the fit stays as good.
pub(super) fn settle(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
    outcome: Outcome,
) -> Outcome {
    let is_started = |name: &str| options.named_start.iter().any(|(start, _)| start == name);
    let free = classes(circuit, |name| {
        is_started(name) || is_held_bound_or_tied(options, name)
    });
    let all = classes(circuit, is_started);
    let outcome = rename(problem, circuit, options, &free, outcome);
    if all == free {
        return outcome;
    }
    rename(problem, circuit, options, &all, outcome)
}

fn rename(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
    classes: &[Vec<usize>],
    outcome: Outcome,
) -> Outcome {
    let natural = problem.to_natural(&outcome.position);
    let mut renamed = natural.clone();
    let from_start = || {
        options
            .start
            .as_ref()
            .map(|start| ArcForecast::from_parameters(circuit, start))
    };
    if classes.iter().all(|class| class.len() < 2) {
        return outcome;
    }
    let forecast = options
        .arcs
        .clone()
        .filter(|forecast| forecast.arcs.len() == circuit.arcs().len())
        .or_else(from_start);
    // With the residual variance of a plain fit: the names do not hang on a factor.
    let noise = outcome.chi_squared / problem.degrees_of_freedom().max(1.0);
    let covariance = forecast
        .as_ref()
        .map(|_| Covariance::new(problem, natural.len(), &outcome, noise));
    for class in classes {
        let arcs: Vec<&Arc> = class.iter().map(|&index| &circuit.arcs()[index]).collect();
        let order = match (&forecast, &covariance) {
            (Some(forecast), Some(covariance)) => {
                let expected: Vec<_> = class.iter().map(|&index| forecast.arcs[index]).collect();
                let found: Vec<_> = arcs
                    .iter()
                    .map(|arc| measured(arc, &natural, |weights| covariance.std_error(weights)))
                    .collect();
                matched(&expected, &found)
            }
            _ => by_time_constant(&arcs, &natural),
        };
        for (to, &from) in order.iter().enumerate() {
            for (to, from) in arcs[to].indices().zip(arcs[from].indices()) {
                renamed[to] = natural[from];
            }
        }
    }
    if renamed == natural {
        return outcome;
    }
    // The same impedance, but the covariance belongs to the names.
    let again = problem.search(
        &problem.to_search(&renamed),
        Effort::Full(options.max_evaluations),
    );
    if again.chi_squared <= outcome.chi_squared * (1.0 + 1e-6) + problem.negligible() {
        Outcome {
            evaluations: outcome.evaluations,
            converged: outcome.converged,
            ..again
        }
    } else {
        outcome
    }
}

/// Whether the user has said of a parameter where it may be.
pub(super) fn is_held_bound_or_tied(options: &FitOptions, name: &str) -> bool {
    options.fixed.iter().any(|(fixed, _)| fixed == name)
        || options.bounds.iter().any(|(bound, _, _)| bound == name)
        || options.ties.iter().any(|(tied, to)| tied == name || to == name)
}

/// Arcs that may change places, by make: indices of the circuit's arcs. One with a parameter that is `named` keeps
/// its name.
pub(super) fn classes(circuit: &Circuit, named: impl Fn(&str) -> bool) -> Vec<Vec<usize>> {
    let named = |index: usize| named(&circuit.parameters()[index].name);
    let arcs = circuit.arcs();
    let mut classes: Vec<Vec<usize>> = Vec::new();
    for (index, arc) in arcs.iter().enumerate() {
        if !arc.simple || arc.indices().any(named) {
            continue;
        }
        match classes
            .iter_mut()
            .find(|class| arcs[class[0]].is_exchangeable_with(arc))
        {
            Some(class) => class.push(index),
            None => classes.push(vec![index]),
        }
    }
    classes
}

fn by_time_constant(arcs: &[&Arc], natural: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..arcs.len()).collect();
    order.sort_by(|&a, &b| arcs[a].ln_tau(natural).total_cmp(&arcs[b].ln_tau(natural)));
    order
}

/// The order in which the arcs found lie closest to those expected.
fn matched(expected: &[[Expected; FEATURES]], found: &[[Expected; FEATURES]]) -> Vec<usize> {
    let identity: Vec<usize> = (0..expected.len()).collect();
    if expected.len() > EXHAUSTIVE {
        return identity;
    }
    let cost = |order: &[usize]| -> f64 {
        order
            .iter()
            .enumerate()
            .map(|(to, &from)| distance(&expected[to], &found[from]))
            .sum()
    };
    let mut best = (cost(&identity), identity.clone());
    permutations(&mut identity.clone(), 0, &mut |order| {
        let cost = cost(order);
        if cost < best.0 - 1e-9 {
            best = (cost, order.to_vec());
        }
    });
    best.1
}

/// Squared distance of each feature in its own errors, in the logarithm, as if features had the long tails of
/// Cauchy's distribution: one that jumps, as a resistance does when a contact breaks, does not outvote the others.
fn distance(expected: &[Expected; FEATURES], found: &[Expected; FEATURES]) -> f64 {
    (0..FEATURES)
        .map(|feature| {
            let (expected, found) = (expected[feature], found[feature]);
            let variance = expected.variance + found.variance + TOLERANCE[feature].powi(2);
            if variance.is_finite() {
                ((found.value - expected.value).powi(2) / variance).ln_1p()
            } else {
                0.0
            }
        })
        .sum()
}

pub(super) fn permutations(order: &mut Vec<usize>, fixed: usize, visit: &mut impl FnMut(&[usize])) {
    if fixed == order.len() {
        visit(order);
        return;
    }
    for index in fixed..order.len() {
        order.swap(fixed, index);
        permutations(order, fixed + 1, visit);
        order.swap(fixed, index);
    }
}
