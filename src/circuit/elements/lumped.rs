//! Resistance, capacitance, inductance.

use super::super::element::{Columns, ElementKind, Role};
use super::super::grid::Grid;
use super::{RESISTANCE, log};

pub(super) static ELEMENTS: &[ElementKind] = &[
    ElementKind {
        symbol: "R",
        letter: Some('R'),
        first_number: 0,
        description: "resistance",
        draws_arc: false,
        parameters: &[RESISTANCE],
        fill: resistance,
    },
    ElementKind {
        symbol: "C",
        letter: Some('C'),
        first_number: 1,
        description: "capacitance",
        draws_arc: false,
        parameters: &[log("C", "F", 1e-16, 1e6, Role::Admittance)],
        fill: capacitance,
    },
    ElementKind {
        symbol: "L",
        letter: Some('L'),
        first_number: 0,
        description: "inductance",
        draws_arc: false,
        parameters: &[log("L", "H", 1e-15, 1e4, Role::Inductance)],
        fill: inductance,
    },
];

fn resistance(p: &[f64], _: &Grid, out: &mut Columns<'_>) {
    out.real.fill(p[0]);
    out.imaginary.fill(0.0);
    let (real, imaginary) = out.derivative(0);
    real.fill(1.0);
    imaginary.fill(0.0);
}

fn capacitance(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    out.real.fill(0.0);
    for (z, w) in out.imaginary.iter_mut().zip(&grid.omega) {
        *z = -1.0 / (w * p[0]);
    }
    let (real, imaginary) = out.derivative(0);
    real.fill(0.0);
    for (d, w) in imaginary.iter_mut().zip(&grid.omega) {
        *d = 1.0 / (w * p[0] * p[0]);
    }
}

fn inductance(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    out.real.fill(0.0);
    for (z, w) in out.imaginary.iter_mut().zip(&grid.omega) {
        *z = w * p[0];
    }
    let (real, imaginary) = out.derivative(0);
    real.fill(0.0);
    imaginary.copy_from_slice(&grid.omega);
}
