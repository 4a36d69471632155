//! Diffusion, with w = 2 pi f: W = A (1-j)/sqrt(w); Wo = R coth(sqrt(jw tau))/sqrt(jw tau) (a reflecting end);
//! Ws = R tanh(sqrt(jw tau))/sqrt(jw tau) (a transmitting end). See J. R. Macdonald and E. Barsoukov, Impedance
//! Spectroscopy (2005), doi:10.1002/0471716243.

use num_complex::Complex64;

use super::super::element::{Columns, ElementKind, Role};
use super::super::grid::Grid;
use super::{TIME, log};

pub(super) static ELEMENTS: &[ElementKind] = &[
    ElementKind {
        symbol: "W",
        letter: Some('W'),
        first_number: 1,
        description: "semi-infinite diffusion A (1-j)/sqrt(w)",
        draws_arc: false,
        parameters: &[log("A", "ohm s^-1/2", 1e-9, 1e15, Role::Impedance)],
        fill: warburg,
    },
    ElementKind {
        symbol: "Wo",
        letter: Some('T'),
        first_number: 1,
        description: "diffusion to a reflecting end R coth(s)/s, s = sqrt(jw tau)",
        draws_arc: false,
        parameters: &[log("R", "ohm", 1e-9, 1e15, Role::Impedance), TIME],
        fill: |p, grid, out| finite_diffusion(p, grid, out, End::Reflecting),
    },
    ElementKind {
        symbol: "Ws",
        letter: Some('O'),
        first_number: 1,
        description: "diffusion to a transmitting end R tanh(s)/s, s = sqrt(jw tau)",
        draws_arc: false,
        parameters: &[log("R", "ohm", 1e-9, 1e15, Role::Impedance), TIME],
        fill: |p, grid, out| finite_diffusion(p, grid, out, End::Transmitting),
    },
];

fn warburg(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    for (point, root) in grid.inverse_sqrt_omega.iter().enumerate() {
        out.real[point] = p[0] * root;
        out.imaginary[point] = -p[0] * root;
    }
    let (real, imaginary) = out.derivative(0);
    for (point, root) in grid.inverse_sqrt_omega.iter().enumerate() {
        real[point] = *root;
        imaginary[point] = -root;
    }
}

/// What a diffusing species meets at the far end.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Reflecting,
    Transmitting,
}

fn finite_diffusion(p: &[f64], grid: &Grid, out: &mut Columns<'_>, end: End) {
    let (r, tau) = (p[0], p[1]);
    for (point, omega) in grid.omega.iter().enumerate() {
        let (f, by_ln_tau) = finite_diffusion_unit(omega * tau, end);
        out.set(point, r * f, [f, r / tau * by_ln_tau]);
    }
}

/// tanh(s)/s or coth(s)/s with s = sqrt(j x), and its derivative by ln x.
fn finite_diffusion_unit(x: f64, end: End) -> (Complex64, Complex64) {
    // Below this the closed form loses digits to cancellation and the series needs few terms.
    if x < 0.02 {
        return finite_diffusion_series(x, end);
    }
    let y = (2.0 * x).sqrt();
    let decay = (-y).exp();
    // Where the decay has vanished the phase no longer matters, and need not be reduced from a huge argument.
    let (sin, cos) = y.min(100.0).sin_cos();
    let sign = if end == End::Transmitting { 1.0 } else { -1.0 };
    let denominator = 1.0 / (1.0 + decay * decay + 2.0 * sign * decay * cos);
    // tanh s or coth s, with s = y (1+j)/2
    let t = Complex64::new(
        (1.0 - decay * decay) * denominator,
        2.0 * sign * decay * sin * denominator,
    );
    let f = Complex64::new((t.re + t.im) / y, (t.im - t.re) / y);
    (f, 0.5 * (1.0 - t * t - f))
}

fn finite_diffusion_series(x: f64, end: End) -> (Complex64, Complex64) {
    /// Maclaurin series of tanh(s)/s in s².
    const TANH: [f64; 8] = [
        1.0,
        -1.0 / 3.0,
        2.0 / 15.0,
        -17.0 / 315.0,
        62.0 / 2835.0,
        -1382.0 / 155_925.0,
        21844.0 / 6_081_075.0,
        -929_569.0 / 638_512_875.0,
    ];
    /// Laurent series of coth(s)/s in s², from s^-2 on.
    const COTH: [f64; 8] = [
        1.0,
        1.0 / 3.0,
        -1.0 / 45.0,
        2.0 / 945.0,
        -1.0 / 4725.0,
        2.0 / 93_555.0,
        -1382.0 / 638_512_875.0,
        4.0 / 18_243_225.0,
    ];
    let u = Complex64::new(0.0, x);
    let (coefficients, mut power, first) = match end {
        End::Transmitting => (TANH, Complex64::new(1.0, 0.0), 0.0),
        End::Reflecting => (COTH, 1.0 / u, -1.0),
    };
    let mut value = Complex64::new(0.0, 0.0);
    let mut by_ln_x = value;
    for (k, coefficient) in coefficients.iter().enumerate() {
        value += power * *coefficient;
        by_ln_x += power * (*coefficient * (first + k as f64));
        power *= u;
    }
    (value, by_ln_x)
}
