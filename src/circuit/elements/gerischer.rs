//! Diffusion with a reaction on the way (H. Gerischer, Z. Phys. Chem. 198 (1951) 286): G = R/sqrt(1+jw tau), and
//! the same in a layer of finite length, Gs = R/(u tanh(phi u)) with u = sqrt(1+jw tau). Both as in impedance.py
//! (Murbach et al. 2020, doi:10.21105/joss.02349).

use num_complex::Complex64;

use super::super::element::{Columns, ElementKind, Role};
use super::super::grid::Grid;
use super::hyperbolic::coth_and_csch;
use super::relaxation::shares;
use super::{SIZE, TIME, log};

pub(super) static ELEMENTS: &[ElementKind] = &[
    ElementKind {
        symbol: "G",
        letter: Some('G'),
        first_number: 1,
        description: "Gerischer impedance R/sqrt(1+jw tau): diffusion with a reaction",
        draws_arc: false,
        parameters: &[SIZE, TIME],
        fill: gerischer,
        admittance: None,
    },
    ElementKind {
        symbol: "Gs",
        letter: None,
        first_number: 1,
        description: "Gerischer impedance of finite length R/(u tanh(phi u)), u = sqrt(1+jw tau)",
        draws_arc: false,
        parameters: &[SIZE, TIME, log("phi", "1", 1e-3, 1e3, Role::Ratio)],
        fill: finite_gerischer,
        admittance: None,
    },
];

/// sqrt(1+jx) for x >= 0.
fn root(x: f64) -> Complex64 {
    let re = (0.5 * (x.hypot(1.0) + 1.0)).sqrt();
    Complex64::new(re, 0.5 * x / re)
}

fn gerischer(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    let (r, tau) = (p[0], p[1]);
    for (point, omega) in grid.omega.iter().enumerate() {
        let unit = 1.0 / root(omega * tau);
        let (_, capacitive) = shares(omega * tau, Complex64::I);
        out.set(point, r * unit, [unit, unit * capacitive * (-0.5 * r / tau)]);
    }
}

fn finite_gerischer(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    let (r, tau, phi) = (p[0], p[1], p[2]);
    for (point, omega) in grid.omega.iter().enumerate() {
        let u = root(omega * tau);
        let (_, capacitive) = shares(omega * tau, Complex64::I);
        let (coth, csch) = coth_and_csch(phi * u);
        let unit = coth / u;
        let by_phi = csch * csch;
        out.set(
            point,
            r * unit,
            [
                unit,
                (by_phi * phi + unit) * capacitive * (-0.5 * r / tau),
                -r * by_phi,
            ],
        );
    }
}
