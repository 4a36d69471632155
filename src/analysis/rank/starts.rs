//! Where the search of a larger circuit starts from the optimum of one that it contains.

use super::Candidate;
use super::nesting::{Nesting, Origin};
use crate::circuit::element::Columns;
use crate::circuit::{Circuit, Grid, Role};

/// Places on the frequency axis at which further elements are tried.
const PLACES: usize = 7;
/// |Z| of a further element in series at its place, over that of the smaller circuit.
const SMALL: f64 = 0.05;
const EXPONENT: f64 = 0.85;

/// Full vectors of the larger circuit: what it shares with the smaller from its optimum, and what is new so small
/// that it hardly shows, at several places of the measured range.
pub(super) fn extended(
    small: &Candidate,
    large: &Candidate,
    nesting: &Nesting,
    optimum: &[f64],
    grid: &Grid,
) -> Vec<Vec<f64>> {
    let is_new = |origin: &Origin| !matches!(origin, Origin::Element(_));
    let places = if nesting.origins.iter().any(is_new) {
        PLACES
    } else {
        1
    };
    let slowest = grid.ln_omega.iter().copied().fold(f64::INFINITY, f64::min);
    let fastest = grid.ln_omega.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (0..places)
        .map(|place| {
            let share = (place as f64 + 0.5) / places as f64;
            let omega = (fastest + (slowest - fastest) * share).exp();
            let level = small
                .circuit
                .impedance(optimum, omega / std::f64::consts::TAU)
                .norm();
            let mut start = vec![1.0; large.circuit.parameters().len()];
            for (element, origin) in nesting.origins.iter().enumerate() {
                match origin {
                    Origin::Element(from) => inherit(small, large, (*from, element), optimum, &mut start),
                    Origin::Short => invent(&large.circuit, element, omega, SMALL * level, &mut start),
                    Origin::Open => invent(&large.circuit, element, omega, level / SMALL, &mut start),
                }
            }
            start
        })
        .collect()
}

/// Values of an element from those of the element that it was.
fn inherit(
    small: &Candidate,
    large: &Candidate,
    (from, to): (usize, usize),
    optimum: &[f64],
    start: &mut [f64],
) {
    let (from, to) = (&small.circuit.elements()[from], &large.circuit.elements()[to]);
    let (old, new) = (from.first_parameter, to.first_parameter);
    match (from.kind.symbol, to.kind.symbol) {
        ("C", "CPE") => {
            start[new] = optimum[old];
            start[new + 1] = 1.0;
        }
        ("W", "CPE") => {
            start[new] = 1.0 / (std::f64::consts::SQRT_2 * optimum[old]);
            start[new + 1] = 0.5;
        }
        _ => {
            let count = to.kind.parameters.len();
            start[new..new + count].copy_from_slice(&optimum[old..old + count]);
        }
    }
}

/// Values of a new element whose |Z| at `omega` is `magnitude`.
fn invent(circuit: &Circuit, element: usize, omega: f64, magnitude: f64, start: &mut [f64]) {
    let element = &circuit.elements()[element];
    let own = element.first_parameter..element.first_parameter + element.kind.parameters.len();
    let values = &mut start[own];
    for (value, symbol) in values.iter_mut().zip(element.kind.parameters) {
        *value = match symbol.role {
            Role::Exponent => EXPONENT.clamp(symbol.lower, symbol.upper),
            Role::Time => 1.0 / omega,
            _ => 1.0,
        };
    }
    let (mut real, mut imaginary) = ([0.0], [0.0]);
    let mut derivatives = vec![0.0; 2 * values.len()];
    let mut columns = Columns {
        real: &mut real,
        imaginary: &mut imaginary,
        derivatives: &mut derivatives,
    };
    let grid = Grid::new([omega / std::f64::consts::TAU]);
    (element.kind.fill)(values, &grid, &mut columns);
    let ratio = magnitude / real[0].hypot(imaginary[0]);
    for (value, symbol) in values.iter_mut().zip(element.kind.parameters) {
        match symbol.role {
            Role::Resistance | Role::Inductance | Role::Impedance => *value = ratio,
            Role::Admittance => *value = 1.0 / ratio,
            Role::Exponent | Role::Time | Role::Ratio => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::nesting;
    use super::*;

    #[test]
    fn an_extended_start_hardly_differs_from_the_smaller_circuit() {
        let grid = Grid::new((0..40).map(|i| 10f64.powf(5.0 - 0.15 * f64::from(i))));
        for (small, large, optimum) in [
            ("R0-p(R1,C1)", "R0-p(R1,CPE1)", vec![10.0, 50.0, 1e-6]),
            (
                "R0-p(R1,CPE1)-W1",
                "R0-p(R1,CPE1)-CPE2",
                vec![10.0, 50.0, 1e-6, 0.9, 70.0],
            ),
            (
                "R0-p(R1,CPE1)",
                "R0-p(R1,CPE1)-p(R2,CPE2)",
                vec![10.0, 50.0, 1e-6, 0.9],
            ),
            ("R0-CPE1", "R0-p(R1,CPE1)", vec![10.0, 1e-6, 0.9]),
        ] {
            let (small, large) = (Candidate::parse(small).unwrap(), Candidate::parse(large).unwrap());
            let nesting = nesting::find(&small, &large).unwrap();
            let starts = extended(&small, &large, &nesting, &optimum, &grid);
            let difference = |start: &[f64]| -> f64 {
                [1e5, 1e3, 1e1]
                    .map(|frequency| {
                        let old = small.circuit.impedance(&optimum, frequency);
                        (large.circuit.impedance(start, frequency) - old).norm() / old.norm()
                    })
                    .into_iter()
                    .fold(0.0, f64::max)
            };
            let least = starts
                .iter()
                .map(|start| difference(start))
                .fold(f64::INFINITY, f64::min);
            let is_new = |origin: &Origin| !matches!(origin, Origin::Element(_));
            let limit = if nesting.origins.iter().any(is_new) {
                0.3
            } else {
                1e-12
            };
            assert!(least < limit, "{small} in {large}: {least}");
        }
    }
}
