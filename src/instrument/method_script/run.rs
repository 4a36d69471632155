//! A script on its way through the device: accepted, running, ended.
//!
//! A device is silent for as long as a point takes, which at low frequencies is minutes. Silence alone is
//! therefore no error: after three times the expected time the device is asked `t`, which it answers while
//! it measures, and only when that stays unanswered has the run failed.

use super::channel::{Channel, Step};
use super::error_code::ErrorCode;
use super::line::{Echo, Line};
use super::measurement::Measurement;
use super::script::{BETWEEN_PARTS, READ_BACK, Script};
use crate::analysis::point_time::PointTime;
use crate::instrument::{InstrumentError, Outcome, Output};

/// The device is asked after so many times the expected time of a point.
const PATIENCE: f64 = 3.0;

/// How often `t` is asked before the device counts as gone: one answer may be lost to noise.
const PROBES: u32 = 2;

/// So many silences in a row, each ended by an answered `t`, and no point means that nothing is measured.
const LONGEST_SILENCES: u32 = 20;

/// How long an aborted script may wind down in s, and how often it is told.
const WIND_DOWN_S: f64 = 10.0;
const ABORTS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The script is being sent; an answer is due by then.
    Loading { until_s: f64 },
    /// The device works.
    Running,
    /// `t` was asked so many times.
    Probing { until_s: f64, asked: u32 },
    /// `Z` was sent so many times.
    Aborting { until_s: f64, told: u32 },
}

/// Whether and how the run is to end early.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    No,
    AfterPoint,
    Now,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunEnd {
    pub outcome: Outcome,
    /// Whether the device is known to be idle with no reply under way.
    pub in_step: bool,
    /// Whether the script came to its own end, `on_finished:` included.
    pub script_ended: bool,
}

/// A script that runs.
#[derive(Clone, Debug)]
pub(super) struct Run {
    script: Script,
    measurement: Measurement,
    stage: Stage,
    stop: Stop,
    began: bool,
    point_began_s: f64,
    /// When the device last said anything that was understood.
    heard_s: f64,
    silences: u32,
    garbled: u32,
    /// Whether `Z` was answered, by its echo or by an error.
    abort_answered: bool,
    /// Why the run was ended before its time, where that was an error.
    ended_for: Option<InstrumentError>,
}

impl Run {
    pub fn begin(script: Script, measurement: Measurement, channel: &mut Channel, now_s: f64) -> Self {
        let until_s = channel.send_script(&script, now_s);
        Self {
            script,
            measurement,
            stage: Stage::Loading { until_s },
            stop: Stop::No,
            began: false,
            point_began_s: now_s,
            heard_s: now_s,
            silences: 0,
            garbled: 0,
            abort_answered: false,
            ended_for: None,
        }
    }

    pub fn is_open_circuit(&self) -> bool {
        matches!(self.measurement, Measurement::OpenCircuit { .. })
    }

    /// When something is to be done: an answer is missing, or the instrument must hear that somebody is there.
    pub fn deadline_s(&self, time: &PointTime, channel: &Channel) -> f64 {
        let silence_s = self.silence_ends_s(time, channel);
        self.go_on_at_s().map_or(silence_s, |at_s| at_s.min(silence_s))
    }

    fn go_on_at_s(&self) -> Option<f64> {
        match (&self.measurement, self.stop) {
            (Measurement::Direct(direct), Stop::No) if !self.is_aborting() => direct.go_on_at_s(),
            _ => None,
        }
    }

    fn silence_ends_s(&self, time: &PointTime, channel: &Channel) -> f64 {
        match self.stage {
            Stage::Loading { until_s } | Stage::Probing { until_s, .. } | Stage::Aborting { until_s, .. } => {
                until_s
            }
            Stage::Running => {
                let patience_s = PATIENCE * self.measurement.expected_s(time);
                self.heard_s + channel.settings.timeout_s(patience_s)
            }
        }
    }

    /// Time until the last point in s.
    pub fn remaining_s(&self, time: &PointTime, now_s: f64) -> Option<f64> {
        let spent_s = (now_s - self.point_began_s).clamp(0.0, self.measurement.expected_s(time));
        let spent_s = if self.began { spent_s } else { 0.0 };
        self.measurement
            .remaining_s(time)
            .map(|left_s| (left_s - spent_s).max(0.0))
    }

    /// Ends the run now.
    pub fn abort(&mut self, channel: &mut Channel, now_s: f64) {
        self.stop = Stop::Now;
        // Half a script cannot be taken back: it is sent to its end and aborted when it was accepted.
        if matches!(self.stage, Stage::Running | Stage::Probing { .. }) {
            self.send_abort(1, channel, now_s);
        }
    }

    /// Ends the run after the running point.
    pub fn end_after_point(&mut self) {
        if self.stop == Stop::No {
            self.stop = Stop::AfterPoint;
        }
    }

    pub fn line(
        &mut self,
        line: Line,
        time: &mut PointTime,
        channel: &mut Channel,
        now_s: f64,
    ) -> Step<RunEnd> {
        if let Stage::Loading { .. } = self.stage {
            return self.loading_line(line, channel, now_s);
        }
        if let Line::Unknown(text) = &line {
            if self.garbled == 0 {
                channel.remark(format!(
                    "a line from the instrument was not understood: {}",
                    text.escape_debug()
                ));
            }
            self.garbled += 1;
            return Step::Stay;
        }
        self.heard_s = now_s;
        if let Stage::Probing { .. } = self.stage {
            self.stage = Stage::Running;
        }
        match line {
            Line::LoopStart { technique } => {
                self.loop_began(channel, now_s);
                if let Measurement::Direct(direct) = &mut self.measurement {
                    direct.loop_began(technique, now_s);
                }
                self.go_on(channel, now_s);
            }
            Line::Package(package) => {
                self.loop_began(channel, self.point_began_s);
                let began_s = std::mem::replace(&mut self.point_began_s, now_s);
                match self.measurement.package(&package, began_s, now_s, time, channel) {
                    Ok(true) => {
                        self.silences = 0;
                        self.after_point(channel, now_s);
                    }
                    Ok(false) => {}
                    Err(error) => {
                        self.ended_for.get_or_insert(error);
                        if !self.is_aborting() {
                            self.send_abort(1, channel, now_s);
                        }
                    }
                }
            }
            Line::Empty => return self.script_ended(),
            Line::RuntimeError { code, line } => {
                channel.pause_after_error(now_s);
                let place = self.script.place(line);
                return self.failed(
                    InstrumentError::ScriptFailed {
                        reason: code.to_string(),
                        place,
                    },
                    true,
                );
            }
            Line::Echo(Echo::Abort) if self.is_aborting() => self.abort_answered = true,
            Line::Echo(Echo::Abort) => {
                channel.remark("the instrument aborts the script; another program may hold the port");
            }
            Line::Rejected { command, code, .. } => {
                channel.pause_after_error(now_s);
                // Nothing runs that could be aborted, so the end of the script was missed.
                if command == 'Z' && code == ErrorCode::WRONG_MODE && self.is_aborting() {
                    self.abort_answered = true;
                    return self.script_ended();
                }
            }
            Line::Text(text) if text == READ_BACK => {
                self.ended_for.get_or_insert(InstrumentError::CellMoved);
            }
            Line::Text(text) if text == BETWEEN_PARTS => {
                self.ended_for.get_or_insert(InstrumentError::LeftLimits);
            }
            Line::Text(text) if self.is_bound(&text) => {}
            Line::Text(text) => channel.remark(format!("the instrument says: {text}")),
            _ => {}
        }
        Step::Stay
    }

    pub fn tick(&mut self, time: &PointTime, channel: &mut Channel, now_s: f64) -> Step<RunEnd> {
        self.go_on(channel, now_s);
        if now_s < self.silence_ends_s(time, channel) {
            return Step::Stay;
        }
        match self.stage {
            Stage::Loading { .. } => {
                channel.discard_unsent();
                return self.no_answer("a script", channel);
            }
            Stage::Running => {
                self.silences += 1;
                if self.silences > LONGEST_SILENCES {
                    let waited_s = now_s - self.point_began_s;
                    return self.failed(InstrumentError::Stalled { waited_s }, false);
                }
                self.probe(1, channel, now_s);
            }
            Stage::Probing { asked, .. } if asked < PROBES => self.probe(asked + 1, channel, now_s),
            Stage::Probing { .. } => return self.no_answer("`t`", channel),
            Stage::Aborting { told, .. } if told < ABORTS => self.send_abort(told + 1, channel, now_s),
            Stage::Aborting { .. } => {
                let points = self.measurement.arrived();
                return Step::End(RunEnd {
                    outcome: Outcome::Aborted { points },
                    in_step: false,
                    script_ended: false,
                });
            }
        }
        Step::Stay
    }

    fn loading_line(&mut self, line: Line, channel: &mut Channel, now_s: f64) -> Step<RunEnd> {
        match line {
            Line::Accepted('e') => {
                self.heard_s = now_s;
                self.point_began_s = now_s;
                self.stage = Stage::Running;
                if self.stop == Stop::Now {
                    self.send_abort(1, channel, now_s);
                }
            }
            Line::Rejected {
                command: 'e',
                code,
                position,
            } => {
                // The rest of a script that was refused would be read as commands.
                channel.discard_unsent();
                channel.pause_after_error(now_s);
                if code == ErrorCode::WRONG_MODE {
                    return self.failed(InstrumentError::ScriptRunning, false);
                }
                let place = self.script.place(position.map(|position| position.line));
                return self.failed(
                    InstrumentError::ScriptRefused {
                        reason: code.to_string(),
                        place,
                    },
                    true,
                );
            }
            _ => {}
        }
        Step::Stay
    }

    fn loop_began(&mut self, channel: &mut Channel, now_s: f64) {
        if !self.began {
            self.began = true;
            self.point_began_s = now_s;
            if matches!(self.measurement, Measurement::Sweep { .. }) {
                channel.report(Output::SweepBegan);
            }
        }
    }

    fn after_point(&mut self, channel: &mut Channel, now_s: f64) {
        let ends = self.stop == Stop::AfterPoint || self.measurement.is_overloaded();
        if ends && !self.measurement.is_complete() && !self.is_aborting() {
            self.send_abort(1, channel, now_s);
        }
    }

    /// Tells the instrument that somebody is there, where that is due.
    fn go_on(&mut self, channel: &mut Channel, now_s: f64) {
        if self.go_on_at_s().is_some_and(|at_s| at_s <= now_s)
            && let Measurement::Direct(direct) = &mut self.measurement
        {
            direct.told_to_go_on();
            channel.send("Y\n", now_s);
        }
    }

    fn is_bound(&mut self, text: &str) -> bool {
        match &mut self.measurement {
            Measurement::Direct(direct) => direct.text(text),
            _ => false,
        }
    }

    fn probe(&mut self, asked: u32, channel: &mut Channel, now_s: f64) {
        let until_s = channel.send("t\n", now_s);
        self.stage = Stage::Probing { until_s, asked };
    }

    fn send_abort(&mut self, told: u32, channel: &mut Channel, now_s: f64) {
        channel.send("Z\n", now_s);
        let until_s = now_s + channel.settings.timeout_s(WIND_DOWN_S);
        self.stage = Stage::Aborting { until_s, told };
    }

    fn is_aborting(&self) -> bool {
        matches!(self.stage, Stage::Aborting { .. })
    }

    fn script_ended(&self) -> Step<RunEnd> {
        let outcome = match self.measurement.outcome() {
            _ if self.ended_for.is_some() => {
                let error = self.ended_for.clone();
                error.map_or(Outcome::Aborted { points: 0 }, Outcome::Failed)
            }
            overloaded @ Outcome::Overloaded { .. } if self.stop == Stop::No => overloaded,
            complete @ (Outcome::SweepComplete { .. } | Outcome::DirectComplete(_)) => complete,
            _ if self.is_aborting() => Outcome::Aborted {
                points: self.measurement.arrived(),
            },
            outcome => outcome,
        };
        Step::End(RunEnd {
            outcome,
            // A script may end just before it is told to: then the answer to `Z` is still to come.
            in_step: !self.is_aborting() || self.abort_answered,
            script_ended: true,
        })
    }

    fn no_answer(&self, asked: &str, channel: &Channel) -> Step<RunEnd> {
        let waited_s = channel.reply_timeout_s();
        let asked = asked.to_owned();
        self.failed(InstrumentError::NoAnswer { asked, waited_s }, false)
    }

    fn failed(&self, error: InstrumentError, in_step: bool) -> Step<RunEnd> {
        Step::End(RunEnd {
            outcome: Outcome::Failed(error),
            in_step,
            script_ended: false,
        })
    }
}
