//! The driver: jobs to actions, actions to lines, lines to points. What is said stands in the profile alone.

use std::collections::VecDeque;

use super::action::{self, Action};
use super::direct::LineDirect;
use super::lines::{Splitter, encode};
use super::measure::{Measure, What};
use super::parameters;
use super::settings::LineSettings;
use crate::analysis::point_time::PointTime;
use crate::instrument::{
    CellSwitch, DirectEnd, DirectJob, Done, Instrument, InstrumentError, InstrumentIdentity, Job, Outcome,
    Output, SweepJob,
};
use crate::profile::line::{CellSwitching, LineProfile, Step, Value, Values};
use crate::spectrum::PointStatus;

/// Remarks that one job may leave in the log; a line of garbage a millisecond must not fill it.
const MOST_REMARKS: u32 = 20;
/// For so long in s of real time an instrument that is being ended may still send rows.
const SETTLE_S: f64 = 0.3;

/// A driver of an instrument that a line profile describes.
#[derive(Clone, Debug)]
pub struct LineDriver {
    pub(super) settings: LineSettings,
    pub(super) time: PointTime,
    splitter: Splitter,
    outputs: VecDeque<Output>,
    pub(super) script: VecDeque<Action>,
    pub(super) waiting: Option<Waiting>,
    pub(super) phase: Phase,
    /// What an error said about the next row.
    pub(super) next_status: Option<PointStatus>,
    remarks_left: u32,
}

/// What is waited for, since when and until when.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub action: Action,
    pub since_s: f64,
    pub until_s: f64,
}

#[derive(Clone, Debug)]
pub(super) enum Phase {
    Idle,
    Connect(Connecting),
    Measure(Box<Measure>),
    Close(Closing),
}

/// Coming into step.
#[derive(Clone, Debug, Default)]
pub(super) struct Connecting {
    /// Whether the identity has been reported.
    pub(super) identified: bool,
    /// Whether nothing but the identity is wanted.
    pub(super) only_asks: bool,
    pub(super) fields: Values,
    /// The last line that was not the answer.
    pub(super) other: Option<String>,
}

/// Bringing a job to its end.
#[derive(Clone, Debug)]
pub(super) struct Closing {
    outcome: Outcome,
    /// Whether actions are about the switch of the cell by now.
    at_switch: bool,
    /// Why the cell may be on.
    unconfirmed: Option<String>,
    /// Whether the first answer tells a dead instrument from a slow one.
    pub(super) probing: bool,
}

impl LineDriver {
    /// A driver that has sent nothing.
    #[must_use]
    pub fn new(settings: LineSettings) -> Self {
        Self {
            splitter: Splitter::new(settings.line.framing.clone()),
            time: PointTime::new(settings.timing),
            settings,
            outputs: VecDeque::new(),
            script: VecDeque::new(),
            waiting: None,
            phase: Phase::Idle,
            next_status: None,
            remarks_left: MOST_REMARKS,
        }
    }

    pub(super) fn profile(&self) -> std::sync::Arc<LineProfile> {
        std::sync::Arc::clone(&self.settings.line)
    }

    pub(super) fn report(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn remark(&mut self, text: impl Into<String>) {
        if self.remarks_left > 0 {
            self.remarks_left -= 1;
            self.report(Output::Remark(text.into()));
        }
    }

    fn done(&mut self, outcome: Outcome, cell: CellSwitch) {
        self.phase = Phase::Idle;
        self.script.clear();
        self.waiting = None;
        self.report(Output::Done(Done { outcome, cell }));
    }

    pub(super) fn add(&mut self, steps: &[Step], values: &Values) {
        let profile = self.profile();
        self.script.extend(action::actions(&profile, steps, values));
    }

    /// Does what can be done without waiting.
    pub(super) fn go_on(&mut self, now_s: f64) {
        while self.waiting.is_none() {
            let Some(action) = self.script.pop_front() else {
                if matches!(self.phase, Phase::Idle) {
                    return;
                }
                self.script_done(now_s);
                continue;
            };
            match action {
                Action::Send(text) => {
                    let bytes = encode(&self.settings.line.framing, &text);
                    self.report(Output::Send(bytes));
                }
                Action::CellOff => {
                    if let Phase::Close(closing) = &mut self.phase {
                        closing.at_switch = true;
                    }
                }
                action => self.wait(action, now_s),
            }
        }
    }

    pub(super) fn wait(&mut self, action: Action, now_s: f64) {
        let settings = &self.settings;
        let time_s = match &action {
            Action::Delay(delay_s) => *delay_s,
            Action::Drain(drain_s) => drain_s * settings.time_scale,
            Action::Expect { timeout_s, .. }
            | Action::Confirm { timeout_s, .. }
            | Action::ConfirmPoll { timeout_s, .. }
            | Action::Errors { timeout_s } => settings.timeout_s(*timeout_s),
            Action::Row | Action::StrayRow => self.row_timeout_s(now_s),
            Action::Send(_) | Action::CellOff => 0.0,
        };
        self.waiting = Some(Waiting {
            action,
            since_s: now_s,
            until_s: now_s + time_s,
        });
    }

    fn row_timeout_s(&self, now_s: f64) -> f64 {
        let Phase::Measure(measure) = &self.phase else {
            return self.settings.timeout_s(self.settings.line.time.row_base_s);
        };
        let limit_s = self.settings.timeout_s(measure.row_limit_s(&self.settings.line));
        match self.silence_s() {
            Some(silence_s) if measure.arrived > 0 => limit_s.min(silence_s),
            _ => match self.settings.line.time.sweep_s {
                Some(sweep_s) => limit_s.min(measure.all_began_s + self.settings.timeout_s(sweep_s) - now_s),
                None => limit_s,
            },
        }
    }

    /// How long nothing may come before the rows have ended.
    pub(super) fn silence_s(&self) -> Option<f64> {
        let Phase::Measure(measure) = &self.phase else {
            return None;
        };
        let silence_s = measure.spec(&self.settings.line)?.end.silence_s?;
        Some(self.settings.timeout_s(silence_s))
    }

    /// Nothing is left to do of what was planned.
    fn script_done(&mut self, now_s: f64) {
        match &mut self.phase {
            Phase::Idle => {}
            Phase::Connect(connecting) if !connecting.identified => {
                connecting.identified = true;
                self.identified();
            }
            Phase::Connect(_) => self.done(Outcome::Connected, CellSwitch::Untouched),
            Phase::Measure(_) => self.measure_on(now_s),
            Phase::Close(closing) => {
                let closing = closing.clone();
                self.close_done(closing);
            }
        }
    }

    fn identified(&mut self) {
        let Phase::Connect(connecting) = &self.phase else {
            return;
        };
        let only_asks = connecting.only_asks;
        let text = |name: &str| connecting.fields.get(name).map(Value::text);
        let identity = InstrumentIdentity {
            device: text("device").unwrap_or_else(|| self.settings.device.clone()),
            firmware: text("firmware").unwrap_or_default(),
            serial: text("serial").unwrap_or_default(),
            techniques: None,
        };
        if self.settings.line.identify.is_none() {
            self.remark(
                "this instrument cannot say who it is; that it is the right one rests on the profile",
            );
        }
        self.report(Output::Identity(identity));
        if only_asks {
            return;
        }
        let profile = self.profile();
        self.add(&profile.initialise, &Values::new());
        self.script.extend(action::error_query(&profile));
    }

    fn connect(&mut self) {
        let profile = self.profile();
        self.splitter.reset();
        self.phase = Phase::Connect(Connecting::default());
        let connect = &profile.connect;
        self.script.push_back(Action::Delay(connect.settle_s));
        self.script.push_back(Action::Drain(connect.drain_s));
        for step in &connect.resynchronise {
            let quiet = Step {
                acknowledge: Some(crate::profile::line::AcknowledgePolicy::None),
                expect: None,
                ..step.clone()
            };
            self.add(&[quiet], &Values::new());
        }
        if !connect.resynchronise.is_empty() {
            self.script.push_back(Action::Drain(connect.drain_s));
        }
        self.script.extend(self.identity_question());
        if let Some(identify) = &profile.identify {
            self.add(&identify.more, &Values::new());
        }
    }

    /// The question of identity alone: an instrument that measures for somebody else goes on.
    fn identify(&mut self) {
        let profile = self.profile();
        self.splitter.reset();
        self.phase = Phase::Connect(Connecting {
            only_asks: true,
            ..Connecting::default()
        });
        self.script.push_back(Action::Delay(profile.connect.settle_s));
        self.script.push_back(Action::Drain(profile.connect.drain_s));
        self.script.extend(self.identity_question());
        if let Some(identify) = &profile.identify {
            self.add(&identify.more, &Values::new());
        }
    }

    fn identity_question(&self) -> Vec<Action> {
        let profile = &self.settings.line;
        let Some(identify) = &profile.identify else {
            return Vec::new();
        };
        action::actions(profile, &[identify.step()], &Values::new())
    }

    fn sweep(&mut self, job: SweepJob, now_s: f64) {
        let profile = self.profile();
        let Some(sweep) = &profile.sweep else {
            let why = "its profile has no [line.sweep], so it measures no impedance".to_owned();
            return self.done(
                Outcome::Failed(InstrumentError::ImpossibleJob(why)),
                CellSwitch::Untouched,
            );
        };
        match parameters::of_sweep(&profile, &job, &self.settings.current_ranges) {
            Ok(values) => {
                let measure = Measure::new(What::Sweep(job), values.clone(), now_s);
                self.phase = Phase::Measure(Box::new(measure));
                self.add(&sweep.before, &values);
            }
            Err(why) => self.done(
                Outcome::Failed(InstrumentError::ImpossibleJob(why)),
                CellSwitch::Untouched,
            ),
        }
    }

    fn open_circuit(&mut self, duration_s: f64, interval_s: f64, now_s: f64) {
        let profile = self.profile();
        let base = [("duration_s", duration_s), ("interval_s", interval_s)];
        let (Some(rest), Ok(values)) = (&profile.open_circuit, parameters::with_derived(&profile, &base))
        else {
            let why = "its profile has no [line.open_circuit], so it reads no potential".to_owned();
            return self.done(
                Outcome::Failed(InstrumentError::ImpossibleJob(why)),
                CellSwitch::Untouched,
            );
        };
        let readings = (duration_s / interval_s.max(1e-3)).clamp(1.0, 1e6) as u32;
        let what = What::Rest { readings, interval_s };
        self.phase = Phase::Measure(Box::new(Measure::new(what, values.clone(), now_s)));
        self.add(&rest.before, &values);
    }

    fn direct(&mut self, job: DirectJob, now_s: f64) {
        let profile = self.profile();
        match LineDirect::new(&profile, job, &self.settings.current_ranges) {
            Ok(direct) => {
                let values = direct.piece.values.clone();
                let before = profile.direct(direct.piece.table).map(|spec| spec.before.clone());
                let what = What::Direct(Box::new(direct));
                self.phase = Phase::Measure(Box::new(Measure::new(what, values.clone(), now_s)));
                self.add(&before.unwrap_or_default(), &values);
            }
            Err(why) => self.done(
                Outcome::Failed(InstrumentError::ImpossibleJob(why)),
                CellSwitch::Untouched,
            ),
        }
    }

    /// Ends the job: what comes after or ends a measurement, then the switch of the cell.
    pub(super) fn close(&mut self, outcome: Outcome, now_s: f64) {
        let profile = self.profile();
        let pending_row = matches!(&self.waiting, Some(waiting) if waiting.action == Action::Row);
        let spec = match &self.phase {
            Phase::Measure(measure) => measure.spec(&profile),
            _ => profile.sweep.as_ref(),
        };
        let is_complete = matches!(
            outcome,
            Outcome::SweepComplete { .. }
                | Outcome::OpenCircuit(_)
                | Outcome::DirectComplete(DirectEnd { bound: None, .. })
        );
        let probing = matches!(outcome, Outcome::Failed(InstrumentError::Stalled { .. }));
        self.script.clear();
        let waiting = self.waiting.take();
        if let Some(spec) = spec {
            if is_complete {
                self.add(&spec.after, &Values::new());
            } else if !spec.abort.is_empty() {
                self.add(&spec.abort, &Values::new());
                self.script.push_back(Action::Drain(SETTLE_S));
            } else if pending_row && spec.read.is_some() && !probing {
                // Nothing ends the running point: its row must not be taken for that of the next one.
                self.script.push_back(Action::StrayRow);
            }
        }
        let is_silent = profile.identify.is_none();
        if probing && !is_silent {
            let identity = self.identity_question();
            self.script.extend(identity);
        }
        if is_complete {
            self.script.extend(action::error_query(&profile));
        }
        if profile.cell.switch == CellSwitching::Command {
            self.script.push_back(Action::CellOff);
            self.add(&profile.cell.off, &Values::new());
        }
        self.phase = Phase::Close(Closing {
            outcome,
            at_switch: false,
            unconfirmed: None,
            probing: probing && !is_silent,
        });
        // The row that is waited for keeps its own deadline.
        if self.script.front() == Some(&Action::StrayRow)
            && let Some(waiting) = waiting
        {
            self.script.pop_front();
            self.waiting = Some(Waiting {
                action: Action::StrayRow,
                ..waiting
            });
        }
        self.go_on(now_s);
    }

    fn close_done(&mut self, closing: Closing) {
        let Closing {
            outcome, unconfirmed, ..
        } = closing;
        if !self.settings.line.switches_cell() {
            return self.done(outcome, CellSwitch::NoSwitch);
        }
        match unconfirmed {
            None => self.done(outcome, CellSwitch::Off),
            Some(why) => {
                let outcome = match outcome {
                    Outcome::CellOff => Outcome::Failed(InstrumentError::CellOffUnconfirmed),
                    outcome => outcome,
                };
                self.done(outcome, CellSwitch::MayBeOn { why });
            }
        }
    }

    /// Something that had to come did not come, or not as it should.
    pub(super) fn fail(&mut self, error: InstrumentError, now_s: f64) {
        self.waiting = None;
        match &mut self.phase {
            Phase::Idle => {}
            Phase::Connect(connecting) => {
                let identify = self.settings.line.identify.as_ref();
                let is_optional = identify.is_some_and(|identify| !identify.required);
                if !connecting.identified && is_optional {
                    let text = format!("the identity was not given as expected: {error}");
                    self.script.clear();
                    self.remark(text);
                    return self.go_on(now_s);
                }
                self.done(Outcome::Failed(error), CellSwitch::Untouched);
            }
            Phase::Measure(_) => self.close(Outcome::Failed(error), now_s),
            Phase::Close(closing) => {
                let text = error.to_string();
                if closing.probing {
                    closing.probing = false;
                    closing.outcome = Outcome::Failed(error);
                } else if closing.at_switch {
                    closing.unconfirmed = Some(text.clone());
                }
                self.remark(format!("while ending: {text}"));
                self.go_on(now_s);
            }
        }
    }

    fn timed_out(&mut self, waiting: Waiting, now_s: f64) {
        let waited_s = now_s - waiting.since_s;
        let no_answer = |asked: String| InstrumentError::NoAnswer { asked, waited_s };
        match waiting.action {
            Action::Delay(_) | Action::Drain(_) => {
                if matches!(waiting.action, Action::Drain(_)) {
                    self.splitter.reset();
                }
                self.satisfied(now_s);
            }
            Action::Row => self.row_missing(waited_s, now_s),
            Action::StrayRow => self.satisfied(now_s),
            Action::Expect { asked, .. } => {
                let error = match &mut self.phase {
                    Phase::Connect(Connecting {
                        identified: false,
                        other: Some(found),
                        ..
                    }) => InstrumentError::WrongDevice {
                        expected: self.settings.device.clone(),
                        found: found.clone(),
                    },
                    _ => no_answer(asked),
                };
                self.fail(error, now_s);
            }
            Action::Confirm { asked, .. } | Action::ConfirmPoll { asked, .. } => {
                self.fail(no_answer(asked), now_s);
            }
            Action::Errors { .. } => self.fail(no_answer("the question for errors".to_owned()), now_s),
            Action::Send(_) | Action::CellOff => self.satisfied(now_s),
        }
    }
}

impl Instrument for LineDriver {
    fn start(&mut self, job: Job, now_s: f64) {
        if !self.is_idle() {
            return self.report(Output::Remark(format!(
                "a job was dropped because another runs: {job:?}"
            )));
        }
        self.remarks_left = MOST_REMARKS;
        self.next_status = None;
        match job {
            Job::Connect { .. } => self.connect(),
            Job::Identify => self.identify(),
            Job::OpenCircuit {
                duration_s,
                interval_s,
            } => self.open_circuit(duration_s, interval_s, now_s),
            Job::Sweep(job) => self.sweep(job, now_s),
            Job::Direct(job) => self.direct(job, now_s),
            Job::CellOff => return self.close(Outcome::CellOff, now_s),
        }
        self.go_on(now_s);
    }

    fn receive(&mut self, bytes: &[u8], now_s: f64) {
        for line in self.splitter.feed(bytes) {
            self.take_line(line, now_s);
        }
    }

    fn tick(&mut self, now_s: f64) {
        let is_due = |waiting: &mut Waiting| waiting.until_s <= now_s;
        if let Some(waiting) = self.waiting.take_if(is_due) {
            self.timed_out(waiting, now_s);
        }
    }

    fn deadline_s(&self) -> Option<f64> {
        self.waiting.as_ref().map(|waiting| waiting.until_s)
    }

    fn abort(&mut self, now_s: f64) {
        match &self.phase {
            Phase::Idle | Phase::Close(_) => {}
            Phase::Connect(_) => self.done(Outcome::Aborted { points: 0 }, CellSwitch::Untouched),
            Phase::Measure(measure) => {
                let points = measure.arrived;
                self.close(Outcome::Aborted { points }, now_s);
            }
        }
    }

    fn end_after_point(&mut self, now_s: f64) {
        match &mut self.phase {
            Phase::Measure(measure) => measure.end_after_point = true,
            _ => self.abort(now_s),
        }
    }

    fn link_lost(&mut self) {
        self.splitter.reset();
        let cell = match &self.phase {
            Phase::Idle => return,
            Phase::Connect(_) => CellSwitch::Untouched,
            _ if !self.settings.line.switches_cell() => CellSwitch::NoSwitch,
            _ => CellSwitch::MayBeOn {
                why: "the link was lost before the instrument confirmed that the cell is off".to_owned(),
            },
        };
        self.done(Outcome::LinkLost, cell);
    }

    fn take_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    fn remaining_s(&self, now_s: f64) -> Option<f64> {
        let Phase::Measure(measure) = &self.phase else {
            return None;
        };
        let all_s = measure.remaining_s(&self.settings.line, &self.time)?;
        Some((all_s - (now_s - measure.began_s).max(0.0)).max(0.0))
    }
}
