//! The parts of the state that only grow; each entry carries the seq of its event.

use crate::event::{
    Alarm, AlarmAcknowledged, Amend, CommandGiven, EventBody, Fit, Gap, Identity, Link, Note, SessionEnded,
    SessionStarted, Stamp, SweepEnded, SweepStarted, Validity,
};
use crate::spectrum::{Point, Sample, Spectrum};

/// One sweep with everything that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepRecord {
    /// Seq of its beginning.
    pub seq: u64,
    /// Time of its beginning.
    pub stamp: Stamp,
    /// What was asked for.
    pub started: SweepStarted,
    /// Its points, in the order of measuring.
    pub spectrum: Spectrum,
    /// Seq and time of arrival of each point.
    pub arrivals: Vec<(u64, Stamp)>,
    /// Its end.
    pub ended: Option<(u64, Stamp, SweepEnded)>,
    /// The fit of all its points.
    pub fit: Option<(u64, Fit)>,
    /// The judgement of all its points.
    pub validity: Option<(u64, Validity)>,
    /// Ends, fits and judgements that a later one has replaced: going back in time brings them back.
    replaced: Vec<Replaced>,
}

#[derive(Clone, Debug, PartialEq)]
enum Replaced {
    Ended(u64, Stamp, SweepEnded),
    Fit(u64, Box<Fit>),
    Validity(u64, Validity),
}

impl Replaced {
    fn seq(&self) -> u64 {
        match self {
            Self::Ended(seq, ..) | Self::Fit(seq, _) | Self::Validity(seq, _) => *seq,
        }
    }
}

impl SweepRecord {
    pub(super) fn new(seq: u64, stamp: Stamp, started: SweepStarted) -> Self {
        Self {
            seq,
            stamp,
            started,
            spectrum: Spectrum::default(),
            arrivals: Vec::new(),
            ended: None,
            fit: None,
            validity: None,
            replaced: Vec::new(),
        }
    }

    /// Points so far.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.spectrum.points
    }

    pub(super) fn push_point(&mut self, seq: u64, stamp: Stamp, point: Point) {
        self.spectrum.points.push(point);
        self.arrivals.push((seq, stamp));
    }

    pub(super) fn set_ended(&mut self, seq: u64, stamp: Stamp, ended: SweepEnded) {
        let before = self.ended.replace((seq, stamp, ended));
        let before = before.map(|(seq, stamp, ended)| Replaced::Ended(seq, stamp, ended));
        self.replaced.extend(before);
    }

    pub(super) fn set_fit(&mut self, seq: u64, fit: Fit) {
        let before = self.fit.replace((seq, fit));
        let before = before.map(|(seq, fit)| Replaced::Fit(seq, Box::new(fit)));
        self.replaced.extend(before);
    }

    pub(super) fn set_validity(&mut self, seq: u64, validity: Validity) {
        let before = self.validity.replace((seq, validity));
        let before = before.map(|(seq, validity)| Replaced::Validity(seq, validity));
        self.replaced.extend(before);
    }

    /// Whether something of it happened after that seq.
    pub(super) fn reaches_beyond(&self, last: u64) -> bool {
        self.arrivals.last().is_some_and(|(seq, _)| *seq > last)
            || self.ended.as_ref().is_some_and(|(seq, _, _)| *seq > last)
            || self.fit.as_ref().is_some_and(|(seq, _)| *seq > last)
            || self.validity.as_ref().is_some_and(|(seq, _)| *seq > last)
    }

    pub(super) fn cut(&mut self, last: u64) {
        let keep = self.arrivals.partition_point(|(seq, _)| *seq <= last);
        self.arrivals.truncate(keep);
        self.spectrum.points.truncate(keep);
        let no_ended = self.ended.take_if(|(seq, _, _)| *seq > last).is_some();
        let no_fit = self.fit.take_if(|(seq, _)| *seq > last).is_some();
        let no_validity = self.validity.take_if(|(seq, _)| *seq > last).is_some();
        self.replaced.retain(|before| before.seq() <= last);
        // The latest of each that is left stands again.
        for before in std::mem::take(&mut self.replaced).into_iter().rev() {
            match before {
                Replaced::Ended(seq, stamp, ended) if no_ended && self.ended.is_none() => {
                    self.ended = Some((seq, stamp, ended));
                }
                Replaced::Fit(seq, fit) if no_fit && self.fit.is_none() => self.fit = Some((seq, *fit)),
                Replaced::Validity(seq, validity) if no_validity && self.validity.is_none() => {
                    self.validity = Some((seq, validity));
                }
                older => self.replaced.insert(0, older),
            }
        }
    }
}

/// One reading of potential and current.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleRecord {
    /// Seq of its event.
    pub seq: u64,
    /// Time of its event.
    pub stamp: Stamp,
    /// The reading.
    pub sample: Sample,
}

/// One thing that a person wants to read.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// Seq of its event.
    pub seq: u64,
    /// Time of its event.
    pub stamp: Stamp,
    /// What happened.
    pub what: LogWhat,
}

/// What happened, where a person wants to read it. Fits are looked up in their sweep.
#[derive(Clone, Debug, PartialEq)]
pub enum LogWhat {
    /// The session began.
    Session(SessionStarted),
    /// The link changed.
    Link(Link),
    /// The instrument said who it is.
    Identity(Identity),
    /// The user or the plan asked for something.
    Command(CommandGiven),
    /// A sweep began.
    SweepStarted(SweepStarted),
    /// A sweep ended.
    SweepEnded(SweepEnded),
    /// The final fit of this sweep was made.
    FinalFit(u32),
    /// Something speaks against a sweep.
    Validity(Validity),
    /// An alarm was raised.
    Alarm(Alarm),
    /// An alarm was acknowledged.
    AlarmAcknowledged(AlarmAcknowledged),
    /// A stretch of time about which nothing is known.
    Gap(Gap),
    /// The wall clock jumped.
    ClockJump(Gap),
    /// The session went on after an interruption.
    Resumed(Gap),
    /// A value of the cell was given anew.
    Amend(Amend),
    /// A remark.
    Note(Note),
    /// The session ended.
    SessionEnded(SessionEnded),
}

impl LogWhat {
    /// The entry for an event; none for those that only fill curves.
    pub(super) fn of(body: &EventBody) -> Option<Self> {
        Some(match body {
            EventBody::Session(body) => Self::Session(body.clone()),
            EventBody::Link(body) => Self::Link(body.clone()),
            EventBody::Identity(body) => Self::Identity(body.clone()),
            EventBody::Command(body) => Self::Command(body.clone()),
            EventBody::SweepStarted(body) => Self::SweepStarted(body.clone()),
            EventBody::SweepEnded(body) => Self::SweepEnded(body.clone()),
            EventBody::Fit(body) if body.is_final => Self::FinalFit(body.sweep),
            EventBody::Validity(body) if body.is_final() && body.is_doubtful() => {
                Self::Validity(body.clone())
            }
            EventBody::Alarm(body) => Self::Alarm(body.clone()),
            EventBody::AlarmAcknowledged(body) => Self::AlarmAcknowledged(body.clone()),
            EventBody::Gap(body) => Self::Gap(body.clone()),
            EventBody::ClockJump(body) => Self::ClockJump(body.clone()),
            EventBody::Resumed(body) => Self::Resumed(body.clone()),
            EventBody::Amend(body) => Self::Amend(body.clone()),
            EventBody::Note(body) => Self::Note(body.clone()),
            EventBody::SessionEnded(body) => Self::SessionEnded(body.clone()),
            EventBody::Fit(_)
            | EventBody::PlanStep(_)
            | EventBody::Wire(_)
            | EventBody::Point(_)
            | EventBody::Sample(_)
            | EventBody::Validity(_) => return None,
        })
    }
}
