//! The constant phase element 1/(Q (jw)^n), as in impedance.py (Murbach et al. 2020,
//! doi:10.21105/joss.02349).

use std::f64::consts::FRAC_PI_2;

use super::super::element::{Columns, ElementKind, Role};
use super::super::grid::Grid;
use super::{EXPONENT, log};

pub(super) static ELEMENTS: &[ElementKind] = &[ElementKind {
    symbol: "CPE",
    letter: Some('Q'),
    first_number: 1,
    description: "constant phase element 1/(Q (jw)^n)",
    draws_arc: false,
    parameters: &[log("Q", "S s^n", 1e-16, 1e6, Role::Admittance), EXPONENT],
    fill: constant_phase,
}];

fn constant_phase(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    let (q, n) = (p[0], p[1]);
    let (sin, cos) = (n * FRAC_PI_2).sin_cos();
    let points = grid.len();
    let Columns {
        real,
        imaginary,
        derivatives,
    } = out;
    let (by_q, by_n) = derivatives.split_at_mut(2 * points);
    let (by_q_real, by_q_imaginary) = by_q.split_at_mut(points);
    let (by_n_real, by_n_imaginary) = by_n[..2 * points].split_at_mut(points);
    let inverse = 1.0 / q;
    for point in 0..points {
        let ln_omega = grid.ln_omega[point];
        let magnitude = (-n * ln_omega).exp() * inverse;
        let (re, im) = (magnitude * cos, -magnitude * sin);
        real[point] = re;
        imaginary[point] = im;
        by_q_real[point] = -re * inverse;
        by_q_imaginary[point] = -im * inverse;
        // d/dn (jw)^-n = -(ln w + j pi/2) (jw)^-n
        by_n_real[point] = im * FRAC_PI_2 - re * ln_omega;
        by_n_imaginary[point] = -re * FRAC_PI_2 - im * ln_omega;
    }
}
