//! The one loop of a session: bytes, deadlines, requests and fits, while a job of the instrument runs and
//! while nothing does.

use std::collections::HashMap;
use std::future::pending;
use std::path::PathBuf;
use std::time::Instant;

use tokio::sync::mpsc;

use super::clock::SessionClock;
use super::control::Request;
use super::fitter::{Finding, Fitter, Measured};
use super::journal::{Journal, News};
use super::reach::PortMemory;
use crate::analysis::kramers_kronig::Limits;
use crate::event::{
    Alarm, AlarmAcknowledged, Amend, CommandGiven, Direction, EventBody, Gap, Identity, Note, PointMeasured,
    SampleTaken, Severity, Validity, Wire,
};
use crate::instrument::port::Port;
use crate::instrument::{CellSwitch, Done, Instrument, InstrumentIdentity, Job, Outcome, Output, PortError};
use crate::recording::DiskCondition;
use crate::spectrum::{Point, Sample};

/// The alarm that says that nobody knows whether current flows.
pub const CELL_MAY_BE_ON: &str = "cell_may_be_on";

/// The alarm that says that a sweep is not the spectrum of a steady, linear cell.
pub const DATA_INVALID: &str = "data_invalid";

/// How a session is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// After the running point.
    AfterPoint,
    /// At once.
    Now,
}

/// What happened next.
enum Happening {
    Received(Vec<u8>),
    PortGone(PortError),
    Deadline,
    Request(Request, &'static str),
    Found(Box<Finding>),
    Recording(News),
}

/// Points of the sweep that is being measured.
#[derive(Debug, Default)]
pub struct RunningSweep {
    /// Its number.
    pub number: u32,
    /// The step of the plan that it belongs to.
    pub step: u32,
    /// The points so far.
    pub points: Vec<Point>,
    /// When the running point began, in s of elapsed time.
    pub point_began_s: f64,
    /// Excitation in V rms; none where the instrument chooses its own, or the sweep is galvanostatic.
    pub amplitude_vrms: Option<f64>,
}

/// A session while it runs.
pub struct Runner {
    pub(super) clock: SessionClock,
    pub(super) journal: Journal,
    pub(super) driver: Box<dyn Instrument>,
    pub(super) port: Option<Port>,
    pub(super) port_path: PathBuf,
    /// By what the port is known again after it was lost.
    pub(super) port_memory: PortMemory,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) signals: mpsc::Receiver<Request>,
    pub(super) fitter: Fitter,
    pub(super) findings: mpsc::UnboundedReceiver<Finding>,
    pub(super) stop: Option<Stop>,
    pub(super) paused: bool,
    pub(super) identity: Option<InstrumentIdentity>,
    pub(super) sweep: Option<RunningSweep>,
    /// The last reading of potential and current.
    pub(super) last_sample: Option<Sample>,
    pub(super) cell: CellSwitch,
    /// Whether anything was sent that could concern a cell: before that, the instrument is not ours.
    pub(super) has_touched: bool,
    pub(super) alarms: HashMap<String, Severity>,
    pub(super) lost_because: Option<String>,
    /// Since when and why nothing can be recorded; nothing is measured meanwhile.
    pub(super) unrecorded: Option<Gap>,
}

impl Runner {
    /// Runs one job of the instrument to its end, serving everything else meanwhile.
    pub(super) async fn job(&mut self, job: Job) -> Done {
        let connects = matches!(job, Job::Connect { .. });
        let measures = !connects && !matches!(job, Job::CellOff);
        let mut given_up = false;
        self.has_touched |= !connects;
        let rests_when_paused = matches!(job, Job::Direct(_));
        let mut stop_told = None;
        let mut pause_told = false;
        self.driver.start(job, self.clock.now_s());
        loop {
            while let Some(output) = self.driver.take_output() {
                if let Some(done) = self.take(output).await {
                    // Whoever answers on connecting may be another instrument: that its cell is off says
                    // nothing about ours.
                    self.has_touched |= done.cell != CellSwitch::Untouched;
                    if !(connects && done.cell == CellSwitch::Off) {
                        self.note_cell(&done.cell);
                    }
                    return done;
                }
            }
            if self.stop > stop_told {
                stop_told = self.stop;
                match self.stop {
                    Some(Stop::Now) => self.driver.abort(self.clock.now_s()),
                    Some(Stop::AfterPoint) => self.driver.end_after_point(self.clock.now_s()),
                    None => {}
                }
                continue;
            }
            // A cell that is driven rests while it is paused: `h` would leave it under its potential or current.
            if self.paused && rests_when_paused && !pause_told {
                pause_told = true;
                self.driver.end_after_point(self.clock.now_s());
                continue;
            }
            if measures && self.is_unrecorded() && !given_up {
                given_up = true;
                self.driver.abort(self.clock.now_s());
                continue;
            }
            let deadline = self.driver.deadline_s().map(|at_s| self.clock.instant_at(at_s));
            let happening = self.next(deadline).await;
            self.handle(happening);
        }
    }

    /// Serves everything until a moment of the session's clock, or until there is a reason not to wait:
    /// a stop, a lost link, or a change of pause or of what the disk takes.
    pub(super) async fn idle_until(&mut self, at_s: f64) {
        let deadline = self.clock.instant_at(at_s);
        let (paused, unrecorded) = (self.paused, self.is_unrecorded());
        while Instant::now() < deadline {
            let happening = self.next(Some(deadline)).await;
            self.handle(happening);
            let held = self.paused != paused || self.is_unrecorded() != unrecorded;
            if self.stop.is_some() || self.lost_because.is_some() || held {
                return;
            }
        }
    }

    /// Waits until every fit and judgement that was asked for is in the recording.
    pub(super) async fn await_findings(&mut self) {
        while self.fitter.is_busy() {
            // A fit that comes to nothing sends nothing, so the worker is looked at again.
            let patience = std::time::Duration::from_millis(5);
            if let Ok(Some(finding)) = tokio::time::timeout(patience, self.findings.recv()).await {
                self.found(finding);
            }
        }
        while let Ok(finding) = self.findings.try_recv() {
            self.found(finding);
        }
    }

    /// Records what the fit worker found.
    fn found(&mut self, finding: Finding) {
        match finding {
            Finding::Fit(fit) => self.journal.record(EventBody::Fit(fit)),
            Finding::Validity(validity) => self.journal.record(EventBody::Validity(validity)),
            Finding::FinalValidity(found) => {
                let alarm = found.newly_failed.then(|| data_invalid(&found.validity));
                self.journal.record(EventBody::Validity(found.validity));
                // One that still stands says all there is to say.
                if let Some(alarm) = alarm.filter(|_| !self.alarms.contains_key(DATA_INVALID)) {
                    self.raise(alarm);
                }
            }
        }
    }

    async fn next(&mut self, deadline: Option<Instant>) -> Happening {
        let mut buffer = [0_u8; 4096];
        let Self {
            port,
            requests,
            signals,
            findings,
            journal,
            ..
        } = self;
        tokio::select! {
            biased;
            Some(request) = signals.recv() => Happening::Request(request, "signal"),
            Some(request) = requests.recv() => Happening::Request(request, "user"),
            news = journal.news() => Happening::Recording(news),
            read = read(port, &mut buffer) => match read {
                Ok(count) => Happening::Received(buffer[..count].to_vec()),
                Err(error) => Happening::PortGone(error),
            },
            Some(finding) = findings.recv() => Happening::Found(Box::new(finding)),
            () = sleep_until(deadline) => Happening::Deadline,
        }
    }

    fn handle(&mut self, happening: Happening) {
        match happening {
            Happening::Received(bytes) => {
                let wire = Wire {
                    direction: Direction::Rx,
                    bytes: bytes.clone(),
                };
                self.journal.record(EventBody::Wire(wire));
                self.driver.receive(&bytes, self.clock.now_s());
            }
            Happening::PortGone(error) => self.port_gone(&error),
            Happening::Deadline => self.driver.tick(self.clock.now_s()),
            Happening::Request(request, origin) => self.request(request, origin),
            Happening::Found(finding) => self.found(*finding),
            Happening::Recording(News::Ended) => {
                tracing::error!("nothing can be recorded any more: stopping, cell off");
                self.stop = Some(Stop::Now);
            }
            Happening::Recording(News::Disk(condition, words)) => self.disk(condition, words),
        }
    }

    /// While nothing reaches the disk nothing is measured; afterwards the recording says how long that was.
    fn disk(&mut self, condition: DiskCondition, words: String) {
        let now_utc_ns = self.clock.stamp().utc_ns;
        if !condition.is_recording() {
            self.unrecorded.get_or_insert(Gap {
                from_utc_ns: now_utc_ns,
                to_utc_ns: now_utc_ns,
                reason: format!("nothing was measured, cell off: {words}"),
            });
        } else if let Some(gap) = self.unrecorded.take() {
            self.journal.record(EventBody::Gap(Gap {
                to_utc_ns: now_utc_ns,
                ..gap
            }));
        }
    }

    /// Whether the instrument rests because nothing can be recorded.
    pub(super) fn is_unrecorded(&self) -> bool {
        self.unrecorded.is_some()
    }

    /// Takes one output of the driver; the end of the job is given back.
    async fn take(&mut self, output: Output) -> Option<Done> {
        match output {
            Output::Send(bytes) => self.send(bytes).await,
            Output::Identity(identity) => {
                self.journal.record(EventBody::Identity(Identity {
                    instrument: identity.device.clone(),
                    firmware: identity.firmware.clone(),
                    serial: identity.serial.clone(),
                }));
                self.identity = Some(identity);
            }
            Output::Sample(sample) => {
                self.last_sample = Some(sample.clone());
                self.journal.record(EventBody::Sample(SampleTaken { sample }));
            }
            Output::SweepBegan => {
                if let Some(sweep) = &mut self.sweep {
                    sweep.point_began_s = self.clock.now_s();
                }
            }
            Output::Point(point) => self.point(point),
            Output::Remark(text) => {
                tracing::info!("{text}");
                self.journal.record(EventBody::Note(Note { text }));
            }
            Output::Done(done) => return Some(done),
        }
        None
    }

    fn point(&mut self, mut point: Point) {
        let now_s = self.clock.now_s();
        let Some(sweep) = &mut self.sweep else {
            return;
        };
        point.t_start_s = Some(sweep.point_began_s);
        if point.amplitude_arms.is_none() {
            point.amplitude_vrms = point.amplitude_vrms.or(sweep.amplitude_vrms);
        }
        sweep.point_began_s = now_s;
        sweep.points.push(point.clone());
        let index = sweep.points.len() as u32 - 1;
        self.fitter.partial(Measured {
            sweep: sweep.number,
            step: sweep.step,
            points: sweep.points.clone(),
        });
        let body = PointMeasured {
            sweep: sweep.number,
            index,
            point,
        };
        self.journal.record(EventBody::Point(body));
    }

    async fn send(&mut self, bytes: Vec<u8>) {
        let Some(port) = &mut self.port else {
            return;
        };
        let wire = Wire {
            direction: Direction::Tx,
            bytes: bytes.clone(),
        };
        self.journal.record(EventBody::Wire(wire));
        if let Err(error) = port.write_all(&bytes).await {
            self.port_gone(&error);
        }
    }

    fn port_gone(&mut self, error: &PortError) {
        self.port = None;
        self.lost_because = Some(error.to_string());
        self.driver.link_lost();
    }

    fn request(&mut self, request: Request, origin: &str) {
        let command = |word: &str, text: &str| {
            self.journal.record(EventBody::Command(CommandGiven {
                command: word.to_owned(),
                origin: origin.to_owned(),
                text: text.to_owned(),
            }));
        };
        match request {
            Request::Stop { now } => {
                let stop = if now { Stop::Now } else { Stop::AfterPoint };
                if self.stop < Some(stop) {
                    command("stop", if now { "now" } else { "after the running point" });
                    self.stop = Some(stop);
                }
            }
            Request::Pause if !self.paused => {
                command("pause", "");
                self.paused = true;
            }
            Request::Resume if self.paused => {
                command("resume", "");
                self.paused = false;
            }
            Request::Pause | Request::Resume => {}
            Request::Note { text } => {
                command("note", "");
                self.journal.record(EventBody::Note(Note { text }));
            }
            Request::Amend { key, old, new } => {
                command("amend", &key);
                self.journal.record(EventBody::Amend(Amend { key, old, new }));
            }
            Request::Acknowledge { name } => {
                if self.alarms.remove(&name).is_some() {
                    command("acknowledge", &name);
                    self.journal
                        .record(EventBody::AlarmAcknowledged(AlarmAcknowledged {
                            name,
                            origin: origin.to_owned(),
                        }));
                }
            }
        }
    }

    /// Holds the plan until the user lets it go on.
    pub(super) fn hold(&mut self, why: String) {
        self.paused = true;
        self.journal.record(EventBody::Command(CommandGiven {
            command: "pause".to_owned(),
            origin: "session".to_owned(),
            text: why,
        }));
    }

    /// Raises an alarm.
    pub(super) fn alarm(&mut self, name: &str, severity: Severity, text: String) {
        self.raise(Alarm {
            name: name.to_owned(),
            severity,
            value: None,
            limit: None,
            sweep: self.sweep.as_ref().map(|sweep| sweep.number),
            text,
        });
    }

    /// Acknowledges an alarm whose cause is gone, where it stands.
    pub(super) fn clear_alarm(&mut self, name: &str, origin: &str) {
        if self.alarms.remove(name).is_some() {
            self.journal
                .record(EventBody::AlarmAcknowledged(AlarmAcknowledged {
                    name: name.to_owned(),
                    origin: origin.to_owned(),
                }));
        }
    }

    fn raise(&mut self, alarm: Alarm) {
        self.alarms.insert(alarm.name.clone(), alarm.severity);
        self.journal.record(EventBody::Alarm(alarm));
    }

    /// Keeps what is known about the cell, and raises or clears the alarm that stands for not knowing.
    fn note_cell(&mut self, cell: &CellSwitch) {
        match cell {
            CellSwitch::Untouched => return,
            CellSwitch::NoSwitch => {}
            CellSwitch::MayBeOn { why } => {
                let text =
                    format!("CELL MAY BE ON: {why}. Look at the instrument; disconnect the cell by hand.");
                self.alarm(CELL_MAY_BE_ON, Severity::Critical, text);
            }
            CellSwitch::Off => {
                if self.alarms.remove(CELL_MAY_BE_ON).is_some() {
                    self.journal
                        .record(EventBody::AlarmAcknowledged(AlarmAcknowledged {
                            name: CELL_MAY_BE_ON.to_owned(),
                            origin: "session: the instrument has confirmed that the cell is off".to_owned(),
                        }));
                }
            }
        }
        self.cell = cell.clone();
    }

    /// Whether the job ended because the instrument is out of reach.
    pub(super) fn out_of_reach(done: &Done) -> bool {
        use crate::instrument::InstrumentError;
        matches!(
            done.outcome,
            Outcome::LinkLost | Outcome::Failed(InstrumentError::NoAnswer { .. })
        ) || matches!(done.cell, CellSwitch::MayBeOn { .. })
    }
}

/// The alarm about a sweep that fails.
fn data_invalid(validity: &Validity) -> Alarm {
    let sweep = validity.sweep;
    let why = validity.reasons().first().map_or("", String::as_str);
    Alarm {
        name: DATA_INVALID.to_owned(),
        severity: Severity::Warning,
        value: validity.max_residual_percent,
        limit: Some(Limits::DEFAULT.fail_percent),
        sweep: Some(sweep),
        text: format!("sweep {sweep} fails Kramers-Kronig: {why}; do not trust its fit"),
    }
}

async fn read(port: &mut Option<Port>, buffer: &mut [u8]) -> Result<usize, PortError> {
    match port {
        Some(port) => port.read(buffer).await,
        None => pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
