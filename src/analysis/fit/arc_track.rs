//! Where the arcs of a cell are going: what tells them apart where they cross.

use crate::circuit::Circuit;

use super::identity::{ArcForecast, Expected, FEATURES, gap, measured};
use super::result::FitResult;

/// Smallest error that a single sweep is believed to have: what a circuit leaves out moves parameters by more
/// than their errors.
const LEAST_ERROR: f64 = 0.01;
/// How far a feature moves in one sweep beyond its trend.
const WANDER: f64 = 0.005;
/// How much a trend changes in one sweep.
const TURN: f64 = 0.002;
/// How steep a trend may be before anything is known of it.
const STEEP: f64 = 0.05;
/// Arcs of equal time constant are told apart to this much, whatever their errors say: near there the fit has
/// several minima of nearly equal depth.
const BLURRED: f64 = 2.0;
/// Distance in ln tau over which that passes.
const BLUR_REACH: f64 = 1.2;
/// Standard deviations beyond which a feature has jumped.
const JUMP: f64 = 5.0;

/// The course of every arc of a circuit from sweep to sweep. Sweeps in which arcs cannot be told apart have large
/// errors there and hardly count; the courses from before are carried on through them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArcTrack {
    arcs: Vec<[Option<Trend>; FEATURES]>,
}

/// Level and slope of one feature with their covariance: the local linear trend of A. C. Harvey (1989),
/// doi:10.1017/CBO9781107049994, followed by R. E. Kalman's filter (1960), doi:10.1115/1.3662552.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Trend {
    level: f64,
    slope: f64,
    level_variance: f64,
    covariance: f64,
    slope_variance: f64,
}

impl ArcTrack {
    /// Takes note of the fit of a whole sweep, whose arcs bear the right names.
    pub fn observe(&mut self, circuit: &Circuit, result: &FitResult) {
        let natural: Vec<f64> = result
            .parameters
            .iter()
            .map(|parameter| parameter.value)
            .collect();
        if natural.len() != circuit.parameters().len() {
            return;
        }
        let arcs = circuit.arcs();
        let expected = self.forecast();
        self.arcs.resize(arcs.len(), [None; FEATURES]);
        for (index, arc) in arcs.iter().enumerate() {
            let mut near = gap(circuit, index, |arc| arcs[arc].ln_tau(&natural));
            if let Some(forecast) = &expected {
                near = near.min(gap(circuit, index, |arc| forecast.arcs[arc][0].value));
            }
            let blur = BLURRED * (-(near / BLUR_REACH).powi(2)).exp();
            let found = measured(arc, &natural, |weights| result.combined_error(weights));
            for (trend, mut found) in self.arcs[index].iter_mut().zip(found) {
                found.variance += blur * blur;
                match trend {
                    Some(trend) => trend.advance(found),
                    None if found.variance.is_finite() => *trend = Some(Trend::new(found)),
                    None => {}
                }
            }
        }
    }

    /// Where the arcs are expected in the next sweep; none before the first.
    #[must_use]
    pub fn forecast(&self) -> Option<ArcForecast> {
        if self.arcs.is_empty() {
            return None;
        }
        let arcs = self
            .arcs
            .iter()
            .map(|trends| {
                trends.map(|trend| {
                    trend.map_or(
                        Expected {
                            value: 0.0,
                            variance: f64::INFINITY,
                        },
                        |trend| trend.next().expected(),
                    )
                })
            })
            .collect();
        Some(ArcForecast { arcs })
    }
}

impl Trend {
    fn new(found: Expected) -> Self {
        Self {
            level: found.value,
            slope: 0.0,
            level_variance: found.variance.max(LEAST_ERROR * LEAST_ERROR),
            covariance: 0.0,
            slope_variance: STEEP * STEEP,
        }
    }

    fn expected(self) -> Expected {
        Expected {
            value: self.level,
            variance: self.level_variance,
        }
    }

    /// One sweep further on.
    fn next(self) -> Self {
        Self {
            level: self.level + self.slope,
            slope: self.slope,
            level_variance: self.level_variance
                + 2.0 * self.covariance
                + self.slope_variance
                + WANDER * WANDER,
            covariance: self.covariance + self.slope_variance,
            slope_variance: self.slope_variance + TURN * TURN,
        }
    }

    fn advance(&mut self, found: Expected) {
        let before = *self;
        *self = before.next();
        if !found.variance.is_finite() {
            return;
        }
        let variance = found.variance.max(LEAST_ERROR * LEAST_ERROR);
        let surprise = found.value - self.level;
        let total = self.level_variance + variance;
        if surprise * surprise > JUMP * JUMP * total {
            // A new level from which the old trend goes on, if less surely.
            *self = Self {
                slope: before.slope,
                ..Self::new(found)
            };
            return;
        }
        let (gain, slope_gain) = (self.level_variance / total, self.covariance / total);
        self.level += gain * surprise;
        self.slope += slope_gain * surprise;
        self.slope_variance -= slope_gain * self.covariance;
        self.covariance *= 1.0 - gain;
        self.level_variance *= 1.0 - gain;
    }
}
