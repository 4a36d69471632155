//! What a running script measures: points of a sweep, samples of direct current, or readings of the
//! open-circuit potential.

use super::channel::Channel;
use super::direct::Direct;
use super::grid::{Grid, Place};
use super::package::Package;
use super::points;
use crate::analysis::point_time::PointTime;
use crate::instrument::{InstrumentError, OpenCircuit, Outcome, Output, SweepJob};
use crate::spectrum::{PointStatus, Sample};

/// What is measured, and what has arrived of it.
#[derive(Clone, Debug)]
pub(super) enum Measurement {
    Sweep {
        job: Box<SweepJob>,
        grid: Grid,
        /// Points that have arrived.
        points: u32,
        /// Number of the first point that was overloaded, and how many before it did not arrive.
        overloaded_at: Option<(u32, u32)>,
        told_of_strays: bool,
        hold: Hold,
    },
    Direct(Box<Direct>),
    OpenCircuit {
        interval_s: f64,
        /// Seconds since the first reading by the script's own interval, and V.
        readings: Vec<(f64, f64)>,
        arrived: u32,
    },
}

/// Technique ids of sweeps of impedance.
const IMPEDANCE: [u16; 2] = [0x000D, 0x000E];

/// Whether the instrument waits between two parts of a sweep to hear that somebody is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Hold {
    No,
    /// It waits since then and has not been told.
    Waits(f64),
    /// It was told then.
    Told(f64),
}

impl Measurement {
    pub fn sweep(job: SweepJob) -> Self {
        Self::Sweep {
            job: Box::new(job),
            grid: Grid::default(),
            points: 0,
            overloaded_at: None,
            told_of_strays: false,
            hold: Hold::No,
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
            Self::Sweep { job, grid, .. } => time.expected_s(job.frequency_hz(grid.next())),
            Self::Direct(direct) => direct.interval_s(),
            Self::OpenCircuit { interval_s, .. } => *interval_s,
        }
    }

    /// How long the points of a sweep that have not arrived take in s.
    pub fn remaining_s(&self, time: &PointTime) -> Option<f64> {
        match self {
            Self::Sweep { job, grid, .. } => Some(
                (grid.next()..job.n_points)
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
                grid,
                points,
                overloaded_at,
                told_of_strays,
                hold,
            } => {
                let Some(mut point) = points::point(package, &channel.settings) else {
                    if job.hold_s.is_some() && points::potential_or_current(package) {
                        hold.sampled(now_s, channel.reply_timeout_s());
                    }
                    return Ok(false);
                };
                *hold = Hold::No;
                let expected = grid.next();
                let place = grid.place(&point, job);
                let index = match place {
                    Place::Point(index) | Place::Stray(index) => index,
                    Place::Extra => expected.saturating_sub(1),
                };
                match place {
                    Place::Point(index) if index == expected => {
                        time.observe(job.frequency_hz(index), now_s - began_s);
                    }
                    Place::Point(_) => {}
                    Place::Stray(_) | Place::Extra => {
                        // A number that was damaged in one place may be damaged in another.
                        point.status = PointStatus::Invalid;
                        if !std::mem::replace(told_of_strays, true) {
                            channel.remark(format!(
                                "a point at {} Hz is not one that the sweep has there, and is marked invalid: the line may \
                                 be disturbed",
                                point.frequency_hz
                            ));
                        }
                    }
                }
                let amplitude = Some(job.part_of(index).0.amplitude);
                match job.bias_a {
                    None => point.amplitude_vrms = amplitude,
                    Some(_) => point.amplitude_arms = amplitude,
                }
                if point.status == PointStatus::Overload {
                    overloaded_at.get_or_insert((index, index.saturating_sub(*points)));
                }
                point.t_start_s = Some(began_s);
                *points += u32::from(place != Place::Extra);
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

    /// A measurement loop begins.
    pub fn loop_began(&mut self, technique: u16, now_s: f64) {
        match self {
            Self::Sweep { job, grid, hold, .. } if IMPEDANCE.contains(&technique) => {
                *hold = Hold::No;
                grid.loop_began(job);
            }
            Self::Sweep { hold, .. } => *hold = Hold::Waits(now_s),
            Self::Direct(direct) => direct.loop_began(technique, now_s),
            Self::OpenCircuit { .. } => {}
        }
    }

    /// When the instrument must hear that somebody is there.
    pub fn go_on_at_s(&self) -> Option<f64> {
        match self {
            Self::Sweep {
                hold: Hold::Waits(since_s),
                ..
            } => Some(*since_s),
            Self::Direct(direct) => direct.go_on_at_s(),
            _ => None,
        }
    }

    /// It has been told.
    pub fn told_to_go_on(&mut self, now_s: f64) {
        match self {
            Self::Sweep { hold, .. } => *hold = Hold::Told(now_s),
            Self::Direct(direct) => direct.told_to_go_on(),
            Self::OpenCircuit { .. } => {}
        }
    }

    /// Whether another measurement loop must begin before the script can have come to its end.
    pub fn expects_a_loop(&self) -> bool {
        match self {
            Self::Sweep { job, grid, .. } => !grid.has_begun_all(job),
            Self::Direct(direct) => direct.expects_a_loop(),
            Self::OpenCircuit { .. } => false,
        }
    }

    /// Whether the sweep is to end because a point of it was overloaded.
    pub fn is_overloaded(&self) -> bool {
        matches!(self, Self::Sweep { job, overloaded_at: Some(_), .. } if job.stop_at_overload)
    }

    /// Points or readings that have arrived.
    pub fn arrived(&self) -> u32 {
        match self {
            Self::Sweep { points, .. } => *points,
            Self::Direct(direct) => direct.samples(),
            Self::OpenCircuit { arrived, .. } => *arrived,
        }
    }

    /// Whether the last point has passed.
    pub fn is_at_its_end(&self) -> bool {
        matches!(self, Self::Sweep { job, grid, .. } if grid.next() >= job.n_points)
    }

    /// What has come of it when the script has ended by itself.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Sweep {
                job,
                points,
                overloaded_at: Some((at, lost)),
                ..
            } if job.stop_at_overload => Outcome::Overloaded {
                points: *points,
                at: *at,
                lost: *lost,
            },
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

impl Hold {
    /// A sample of a hold came. It goes on for a while after the instrument was told, and no longer: what it was
    /// told may have been lost, or the beginning of the hold.
    fn sampled(&mut self, now_s: f64, patience_s: f64) {
        match self {
            Self::Waits(_) => {}
            Self::Told(at_s) if now_s < *at_s + patience_s => {}
            Self::No | Self::Told(_) => *self = Self::Waits(now_s),
        }
    }
}
