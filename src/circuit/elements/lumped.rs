//! Resistance, capacitance, inductance.

use super::super::element::{Columns, ElementKind, Role};
use super::super::pointwise::{Pointwise, map};
use super::{RESISTANCE, log};

pub(super) static ELEMENTS: &[ElementKind] = &[
    ElementKind {
        symbol: "R",
        letter: Some('R'),
        first_number: 0,
        description: "resistance",
        draws_arc: false,
        parameters: &[RESISTANCE],
        fill: |p, _, out| constant(p[0], 1.0, out),
        admittance: Some(|p, _, out| constant(1.0 / p[0], -1.0 / (p[0] * p[0]), out)),
    },
    ElementKind {
        symbol: "C",
        letter: Some('C'),
        first_number: 1,
        description: "capacitance",
        draws_arc: false,
        parameters: &[log("C", "F", 1e-16, 1e6, Role::Admittance)],
        fill: |p, grid, out| map([&grid.omega], out.slices(), &Capacitance(p[0])),
        admittance: Some(|p, grid, out| map([&grid.omega], out.slices(), &Proportional(p[0]))),
    },
    ElementKind {
        symbol: "L",
        letter: Some('L'),
        first_number: 0,
        description: "inductance",
        draws_arc: false,
        parameters: &[log("L", "H", 1e-15, 1e4, Role::Inductance)],
        fill: |p, grid, out| map([&grid.omega], out.slices(), &Proportional(p[0])),
        admittance: None,
    },
];

/// The same real value and derivative at all frequencies.
fn constant(value: f64, derivative: f64, out: &mut Columns<'_>) {
    let [real, imaginary, by_real, by_imaginary] = out.slices();
    real.fill(value);
    imaginary.fill(0.0);
    by_real.fill(derivative);
    by_imaginary.fill(0.0);
}

/// 1/(jwC)
struct Capacitance(f64);

impl Pointwise<1, 4> for Capacitance {
    #[inline(always)]
    fn at(&self, [omega]: [f64; 1]) -> [f64; 4] {
        let zero = 0.0;
        let reactance = -1.0 / (omega * self.0);
        [zero, reactance, zero, reactance * (-1.0 / self.0)]
    }
}

/// jw times the parameter.
struct Proportional(f64);

impl Pointwise<1, 4> for Proportional {
    #[inline(always)]
    fn at(&self, [omega]: [f64; 1]) -> [f64; 4] {
        let zero = 0.0;
        [zero, omega * self.0, zero, omega]
    }
}
