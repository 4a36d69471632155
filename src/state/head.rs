//! The part of the state that changes with every event and stays small.

use std::collections::VecDeque;

use crate::event::{
    Alarm, Direction, Event, EventBody, Fit, Identity, Link, PlanStep, SessionEnded, SessionStarted, Stamp,
    Validity,
};

/// Lines of traffic that are kept for the eye; all of it is in the recording.
pub(super) const WIRE_LINES: usize = 200;
/// Bytes of one line of traffic that are kept for the eye.
const WIRE_LINE_BYTES: usize = 200;

/// Bytes that went over the line, as much of them as fits on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireLine {
    /// When.
    pub stamp: Stamp,
    /// Which way.
    pub direction: Direction,
    /// The bytes, cut after 200.
    pub bytes: Vec<u8>,
}

/// The part of the state that changes with every event and stays small.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// Seq of the last event taken in; 0 before the first.
    pub last_seq: u64,
    /// Its time.
    pub last_stamp: Stamp,
    /// How the session began.
    pub session: Option<(Stamp, SessionStarted)>,
    /// The link as it was last reported.
    pub link: Option<(Stamp, Link)>,
    /// The instrument.
    pub identity: Option<Identity>,
    /// The step of the plan that runs.
    pub plan_step: Option<(Stamp, PlanStep)>,
    /// Whether the user holds the plan.
    pub paused: bool,
    /// Whether a stop was asked for.
    pub stopping: bool,
    /// The fit of the points so far of the running sweep.
    pub live_fit: Option<Fit>,
    /// The judgement of the points so far of the running sweep.
    pub live_validity: Option<Validity>,
    /// Alarms that nobody has acknowledged, in the order in which they were raised.
    pub alarms: Vec<(Stamp, Alarm)>,
    /// The end of the session.
    pub ended: Option<(Stamp, SessionEnded)>,
    /// The last lines of traffic.
    pub wire: VecDeque<WireLine>,
    /// Bytes sent so far.
    pub tx_bytes: u64,
    /// Bytes received so far.
    pub rx_bytes: u64,
}

impl Head {
    pub(super) fn apply(&mut self, event: &Event) {
        self.last_seq = event.seq;
        self.last_stamp = event.stamp;
        match &event.body {
            EventBody::Session(body) => self.session = Some((event.stamp, body.clone())),
            EventBody::Link(body) => self.link = Some((event.stamp, body.clone())),
            EventBody::Identity(body) => self.identity = Some(body.clone()),
            EventBody::PlanStep(body) => self.plan_step = Some((event.stamp, body.clone())),
            EventBody::Command(body) => match body.command.as_str() {
                "pause" => self.paused = true,
                "resume" => self.paused = false,
                "stop" => self.stopping = true,
                _ => {}
            },
            // A stop that was asked for died with the session that was asked.
            EventBody::Resumed(_) => self.stopping = false,
            EventBody::SweepStarted(_) => {
                self.live_fit = None;
                self.live_validity = None;
            }
            EventBody::Fit(body) if !body.is_final => self.live_fit = Some(body.clone()),
            // The final fit of a sweep may come when the next sweep has a fit already.
            EventBody::Fit(body) => {
                self.live_fit.take_if(|live| live.sweep == body.sweep);
            }
            EventBody::Validity(body) if !body.is_final() => self.live_validity = Some(body.clone()),
            EventBody::Validity(body) => {
                self.live_validity.take_if(|live| live.sweep == body.sweep);
            }
            EventBody::Alarm(body) => {
                self.alarms.retain(|(_, alarm)| alarm.name != body.name);
                self.alarms.push((event.stamp, body.clone()));
            }
            EventBody::AlarmAcknowledged(body) => self.alarms.retain(|(_, alarm)| alarm.name != body.name),
            EventBody::Wire(body) => {
                match body.direction {
                    Direction::Tx => self.tx_bytes += body.bytes.len() as u64,
                    Direction::Rx => self.rx_bytes += body.bytes.len() as u64,
                }
                if self.wire.len() == WIRE_LINES {
                    self.wire.pop_front();
                }
                let kept = body.bytes.len().min(WIRE_LINE_BYTES);
                self.wire.push_back(WireLine {
                    stamp: event.stamp,
                    direction: body.direction,
                    bytes: body.bytes[..kept].to_vec(),
                });
            }
            EventBody::SessionEnded(body) => {
                self.ended = Some((event.stamp, body.clone()));
                self.plan_step = None;
            }
            _ => {}
        }
    }
}
