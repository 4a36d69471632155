//! Starts with arcs in each other's places. What the user holds, bounds or ties makes arcs of one make unequal: a
//! search that ends in one assignment of the arcs to the names cannot pass to another, which may fit far better.

use crate::circuit::{Arc, Circuit};
use crate::spectrum::Spectrum;

use super::identity::{self, permutations};
use super::options::FitOptions;
use super::problem::Problem;
use super::search::{Effort, Outcome};
use super::{cold, keep_better, noise};

/// Up to so many arcs of one make all orders are tried, beyond it only exchanges of two.
const ALL_ORDERS: usize = 4;

/// The best optimum from starts in which arcs have changed places, first those of `best`, and where that leaves more
/// than noise those of the circuit without what is said of single arcs; and how many starts that took.
pub(super) fn search(
    problem: &mut Problem<'_>,
    spectrum: &Spectrum,
    circuit: &Circuit,
    options: &FitOptions,
    best: &Outcome,
) -> (Option<Outcome>, usize) {
    let mut found = None;
    let mut tried = 0;
    let classes: Vec<Vec<usize>> = identity::classes(circuit, |_| false)
        .into_iter()
        .filter(|class| class.len() > 1 && class.iter().any(|&arc| is_constrained(circuit, options, arc)))
        .collect();
    let own = problem.to_natural(&best.position);
    if classes.is_empty() || is_enough(problem, best) {
        return (None, 0);
    }
    let mut try_orders = |problem: &mut Problem<'_>, natural: &[f64]| {
        for start in exchanged(circuit, &classes, natural) {
            let outcome = problem.search(&problem.to_search(&start), Effort::Quick);
            tried += 1;
            keep_better(&mut found, outcome);
        }
        found.as_ref().is_some_and(|found| is_enough(problem, found))
    };
    if !try_orders(problem, &own) {
        let free = without_constraints(circuit, options, &classes);
        // With what is held set free, the points may be too few.
        if let Ok(mut unbound) = Problem::new(spectrum, circuit, &free)
            && let (Some(outcome), _) = cold::cold_search(&mut unbound, circuit, &free)
        {
            try_orders(problem, &unbound.to_natural(&outcome.position));
        }
    }
    (found, tried)
}

fn is_enough(problem: &Problem<'_>, outcome: &Outcome) -> bool {
    outcome.chi_squared.is_finite() && noise::is_all_that_is_left(problem, outcome)
}

fn is_constrained(circuit: &Circuit, options: &FitOptions, arc: usize) -> bool {
    circuit.arcs()[arc].indices().any(|index| {
        let name = &circuit.parameters()[index].name;
        identity::is_held_bound_or_tied(options, name)
    })
}

/// The request without what it says of the arcs that may change places.
fn without_constraints(circuit: &Circuit, options: &FitOptions, classes: &[Vec<usize>]) -> FitOptions {
    let is_of_them = |name: &String| {
        let arcs = classes.iter().flatten().map(|&arc| &circuit.arcs()[arc]);
        circuit
            .parameter_index(name)
            .is_some_and(|of_name| arcs.flat_map(Arc::indices).any(|index| index == of_name))
    };
    let mut free = options.clone();
    free.fixed.retain(|(name, _)| !is_of_them(name));
    free.bounds.retain(|(name, _, _)| !is_of_them(name));
    free.named_start.retain(|(name, _)| !is_of_them(name));
    free.ties
        .retain(|(name, to)| !is_of_them(name) && !is_of_them(to));
    free
}

/// Vectors in which arcs of one make stand in other orders, the order that they have among them.
fn exchanged(circuit: &Circuit, classes: &[Vec<usize>], natural: &[f64]) -> Vec<Vec<f64>> {
    let mut starts = Vec::new();
    for class in classes {
        let mut add = |order: &[usize]| {
            let mut start = natural.to_vec();
            for (&to, &from) in class.iter().zip(order) {
                let (to, from) = (&circuit.arcs()[to], &circuit.arcs()[class[from]]);
                for (to, from) in to.indices().zip(from.indices()) {
                    start[to] = natural[from];
                }
            }
            starts.push(start);
        };
        let mut order: Vec<usize> = (0..class.len()).collect();
        if class.len() <= ALL_ORDERS {
            permutations(&mut order, 0, &mut add);
            continue;
        }
        add(&order);
        for first in 0..class.len() {
            for second in first + 1..class.len() {
                order.swap(first, second);
                add(&order);
                order.swap(first, second);
            }
        }
    }
    starts
}
