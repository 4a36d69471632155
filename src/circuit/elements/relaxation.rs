//! Relaxations, each of which draws an arc by itself: one time constant (K), and distributions of time constants
//! that are symmetric (Zarc and Art, after K. S. Cole and R. H. Cole 1941, doi:10.1063/1.1750906) or skewed (HN,
//! after S. Havriliak and S. Negami 1967, doi:10.1016/0032-3861(67)90021-3, written for an impedance).
//!
//! With s = (jw tau)^n, both 1/(1+s) and s/(1+s) are computed from s where |s| <= 1 and from 1/s elsewhere, so
//! that nothing overflows and no digits cancel.

use std::f64::consts::FRAC_PI_2;

use num_complex::Complex64;

use super::super::element::{Columns, ElementKind, Role};
use super::super::grid::Grid;
use super::{EXPONENT, SIZE, TIME, exponent, log};

pub(super) static ELEMENTS: &[ElementKind] = &[
    ElementKind {
        symbol: "Zarc",
        letter: None,
        first_number: 1,
        description: "depressed arc R/(1+(jw tau)^n): a resistance and a CPE side by side, tau = (RQ)^(1/n)",
        draws_arc: true,
        parameters: &[SIZE, TIME, EXPONENT],
        fill: depressed_arc,
        admittance: None,
    },
    ElementKind {
        symbol: "K",
        letter: None,
        first_number: 1,
        description: "arc of a single time constant R/(1+jw tau): a resistance and a capacitance side by side",
        draws_arc: true,
        parameters: &[SIZE, TIME],
        fill: single_time_constant,
        admittance: None,
    },
    ElementKind {
        symbol: "HN",
        letter: None,
        first_number: 1,
        description: "skewed arc R/(1+(jw tau)^a)^b (Havriliak-Negami)",
        draws_arc: true,
        parameters: &[SIZE, TIME, exponent("a", 0.3), exponent("b", 0.1)],
        fill: skewed_arc,
        admittance: None,
    },
    ElementKind {
        symbol: "Art",
        letter: None,
        first_number: 1,
        description: "arc in the article's form R/(1+(jw C)^n); C carries the odd unit s (ohm^0, C^n that of s^n): \
                      it is the time constant, not a capacitance",
        draws_arc: true,
        parameters: &[SIZE, log("C", "s", 1e-12, 1e9, Role::Time), EXPONENT],
        fill: depressed_arc,
        admittance: None,
    },
];

/// j^n. Written with 1-n, so that n = 1 gives j itself.
pub(super) fn direction(n: f64) -> Complex64 {
    let (sin, cos) = ((1.0 - n) * FRAC_PI_2).sin_cos();
    Complex64::new(sin, cos)
}

/// 1/(1+s) and s/(1+s) for s = x times `direction`, which must not point to the left.
pub(super) fn shares(x: f64, direction: Complex64) -> (Complex64, Complex64) {
    if x <= 1.0 {
        shares_of_slow(x, direction)
    } else {
        shares_of_fast(x, direction)
    }
}

fn shares_of_slow(x: f64, direction: Complex64) -> (Complex64, Complex64) {
    let s = direction * x;
    let rest = 1.0 / (1.0 + s);
    (rest, s * rest)
}

fn shares_of_fast(x: f64, direction: Complex64) -> (Complex64, Complex64) {
    let inverse = direction.conj() / x;
    let rest = 1.0 / (1.0 + inverse);
    (inverse * rest, rest)
}

fn single_time_constant(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    let (r, tau) = (p[0], p[1]);
    for (point, omega) in grid.omega.iter().enumerate() {
        let (resistive, capacitive) = shares(omega * tau, Complex64::I);
        out.set(
            point,
            r * resistive,
            [resistive, resistive * capacitive * (-r / tau)],
        );
    }
}

fn depressed_arc(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    let (r, tau, n) = (p[0], p[1], p[2]);
    let direction = direction(n);
    let ln_tau = tau.ln();
    for (point, ln_omega) in grid.ln_omega.iter().enumerate() {
        let ln_x = ln_omega + ln_tau;
        let (resistive, capacitive) = shares((n * ln_x).exp(), direction);
        let z = r * resistive;
        let by_ln_s = -z * capacitive;
        out.set(
            point,
            z,
            [
                resistive,
                by_ln_s * (n / tau),
                by_ln_s * Complex64::new(ln_x, FRAC_PI_2),
            ],
        );
    }
}

fn skewed_arc(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    let (r, tau, a, b) = (p[0], p[1], p[2], p[3]);
    let direction = direction(a);
    let ln_tau = tau.ln();
    for (point, ln_omega) in grid.ln_omega.iter().enumerate() {
        let ln_x = ln_omega + ln_tau;
        let x = (a * ln_x).exp();
        let (_, capacitive) = shares(x, direction);
        let ln_share = ln_resistive_share(x, a * ln_x, a, direction);
        let unit = (b * ln_share).exp();
        let z = r * unit;
        let by_ln_s = -b * z * capacitive;
        out.set(
            point,
            z,
            [
                unit,
                by_ln_s * (a / tau),
                by_ln_s * Complex64::new(ln_x, FRAC_PI_2),
                z * ln_share,
            ],
        );
    }
}

/// ln 1/(1+s).
fn ln_resistive_share(x: f64, ln_x: f64, a: f64, direction: Complex64) -> Complex64 {
    if x <= 1.0 {
        -ln_1p(direction * x)
    } else {
        -Complex64::new(ln_x, a * FRAC_PI_2) - ln_1p(direction.conj() / x)
    }
}

/// ln(1+s) with all its digits for a small s that does not point to the left.
fn ln_1p(s: Complex64) -> Complex64 {
    Complex64::new(0.5 * (2.0 * s.re + s.norm_sqr()).ln_1p(), s.im.atan2(1.0 + s.re))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_where_one_hands_over_to_the_other() {
        for n in [0.3, 0.5, 0.85, 1.0] {
            let direction = direction(n);
            let slow = shares_of_slow(1.0, direction);
            let fast = shares_of_fast(1.0, direction);
            assert!((slow.0 - fast.0).norm() < 1e-15 && (slow.1 - fast.1).norm() < 1e-15);
            let above = 1.0 + f64::EPSILON;
            let (below, above) = (
                ln_resistive_share(1.0, 0.0, n, direction),
                ln_resistive_share(above, above.ln(), n, direction),
            );
            assert!(
                (below - above).norm() < 1e-15 * below.norm() + 1e-15,
                "{below} {above}"
            );
        }
    }

    #[test]
    fn the_shares_add_up_to_one_and_end_in_their_limits() {
        for n in [0.3, 0.85, 1.0] {
            for exponent in -300..=300 {
                let (resistive, capacitive) = shares(10f64.powi(exponent), direction(n));
                assert!((resistive + capacitive - 1.0).norm() < 1e-15);
            }
            assert_eq!(shares(f64::INFINITY, direction(n)).1.re, 1.0);
        }
        // The real part of 1/(1+jx) is 1/(1+x²), also where it is lost beside the imaginary part.
        assert!((shares(1e20, direction(1.0)).0.re * 1e40 - 1.0).abs() < 1e-15);
    }
}
