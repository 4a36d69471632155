//! A script on its way through the device: accepted, running, ended.
//!
//! A device is silent for as long as a point takes, which at low frequencies is minutes. Silence alone is
//! therefore no error: after three times the expected time the device is asked `t`, which it answers while
//! it measures, and only when that stays unanswered has the run failed.
//!
//! Whether a script runs at all is asked with `i`, which is refused while one does: where its echo did not come,
//! where it seems to end in the middle of a loop (one byte that came twice looks so), and where a device answers
//! and still measures nothing. A device that says nothing to `i` and answers `t` is taken to be measuring.

use super::channel::{Channel, Step};
use super::error_code::ErrorCode;
use super::line::{Echo, Line};
use super::measurement::Measurement;
use super::package::Package;
use super::script::{BETWEEN_PARTS, NOBODY, READ_BACK, Script};
use crate::analysis::point_time::PointTime;
use crate::instrument::{InstrumentError, Outcome, Output};

/// The device is asked after so many times the expected time of a point.
const PATIENCE: f64 = 3.0;

/// How often `t` is asked before the device counts as gone: one answer may be lost to noise.
const PROBES: u32 = 2;

/// How often `i` is asked before that, where it is in doubt whether a script runs.
const DOUBTFUL_PROBES: u32 = 1;

/// From so many silences in a row on it is asked whether a script runs at all.
const DOUBTFUL_SILENCES: u32 = 2;

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
    /// `t`, or `i`, was asked so many times.
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
    /// Whether the device has shown that it took the script: by its echo, or by what only a script sends.
    accepted: bool,
    began: bool,
    point_began_s: f64,
    /// When the device last said anything that was understood.
    heard_s: f64,
    silences: u32,
    /// Whether a measurement loop has begun and not ended.
    in_loop: bool,
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
            accepted: false,
            began: false,
            point_began_s: now_s,
            heard_s: now_s,
            silences: 0,
            in_loop: false,
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
        match self.stop {
            Stop::No if !self.is_aborting() => self.measurement.go_on_at_s(),
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
        if let Stage::Loading { .. } = self.stage
            && !self.is_accepted_by(&line, channel, now_s)
        {
            return Step::Stay;
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
            Line::Accepted('e') => self.accepted = true,
            Line::LoopStart { technique } => {
                self.in_loop = true;
                self.loop_began(channel, now_s);
                self.measurement.loop_began(technique, now_s);
                self.go_on(channel, now_s);
            }
            Line::LoopEnd => self.in_loop = false,
            Line::Package(package) => {
                self.in_loop = true;
                self.loop_began(channel, self.point_began_s);
                let began_s = std::mem::replace(&mut self.point_began_s, now_s);
                match self.measurement.package(&package, began_s, now_s, time, channel) {
                    Ok(true) => {
                        self.silences = 0;
                        self.after_point(channel, now_s);
                    }
                    Ok(false) => self.go_on(channel, now_s),
                    Err(error) => {
                        self.ended_for.get_or_insert(error);
                        if !self.is_aborting() {
                            self.send_abort(1, channel, now_s);
                        }
                    }
                }
            }
            Line::Empty if self.doubts_an_end() => self.ask_whether_it_runs(channel, now_s),
            Line::Empty => return self.script_ended(),
            // Only said while no script runs.
            Line::Serial(_) if !self.is_aborting() => {
                if !self.accepted {
                    return self.no_answer("a script", true, channel);
                }
                channel.remark("the instrument runs no script any more, and its end was not seen");
                return self.script_ended();
            }
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
            Line::Rejected {
                command: 'e',
                code,
                position,
            } if !self.accepted => {
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
            Line::Rejected { command, code, .. } => {
                channel.pause_after_error(now_s);
                self.accepted |= command == 'i' && code == ErrorCode::WRONG_MODE;
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
            Line::Text(text) if text == NOBODY => {
                channel.remark(
                    "the instrument switched the cell off because it did not hear from the session in time",
                );
                if let Outcome::Failed(early) = self.measurement.outcome() {
                    self.ended_for.get_or_insert(early);
                }
            }
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
            Stage::Loading { .. } if self.stop == Stop::Now || channel.deadline_s().is_some() => {
                channel.discard_unsent();
                return self.no_answer("a script", false, channel);
            }
            // Perhaps only its echo was lost. The line end stands for that of the script, should it have been.
            Stage::Loading { .. } => {
                channel.send("\n", now_s);
                self.ask_whether_it_runs(channel, now_s);
            }
            Stage::Running => {
                self.silences += 1;
                if self.silences > LONGEST_SILENCES {
                    let waited_s = now_s - self.point_began_s;
                    return self.failed(InstrumentError::Stalled { waited_s }, false);
                }
                self.probe(1, channel, now_s);
            }
            Stage::Probing { asked, .. } if asked < self.probes() => self.probe(asked + 1, channel, now_s),
            Stage::Probing { .. } => return self.no_answer("`t`", false, channel),
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

    /// Whether the device took the script, by what it says while an answer to it is due.
    fn is_accepted_by(&mut self, line: &Line, channel: &mut Channel, now_s: f64) -> bool {
        match line {
            Line::Accepted('e')
            | Line::LoopStart { .. }
            | Line::ScriptLoopStart
            | Line::Package(_)
            | Line::Text(_)
            | Line::RuntimeError { .. } => {}
            Line::Rejected { command: 'e', .. } => return true,
            _ => return false,
        }
        self.accepted = true;
        self.heard_s = now_s;
        self.point_began_s = now_s;
        self.stage = Stage::Running;
        if self.stop == Stop::Now {
            self.send_abort(1, channel, now_s);
        }
        true
    }

    /// Whether an empty line may be something else than the end of the script.
    fn doubts_an_end(&self) -> bool {
        let is_due = self.began && !self.in_loop && !self.measurement.expects_a_loop();
        !is_due && self.ended_for.is_none() && !self.is_aborting()
    }

    fn ask_whether_it_runs(&mut self, channel: &mut Channel, now_s: f64) {
        self.silences = self.silences.max(DOUBTFUL_SILENCES);
        self.probe(1, channel, now_s);
    }

    /// Takes a package that came when the run had been given up: it was measured all the same.
    pub fn late_package(
        &mut self,
        package: &Package,
        time: &mut PointTime,
        channel: &mut Channel,
        now_s: f64,
    ) {
        let began_s = std::mem::replace(&mut self.point_began_s, now_s);
        // Whatever it says, the cell is being switched off already.
        let _ = self.measurement.package(package, began_s, now_s, time, channel);
    }

    /// Points or readings that have arrived.
    pub fn arrived(&self) -> u32 {
        self.measurement.arrived()
    }

    fn loop_began(&mut self, channel: &mut Channel, now_s: f64) {
        if !self.began {
            self.began = true;
            self.point_began_s = now_s;
            if self.is_sweep() {
                channel.report(Output::SweepBegan);
            }
        }
    }

    fn after_point(&mut self, channel: &mut Channel, now_s: f64) {
        let ends = self.stop == Stop::AfterPoint || self.measurement.is_overloaded();
        if ends && !self.measurement.is_at_its_end() && !self.is_aborting() {
            self.send_abort(1, channel, now_s);
        }
    }

    /// Tells the instrument that somebody is there, where that is due.
    fn go_on(&mut self, channel: &mut Channel, now_s: f64) {
        // Between two parts there is no running point that could be waited for.
        let is_between = self.is_sweep() && self.measurement.go_on_at_s().is_some();
        if self.stop == Stop::AfterPoint && is_between && !self.is_aborting() {
            self.send_abort(1, channel, now_s);
        }
        if self.go_on_at_s().is_some_and(|at_s| at_s <= now_s) {
            self.measurement.told_to_go_on(now_s);
            channel.send("Y\n", now_s);
        }
    }

    fn is_bound(&mut self, text: &str) -> bool {
        match &mut self.measurement {
            Measurement::Direct(direct) => direct.text(text),
            _ => false,
        }
    }

    fn probes(&self) -> u32 {
        if self.silences < DOUBTFUL_SILENCES {
            PROBES
        } else {
            DOUBTFUL_PROBES + PROBES
        }
    }

    fn probe(&mut self, asked: u32, channel: &mut Channel, now_s: f64) {
        let is_doubtful = self.silences >= DOUBTFUL_SILENCES && asked <= DOUBTFUL_PROBES;
        let question = if is_doubtful { "i\n" } else { "t\n" };
        let until_s = channel.send(question, now_s);
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
            Outcome::Failed(InstrumentError::EndedEarly { points, expected })
                if self.is_sweep() && self.began && !self.in_loop && !self.measurement.expects_a_loop() =>
            {
                Outcome::Failed(InstrumentError::PointsLost { points, expected })
            }
            outcome => outcome,
        };
        Step::End(RunEnd {
            outcome,
            // A script may end just before it is told to: then the answer to `Z` is still to come.
            in_step: !self.is_aborting() || self.abort_answered,
            script_ended: true,
        })
    }

    fn is_sweep(&self) -> bool {
        matches!(self.measurement, Measurement::Sweep { .. })
    }

    fn no_answer(&self, asked: &str, in_step: bool, channel: &Channel) -> Step<RunEnd> {
        let waited_s = channel.reply_timeout_s();
        let asked = asked.to_owned();
        self.failed(InstrumentError::NoAnswer { asked, waited_s }, in_step)
    }

    fn failed(&self, error: InstrumentError, in_step: bool) -> Step<RunEnd> {
        Step::End(RunEnd {
            outcome: Outcome::Failed(error),
            in_step,
            script_ended: false,
        })
    }
}
