//! The modified inductance L (jw)^n, for leads and coils with losses that grow with frequency. Written as in
//! pyimpspec; impedance.py documents the same form but computes (L jw)^n, whose L is the n-th root of this one.

use num_complex::Complex64;

use super::super::element::{Columns, ElementKind, Role};
use super::super::grid::Grid;
use super::relaxation::direction;
use super::{EXPONENT, log};

pub(super) static ELEMENTS: &[ElementKind] = &[ElementKind {
    symbol: "La",
    letter: None,
    first_number: 1,
    description: "modified inductance L (jw)^n (not (L jw)^n, which impedance.py computes)",
    draws_arc: false,
    parameters: &[log("L", "ohm s^n", 1e-15, 1e12, Role::Impedance), EXPONENT],
    fill: modified_inductance,
    admittance: None,
}];

fn modified_inductance(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    let (l, n) = (p[0], p[1]);
    let direction = direction(n);
    for (point, &ln_omega) in grid.ln_omega.iter().enumerate() {
        let power = direction * (n * ln_omega).exp();
        let z = l * power;
        out.set(
            point,
            z,
            [power, z * Complex64::new(ln_omega, std::f64::consts::FRAC_PI_2)],
        );
    }
}
