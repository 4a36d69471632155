//! Figures without a medium: axes, ticks, equal aspect, series of marks and lines.
//!
//! A [`Figure`] says what is drawn and over which ranges; [`Figure::place`] fits it into a rectangle.
//! The terminal paints it with dots and characters, [`svg`] draws the same thing for paper.

mod axis;
mod bode;
mod distribution;
mod fitted;
mod history;
mod memory;
mod nyquist;
mod placement;
pub mod svg;

pub use axis::{Axis, Range, Scale, Tick, TickUnit, Ticks};
pub use bode::{bode_modulus, bode_phase, phase_deg, residuals};
pub use distribution::distribution;
pub use fitted::FittedCircuit;
pub use history::{HistoryAbscissa, history};
pub use memory::AxisMemory;
pub use nyquist::nyquist;
pub use placement::{Placement, Projection, clip_to_unit_square};

use num_complex::Complex64;

use crate::spectrum::Point;

/// What a mark stands for. Marks differ by shape on every medium; colour only repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A measured point.
    Measured,
    /// A measured point at a whole decade of frequency.
    Decade,
    /// The point that arrived last.
    Newest,
    /// A measured point that is not to be trusted.
    Doubtful,
    /// A second measured series in the same figure.
    Second,
    /// A measured point that the running sweep does not bear out yet.
    Unreliable,
    /// The place of a value that the data do not determine; only its abscissa means anything.
    Undetermined,
}

/// What a line stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// The fitted circuit within the measured range.
    Fitted,
    /// The fitted circuit beyond it.
    Foretold,
    /// A line that helps reading.
    Guide,
}

/// One thing that is drawn. Coordinates are finite.
#[derive(Clone, Debug, PartialEq)]
pub enum Series {
    /// Separate marks.
    Marks(Mark, Vec<[f64; 2]>),
    /// A connected line.
    Line(Stroke, Vec<[f64; 2]>),
    /// Error bars: abscissa, low end, high end.
    Bars(Vec<[f64; 3]>),
}

/// A word beside a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The point.
    pub at: [f64; 2],
    /// The word.
    pub text: String,
}

/// What is drawn, over which ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The abscissa.
    pub x: Axis,
    /// The ordinate.
    pub y: Axis,
    /// Whether one unit must be as long on both axes.
    pub equal: bool,
    /// What is drawn, from back to front.
    pub series: Vec<Series>,
    /// Words beside points, the most important first; a medium leaves out those without room.
    pub labels: Vec<Label>,
}

/// What is said of measured points beside their own status, by their indices in the sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remarks<'a> {
    /// The point that arrived last, while the sweep runs.
    pub newest: Option<usize>,
    /// Points that speak against the spectrum.
    pub doubtful: &'a [u32],
    /// Points at the end of a running sweep of which nothing can be said yet.
    pub unreliable: &'a [usize],
}

impl From<Option<usize>> for Remarks<'_> {
    /// Nothing but which point is the newest.
    fn from(newest: Option<usize>) -> Self {
        Self {
            newest,
            ..Self::default()
        }
    }
}

/// The impedance of a fitted circuit over frequency, for drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Within the measured range: frequency in Hz and impedance in ohm.
    pub fitted: Vec<(f64, Complex64)>,
    /// Beyond it; empty where the circuit cannot foretell.
    pub foretold: Vec<(f64, Complex64)>,
}

impl Figure {
    /// An empty figure.
    #[must_use]
    pub fn new(x: Axis, y: Axis) -> Self {
        Self {
            x,
            y,
            equal: false,
            series: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Adds marks; those with a coordinate that is not finite are left out.
    pub fn marks(&mut self, mark: Mark, points: impl IntoIterator<Item = [f64; 2]>) {
        let points: Vec<_> = points.into_iter().filter(is_finite).collect();
        if !points.is_empty() {
            self.series.push(Series::Marks(mark, points));
        }
    }

    /// Adds a line; it is interrupted where a coordinate is not finite.
    pub fn line(&mut self, stroke: Stroke, points: impl IntoIterator<Item = [f64; 2]>) {
        let mut run = Vec::new();
        for point in points {
            if is_finite(&point) {
                run.push(point);
            } else if !run.is_empty() {
                self.series.push(Series::Line(stroke, std::mem::take(&mut run)));
            }
        }
        if !run.is_empty() {
            self.series.push(Series::Line(stroke, run));
        }
    }

    /// Adds error bars; those with a coordinate that is not finite are left out.
    pub fn bars(&mut self, bars: impl IntoIterator<Item = [f64; 3]>) {
        let bars: Vec<_> = bars.into_iter().filter(is_finite).collect();
        if !bars.is_empty() {
            self.series.push(Series::Bars(bars));
        }
    }

    /// Adds a word beside a point.
    pub fn label(&mut self, at: [f64; 2], text: String) {
        if is_finite(&at) {
            self.labels.push(Label { at, text });
        }
    }

    /// Adds the measured points, each by what is said about it, at the coordinates that `place` gives.
    fn measured(&mut self, points: &[Point], remarks: Remarks<'_>, place: impl Fn(&Point) -> [f64; 2]) {
        let is_doubtful = |index: usize| {
            remarks
                .doubtful
                .iter()
                .any(|doubtful| usize::try_from(*doubtful) == Ok(index))
        };
        let kind = |index: usize, point: &Point| {
            if !point.is_usable() {
                Mark::Doubtful
            } else if Some(index) == remarks.newest {
                Mark::Newest
            } else if is_doubtful(index) {
                Mark::Doubtful
            } else if remarks.unreliable.contains(&index) {
                Mark::Unreliable
            } else if whole_decade(point.frequency_hz).is_some() {
                Mark::Decade
            } else {
                Mark::Measured
            }
        };
        for mark in [
            Mark::Measured,
            Mark::Decade,
            Mark::Unreliable,
            Mark::Doubtful,
            Mark::Newest,
        ] {
            let chosen = points.iter().enumerate();
            let chosen = chosen.filter(|(index, point)| kind(*index, point) == mark);
            self.marks(mark, chosen.map(|(_, point)| place(point)));
        }
    }
}

/// The whole decade that a frequency in Hz is at, within 1.2 %: instruments round.
#[must_use]
pub fn whole_decade(frequency_hz: f64) -> Option<i32> {
    let exponent = frequency_hz.log10();
    let nearest = exponent.round();
    ((exponent - nearest).abs() < 0.005).then_some(nearest as i32)
}

fn is_finite<const N: usize>(point: &[f64; N]) -> bool {
    point.iter().all(|coordinate| coordinate.is_finite())
}

#[cfg(test)]
mod tests;
