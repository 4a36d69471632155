//! A measurement that runs: what was asked for, and what has arrived.

use super::direct::LineDirect;
use crate::analysis::point_time::PointTime;
use crate::instrument::{InstrumentError, OpenCircuit, Outcome, SweepJob};
use crate::profile::line::{LineProfile, Measuring, Values};

/// What is measured.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Impedance.
    Sweep(SweepJob),
    /// The potential of the resting cell, for so many readings.
    Rest { readings: u32, interval_s: f64 },
    /// Direct current.
    Direct(Box<LineDirect>),
}

/// A measurement that runs.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    pub what: What,
    pub stage: Stage,
    pub values: Values,
    /// Points or readings that have arrived.
    pub arrived: u32,
    /// Rows that are still to be thrown away.
    pub skip: u32,
    /// When the running point began in s.
    pub began_s: f64,
    /// When the measurement began in s.
    pub all_began_s: f64,
    /// How often the running point was tried.
    pub tries: u32,
    /// The frequency that was set for the running point in Hz.
    pub frequency_hz: f64,
    /// The frequency of the last row in Hz.
    pub last_hz: Option<f64>,
    pub end_after_point: bool,
    /// Whether it was said that the current is clipped.
    pub told_of_clipping: bool,
    /// Seconds since the beginning, and V.
    pub readings: Vec<(f64, f64)>,
}

/// How far a measurement has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// What comes before is being sent.
    Before,
    /// One point is being set, read and finished.
    Point,
    /// Pause between two points.
    Pause,
    /// Rows of an earlier sweep pass by.
    Foreign,
    /// Rows come by themselves.
    Rows,
}

impl Measure {
    pub fn new(what: What, values: Values, now_s: f64) -> Self {
        Self {
            what,
            stage: Stage::Before,
            values,
            arrived: 0,
            skip: 0,
            began_s: now_s,
            all_began_s: now_s,
            tries: 0,
            frequency_hz: f64::NAN,
            last_hz: None,
            end_after_point: false,
            told_of_clipping: false,
            readings: Vec::new(),
        }
    }

    pub fn spec<'a>(&self, profile: &'a LineProfile) -> Option<&'a Measuring> {
        match &self.what {
            What::Sweep(_) => profile.sweep.as_ref(),
            What::Rest { .. } => profile.open_circuit.as_ref(),
            What::Direct(direct) => profile.direct(direct.piece.table),
        }
    }

    /// How many points or readings there will be.
    pub fn expected(&self) -> u32 {
        match &self.what {
            What::Sweep(job) => job.n_points,
            What::Rest { readings, .. } => *readings,
            What::Direct(direct) => direct.rows_expected(),
        }
    }

    /// The frequency that a point ought to have in Hz; none where it has none.
    pub fn asked_hz(&self, profile: &LineProfile, index: u32) -> Option<f64> {
        let What::Sweep(job) = &self.what else {
            return None;
        };
        let own = profile.sweep.as_ref().and_then(|sweep| sweep.frequencies);
        Some(own.map_or_else(|| job.frequency_hz(index), |own| own.frequency_hz(index)))
    }

    /// How long the running row may take in s.
    pub fn row_limit_s(&self, profile: &LineProfile) -> f64 {
        let time = &profile.time;
        let periods = |f: f64| time.row_base_s + time.row_periods / f;
        let row_s = match &self.what {
            What::Direct(direct) => time.row_base_s + direct.interval_s(),
            _ => self
                .asked_hz(profile, self.arrived)
                .map_or(time.row_base_s, periods),
        };
        let is_first = self.arrived == 0;
        let foreign_s = match (self.stage, self.asked_hz(profile, 0)) {
            // A sweep that is under way may have to end first.
            (Stage::Foreign, Some(_)) => (0..self.expected())
                .filter_map(|index| self.asked_hz(profile, index))
                .map(periods)
                .sum(),
            _ => 0.0,
        };
        row_s + foreign_s + if is_first { time.first_row_s } else { 0.0 }
    }

    /// How long the rest of a sweep takes in s.
    pub fn remaining_s(&self, profile: &LineProfile, time: &PointTime) -> Option<f64> {
        if let What::Direct(direct) = &self.what {
            return Some(direct.remaining_s());
        }
        self.asked_hz(profile, 0)?;
        let rest = self.arrived..self.expected();
        Some(
            rest.filter_map(|index| self.asked_hz(profile, index))
                .map(|f| time.expected_s(f))
                .sum(),
        )
    }

    /// What has come of it when nothing more will come.
    pub fn outcome(&self) -> Outcome {
        let (points, expected) = (self.arrived, self.expected());
        match &self.what {
            What::Direct(direct) => direct.outcome(),
            What::Sweep(_) if points >= expected => Outcome::SweepComplete { points },
            What::Sweep(_) => Outcome::Failed(InstrumentError::EndedEarly { points, expected }),
            What::Rest { .. } => match OpenCircuit::of(&self.readings) {
                Some(result) => Outcome::OpenCircuit(result),
                None => Outcome::Failed(InstrumentError::NoPotential),
            },
        }
    }
}
