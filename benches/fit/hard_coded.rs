//! Hard-coded least squares of two circuits in plain scalar Rust: the yardstick that searches are measured by.
//! Each function is what a careful program for this one circuit would do: value, derivatives by the logarithms of
//! the scale parameters, J'r and J'J, point by point, with the exponential and the trigonometry of the standard
//! library. All that a spectrum alone decides is worked out beforehand.

use interphase::spectrum::Spectrum;
use num_complex::Complex64;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, TAU};

/// What one point needs, whatever the parameters.
#[derive(Clone, Copy)]
pub struct Point {
    ln_omega: f64,
    sqrt_omega: f64,
    inverse_sqrt_omega: f64,
    weight: f64,
    measured: Complex64,
}

/// The points of a spectrum with modulus weights.
pub fn points(spectrum: &Spectrum) -> Vec<Point> {
    let point = |point: &interphase::spectrum::Point| {
        let omega = point.frequency_hz * TAU;
        Point {
            ln_omega: omega.ln(),
            sqrt_omega: omega.sqrt(),
            inverse_sqrt_omega: omega.sqrt().recip(),
            weight: point.impedance().norm().recip(),
            measured: point.impedance(),
        }
    };
    spectrum.points.iter().map(point).collect()
}

/// R0-p(R1,CPE1)-W1.
pub fn randles(p: &[f64], data: &[Point]) -> ([[f64; 5]; 5], [f64; 5], f64) {
    let (mut curvature, mut gradient, mut chi_squared) = ([[0.0; 5]; 5], [0.0; 5], 0.0);
    let (sin, cos) = (p[3] * FRAC_PI_2).sin_cos();
    for point in data {
        let Point {
            ln_omega,
            inverse_sqrt_omega,
            weight,
            measured,
            ..
        } = *point;
        let magnitude = p[1] * p[2] * (p[3] * ln_omega).exp();
        let x = Complex64::new(magnitude * cos, magnitude * sin);
        let inverse = 1.0 / (1.0 + x);
        let arc = p[1] * inverse;
        let slope = -arc * inverse * x;
        let diffusion = p[4] * Complex64::new(inverse_sqrt_omega, -inverse_sqrt_omega);
        let residual = weight * (p[0] + arc + diffusion - measured);
        let by_ln = [
            Complex64::new(p[0], 0.0),
            arc * inverse,
            slope,
            slope * Complex64::new(ln_omega, FRAC_PI_2),
            diffusion,
        ];
        chi_squared += residual.norm_sqr();
        for row in 0..5 {
            let left = weight * by_ln[row];
            gradient[row] += left.re * residual.re + left.im * residual.im;
            for column in 0..=row {
                let right = weight * by_ln[column];
                curvature[row][column] += left.re * right.re + left.im * right.im;
            }
        }
    }
    (curvature, gradient, chi_squared)
}

/// Arguments of coth from which its exponential is below rounding: there a program may take it as 1.
pub const COTH_IS_ONE: f64 = 20.0;

/// R0-p(R1,CPE1)-p(R2,CPE2)-Wo1, with coth(s) = (1 + exp(-2s))/(1 - exp(-2s)), which no argument overflows. From a
/// real part of s of `coth_is_one` on, exponential, sine and cosine are left out; infinity leaves out none.
pub fn two_arcs_and_finite_diffusion(
    p: &[f64],
    data: &[Point],
    coth_is_one: f64,
) -> ([[f64; 9]; 9], [f64; 9], f64) {
    let (mut curvature, mut gradient, mut chi_squared) = ([[0.0; 9]; 9], [0.0; 9], 0.0);
    let (first_sin, first_cos) = (p[3] * FRAC_PI_2).sin_cos();
    let (second_sin, second_cos) = (p[6] * FRAC_PI_2).sin_cos();
    let (first_size, second_size) = (p[1] * p[2], p[4] * p[5]);
    let root = p[8].sqrt() * FRAC_1_SQRT_2;
    for point in data {
        let magnitude = first_size * (p[3] * point.ln_omega).exp();
        let x = Complex64::new(magnitude * first_cos, magnitude * first_sin);
        let first_inverse = 1.0 / (1.0 + x);
        let first = p[1] * first_inverse;
        let first_slope = -first * first_inverse * x;

        let magnitude = second_size * (p[6] * point.ln_omega).exp();
        let x = Complex64::new(magnitude * second_cos, magnitude * second_sin);
        let second_inverse = 1.0 / (1.0 + x);
        let second = p[4] * second_inverse;
        let second_slope = -second * second_inverse * x;

        // s = sqrt(j omega tau) has equal real and imaginary parts.
        let half = root * point.sqrt_omega;
        let inverse_s = Complex64::new(0.5 / half, -0.5 / half);
        let (coth, inverse_sinh_squared) = if half < coth_is_one {
            let (sin, cos) = (2.0 * half).sin_cos();
            let shrunk = (-2.0 * half).exp();
            let exponential = Complex64::new(shrunk * cos, -shrunk * sin);
            let inverse = 1.0 / (1.0 - exponential);
            (
                (1.0 + exponential) * inverse,
                4.0 * exponential * inverse * inverse,
            )
        } else {
            (Complex64::new(1.0, 0.0), Complex64::new(0.0, 0.0))
        };
        let diffusion = p[7] * coth * inverse_s;
        let diffusion_by_ln_tau = -0.5 * (p[7] * inverse_sinh_squared + diffusion);

        let exponent = Complex64::new(point.ln_omega, FRAC_PI_2);
        let residual = point.weight * (p[0] + first + second + diffusion - point.measured);
        let by_ln = [
            Complex64::new(p[0], 0.0),
            first * first_inverse,
            first_slope,
            first_slope * exponent,
            second * second_inverse,
            second_slope,
            second_slope * exponent,
            diffusion,
            diffusion_by_ln_tau,
        ]
        .map(|derivative| point.weight * derivative);
        chi_squared += residual.norm_sqr();
        for row in 0..9 {
            let left = by_ln[row];
            gradient[row] += left.re * residual.re + left.im * residual.im;
            for column in 0..=row {
                let right = by_ln[column];
                curvature[row][column] += left.re * right.re + left.im * right.im;
            }
        }
    }
    (curvature, gradient, chi_squared)
}
