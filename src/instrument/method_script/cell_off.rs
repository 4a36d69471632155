//! Switching the cell off, and knowing that it is off.
//!
//! The confirmation is the empty line that ends a script of the one line `cell_off`. Where that does not
//! come, the device is brought back into step (a line end, `t`, `Z`) and told again, a few times.

use super::channel::{Channel, Step};
use super::error_code::ErrorCode;
use super::line::{Echo, Line};
use super::script::Script;

/// How often the device is told.
const ATTEMPTS: u32 = 3;

/// Error replies that are answered by asking again within one attempt.
const REPEATS: u32 = 4;

/// How long an aborted script may wind down in s.
const WIND_DOWN_S: f64 = 10.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// A line end and `t` were sent: is anybody there?
    Greet,
    /// `Z` was sent; whether it was echoed.
    Abort { echoed: bool },
    /// The script was sent; whether it was accepted.
    Script { accepted: bool },
}

/// The cell being switched off.
#[derive(Clone, Debug)]
pub(super) struct CellOff {
    stage: Stage,
    attempt: u32,
    repeats: u32,
    deadline_s: f64,
    trouble: String,
}

/// Off, or why that is not known.
type Ended = Step<Result<(), String>>;

impl CellOff {
    /// `in_step`: the device is known to be idle and to have no reply under way.
    pub fn begin(in_step: bool, channel: &mut Channel, now_s: f64) -> Self {
        let mut cell_off = Self {
            stage: Stage::Greet,
            attempt: 1,
            repeats: 0,
            deadline_s: now_s,
            trouble: String::new(),
        };
        if in_step {
            cell_off.send_script(channel, now_s);
        } else {
            cell_off.greet(channel, now_s);
        }
        cell_off
    }

    pub fn deadline_s(&self) -> f64 {
        self.deadline_s
    }

    pub fn line(&mut self, line: Line, channel: &mut Channel, now_s: f64) -> Ended {
        if let Line::Rejected { .. } | Line::RuntimeError { .. } = line {
            channel.pause_after_error(now_s);
        }
        match (self.stage, line) {
            (Stage::Greet, Line::FirmwareKind(_)) => self.abort_script(channel, now_s),
            (Stage::Greet, Line::Rejected { .. }) => return self.repeat(channel, now_s),

            (Stage::Abort { .. }, Line::Echo(Echo::Abort)) => {
                self.stage = Stage::Abort { echoed: true };
                self.deadline_s = now_s + channel.settings.timeout_s(WIND_DOWN_S);
            }
            (Stage::Abort { echoed: true }, Line::Empty | Line::RuntimeError { .. }) => {
                self.send_script(channel, now_s);
            }
            (Stage::Abort { .. }, Line::Rejected { command: 'Z', .. }) => self.send_script(channel, now_s),

            (Stage::Script { .. }, Line::Accepted('e')) => self.stage = Stage::Script { accepted: true },
            (Stage::Script { accepted: true }, Line::Empty) => return Step::End(Ok(())),
            (Stage::Script { accepted: true }, Line::RuntimeError { code, .. }) => {
                return self.again(format!("the instrument reported {code}"), channel, now_s);
            }
            (
                Stage::Script { .. },
                Line::Rejected {
                    command: 'e', code, ..
                },
            ) => {
                if code == ErrorCode::WRONG_MODE && self.repeats < REPEATS {
                    self.repeats += 1;
                    self.abort_script(channel, now_s);
                } else {
                    return self.again(format!("the instrument reported {code}"), channel, now_s);
                }
            }
            _ => {}
        }
        Step::Stay
    }

    pub fn tick(&mut self, channel: &mut Channel, now_s: f64) -> Ended {
        if now_s < self.deadline_s {
            return Step::Stay;
        }
        let what = match self.stage {
            Stage::Greet => "the instrument does not answer",
            Stage::Abort { .. } => "a running script does not end",
            Stage::Script { .. } => "the end of `cell_off` was not confirmed",
        };
        self.again(what.to_owned(), channel, now_s)
    }

    fn again(&mut self, trouble: String, channel: &mut Channel, now_s: f64) -> Ended {
        self.trouble = trouble;
        channel.discard_unsent();
        if self.attempt >= ATTEMPTS {
            return Step::End(Err(format!("told {ATTEMPTS} times: {}", self.trouble)));
        }
        self.attempt += 1;
        self.repeats = 0;
        self.greet(channel, now_s);
        Step::Stay
    }

    fn repeat(&mut self, channel: &mut Channel, now_s: f64) -> Ended {
        if self.repeats >= REPEATS {
            return self.again(
                "the instrument answers with errors only".to_owned(),
                channel,
                now_s,
            );
        }
        self.repeats += 1;
        self.deadline_s = channel.send("t\n", now_s);
        Step::Stay
    }

    fn greet(&mut self, channel: &mut Channel, now_s: f64) {
        self.stage = Stage::Greet;
        channel.send("\n", now_s);
        self.deadline_s = channel.send("t\n", now_s);
    }

    fn abort_script(&mut self, channel: &mut Channel, now_s: f64) {
        self.stage = Stage::Abort { echoed: false };
        self.deadline_s = channel.send("Z\n", now_s);
    }

    fn send_script(&mut self, channel: &mut Channel, now_s: f64) {
        self.stage = Stage::Script { accepted: false };
        self.deadline_s = channel.send_script(&Script::cell_off(), now_s);
    }
}
