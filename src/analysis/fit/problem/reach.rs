//! How far a parameter may lie from what the data can show.

use num_complex::Complex64;

use crate::circuit::element::Columns;
use crate::circuit::{Circuit, Grid, Role};

/// How far |Z| of one element may lie outside the measured range of |Z| and still be searched for: such an
/// element is a short circuit or an interruption as far as the data can tell.
const SHORT: f64 = 1e-7;
const OPEN: f64 = 1e6;
/// Between these |Z| in ohm the ranges of the elements are wide enough; for data beyond they move along.
const ORDINARY: (f64, f64) = (1e-6, 1e9);

/// The range in which each parameter can matter to these data, within the range of its element.
pub(super) fn reach(circuit: &Circuit, grid: &Grid, impedance: &[Complex64]) -> (Vec<f64>, Vec<f64>) {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for z in impedance {
        least = least.min(z.norm());
        most = most.max(z.norm());
    }
    let slowest = grid.omega.iter().copied().fold(f64::INFINITY, f64::min);
    let fastest = grid.omega.iter().copied().fold(0.0, f64::max);
    let mut lower = Vec::new();
    let mut upper = Vec::new();
    for spec in circuit.parameters() {
        let (low, high) = match spec.role {
            Role::Exponent | Role::Ratio => (spec.lower, spec.upper),
            Role::Time => (1e-4 / fastest, 1e4 / slowest),
            Role::Resistance | Role::Inductance | Role::Impedance => {
                let (small, large) = unit_magnitude(circuit, spec.element, slowest, fastest);
                (SHORT * least / large, OPEN * most / small)
            }
            Role::Admittance => {
                let (small, large) = unit_magnitude(circuit, spec.element, slowest, fastest);
                (small / (OPEN * most), large / (SHORT * least))
            }
        };
        let (down, up) = ((ORDINARY.0 / least).max(1.0), (most / ORDINARY.1).max(1.0));
        let range = match spec.role {
            Role::Exponent | Role::Ratio | Role::Time => (spec.lower, spec.upper),
            Role::Resistance | Role::Inductance | Role::Impedance => (spec.lower / down, spec.upper * up),
            Role::Admittance => (spec.lower / up, spec.upper * down),
        };
        let low = low.clamp(range.0, range.1);
        lower.push(low);
        upper.push(high.clamp(low, range.1));
    }
    (lower, upper)
}

/// Smallest and largest |Z| of an element of unit size over the measured frequencies and all exponents.
fn unit_magnitude(circuit: &Circuit, element: usize, slowest: f64, fastest: f64) -> (f64, f64) {
    let kind = circuit.elements()[element].kind;
    if kind.parameters.iter().any(|symbol| symbol.role == Role::Time) {
        return (1.0, 1.0);
    }
    let ends = Grid::new([slowest, fastest].map(|omega| omega / std::f64::consts::TAU));
    let (mut small, mut large) = (f64::INFINITY, 0.0_f64);
    for exponent_at_upper in [false, true] {
        let unit: Vec<f64> = kind
            .parameters
            .iter()
            .map(|symbol| match symbol.role {
                Role::Exponent if exponent_at_upper => symbol.upper,
                Role::Exponent => symbol.lower,
                _ => 1.0,
            })
            .collect();
        let (mut real, mut imaginary) = ([0.0; 2], [0.0; 2]);
        let mut derivatives = vec![0.0; 4 * unit.len()];
        let mut columns = Columns {
            real: &mut real,
            imaginary: &mut imaginary,
            derivatives: &mut derivatives,
        };
        (kind.fill)(&unit, &ends, &mut columns);
        for (re, im) in real.into_iter().zip(imaginary) {
            small = small.min(re.hypot(im));
            large = large.max(re.hypot(im));
        }
    }
    (small, large)
}
