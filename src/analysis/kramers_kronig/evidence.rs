//! Are the residuals noise? Four questions, each with the probability that noise alone would answer so.
//!
//! All are asked in units of the noise, which itself is known only so well: the quantiles are those of F and
//! Student's t. The variance of a sum of residuals is that which the fit has left it: |1|^2 - |Q^T 1|^2.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, Normal, StudentsT};

use super::orthogonal::Orthogonal;

/// Lengths of the stretches that are searched for residuals of one sign.
const STRETCHES: [usize; 3] = [3, 5, 8];
/// Variance that the fit must have left to a stretch, as a part of what it had.
const LEAST_VARIANCE: f64 = 0.15;
/// Stretches of a spectrum that are independent of each other, per point and component.
const INDEPENDENT_STRETCHES: f64 = 0.8;
/// Stretches at the low end that are independent of each other, both components.
const INDEPENDENT_ENDS: f64 = 5.0;

/// Real or imaginary part of Z (or of Y).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// Real part.
    Real,
    /// Imaginary part.
    Imaginary,
}

/// A stretch of neighbouring points whose residuals do not average out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Whose residuals.
    pub component: Component,
    /// Highest frequency in Hz.
    pub from_hz: f64,
    /// Lowest frequency in Hz.
    pub to_hz: f64,
    /// Number of points.
    pub points: usize,
    /// Mean residual in percent.
    pub mean_percent: f64,
    /// Whether all residuals have one sign.
    pub one_sign: bool,
    /// Probability that noise alone has such a stretch somewhere in the range searched.
    pub p: f64,
}

/// What speaks against the residuals being noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Sum of squares in units of the noise over its degrees of freedom; 1 where all is noise.
    pub reduced_chi_squared: f64,
    /// Probability of as much or more from noise alone.
    pub chi_squared_p: f64,
    /// Probability that noise alone has as large a largest residual.
    pub largest_p: f64,
    /// The stretch anywhere that is least like noise.
    pub stretch: Option<Stretch>,
    /// The same among those that end at the lowest frequency.
    pub low_end: Option<Stretch>,
    /// Correlation of each residual with its neighbour, less what the fit alone makes of noise: about 0
    /// for noise.
    pub lag_one: f64,
    /// Probability that noise alone correlates so much.
    pub lag_one_p: f64,
}

impl Evidence {
    /// Probability that noise alone would give the strongest of this evidence; the four questions overlap, so
    /// that asking them all costs a factor of less than four, found by simulation.
    #[must_use]
    pub fn p(&self) -> f64 {
        let of = |stretch: &Option<Stretch>| stretch.map_or(1.0, |stretch| stretch.p);
        let least = [
            self.chi_squared_p,
            self.largest_p,
            of(&self.stretch),
            of(&self.low_end),
        ]
        .into_iter()
        .fold(1.0, f64::min);
        (QUESTIONS * least).min(1.0)
    }
}

/// See [`Evidence::p`].
const QUESTIONS: f64 = 3.0;

/// What is judged: residuals with the noise they are measured by.
pub(super) struct Residuals<'a> {
    pub(super) frequency_hz: &'a [f64],
    pub(super) solution: &'a Orthogonal,
    /// Relative noise of each point.
    pub(super) noise: &'a [f64],
    /// Degrees of freedom with which the noise is known.
    pub(super) noise_freedom: f64,
}

impl Residuals<'_> {
    /// Asks all questions; the last `unreliable` points count for none but chi-squared.
    pub(super) fn evidence(&self, unreliable: usize) -> Evidence {
        let points = self.frequency_hz.len();
        let judged = points.saturating_sub(unreliable);
        let units: Vec<f64> = self
            .solution
            .residual
            .iter()
            .zip(self.noise.iter().chain(self.noise))
            .map(|(residual, noise)| residual / noise)
            .collect();
        let columns = self.solution.coefficients.len();
        let freedom = (2 * points - columns) as f64;
        let reduced_chi_squared = units.iter().map(|value| value * value).sum::<f64>() / freedom;
        let chi_squared_p = FisherSnedecor::new(freedom, self.noise_freedom)
            .map_or(1.0, |distribution| distribution.sf(reduced_chi_squared));
        let mut leverage = vec![0.0; 2 * points];
        for column in self.solution.basis() {
            for (sum, value) in leverage.iter_mut().zip(column) {
                *sum += value * value;
            }
        }
        let largest = (0..2 * points)
            .filter(|row| row % points < judged)
            .map(|row| units[row].abs() / (1.0 - leverage[row]).max(LEAST_VARIANCE).sqrt())
            .fold(0.0, f64::max);
        let running = Running::new(self, &units);
        let stretches = [Component::Real, Component::Imaginary]
            .into_iter()
            .flat_map(|component| {
                let running = &running;
                STRETCHES.into_iter().flat_map(move |length| {
                    (0..(judged + 1).saturating_sub(length))
                        .filter_map(move |first| running.deviation(component, first, first + length))
                })
            });
        let bottom = self.frequency_hz[points - 1] * 10.0 * (1.0 + 1e-6);
        let in_last_decade = self.frequency_hz.iter().filter(|hz| **hz <= bottom).count();
        let ends = [Component::Real, Component::Imaginary]
            .into_iter()
            .flat_map(|component| {
                let running = &running;
                (3..=in_last_decade.max(3))
                    .filter(move |length| *length <= judged)
                    .filter_map(move |length| running.deviation(component, judged - length, judged))
            });
        let (lag_one, lag_one_p) = self.lag_one(&units, freedom);
        Evidence {
            lag_one,
            lag_one_p,
            reduced_chi_squared,
            chi_squared_p,
            largest_p: self.somewhere(largest, 2.0 * judged as f64),
            stretch: running.worst(stretches, INDEPENDENT_STRETCHES * 2.0 * judged as f64),
            low_end: running.worst(ends, INDEPENDENT_ENDS),
        }
    }

    /// See [`Evidence::lag_one`]. The fit leaves white noise the covariance 1 - Q Q^T, whose first off-diagonal tells
    /// what correlation to expect of it.
    fn lag_one(&self, units: &[f64], freedom: f64) -> (f64, f64) {
        let points = self.frequency_hz.len();
        let neighbours = |values: &[f64]| -> f64 {
            let (real, imaginary) = values.split_at(points);
            [real, imaginary]
                .iter()
                .flat_map(|part| part.windows(2))
                .map(|pair| pair[0] * pair[1])
                .sum()
        };
        let sum: f64 = units.iter().map(|value| value * value).sum();
        let explained: f64 = self.solution.basis().map(neighbours).sum();
        let lag_one = neighbours(units) / sum + explained / freedom;
        let p = Normal::new(0.0, 1.0).map_or(1.0, |normal| normal.sf(lag_one * freedom.sqrt()));
        (lag_one, p)
    }

    /// Probability that the largest of `trials` deviations is at least so large, in standard deviations.
    fn somewhere(&self, deviation: f64, trials: f64) -> f64 {
        let one = StudentsT::new(0.0, 1.0, self.noise_freedom)
            .map_or(1.0, |distribution| 2.0 * distribution.sf(deviation));
        -(trials * (-one).ln_1p()).exp_m1()
    }
}

/// Sums from the first point on, so that any stretch costs two subtractions a column.
struct Running<'a> {
    residuals: &'a Residuals<'a>,
    units: Vec<f64>,
    basis: Vec<Vec<f64>>,
}

/// A stretch by its place, with its sum in standard deviations.
#[derive(Clone, Copy)]
struct Deviation {
    component: Component,
    first: usize,
    end: usize,
    size: f64,
}

impl<'a> Running<'a> {
    fn new(residuals: &'a Residuals<'a>, units: &[f64]) -> Self {
        let sums = |values: &[f64]| -> Vec<f64> {
            let mut sum = 0.0;
            std::iter::once(0.0)
                .chain(values.iter().map(|value| {
                    sum += value;
                    sum
                }))
                .collect()
        };
        Self {
            residuals,
            units: sums(units),
            basis: residuals.solution.basis().map(sums).collect(),
        }
    }

    /// The sum of a stretch in standard deviations; none where the fit has left it nothing.
    fn deviation(&self, component: Component, first: usize, end: usize) -> Option<Deviation> {
        let offset = match component {
            Component::Real => 0,
            Component::Imaginary => self.residuals.frequency_hz.len(),
        };
        let between = |sums: &[f64]| sums[offset + end] - sums[offset + first];
        let length = (end - first) as f64;
        let explained: f64 = self.basis.iter().map(|sums| between(sums).powi(2)).sum();
        let variance = length - explained;
        (variance > LEAST_VARIANCE * length).then(|| Deviation {
            component,
            first,
            end,
            size: between(&self.units).abs() / variance.sqrt(),
        })
    }

    fn worst(&self, deviations: impl Iterator<Item = Deviation>, trials: f64) -> Option<Stretch> {
        let worst = deviations.max_by(|a, b| a.size.total_cmp(&b.size))?;
        let points = self.residuals.frequency_hz.len();
        let rows = match worst.component {
            Component::Real => worst.first..worst.end,
            Component::Imaginary => points + worst.first..points + worst.end,
        };
        let values = &self.residuals.solution.residual[rows];
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Some(Stretch {
            component: worst.component,
            from_hz: self.residuals.frequency_hz[worst.first],
            to_hz: self.residuals.frequency_hz[worst.end - 1],
            points: worst.end - worst.first,
            mean_percent: 100.0 * mean,
            one_sign: values.iter().all(|value| value * mean > 0.0),
            p: self.residuals.somewhere(worst.size, trials),
        })
    }
}
