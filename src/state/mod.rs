//! The fold over events: what is known after each of them. No clock, no I/O.
//!
//! [`State`] is made of columns that only grow (sweeps with their points, readings, the log), whose
//! entries carry the seq of their event, and of a small [`Head`]. To go back in time is to restore an
//! earlier head and to cut the columns at its seq.

mod columns;
mod digest;
mod head;
mod history;

pub use columns::{LogEntry, LogWhat, SampleRecord, SweepRecord};
pub use digest::STATE_VERSION;
pub use head::{Head, WireLine};
pub use history::{History, HistoryPoint};

use crate::event::{Event, EventBody};

/// Everything that is known after a number of events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    head: Head,
    sweeps: Vec<SweepRecord>,
    samples: Vec<SampleRecord>,
    log: Vec<LogEntry>,
}

impl State {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What changes with every event.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// All sweeps, in their order; the last may be running.
    #[must_use]
    pub fn sweeps(&self) -> &[SweepRecord] {
        &self.sweeps
    }

    /// The sweep of that number.
    #[must_use]
    pub fn sweep(&self, number: u32) -> Option<&SweepRecord> {
        self.sweeps
            .iter()
            .rev()
            .find(|sweep| sweep.started.sweep == number)
    }

    /// The sweep that is running.
    #[must_use]
    pub fn running_sweep(&self) -> Option<&SweepRecord> {
        self.sweeps.last().filter(|sweep| sweep.ended.is_none())
    }

    /// All readings of potential and current.
    #[must_use]
    pub fn samples(&self) -> &[SampleRecord] {
        &self.samples
    }

    /// What a person wants to read, in order.
    #[must_use]
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// The newest fit of a sweep: the final one, or while it runs the one of the points so far.
    #[must_use]
    pub fn fit_of(&self, number: u32) -> Option<&crate::event::Fit> {
        let live = self.head.live_fit.as_ref().filter(|fit| fit.sweep == number);
        self.sweep(number)
            .and_then(|sweep| sweep.fit.as_ref())
            .map(|(_, fit)| fit)
            .or(live)
    }

    /// The newest judgement of a sweep: the final one, or while it runs the one of the points so far.
    #[must_use]
    pub fn validity_of(&self, number: u32) -> Option<&crate::event::Validity> {
        let live = self.head.live_validity.as_ref();
        self.sweep(number)
            .and_then(|sweep| sweep.validity.as_ref())
            .map(|(_, validity)| validity)
            .or(live.filter(|validity| validity.sweep == number))
    }

    /// Takes in one event. Events must come in the order of their seq; one that was seen already is
    /// passed over.
    pub fn apply(&mut self, event: &Event) {
        if event.seq <= self.head.last_seq {
            return;
        }
        self.head.apply(event);
        match &event.body {
            EventBody::SweepStarted(body) => {
                self.sweeps
                    .push(SweepRecord::new(event.seq, event.stamp, body.clone()));
            }
            EventBody::Point(body) => {
                if let Some(sweep) = self.sweep_mut(body.sweep) {
                    sweep.push_point(event.seq, event.stamp, body.point.clone());
                }
            }
            EventBody::SweepEnded(body) => {
                if let Some(sweep) = self.sweep_mut(body.sweep) {
                    sweep.ended = Some((event.seq, event.stamp, body.clone()));
                }
            }
            EventBody::Fit(body) if body.is_final => {
                if let Some(sweep) = self.sweep_mut(body.sweep) {
                    sweep.fit = Some((event.seq, body.clone()));
                }
            }
            EventBody::Validity(body) if body.is_final() => {
                if let Some(sweep) = self.sweep_mut(body.sweep) {
                    sweep.validity = Some((event.seq, body.clone()));
                }
            }
            EventBody::Sample(body) => self.samples.push(SampleRecord {
                seq: event.seq,
                stamp: event.stamp,
                sample: body.sample.clone(),
            }),
            _ => {}
        }
        if let Some(what) = LogWhat::of(&event.body) {
            self.log.push(LogEntry {
                seq: event.seq,
                stamp: event.stamp,
                what,
            });
        }
    }

    /// What it takes to come back to this moment later with [`State::rewind`].
    #[must_use]
    pub fn checkpoint(&self) -> Head {
        self.head.clone()
    }

    /// Goes back to an earlier moment of the same session.
    pub fn rewind(&mut self, head: Head) {
        let last = head.last_seq;
        cut(&mut self.sweeps, last, |sweep| sweep.seq);
        cut(&mut self.samples, last, |sample| sample.seq);
        cut(&mut self.log, last, |entry| entry.seq);
        for sweep in self.sweeps.iter_mut().rev() {
            // A sweep with all its marks before the cut is whole, and so are those before it, but
            // for judgements that came late.
            sweep.cut(last);
        }
        self.head = head;
    }

    /// Final fits over the sweeps, for one parameter or sum.
    #[must_use]
    pub fn history(&self, name: &str) -> History {
        History::of(&self.sweeps, name)
    }

    fn sweep_mut(&mut self, number: u32) -> Option<&mut SweepRecord> {
        self.sweeps
            .iter_mut()
            .rev()
            .find(|sweep| sweep.started.sweep == number)
    }
}

/// Cuts a column after the last entry with a seq up to `last`.
fn cut<T>(column: &mut Vec<T>, last: u64, seq: impl Fn(&T) -> u64) {
    let keep = column.partition_point(|entry| seq(entry) <= last);
    column.truncate(keep);
}

#[cfg(test)]
mod tests;
