//! What a running script measures: points of a sweep, samples of direct current, or readings of the
//! open-circuit potential.

use super::channel::Channel;
use super::direct::Direct;
use super::package::Package;
use super::points;
use crate::analysis::point_time::PointTime;
use crate::instrument::{InstrumentError, OpenCircuit, Outcome, Output, SweepJob};
use crate::spectrum::{PointStatus, Sample};

/// What is measured, and what has arrived of it.
#[derive(Clone, Debug)]
pub(super) enum Measurement {
    Sweep {
        job: SweepJob,
        points: u32,
        overloaded: bool,
    },
    Direct(Box<Direct>),
    OpenCircuit {
        interval_s: f64,
        /// Seconds since the first reading by the script's own interval, and V.
        readings: Vec<(f64, f64)>,
        arrived: u32,
    },
}

impl Measurement {
    pub fn sweep(job: SweepJob) -> Self {
        Self::Sweep {
            job,
            points: 0,
            overloaded: false,
        }
    }

    pub fn open_circuit(interval_s: f64) -> Self {
        Self::OpenCircuit {
            interval_s,
            readings: Vec::new(),
            arrived: 0,
        }
    }

    /// How long the running point takes in s.
    pub fn expected_s(&self, time: &PointTime) -> f64 {
        match self {
            Self::Sweep { job, points, .. } => time.expected_s(job.frequency_hz(*points)),
            Self::Direct(direct) => direct.interval_s(),
            Self::OpenCircuit { interval_s, .. } => *interval_s,
        }
    }

    /// How long the points of a sweep that have not arrived take in s.
    pub fn remaining_s(&self, time: &PointTime) -> Option<f64> {
        match self {
            Self::Sweep { job, points, .. } => Some(
                (*points..job.n_points)
                    .map(|index| time.expected_s(job.frequency_hz(index)))
                    .sum(),
            ),
            Self::Direct(direct) => Some(direct.remaining_s()),
            Self::OpenCircuit { .. } => None,
        }
    }

    /// Takes a package; the point in it began at `began_s`. Returns whether there was anything in it.
    ///
    /// # Errors
    /// Where the measurement must be ended at once.
    pub fn package(
        &mut self,
        package: &Package,
        began_s: f64,
        now_s: f64,
        time: &mut PointTime,
        channel: &mut Channel,
    ) -> Result<bool, InstrumentError> {
        match self {
            Self::Sweep {
                job,
                points,
                overloaded,
            } => {
                let Some(mut point) = points::point(package, &channel.settings) else {
                    return Ok(false);
                };
                time.observe(job.frequency_hz(*points), now_s - began_s);
                let amplitude = Some(job.part_of(*points).0.amplitude);
                match job.bias_a {
                    None => point.amplitude_vrms = amplitude,
                    Some(_) => point.amplitude_arms = amplitude,
                }
                *overloaded |= point.status == PointStatus::Overload;
                point.t_start_s = Some(began_s);
                *points += 1;
                channel.report(Output::Point(point));
            }
            Self::Direct(direct) => return direct.package(package, channel),
            Self::OpenCircuit {
                interval_s,
                readings,
                arrived,
            } => {
                let Some((potential_v, good)) = points::potential(package) else {
                    return Ok(false);
                };
                if good {
                    readings.push((f64::from(*arrived) * *interval_s, potential_v));
                }
                *arrived += 1;
                channel.report(Output::Sample(Sample {
                    technique: "ocp".to_owned(),
                    potential_v: good.then_some(potential_v),
                    ..Sample::default()
                }));
            }
        }
        Ok(true)
    }

    /// Whether the sweep is to end because a point of it was overloaded.
    pub fn is_overloaded(&self) -> bool {
        matches!(self, Self::Sweep { job, overloaded: true, .. } if job.stop_at_overload)
    }

    /// Points or readings that have arrived.
    pub fn arrived(&self) -> u32 {
        match self {
            Self::Sweep { points, .. } => *points,
            Self::Direct(direct) => direct.samples(),
            Self::OpenCircuit { arrived, .. } => *arrived,
        }
    }

    /// Whether everything that was asked for is there.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::Sweep { job, points, .. } if *points >= job.n_points)
    }

    /// What has come of it when the script has ended by itself.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Sweep { points, .. } if self.is_overloaded() => Outcome::Overloaded { points: *points },
            Self::Sweep { job, points, .. } if *points >= job.n_points => {
                Outcome::SweepComplete { points: *points }
            }
            Self::Direct(direct) => direct.outcome(),
            Self::Sweep { job, points, .. } => Outcome::Failed(InstrumentError::EndedEarly {
                points: *points,
                expected: job.n_points,
            }),
            Self::OpenCircuit { readings, .. } => match open_circuit(readings) {
                Some(result) => Outcome::OpenCircuit(result),
                None => Outcome::Failed(InstrumentError::NoPotential),
            },
        }
    }
}

/// The potential of the last quarter, and the slope of all readings.
fn open_circuit(readings: &[(f64, f64)]) -> Option<OpenCircuit> {
    let last = &readings[readings.len() - readings.len().div_ceil(4)..];
    if last.is_empty() {
        return None;
    }
    let potential_v = last.iter().map(|(_, potential)| potential).sum::<f64>() / last.len() as f64;
    Some(OpenCircuit {
        potential_v,
        readings: u32::try_from(readings.len()).unwrap_or(u32::MAX),
        drift_v_per_s: slope(readings),
    })
}

/// Slope of a straight line by least squares; none for fewer than three readings or no time between them.
fn slope(readings: &[(f64, f64)]) -> Option<f64> {
    if readings.len() < 3 {
        return None;
    }
    let n = readings.len() as f64;
    let mean_t = readings.iter().map(|(t, _)| t).sum::<f64>() / n;
    let mean_v = readings.iter().map(|(_, v)| v).sum::<f64>() / n;
    let covariance: f64 = readings.iter().map(|(t, v)| (t - mean_t) * (v - mean_v)).sum();
    let variance: f64 = readings.iter().map(|(t, _)| (t - mean_t).powi(2)).sum();
    (variance > 0.0).then(|| covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drifting_potential_is_that_of_the_end_with_its_slope() {
        let readings: Vec<_> = (0..8)
            .map(|k| (f64::from(k), 3.7 - 0.01 * f64::from(k)))
            .collect();
        let result = open_circuit(&readings).unwrap();
        assert!((result.potential_v - 3.635).abs() < 1e-12, "mean of the last two");
        assert!((result.drift_v_per_s.unwrap() + 0.01).abs() < 1e-12);
        assert_eq!(result.readings, 8);
    }

    #[test]
    fn one_reading_has_a_potential_and_no_drift_and_none_has_nothing() {
        let result = open_circuit(&[(0.0, 0.62)]).unwrap();
        assert_eq!((result.potential_v, result.drift_v_per_s), (0.62, None));
        assert_eq!(open_circuit(&[]), None);
        assert_eq!(slope(&[(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)]), None);
    }
}
