//! A fingerprint of the state, the same wherever the same events were folded.

use crate::event::{CanonicalHasher, EventBody};

use super::State;
use super::columns::{LogWhat, SweepRecord};
use super::head::Head;

/// Version of what the digest covers; digests of different versions are not comparable.
pub const STATE_VERSION: u32 = 1;

impl State {
    /// BLAKE3 over the canonical encoding of the state, in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = CanonicalHasher::new();
        hasher.u64(u64::from(STATE_VERSION));
        add_head(&mut hasher, self.head());
        hasher.sequence(self.sweeps().iter(), add_sweep);
        hasher.sequence(self.samples().iter(), |hasher, record| {
            let body = EventBody::Sample(crate::event::SampleTaken {
                sample: record.sample.clone(),
            });
            hasher.u64(record.seq).stamp(record.stamp).body(&body);
        });
        hasher.sequence(self.log().iter(), |hasher, entry| {
            hasher.u64(entry.seq).stamp(entry.stamp);
            add_log(hasher, &entry.what);
        });
        hasher.finish().to_hex().to_string()
    }
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

fn add_sweep(hasher: &mut CanonicalHasher, sweep: &SweepRecord) {
    hasher.u64(sweep.seq).stamp(sweep.stamp);
    hasher.body(&EventBody::SweepStarted(sweep.started.clone()));
    hasher.u64(sweep.arrivals.len() as u64);
    for ((seq, stamp), point) in sweep.arrivals.iter().zip(sweep.points()) {
        hasher.u64(*seq).stamp(*stamp).point(point);
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
