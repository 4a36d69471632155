//! The constant phase element 1/(Q (jw)^n), as in impedance.py (Murbach et al. 2020,
//! doi:10.21105/joss.02349).

use std::f64::consts::FRAC_PI_2;

use super::super::element::{Columns, ElementKind, Role};
use super::super::grid::Grid;
use super::super::pointwise::{Pointwise, exp, map};
use super::{EXPONENT, log};

pub(super) static ELEMENTS: &[ElementKind] = &[ElementKind {
    symbol: "CPE",
    letter: Some('Q'),
    first_number: 1,
    description: "constant phase element 1/(Q (jw)^n)",
    draws_arc: false,
    parameters: &[log("Q", "S s^n", 1e-16, 1e6, Role::Admittance), EXPONENT],
    fill: |p, grid, out| fill(Power::new(1.0 / p[0], -p[1], -1.0 / p[0], -1.0), grid, out),
    admittance: Some(|p, grid, out| fill(Power::new(p[0], p[1], 1.0 / p[0], 1.0), grid, out)),
}];

fn fill(power: Power, grid: &Grid, out: &mut Columns<'_>) {
    map([&grid.ln_omega], out.slices(), &power);
}

/// c (jw)^m with its derivatives by Q and n, where c is Q or 1/Q and m is n or -n.
struct Power {
    exponent: f64,
    /// c cos(m pi/2) and c sin(m pi/2).
    real: f64,
    imaginary: f64,
    /// d ln c / dQ and dm/dn.
    by_q: f64,
    by_n: f64,
}

impl Power {
    fn new(factor: f64, exponent: f64, by_q: f64, by_n: f64) -> Self {
        let (sin, cos) = (exponent * FRAC_PI_2).sin_cos();
        Self {
            exponent,
            real: factor * cos,
            imaginary: factor * sin,
            by_q,
            by_n,
        }
    }
}

impl Pointwise<1, 6> for Power {
    #[inline(always)]
    fn at(&self, [ln_omega]: [f64; 1]) -> [f64; 6] {
        let magnitude = exp(self.exponent * ln_omega);
        let (re, im) = (magnitude * self.real, magnitude * self.imaginary);
        // d/dm (jw)^m = (ln w + j pi/2) (jw)^m
        let (log, quarter) = (ln_omega * self.by_n, FRAC_PI_2 * self.by_n);
        [
            re,
            im,
            re * self.by_q,
            im * self.by_q,
            re * log - im * quarter,
            re * quarter + im * log,
        ]
    }
}
