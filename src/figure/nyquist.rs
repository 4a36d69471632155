//! The plot of -Z'' over Z', one to one.

use super::{Axis, Curve, Figure, Range, Remarks, Stroke, whole_decade};
use crate::spectrum::Point;
use crate::units::unit_text;

/// A Nyquist plot: points, the fitted curve, the curve beyond, whole decades labelled.
///
/// `remarks` say which points stand out; the index of the newest one is enough.
#[must_use]
pub fn nyquist<'a>(
    points: &[Point],
    remarks: impl Into<Remarks<'a>>,
    curve: &Curve,
    x: Range,
    y: Range,
) -> Figure {
    let mut figure = Figure::new(Axis::linear("Z'", "ohm", x), Axis::linear("-Z''", "ohm", y));
    figure.equal = true;
    if y.low < 0.0 {
        figure.line(Stroke::Guide, [[x.low, 0.0], [x.high * 1e3, 0.0]]);
    }
    figure.line(
        Stroke::Foretold,
        curve.foretold.iter().map(|(_, z)| [z.re, -z.im]),
    );
    figure.line(Stroke::Fitted, curve.fitted.iter().map(|(_, z)| [z.re, -z.im]));
    let place = |point: &Point| [point.z_real_ohm, -point.z_imag_ohm];
    figure.measured(points, remarks.into(), place);
    for point in points.iter().filter(|point| point.is_usable()) {
        if let Some(decade) = whole_decade(point.frequency_hz) {
            figure.label(place(point), decade_label(decade));
        }
    }
    figure
}

/// `1 kHz`, `100 mHz`.
fn decade_label(decade: i32) -> String {
    let group = decade.div_euclid(3).clamp(-5, 4);
    let number = 10i64.pow(decade.rem_euclid(3).unsigned_abs());
    let unit = unit_text("Hz", group, crate::units::Script::Ascii);
    format!("{number} {unit}")
}
