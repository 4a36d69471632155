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
            Self::OpenCircuit { readings, .. } => match OpenCircuit::of(readings) {
                Some(result) => Outcome::OpenCircuit(result),
                None => Outcome::Failed(InstrumentError::NoPotential),
            },
        }
    }
}
