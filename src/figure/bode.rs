//! Modulus and phase over frequency, and what the fit leaves unexplained.

use num_complex::Complex64;

use super::{Axis, Curve, Figure, Mark, Range, Remarks, Stroke};
use crate::spectrum::Point;

/// |Z| over frequency, both logarithmic.
#[must_use]
pub fn bode_modulus<'a>(
    points: &[Point],
    remarks: impl Into<Remarks<'a>>,
    curve: &Curve,
    frequency: Range,
    modulus: Range,
) -> Figure {
    bode(
        points,
        remarks.into(),
        curve,
        frequency,
        Axis::log("|Z|", "ohm", modulus),
        |z| z.norm(),
    )
}

/// Minus the phase over the logarithm of frequency, so that capacitive is up as in the Nyquist plot.
#[must_use]
pub fn bode_phase<'a>(
    points: &[Point],
    remarks: impl Into<Remarks<'a>>,
    curve: &Curve,
    frequency: Range,
    phase: Range,
) -> Figure {
    let axis = Axis::linear("-phase", "deg", phase);
    bode(points, remarks.into(), curve, frequency, axis, |z| -phase_deg(z))
}

/// Phase of an impedance in degrees: -90 of a capacitor.
#[must_use]
pub fn phase_deg(impedance: Complex64) -> f64 {
    impedance.im.atan2(impedance.re).to_degrees()
}

/// Measured minus fitted in per cent of |Z|, real and imaginary, over frequency.
///
/// `residuals` are frequency in Hz and the complex difference over the fitted modulus.
#[must_use]
pub fn residuals(residuals: &[(f64, Complex64)], frequency: Range, percent: Range) -> Figure {
    let mut figure = Figure::new(
        Axis::log("f", "Hz", frequency),
        Axis::linear("residual", "%", percent),
    );
    figure.line(Stroke::Guide, [[frequency.low, 0.0], [frequency.high, 0.0]]);
    figure.marks(Mark::Second, residuals.iter().map(|(f, r)| [*f, 100.0 * r.im]));
    figure.marks(Mark::Measured, residuals.iter().map(|(f, r)| [*f, 100.0 * r.re]));
    figure
}

fn bode(
    points: &[Point],
    remarks: Remarks<'_>,
    curve: &Curve,
    frequency: Range,
    ordinate: Axis,
    value: impl Fn(Complex64) -> f64,
) -> Figure {
    let mut figure = Figure::new(Axis::log("f", "Hz", frequency), ordinate);
    figure.line(
        Stroke::Foretold,
        curve.foretold.iter().map(|(f, z)| [*f, value(*z)]),
    );
    figure.line(Stroke::Fitted, curve.fitted.iter().map(|(f, z)| [*f, value(*z)]));
    figure.measured(points, remarks, |point| {
        [point.frequency_hz, value(point.impedance())]
    });
    figure
}
