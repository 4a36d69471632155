//! A fingerprint of the state, the same wherever the same events were folded.

use std::collections::HashMap;
use std::convert::Infallible;

use crate::event::{CanonicalHasher, EventBody, SampleTaken, Stamp};
use crate::spectrum::Point;

use super::columns::{LogWhat, SampleRecord, SweepRecord};
use super::head::Head;
use super::rows::{PointRow, Rows};
use super::{Held, State};

/// Version of what the digest covers; digests of different versions are not comparable.
pub const STATE_VERSION: u32 = 1;

/// Where nothing is to be had, because the state holds all of it.
struct Nowhere;

impl Rows for Nowhere {
    type Error = Infallible;

    fn count_samples(&mut self, _until: u64) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn samples(&mut self, _after: u64, _until: u64) -> Result<Vec<SampleRecord>, Infallible> {
        Ok(Vec::new())
    }

    fn points(&mut self, _sweep: u32, _after: u64, _until: u64) -> Result<Vec<PointRow>, Infallible> {
        Ok(Vec::new())
    }
}

impl State {
    /// BLAKE3 over the canonical encoding of a state that holds everything ([`State::new`]), in lower-case
    /// hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        debug_assert_eq!(self.held, Held::All, "what is not held must be asked for");
        let Ok(digest) = self.digest_with(&mut Nowhere);
        digest
    }

    /// The same for a state that does not hold everything: the rest is asked of where it is.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub fn digest_with<R: Rows>(&self, rows: &mut R) -> Result<String, R::Error> {
        let mut hasher = CanonicalHasher::new();
        hasher.u64(u64::from(STATE_VERSION));
        add_head(&mut hasher, self.head());
        hasher.u64(self.sweeps().len() as u64);
        for (sweep, until) in self.sweeps().iter().zip(self.ends_of_sweeps()) {
            if self.held == Held::Outline {
                let points = rows.points(sweep.started.sweep, sweep.seq, until)?;
                let points = points.iter().map(|(seq, stamp, point)| (*seq, *stamp, point));
                add_sweep(&mut hasher, sweep, points);
            } else {
                let points = sweep.arrivals.iter().zip(sweep.points());
                add_sweep(
                    &mut hasher,
                    sweep,
                    points.map(|((seq, stamp), point)| (*seq, *stamp, point)),
                );
            }
        }
        self.add_samples(&mut hasher, rows)?;
        hasher.sequence(self.log().iter(), |hasher, entry| {
            hasher.u64(entry.seq).stamp(entry.stamp);
            add_log(hasher, &entry.what);
        });
        Ok(hasher.finish().to_hex().to_string())
    }

    /// For each sweep, the last seq at which a point could be one of its points: before the next of its number.
    fn ends_of_sweeps(&self) -> Vec<u64> {
        let mut next = HashMap::new();
        let mut ends: Vec<u64> = self
            .sweeps()
            .iter()
            .rev()
            .map(|sweep| match next.insert(sweep.started.sweep, sweep.seq) {
                Some(next) => next - 1,
                None => self.head().last_seq,
            })
            .collect();
        ends.reverse();
        ends
    }

    fn add_samples<R: Rows>(&self, hasher: &mut CanonicalHasher, rows: &mut R) -> Result<(), R::Error> {
        if self.held == Held::All {
            hasher.u64(self.samples().len() as u64);
            self.samples()
                .iter()
                .for_each(|record| add_sample(hasher, record));
            return Ok(());
        }
        let until = self.head().last_seq;
        hasher.u64(rows.count_samples(until)?);
        let mut after = 0;
        loop {
            let records = rows.samples(after, until)?;
            let Some(last) = records.last() else {
                return Ok(());
            };
            after = last.seq;
            records.iter().for_each(|record| add_sample(hasher, record));
        }
    }
}

fn add_sample(hasher: &mut CanonicalHasher, record: &SampleRecord) {
    let sample = record.sample.clone();
    hasher
        .u64(record.seq)
        .stamp(record.stamp)
        .body(&EventBody::Sample(SampleTaken { sample }));
}

fn add_head(hasher: &mut CanonicalHasher, head: &Head) {
    hasher.u64(head.last_seq).stamp(head.last_stamp);
    hasher.option(head.session.as_ref(), |hasher, (stamp, body)| {
        hasher.stamp(*stamp).body(&EventBody::Session(body.clone()));
    });
    hasher.option(head.link.as_ref(), |hasher, (stamp, body)| {
        hasher.stamp(*stamp).body(&EventBody::Link(body.clone()));
    });
    hasher.option(head.identity.as_ref(), |hasher, body| {
        hasher.body(&EventBody::Identity(body.clone()));
    });
    hasher.option(head.plan_step.as_ref(), |hasher, (stamp, body)| {
        hasher.stamp(*stamp).body(&EventBody::PlanStep(body.clone()));
    });
    hasher.bool(head.paused).bool(head.stopping);
    hasher.option(head.live_fit.as_ref(), |hasher, body| {
        hasher.body(&EventBody::Fit(body.clone()));
    });
    // Nothing where there is none, so that digests of earlier versions keep.
    if let Some(body) = &head.live_validity {
        hasher
            .text("live_validity")
            .body(&EventBody::Validity(body.clone()));
    }
    hasher.sequence(head.alarms.iter(), |hasher, (stamp, body)| {
        hasher.stamp(*stamp).body(&EventBody::Alarm(body.clone()));
    });
    hasher.option(head.ended.as_ref(), |hasher, (stamp, body)| {
        hasher.stamp(*stamp).body(&EventBody::SessionEnded(body.clone()));
    });
    hasher.sequence(head.wire.iter(), |hasher, line| {
        hasher
            .stamp(line.stamp)
            .text(line.direction.word())
            .bytes(&line.bytes);
    });
    hasher.u64(head.tx_bytes).u64(head.rx_bytes);
}

fn add_sweep<'p>(
    hasher: &mut CanonicalHasher,
    sweep: &SweepRecord,
    points: impl ExactSizeIterator<Item = (u64, Stamp, &'p Point)>,
) {
    hasher.u64(sweep.seq).stamp(sweep.stamp);
    hasher.body(&EventBody::SweepStarted(sweep.started.clone()));
    hasher.u64(points.len() as u64);
    for (seq, stamp, point) in points {
        hasher.u64(seq).stamp(stamp).point(point);
    }
    hasher.option(sweep.ended.as_ref(), |hasher, (seq, stamp, body)| {
        hasher
            .u64(*seq)
            .stamp(*stamp)
            .body(&EventBody::SweepEnded(body.clone()));
    });
    hasher.option(sweep.fit.as_ref(), |hasher, (seq, body)| {
        hasher.u64(*seq).body(&EventBody::Fit(body.clone()));
    });
    hasher.option(sweep.validity.as_ref(), |hasher, (seq, body)| {
        hasher.u64(*seq).body(&EventBody::Validity(body.clone()));
    });
}

fn add_log(hasher: &mut CanonicalHasher, what: &LogWhat) {
    let body = match what.clone() {
        LogWhat::FinalFit(sweep) => {
            hasher.text("final_fit").u64(u64::from(sweep));
            return;
        }
        LogWhat::Session(body) => EventBody::Session(body),
        LogWhat::Link(body) => EventBody::Link(body),
        LogWhat::Identity(body) => EventBody::Identity(body),
        LogWhat::Command(body) => EventBody::Command(body),
        LogWhat::SweepStarted(body) => EventBody::SweepStarted(body),
        LogWhat::SweepEnded(body) => EventBody::SweepEnded(body),
        LogWhat::Validity(body) => EventBody::Validity(body),
        LogWhat::Alarm(body) => EventBody::Alarm(body),
        LogWhat::AlarmAcknowledged(body) => EventBody::AlarmAcknowledged(body),
        LogWhat::Gap(body) => EventBody::Gap(body),
        LogWhat::ClockJump(body) => EventBody::ClockJump(body),
        LogWhat::Resumed(body) => EventBody::Resumed(body),
        LogWhat::Amend(body) => EventBody::Amend(body),
        LogWhat::Note(body) => EventBody::Note(body),
        LogWhat::SessionEnded(body) => EventBody::SessionEnded(body),
    };
    hasher.body(&body);
}
