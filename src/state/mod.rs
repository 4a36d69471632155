//! The fold over events: what is known after each of them. No clock, no I/O.
//!
//! [`State`] is made of columns that only grow (sweeps with their points, readings, the log), whose
//! entries carry the seq of their event, and of a small [`Head`]. To go back in time is to restore an
//! earlier head and to show the columns up to its seq. Points and readings may stay in the recording
//! ([`State::without_samples`], [`State::outline`]), and a head can be had again from the few events that
//! it is made of ([`HeadSource`]).

mod columns;
mod digest;
mod head;
mod history;
mod rows;
mod source;

pub use columns::{LogEntry, LogWhat, SampleRecord, SweepRecord};
pub use digest::STATE_VERSION;
pub use head::{Head, WireLine};
pub use history::{History, HistoryPoint};
pub use rows::{PointRow, Rows};
pub use source::{HEAD_WIRE_LINES, HeadSource};

use crate::event::{Event, EventBody};

/// What of a session's points and readings is held in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Held {
    #[default]
    All,
    Points,
    Outline,
}

/// Everything that is known after a number of events.
#[derive(Clone, Debug, Default)]
pub struct State {
    head: Head,
    sweeps: Vec<SweepRecord>,
    samples: Vec<SampleRecord>,
    log: Vec<LogEntry>,
    held: Held,
    /// The columns know everything up to this seq; they are shown up to that of the head.
    known: u64,
    shown: Shown,
}

/// How much of the columns is shown.
#[derive(Clone, Debug, Default)]
struct Shown {
    sweeps: usize,
    samples: usize,
    log: usize,
    /// Sweeps that are shown in part, whole, with their places.
    whole: Vec<(usize, SweepRecord)>,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        (self.head(), self.sweeps(), self.samples(), self.log())
            == (other.head(), other.sweeps(), other.samples(), other.log())
    }
}

impl State {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a state that does not hold readings: a long session has millions, and its recording has them.
    #[must_use]
    pub fn without_samples() -> Self {
        Self {
            held: Held::Points,
            ..Self::default()
        }
    }

    /// The same for a state that holds neither readings nor points; [`State::set_points`] gives a sweep its points.
    #[must_use]
    pub fn outline() -> Self {
        Self {
            held: Held::Outline,
            ..Self::default()
        }
    }

    /// An outline after the events that made `head`, of which the columns know nothing: what is folded from here on
    /// stands in them.
    #[must_use]
    pub fn outline_from(head: Head) -> Self {
        Self {
            known: head.last_seq,
            head,
            ..Self::outline()
        }
    }

    /// What changes with every event.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// All sweeps, in their order; the last may be running.
    #[must_use]
    pub fn sweeps(&self) -> &[SweepRecord] {
        self.sweeps.get(..self.shown.sweeps).unwrap_or_default()
    }

    /// The sweep of that number.
    #[must_use]
    pub fn sweep(&self, number: u32) -> Option<&SweepRecord> {
        self.sweeps()
            .iter()
            .rev()
            .find(|sweep| sweep.started.sweep == number)
    }

    /// The sweep that is running.
    #[must_use]
    pub fn running_sweep(&self) -> Option<&SweepRecord> {
        self.sweeps().last().filter(|sweep| sweep.ended.is_none())
    }

    /// The readings of potential and current that are held.
    #[must_use]
    pub fn samples(&self) -> &[SampleRecord] {
        self.samples.get(..self.shown.samples).unwrap_or_default()
    }

    /// What a person wants to read, in order.
    #[must_use]
    pub fn log(&self) -> &[LogEntry] {
        self.log.get(..self.shown.log).unwrap_or_default()
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
        self.apply_all(std::slice::from_ref(event));
    }

    /// Takes in events, as [`State::apply`] does.
    pub fn apply_all(&mut self, events: &[Event]) {
        let mut known_already = false;
        for event in events {
            if event.seq <= self.head.last_seq {
                continue;
            }
            self.head.apply(event);
            if event.seq <= self.known {
                known_already = true;
                continue;
            }
            if std::mem::take(&mut known_already) || self.shown.sweeps < self.sweeps.len() {
                self.show_until(u64::MAX);
            }
            self.known = event.seq;
            self.fold(event);
        }
        if known_already {
            self.show_until(self.head.last_seq);
        }
    }

    /// Takes an event into the columns, all of which are shown.
    fn fold(&mut self, event: &Event) {
        match &event.body {
            EventBody::SweepStarted(body) => {
                self.sweeps
                    .push(SweepRecord::new(event.seq, event.stamp, body.clone()));
                self.shown.sweeps = self.sweeps.len();
            }
            EventBody::Point(body) if self.held != Held::Outline => {
                if let Some(sweep) = self.sweep_mut(body.sweep) {
                    sweep.push_point(event.seq, event.stamp, body.point.clone());
                }
            }
            EventBody::SweepEnded(body) => {
                if let Some(sweep) = self.sweep_mut(body.sweep) {
                    sweep.set_ended(event.seq, event.stamp, body.clone());
                }
            }
            EventBody::Fit(body) if body.is_final => {
                if let Some(sweep) = self.sweep_mut(body.sweep) {
                    sweep.set_fit(event.seq, body.clone());
                }
            }
            EventBody::Validity(body) if body.is_final() => {
                if let Some(sweep) = self.sweep_mut(body.sweep) {
                    sweep.set_validity(event.seq, body.clone());
                }
            }
            EventBody::Sample(body) if self.held == Held::All => {
                self.samples.push(SampleRecord {
                    seq: event.seq,
                    stamp: event.stamp,
                    sample: body.sample.clone(),
                });
                self.shown.samples = self.samples.len();
            }
            _ => {}
        }
        if let Some(what) = LogWhat::of(&event.body) {
            self.log.push(LogEntry {
                seq: event.seq,
                stamp: event.stamp,
                what,
            });
            self.shown.log = self.log.len();
        }
    }

    /// What it takes to come back to this moment later with [`State::rewind`].
    #[must_use]
    pub fn checkpoint(&self) -> Head {
        self.head.clone()
    }

    /// Goes to another moment of the same session that the columns know of: an earlier one, or a later one after
    /// having gone back. What comes after it is kept out of sight.
    pub fn rewind(&mut self, head: Head) {
        self.show_until(head.last_seq);
        self.head = head;
    }

    /// The columns know everything up to this seq.
    #[must_use]
    pub fn known(&self) -> u64 {
        self.known
    }

    /// Takes note that up to that seq nothing more happened that stands in the columns.
    pub fn know_until(&mut self, seq: u64) {
        self.known = self.known.max(seq);
    }

    /// Takes over what another state of the same session knows, and stays at its own moment.
    pub fn learn(&mut self, other: Self) {
        if other.known >= self.head.last_seq {
            let head = std::mem::take(&mut self.head);
            *self = other;
            self.rewind(head);
        }
    }

    /// Gives a sweep of an [`State::outline`] its points up to this moment, in order; those of all others go.
    pub fn set_points(&mut self, sweeps: Vec<(u64, Vec<PointRow>)>) {
        for sweep in &mut self.sweeps {
            sweep.spectrum.points = Vec::new();
            sweep.arrivals = Vec::new();
        }
        for (seq, points) in sweeps {
            if let Ok(place) = self.sweeps.binary_search_by_key(&seq, |sweep| sweep.seq) {
                for (seq, stamp, point) in points {
                    self.sweeps[place].push_point(seq, stamp, point);
                }
            }
        }
    }

    fn show_until(&mut self, last: u64) {
        for (place, whole) in self.shown.whole.drain(..) {
            self.sweeps[place] = whole;
        }
        self.shown.sweeps = self.sweeps.partition_point(|sweep| sweep.seq <= last);
        self.shown.samples = self.samples.partition_point(|sample| sample.seq <= last);
        self.shown.log = self.log.partition_point(|entry| entry.seq <= last);
        // Judgements may come late: no sweep before is whole for certain.
        for place in 0..self.shown.sweeps {
            if self.sweeps[place].reaches_beyond(last) {
                self.shown.whole.push((place, self.sweeps[place].clone()));
                self.sweeps[place].cut(last);
            }
        }
    }

    /// Final fits over the sweeps, for one parameter or sum.
    #[must_use]
    pub fn history(&self, name: &str) -> History {
        History::of(self.sweeps(), name)
    }

    fn sweep_mut(&mut self, number: u32) -> Option<&mut SweepRecord> {
        self.sweeps
            .iter_mut()
            .rev()
            .find(|sweep| sweep.started.sweep == number)
    }
}

#[cfg(test)]
mod tests;
