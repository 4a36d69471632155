//! The few events that a [`Head`] is made of, so that it can be had again without folding all events before it.

use crate::event::{Direction, Event, EventBody, Stamp};

use super::head::Head;

/// Lines of traffic that a head needs beside its events: the last so many.
pub const HEAD_WIRE_LINES: usize = super::head::WIRE_LINES;

/// The numbers of the events that the head after an event is made of, and the sums over all traffic before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadSource {
    session: Option<u64>,
    link: Option<u64>,
    identity: Option<u64>,
    plan_step: Option<u64>,
    pause: Option<u64>,
    stop: Option<u64>,
    /// With the number of its sweep.
    live_fit: Option<(u64, u32)>,
    live_validity: Option<(u64, u32)>,
    /// With their names.
    alarms: Vec<(u64, String)>,
    ended: Option<u64>,
    /// Bytes sent so far.
    pub tx_bytes: u64,
    /// Bytes received so far.
    pub rx_bytes: u64,
}

impl HeadSource {
    /// Takes in the next event: what [`Head`] does with it, for the numbers alone.
    pub fn apply(&mut self, event: &Event) {
        let seq = Some(event.seq);
        match &event.body {
            EventBody::Wire(body) => match body.direction {
                Direction::Tx => self.tx_bytes += body.bytes.len() as u64,
                Direction::Rx => self.rx_bytes += body.bytes.len() as u64,
            },
            EventBody::Session(_) => self.session = seq,
            EventBody::Link(_) => self.link = seq,
            EventBody::Identity(_) => self.identity = seq,
            EventBody::PlanStep(_) => self.plan_step = seq,
            EventBody::Command(body) => match body.command.as_str() {
                "pause" => self.pause = seq,
                "resume" => self.pause = None,
                "stop" => self.stop = seq,
                _ => {}
            },
            EventBody::Resumed(_) => self.stop = None,
            EventBody::SweepStarted(_) => {
                self.live_fit = None;
                self.live_validity = None;
            }
            EventBody::Fit(body) if !body.is_final => self.live_fit = Some((event.seq, body.sweep)),
            EventBody::Fit(body) => {
                self.live_fit.take_if(|(_, sweep)| *sweep == body.sweep);
            }
            EventBody::Validity(body) if !body.is_final() => {
                self.live_validity = Some((event.seq, body.sweep));
            }
            EventBody::Validity(body) => {
                self.live_validity.take_if(|(_, sweep)| *sweep == body.sweep);
            }
            EventBody::Alarm(body) => {
                self.alarms.retain(|(_, name)| *name != body.name);
                self.alarms.push((event.seq, body.name.clone()));
            }
            EventBody::AlarmAcknowledged(body) => self.alarms.retain(|(_, name)| *name != body.name),
            EventBody::SessionEnded(_) => {
                self.ended = seq;
                self.plan_step = None;
            }
            _ => {}
        }
    }

    /// The numbers of the events, in their order.
    #[must_use]
    pub fn events(&self) -> Vec<u64> {
        let one = [
            self.session,
            self.link,
            self.identity,
            self.plan_step,
            self.pause,
            self.stop,
            self.live_fit.map(|(seq, _)| seq),
            self.live_validity.map(|(seq, _)| seq),
            self.ended,
        ];
        let alarms = self.alarms.iter().map(|(seq, _)| *seq);
        let mut events: Vec<u64> = one.into_iter().flatten().chain(alarms).collect();
        events.sort_unstable();
        events
    }

    /// The source again from its events and sums.
    #[must_use]
    pub fn again(events: &[Event], tx_bytes: u64, rx_bytes: u64) -> Self {
        let mut source = Self::default();
        events.iter().for_each(|event| source.apply(event));
        Self {
            tx_bytes,
            rx_bytes,
            ..source
        }
    }

    /// The head after the event of number `seq`, from the events of the source, the last [`HEAD_WIRE_LINES`] lines
    /// of traffic up to there, and the sums; all events in their order.
    #[must_use]
    pub fn head(
        events: &[Event],
        wire: &[Event],
        (seq, stamp): (u64, Stamp),
        (tx_bytes, rx_bytes): (u64, u64),
    ) -> Head {
        let mut head = Head::default();
        for event in events.iter().chain(wire) {
            head.apply(event);
        }
        Head {
            last_seq: seq,
            last_stamp: stamp,
            tx_bytes,
            rx_bytes,
            ..head
        }
    }
}
