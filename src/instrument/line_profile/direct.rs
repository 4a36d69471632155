//! A technique of direct current through a line profile: piece after piece, with its bounds watched from here,
//! since the instrument knows none of them.

use super::pieces::{Piece, piece_from};
use super::reading::Reading;
use crate::instrument::{DirectEnd, DirectJob, InstrumentError, Outcome};
use crate::profile::line::{LineProfile, Quantity as Column};
use crate::profile::{Bound, CurrentRange, Quantity};
use crate::spectrum::{PointStatus, Sample};

/// A reading of the current beyond this share of its range is clipped.
const CLIPPED_SHARE: f64 = 0.999;

/// So many readings one after the other may be clipped while limits are watched: the surge after a step often is.
const CLIPPED_ALLOWED: u32 = 3;

/// So long in s an instrument may go on beyond the end of a piece, beside two samples.
const LATE_S: f64 = 2.0;

/// A technique of direct current and what has arrived of it.
#[derive(Clone, Debug)]
pub(super) struct LineDirect {
    job: DirectJob,
    ranges: Vec<CurrentRange>,
    pub piece: Piece,
    /// When the running piece began by the time of the technique in s.
    from_s: f64,
    /// Rows of all pieces before the running one.
    rows_before: u32,
    samples: u32,
    elapsed_s: f64,
    charge_c: f64,
    last: Option<(f64, f64)>,
    /// Readings one after the other that were beyond their range.
    clipped: u32,
    bound: Option<Bound>,
}

/// What a row of direct current means.
pub(super) enum Taken {
    /// It goes on.
    On,
    /// A bound was passed.
    Bound,
    /// The current is beyond its range.
    Clipped,
}

impl LineDirect {
    /// A technique before its first piece.
    ///
    /// # Errors
    /// In words, where the profile cannot say it.
    pub fn new(profile: &LineProfile, job: DirectJob, ranges: &[CurrentRange]) -> Result<Self, String> {
        let piece = piece_from(profile, &job, ranges, 0.0)?.ok_or("it has no length")?;
        may_be_watched(&job, piece.range_a)?;
        Ok(Self {
            ranges: ranges.to_vec(),
            job,
            piece,
            from_s: 0.0,
            rows_before: 0,
            samples: 0,
            elapsed_s: 0.0,
            charge_c: 0.0,
            last: None,
            clipped: 0,
            bound: None,
        })
    }

    pub fn interval_s(&self) -> f64 {
        self.job.interval_s
    }

    /// Rows by the end of the running piece, where rows are counted.
    pub fn rows_expected(&self) -> u32 {
        self.rows_before.saturating_add(self.piece.rows)
    }

    pub fn remaining_s(&self) -> f64 {
        (self.job.technique.duration_s() - self.elapsed_s).max(0.0)
    }

    /// Takes a row that came some time in s after the piece had begun: the sample, and what it means.
    ///
    /// # Errors
    /// Where the measurement must end at once.
    pub fn take(&mut self, reading: &Reading, since_s: f64) -> (Sample, Result<Taken, InstrumentError>) {
        let in_piece_s = reading
            .get(Column::Time)
            .filter(|t| t.is_finite())
            .unwrap_or(since_s);
        let time_s = (self.from_s + in_piece_s).max(self.elapsed_s);
        let mut sample = reading.sample(self.job.technique.word());
        self.samples += 1;
        // The charge counts what was read even where a verdict calls the row unusable for analysis.
        let current = reading
            .get(Column::Current)
            .filter(|current_a| current_a.is_finite());
        if let Some(current_a) = current {
            // From the first sample backwards the current is taken as constant.
            let (before_s, before_a) = self.last.unwrap_or((0.0, current_a));
            self.charge_c += (time_s - before_s) * f64::midpoint(before_a, current_a);
            self.last = Some((time_s, current_a));
        }
        self.elapsed_s = time_s;
        sample.device_t_s = Some(self.job.before_s + time_s);
        sample.charge_c = current.map(|_| self.job.before_c + self.charge_c);
        let taken = self.judge(reading, current, in_piece_s);
        (sample, taken)
    }

    fn judge(
        &mut self,
        reading: &Reading,
        current: Option<f64>,
        in_piece_s: f64,
    ) -> Result<Taken, InstrumentError> {
        if let Some(bound) = self.passed(reading.get(Column::Potential), current) {
            self.bound = Some(bound);
            return Ok(Taken::Bound);
        }
        if in_piece_s > self.piece.duration_s + 2.0 * self.job.interval_s + LATE_S {
            let reason = format!(
                "the instrument goes on after the {} s for which it was asked, so it does not end by itself as its \
                 profile says",
                self.piece.duration_s
            );
            return Err(self.failed(reason));
        }
        let is_clipped = current
            .is_some_and(|current_a| current_a.abs() >= CLIPPED_SHARE * self.piece.range_a)
            || reading.status == PointStatus::Overload;
        self.clipped = if is_clipped { self.clipped + 1 } else { 0 };
        let watched = self.job.bounds.iter().any(|bound| bound.safety);
        match self.clipped {
            0 => Ok(Taken::On),
            count if count <= CLIPPED_ALLOWED || !watched => Ok(Taken::Clipped),
            _ => Err(self.failed(
                "the current is beyond its range, where limits of current and charge cannot be watched: give the step \
                 a larger current_range_a"
                    .to_owned(),
            )),
        }
    }

    fn failed(&self, reason: String) -> InstrumentError {
        let place = format!("[{}]", self.piece.table.key());
        InstrumentError::ScriptFailed { reason, place }
    }

    fn passed(&self, potential: Option<f64>, current: Option<f64>) -> Option<Bound> {
        let reading = |quantity| match quantity {
            Quantity::Potential => potential,
            Quantity::Current => current,
            Quantity::CurrentModulus => current.map(f64::abs),
            Quantity::Charge => Some(self.charge_c),
        };
        let mut bounds = self.job.bounds.iter();
        bounds
            .find(|bound| reading(bound.quantity).is_some_and(|value| bound.is_passed(value)))
            .copied()
    }

    /// The rows of the running piece have ended: whether another piece follows.
    ///
    /// # Errors
    /// Where they have ended too early, or the next piece cannot be said.
    pub fn piece_ended(&mut self, profile: &LineProfile) -> Result<bool, InstrumentError> {
        let lasted_s = self.elapsed_s - self.from_s;
        if self.piece.duration_s - lasted_s > 1.5 * self.job.interval_s {
            let asked_s = self.piece.duration_s;
            return Err(self.failed(format!(
                "the rows ended after {lasted_s:.3} s, and {asked_s:.3} s were asked for: the instrument may have \
                 restarted, or something else has ended it"
            )));
        }
        let from_s = self.from_s + self.piece.duration_s;
        let next =
            piece_from(profile, &self.job, &self.ranges, from_s).map_err(InstrumentError::ImpossibleJob)?;
        let Some(next) = next else {
            return Ok(false);
        };
        self.rows_before = self.rows_before.saturating_add(self.piece.rows);
        self.from_s = from_s;
        self.piece = next;
        Ok(true)
    }

    /// What has come of it.
    pub fn outcome(&self) -> Outcome {
        Outcome::DirectComplete(DirectEnd {
            samples: self.samples,
            elapsed_s: self.elapsed_s,
            charge_c: self.charge_c,
            bound: self.bound,
        })
    }
}

/// Whether the limits of the current lie within what its range can read.
///
/// # Errors
/// In words, where one lies beyond.
pub fn may_be_watched(job: &DirectJob, range_a: f64) -> Result<(), String> {
    let beyond = job.bounds.iter().find(|bound| {
        bound.safety
            && matches!(bound.quantity, Quantity::Current | Quantity::CurrentModulus)
            && bound.value.abs() > range_a
    });
    match beyond {
        Some(bound) => Err(format!(
            "the limit ({bound}) is beyond the range of {range_a} A that the current is read in, so that nobody would \
             see it passed: give the step a larger current_range_a, or the plan a smaller current_max_a"
        )),
        None => Ok(()),
    }
}
