//! Z-HIT: the modulus that belongs to the phase.
//!
//! Of a linear, causal and stationary cell the phase tells the modulus but for a factor: with w_0 any frequency,
//! ln|Z(w)| = c + (2/pi) int_{w_0}^{w} phi dln w - (pi/6) dphi/dln w - ... (W. Ehm, H. Gohr, R. Kaus, B. Roseler
//! and C. A. Schiller 2000, ACH - Models in Chemistry 137, 145; the first terms of cot(pi D/2) phi with
//! D = d/dln w). It is local, so that it needs no data beyond the range, and a cell that drifts while its low end is
//! measured shows there: the modulus follows the drift, its phase hardly.
//!
//! The next term, -(pi^3/360) d^3phi/dln w^3, is not taken into the sum because it is all noise; it says how far the
//! sum can be trusted where the phase bends sharply (3 % beside a single time constant, 0.1 % on a Warburg line).

mod banded;
mod smoothing;
mod spline;
#[cfg(test)]
mod tests;
mod words;

use std::f64::consts::{FRAC_2_PI, PI, TAU};

use crate::analysis::noise::Noise;
use crate::spectrum::{Point, Spectrum};
use smoothing::Smooth;
use spline::Of;

/// Decades that a reconstruction needs.
pub const LEAST_DECADES: f64 = 2.0;
/// Points that a reconstruction needs.
pub const LEAST_POINTS: usize = 12;
/// Points that are looked at. The work grows with their cube; of more, evenly many are passed over, which a phase that is
/// smooth over a decade hardly notices.
const MOST_POINTS: usize = 500;
/// Standard deviations of noise that a difference must exceed.
const BEYOND_NOISE: f64 = 3.5;
/// Difference in percent that is never worth a word.
const FLOOR_PERCENT: f64 = 0.5;
/// The neighbourhood in ln w whose largest neglected term counts.
const NEIGHBOURHOOD: f64 = 1.2;
/// Where the offset is taken from, in Hz: fast enough for a cell not to drift, slow enough for leads not to matter.
const WINDOW_HZ: [f64; 2] = [1.0, 1000.0];
/// Points that the offset needs.
const LEAST_IN_WINDOW: usize = 6;

/// Why there is no reconstruction.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ZhitError {
    /// Too little of a spectrum.
    #[error(
        "the range is too short for Z-HIT: {points} usable points over {decades:.1} decades; {LEAST_POINTS} points and \
         {LEAST_DECADES} decades are needed"
    )]
    TooShort {
        /// Usable points.
        points: usize,
        /// Decades that they span.
        decades: f64,
    },
    /// Nothing that holds a curve through the phase.
    #[error("no smooth phase can be found for Z-HIT; are the frequencies all different?")]
    NoPhase,
}

/// Modulus as measured and as told by the phase at one frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZhitPoint {
    /// Frequency in Hz.
    pub frequency_hz: f64,
    /// |Z| in ohm as measured.
    pub modulus_ohm: f64,
    /// |Z| in ohm as the phase tells it.
    pub reconstructed_ohm: f64,
    /// Measured over reconstructed, less one, in percent.
    pub deviation_percent: f64,
    /// What noise and the method itself can make of it in percent.
    pub tolerance_percent: f64,
}

impl ZhitPoint {
    /// Whether the two differ by more than noise and method explain.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        self.deviation_percent.abs() > self.tolerance_percent
    }
}

/// Neighbouring points that disagree in one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disagreement {
    /// Highest frequency in Hz.
    pub from_hz: f64,
    /// Lowest frequency in Hz.
    pub to_hz: f64,
    /// How many points.
    pub points: usize,
    /// The largest deviation among them in percent, with its sign.
    pub largest_percent: f64,
    /// Whether it reaches the lowest frequency measured.
    pub at_low_end: bool,
    /// Whether it reaches the highest.
    pub at_high_end: bool,
}

/// A modulus from the phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Zhit {
    /// From high to low frequency.
    pub points: Vec<ZhitPoint>,
    /// The frequencies in Hz whose mean deviation is zero by construction.
    pub window_hz: [f64; 2],
}

impl Zhit {
    /// Largest deviation in percent without its sign, and where.
    #[must_use]
    pub fn largest(&self) -> Option<ZhitPoint> {
        let by_size =
            |a: &ZhitPoint, b: &ZhitPoint| a.deviation_percent.abs().total_cmp(&b.deviation_percent.abs());
        self.points.iter().copied().max_by(by_size)
    }

    /// Stretches of points that disagree, from high to low frequency. A single point is an outlier of the
    /// modulus, which says nothing about the cell.
    #[must_use]
    pub fn disagreements(&self) -> Vec<Disagreement> {
        let direction = |point: &ZhitPoint| match point.disagrees() {
            true => point.deviation_percent.signum() as i8,
            false => 0,
        };
        let mut begin = 0;
        let mut found = Vec::new();
        for stretch in self.points.chunk_by(|a, b| direction(a) == direction(b)) {
            let end = begin + stretch.len();
            let [first, .., last] = stretch else {
                begin = end;
                continue;
            };
            if direction(first) != 0 {
                let largest = stretch.iter().map(|point| point.deviation_percent);
                found.push(Disagreement {
                    from_hz: first.frequency_hz,
                    to_hz: last.frequency_hz,
                    points: stretch.len(),
                    largest_percent: largest.fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a }),
                    at_low_end: end == self.points.len(),
                    at_high_end: begin == 0,
                });
            }
            begin = end;
        }
        found
    }
}

/// The modulus that belongs to the phase of a spectrum. `noise` is what its points scatter by; without it the
/// scatter of the phase around its smooth curve serves, which knows nothing of the modulus that is judged.
///
/// # Errors
/// Where the spectrum is too short.
pub fn zhit(spectrum: &Spectrum, noise: Option<&Noise>) -> Result<Zhit, ZhitError> {
    let mut points: Vec<&Point> = spectrum.points.iter().filter(|point| point.is_usable()).collect();
    points.sort_by(|a, b| a.frequency_hz.total_cmp(&b.frequency_hz));
    let decades = match (points.first(), points.last()) {
        (Some(first), Some(last)) => (last.frequency_hz / first.frequency_hz).log10(),
        _ => 0.0,
    };
    if points.len() < LEAST_POINTS || decades < LEAST_DECADES - 1e-6 {
        return Err(ZhitError::TooShort {
            points: points.len(),
            decades,
        });
    }
    let stride = points.len().div_ceil(MOST_POINTS);
    let points: Vec<&Point> = points.into_iter().step_by(stride).collect();
    let abscissa: Vec<f64> = points
        .iter()
        .map(|point| (TAU * point.frequency_hz).ln())
        .collect();
    let smooth = Smooth::of(&abscissa, &unwrapped(&points)).ok_or(ZhitError::NoPhase)?;
    let relative: Vec<f64> = points
        .iter()
        .map(|point| {
            let modulus = point.impedance().norm();
            noise.map_or(smooth.scatter, |noise| noise.at(modulus) / modulus)
        })
        .collect();
    let window = window(&points);
    // What each coefficient of the phase contributes to the logarithm of the modulus, less the mean in the window.
    let mut rows: Vec<Vec<f64>> = abscissa.iter().map(|x| row(&smooth, *x)).collect();
    let mean: Vec<f64> = (0..smooth.coefficients.len())
        .map(|k| window.iter().map(|&i| rows[i][k]).sum::<f64>() / window.len() as f64)
        .collect();
    for row in &mut rows {
        row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
    }
    let mut difference: Vec<f64> = points
        .iter()
        .zip(&rows)
        .map(|(point, row)| point.impedance().norm().ln() - product(row, &smooth.coefficients))
        .collect();
    let offset = median(window.iter().map(|&i| difference[i]).collect());
    difference.iter_mut().for_each(|value| *value -= offset);
    let tolerance = tolerances(&smooth, &abscissa, &rows, &relative);
    Ok(Zhit {
        points: points
            .iter()
            .zip(difference.iter().zip(tolerance))
            .rev()
            .map(|(point, (difference, tolerance_percent))| {
                let modulus_ohm = point.impedance().norm();
                ZhitPoint {
                    frequency_hz: point.frequency_hz,
                    modulus_ohm,
                    reconstructed_ohm: modulus_ohm * (-difference).exp(),
                    deviation_percent: 100.0 * difference.exp_m1(),
                    tolerance_percent,
                }
            })
            .collect(),
        window_hz: [
            points[window[0]].frequency_hz,
            points[window[window.len() - 1]].frequency_hz,
        ],
    })
}

/// Phases in radian without jumps.
fn unwrapped(points: &[&Point]) -> Vec<f64> {
    let mut turns = 0.0_f64;
    let mut last: Option<f64> = None;
    points
        .iter()
        .map(|point| {
            let phase = point.impedance().arg();
            if let Some(last) = last {
                turns -= ((phase - last) / TAU).round();
            }
            last = Some(phase);
            phase + TAU * turns
        })
        .collect()
}

/// Places of the points that the offset is taken from; at least one.
fn window(points: &[&Point]) -> Vec<usize> {
    let within = |low: f64, high: f64| -> Vec<usize> {
        let is_in = |i: &usize| (low..=high).contains(&points[*i].frequency_hz);
        (0..points.len()).filter(is_in).collect()
    };
    let (lowest, highest) = (points[0].frequency_hz, points[points.len() - 1].frequency_hz);
    let usual = within(WINDOW_HZ[0].max(10.0 * lowest), WINDOW_HZ[1].min(0.5 * highest));
    if usual.len() >= LEAST_IN_WINDOW {
        return usual;
    }
    // The upper two thirds without the very end, of a range that lies elsewhere.
    let count = points.len();
    (count / 3..count - count / 20).collect()
}

/// What each coefficient of the phase contributes to ln|Z|.
fn row(smooth: &Smooth, x: f64) -> Vec<f64> {
    let integral = smooth.knots.row(x, Of::Integral);
    let slope = smooth.knots.row(x, Of::Slope);
    integral
        .iter()
        .zip(slope)
        .map(|(integral, slope)| FRAC_2_PI * integral - PI / 6.0 * slope)
        .collect()
}

/// What noise, smoothing and the neglected term can make of each difference, in percent.
fn tolerances(smooth: &Smooth, abscissa: &[f64], rows: &[Vec<f64>], relative: &[f64]) -> Vec<f64> {
    let influence = smooth.influence();
    let neglected: Vec<f64> = abscissa
        .iter()
        .map(|x| {
            let third = product(&smooth.knots.row(*x, Of::ThirdDerivative), &smooth.coefficients);
            (PI.powi(3) / 360.0 * third).abs()
        })
        .collect();
    let mut begin = 0;
    rows.iter()
        .zip(relative)
        .zip(abscissa)
        .map(|((row, own), x)| {
            let of_phase: f64 = influence
                .iter()
                .zip(relative)
                .map(|(column, sigma)| (product(row, column) * sigma).powi(2))
                .sum();
            let noise = (of_phase + own * own).sqrt();
            while abscissa[begin] < x - NEIGHBOURHOOD {
                begin += 1;
            }
            let near = abscissa[begin..]
                .iter()
                .zip(&neglected[begin..])
                .take_while(|(other, _)| **other <= x + NEIGHBOURHOOD);
            let method = near.map(|(_, term)| *term).fold(0.0, f64::max);
            FLOOR_PERCENT + 100.0 * (BEYOND_NOISE * noise + method)
        })
        .collect()
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
