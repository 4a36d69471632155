//! How long a point takes: `a + b / f`, from the profile at first, from what was seen afterwards.

use serde::Deserialize;

/// Time that one point takes: `point_overhead_s + point_periods / f`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointTiming {
    /// Seconds per point beside the periods.
    pub point_overhead_s: f64,
    /// Periods of the frequency per point.
    pub point_periods: f64,
}

/// How far the profile's figures are trusted, in measured points: point times scatter far less than a
/// profile may be off, but the periods must stay where they are while only high frequencies were seen.
const PRIOR_WEIGHT: f64 = 0.1;

/// A point that took longer than so many times what was expected counts as this many: a machine that
/// slept must not spoil the prediction.
const LONGEST_SURPRISE: f64 = 10.0;

/// Prediction of point times by least squares of relative deviations, with the profile as prior.
#[derive(Clone, Debug, PartialEq)]
pub struct PointTime {
    prior: PointTiming,
    /// Sums of w, w x, w x x, w T, w x T over the points seen, with x = 1/f and w = 1/(expected T) squared.
    sums: [f64; 5],
    fitted: PointTiming,
}

impl PointTime {
    /// A prediction that knows nothing but the profile.
    #[must_use]
    pub fn new(prior: PointTiming) -> Self {
        Self {
            prior,
            sums: [0.0; 5],
            fitted: prior,
        }
    }

    /// Expected time of a point at this frequency in s.
    #[must_use]
    pub fn expected_s(&self, frequency_hz: f64) -> f64 {
        time_s(&self.fitted, frequency_hz)
    }

    /// Overhead and periods per point as they are believed now.
    #[must_use]
    pub fn timing(&self) -> PointTiming {
        self.fitted
    }

    /// Learns from a point that took this long. Times and frequencies that are not positive are ignored.
    pub fn observe(&mut self, frequency_hz: f64, took_s: f64) {
        if !(frequency_hz > 0.0 && frequency_hz.is_finite() && took_s > 0.0 && took_s.is_finite()) {
            return;
        }
        let took_s = took_s.min(LONGEST_SURPRISE * self.expected_s(frequency_hz));
        let x = 1.0 / frequency_hz;
        let w = time_s(&self.prior, frequency_hz).powi(-2);
        for (sum, term) in self
            .sums
            .iter_mut()
            .zip([w, w * x, w * x * x, w * took_s, w * x * took_s])
        {
            *sum += term;
        }
        if let Some(fitted) = self.solve() {
            self.fitted = fitted;
        }
    }

    /// The 2 by 2 normal equations, with the prior as a deviation of each figure relative to itself.
    fn solve(&self) -> Option<PointTiming> {
        let PointTiming {
            point_overhead_s: a,
            point_periods: b,
        } = self.prior;
        let [w, wx, wxx, wt, wxt] = self.sums;
        // A figure of exactly zero in the profile would be held there for ever.
        let trust = |figure: f64, floor: f64| PRIOR_WEIGHT / figure.max(floor).powi(2);
        let (trust_a, trust_b) = (trust(a, 1e-3), trust(b, 1e-3));
        let (m11, m12, m22) = (w + trust_a, wx, wxx + trust_b);
        let (v1, v2) = (wt + trust_a * a, wxt + trust_b * b);
        let determinant = m11 * m22 - m12 * m12;
        let overhead = (v1 * m22 - v2 * m12) / determinant;
        let periods = (m11 * v2 - m12 * v1) / determinant;
        let (overhead, periods) = if overhead < 0.0 {
            (0.0, v2 / m22)
        } else if periods < 0.0 {
            (v1 / m11, 0.0)
        } else {
            (overhead, periods)
        };
        (overhead.is_finite() && periods.is_finite()).then_some(PointTiming {
            point_overhead_s: overhead,
            point_periods: periods,
        })
    }
}

fn time_s(timing: &PointTiming, frequency_hz: f64) -> f64 {
    timing.point_overhead_s + timing.point_periods / frequency_hz
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROFILE: PointTiming = PointTiming {
        point_overhead_s: 0.43,
        point_periods: 2.1,
    };

    #[test]
    fn before_anything_was_seen_the_profile_is_believed() {
        let time = PointTime::new(PROFILE);
        assert!((time.expected_s(0.1) - 21.43).abs() < 1e-9);
    }

    #[test]
    fn high_frequencies_correct_the_overhead_and_leave_the_periods() {
        let mut time = PointTime::new(PROFILE);
        for _ in 0..20 {
            time.observe(100e3, 0.86);
        }
        assert!((time.timing().point_overhead_s - 0.86).abs() < 0.08);
        assert!((time.timing().point_periods - 2.1).abs() < 0.01);
    }

    #[test]
    fn one_slept_through_point_does_not_make_the_next_seem_endless() {
        let mut time = PointTime::new(PROFILE);
        for _ in 0..10 {
            time.observe(100.0, 0.45);
        }
        time.observe(100.0, 36_000.0);
        assert!(time.expected_s(100.0) < 2.0, "{}", time.expected_s(100.0));
    }

    #[test]
    fn nonsense_is_ignored() {
        let mut time = PointTime::new(PROFILE);
        for (frequency, took) in [
            (0.0, 1.0),
            (f64::NAN, 1.0),
            (10.0, -1.0),
            (10.0, f64::INFINITY),
            (-1.0, 1.0),
        ] {
            time.observe(frequency, took);
        }
        assert_eq!(time, PointTime::new(PROFILE));
    }

    proptest! {
        #[test]
        fn three_sweeps_teach_times_that_the_profile_missed_by_a_factor_of_three(
            overhead in 0.15f64..1.3, periods in 0.7f64..6.3,
        ) {
            let mut time = PointTime::new(PROFILE);
            for sweep in 0..3 {
                for k in 0..60 {
                    let frequency = 10f64.powf(5.0 - 0.1 * f64::from(k));
                    // A jitter of two per cent, the same in every run.
                    let jitter = 1.0 + 0.02 * f64::from((sweep * 7 + k) % 5 - 2) / 2.0;
                    time.observe(frequency, (overhead + periods / frequency) * jitter);
                }
            }
            for frequency in [1e4, 10.0, 0.1] {
                let truth = overhead + periods / frequency;
                prop_assert!((time.expected_s(frequency) / truth - 1.0).abs() < 0.1);
            }
        }
    }
}
