//! Which arc is which. Arcs of the same make can change places without changing the impedance, so that a search
//! may find them under each other's names.

use crate::circuit::{Arc, Circuit};

use super::options::FitOptions;
use super::problem::Problem;
use super::search::{Effort, Outcome};

/// Above this many arcs of one make the best match is no longer sought among all orders.
const EXHAUSTIVE: usize = 6;

/// Gives the arcs the names that they have in the start, or orders them by time constant where there is none.
pub(super) fn settle(
    problem: &mut Problem<'_>,
    circuit: &Circuit,
    options: &FitOptions,
    outcome: Outcome,
) -> Outcome {
    let natural = problem.to_natural(&outcome.position);
    let mut renamed = natural.clone();
    for arcs in classes(circuit, options) {
        let order = match &options.start {
            Some(start) => matched(&arcs, start, &natural),
            None => by_time_constant(&arcs, &natural),
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

/// Arcs that may change places, by make. One that the user has said anything about keeps its name.
fn classes<'a>(circuit: &'a Circuit, options: &FitOptions) -> Vec<Vec<&'a Arc>> {
    let named = |index: usize| {
        let name = &circuit.parameters()[index].name;
        options.fixed.iter().any(|(fixed, _)| fixed == name)
            || options.named_start.iter().any(|(start, _)| start == name)
            || options.bounds.iter().any(|(bound, _, _)| bound == name)
            || options.ties.iter().any(|(tied, to)| tied == name || to == name)
    };
    let mut classes: Vec<Vec<&Arc>> = Vec::new();
    for arc in circuit
        .arcs()
        .iter()
        .filter(|arc| arc.simple && !arc.indices().any(named))
    {
        match classes
            .iter_mut()
            .find(|class| class[0].is_exchangeable_with(arc))
        {
            Some(class) => class.push(arc),
            None => classes.push(vec![arc]),
        }
    }
    classes
}

fn by_time_constant(arcs: &[&Arc], natural: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..arcs.len()).collect();
    order.sort_by(|&a, &b| arcs[a].ln_tau(natural).total_cmp(&arcs[b].ln_tau(natural)));
    order
}

/// The order in which the arcs of `natural` lie closest to those of `start` in ln tau and ln R.
fn matched(arcs: &[&Arc], start: &[f64], natural: &[f64]) -> Vec<usize> {
    let identity: Vec<usize> = (0..arcs.len()).collect();
    if arcs.len() > EXHAUSTIVE {
        return identity;
    }
    let distance = |to: usize, from: usize| {
        let by_tau = arcs[to].ln_tau(start) - arcs[from].ln_tau(natural);
        let by_resistance = start[arcs[to].resistance].ln() - natural[arcs[from].resistance].ln();
        by_tau * by_tau + by_resistance * by_resistance
    };
    let cost = |order: &[usize]| -> f64 {
        order
            .iter()
            .enumerate()
            .map(|(to, &from)| distance(to, from))
            .sum()
    };
    let mut best = (cost(&identity), identity.clone());
    permutations(&mut identity.clone(), 0, &mut |order| {
        let cost = cost(order);
        if cost < best.0 {
            best = (cost, order.to_vec());
        }
    });
    best.1
}

fn permutations(order: &mut Vec<usize>, fixed: usize, visit: &mut impl FnMut(&[usize])) {
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
