//! The elements. Each is one entry of [`ELEMENTS`] with one function for value and derivatives.
//!
//! Definitions, with w = 2 pi f: CPE 1/(Q (jw)^n); W = A (1-j)/sqrt(w); Wo = R coth(sqrt(jw tau))/sqrt(jw tau)
//! (a reflecting end); Ws = R tanh(sqrt(jw tau))/sqrt(jw tau) (a transmitting end). They are those of
//! impedance.py (Murbach et al. 2020, doi:10.21105/joss.02349); for the Warburg forms see J. R. Macdonald and
//! E. Barsoukov, Impedance Spectroscopy (2005), doi:10.1002/0471716243.

use std::f64::consts::FRAC_PI_2;

use num_complex::Complex64;

use super::grid::Grid;

/// How a search sees a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As its logarithm: positive quantities that span decades.
    Log,
    /// As it is: exponents.
    Linear,
}

/// What a parameter does to the impedance of its element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A resistance: |Z| is the parameter.
    Resistance,
    /// An inductance: |Z| is proportional to it and grows with frequency.
    Inductance,
    /// |Z| is proportional to it.
    Impedance,
    /// |Z| is proportional to its inverse.
    Admittance,
    /// It bends the curve: an exponent.
    Exponent,
    /// It moves the curve along the frequency axis.
    Time,
}

/// One parameter of an element kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SymbolSpec {
    /// `Q`, `n`.
    pub symbol: &'static str,
    /// Unit in plain ASCII.
    pub unit: &'static str,
    /// Smallest value a search may take.
    pub lower: f64,
    /// Largest value a search may take.
    pub upper: f64,
    /// How the search sees it.
    pub scale: Scale,
    /// What it does.
    pub role: Role,
}

/// Where an element writes its impedance and derivatives at all frequencies of a grid.
pub struct Columns<'a> {
    /// Real part of the impedance.
    pub real: &'a mut [f64],
    /// Imaginary part of the impedance.
    pub imaginary: &'a mut [f64],
    /// For each parameter in turn the real parts and then the imaginary parts of dZ/dp.
    pub derivatives: &'a mut [f64],
}

impl Columns<'_> {
    fn derivative(&mut self, parameter: usize) -> (&mut [f64], &mut [f64]) {
        let n = self.real.len();
        self.derivatives[2 * n * parameter..2 * n * (parameter + 1)].split_at_mut(n)
    }

    fn set(&mut self, point: usize, z: Complex64, derivatives: [Complex64; 2]) {
        let n = self.real.len();
        self.real[point] = z.re;
        self.imaginary[point] = z.im;
        for (parameter, d) in derivatives.into_iter().enumerate() {
            self.derivatives[2 * n * parameter + point] = d.re;
            self.derivatives[2 * n * parameter + n + point] = d.im;
        }
    }
}

/// A kind of element.
#[derive(Debug)]
pub struct ElementKind {
    /// Its symbol in `R0-p(R1,CPE1)`.
    pub symbol: &'static str,
    /// Its letter in `R(RQ)`.
    pub letter: char,
    /// The number that the first of its kind gets where none is written.
    pub first_number: u32,
    /// What it stands for.
    pub description: &'static str,
    /// Its parameters.
    pub parameters: &'static [SymbolSpec],
    /// Impedance and derivatives at all frequencies.
    pub fill: fn(&[f64], &Grid, &mut Columns<'_>),
}

impl PartialEq for ElementKind {
    fn eq(&self, other: &Self) -> bool {
        self.symbol == other.symbol
    }
}

const fn log(symbol: &'static str, unit: &'static str, lower: f64, upper: f64, role: Role) -> SymbolSpec {
    SymbolSpec {
        symbol,
        unit,
        lower,
        upper,
        scale: Scale::Log,
        role,
    }
}

const RESISTANCE: SymbolSpec = log("R", "ohm", 1e-9, 1e15, Role::Resistance);
const TIME: SymbolSpec = log("tau", "s", 1e-12, 1e9, Role::Time);
const EXPONENT: SymbolSpec = SymbolSpec {
    symbol: "n",
    unit: "1",
    lower: 0.3,
    upper: 1.0,
    scale: Scale::Linear,
    role: Role::Exponent,
};

/// All elements that a circuit may contain.
pub static ELEMENTS: &[ElementKind] = &[
    ElementKind {
        symbol: "R",
        letter: 'R',
        first_number: 0,
        description: "resistance",
        parameters: &[RESISTANCE],
        fill: resistance,
    },
    ElementKind {
        symbol: "C",
        letter: 'C',
        first_number: 1,
        description: "capacitance",
        parameters: &[log("C", "F", 1e-16, 1e6, Role::Admittance)],
        fill: capacitance,
    },
    ElementKind {
        symbol: "L",
        letter: 'L',
        first_number: 0,
        description: "inductance",
        parameters: &[log("L", "H", 1e-15, 1e4, Role::Inductance)],
        fill: inductance,
    },
    ElementKind {
        symbol: "CPE",
        letter: 'Q',
        first_number: 1,
        description: "constant phase element 1/(Q (jw)^n)",
        parameters: &[log("Q", "S s^n", 1e-16, 1e6, Role::Admittance), EXPONENT],
        fill: constant_phase,
    },
    ElementKind {
        symbol: "W",
        letter: 'W',
        first_number: 1,
        description: "semi-infinite diffusion A (1-j)/sqrt(w)",
        parameters: &[log("A", "ohm s^-1/2", 1e-9, 1e15, Role::Impedance)],
        fill: warburg,
    },
    ElementKind {
        symbol: "Wo",
        letter: 'T',
        first_number: 1,
        description: "diffusion to a reflecting end R coth(s)/s, s = sqrt(jw tau)",
        parameters: &[log("R", "ohm", 1e-9, 1e15, Role::Impedance), TIME],
        fill: |p, grid, out| finite_diffusion(p, grid, out, End::Reflecting),
    },
    ElementKind {
        symbol: "Ws",
        letter: 'O',
        first_number: 1,
        description: "diffusion to a transmitting end R tanh(s)/s, s = sqrt(jw tau)",
        parameters: &[log("R", "ohm", 1e-9, 1e15, Role::Impedance), TIME],
        fill: |p, grid, out| finite_diffusion(p, grid, out, End::Transmitting),
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
