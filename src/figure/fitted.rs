//! What a fit draws: its curve over the measured frequencies, and what it leaves unexplained.

use num_complex::Complex64;

use super::{Curve, Range};
use crate::analysis::fit::FitResult;
use crate::circuit::Circuit;
use crate::spectrum::Point;

/// Points of the drawn curve in a decade of frequency.
const POINTS_PER_DECADE: f64 = 40.0;

/// A fitted circuit with its values, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedCircuit {
    circuit: Circuit,
    values: Vec<f64>,
}

impl FittedCircuit {
    /// The circuit of a fit; none where this program cannot read it, or a value is missing.
    #[must_use]
    pub fn of(result: &FitResult) -> Option<Self> {
        let circuit = Circuit::parse(&result.circuit).ok()?;
        let values = circuit
            .parameters()
            .iter()
            .map(|parameter| Some(result.parameter(&parameter.name)?.value))
            .collect::<Option<Vec<_>>>()?;
        Some(Self { circuit, values })
    }

    /// Its impedance from the highest to the lowest frequency of the usable points; nothing is foretold.
    #[must_use]
    pub fn curve(&self, points: &[Point]) -> Curve {
        let usable = points.iter().filter(|point| point.is_usable());
        let Some(measured) = Range::of(usable.map(|point| point.frequency_hz)) else {
            return Curve::default();
        };
        let decades = (measured.high / measured.low).log10();
        let intervals = (decades * POINTS_PER_DECADE).ceil().max(1.0) as usize;
        let frequency = |index: usize| match index {
            0 => measured.high,
            index if index == intervals => measured.low,
            index => measured.high * 10f64.powf(-decades * index as f64 / intervals as f64),
        };
        Curve {
            fitted: (0..=intervals)
                .map(|index| (frequency(index), self.impedance(frequency(index))))
                .collect(),
            foretold: Vec::new(),
        }
    }

    /// Measured minus fitted over the fitted modulus, with the frequency in Hz, for the points that a fit
    /// may use.
    #[must_use]
    pub fn residuals(&self, points: &[Point]) -> Vec<(f64, Complex64)> {
        points
            .iter()
            .filter(|point| point.is_usable())
            .map(|point| {
                let fitted = self.impedance(point.frequency_hz);
                (point.frequency_hz, (point.impedance() - fitted) / fitted.norm())
            })
            .collect()
    }

    fn impedance(&self, frequency_hz: f64) -> Complex64 {
        self.circuit.impedance(&self.values, frequency_hz)
    }
}
