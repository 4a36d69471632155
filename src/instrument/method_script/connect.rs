//! Coming into step with a device of which nothing is known, and asking who it is.
//!
//! Before us there may have been half a command in the device's buffer, replies nobody read in the
//! computer's, a modem manager that sent `AT`, a script that still runs. A line end flushes the first, a
//! short drain the second; error replies to the third are waited out; the last is reported, and aborted
//! only when that was asked for.

use super::capabilities::Capabilities;
use super::channel::{Channel, Step};
use super::error_code::ErrorCode;
use super::line::{Echo, Firmware, Line};
use crate::instrument::{InstrumentError, InstrumentIdentity, Output};

/// What arrives so soon after the first line end was sent before us. In s of real time.
const DRAIN_S: f64 = 0.1;

/// How often a question is asked.
const TRIES: u32 = 4;

/// How long an aborted script may wind down before it is told again, in s.
const WIND_DOWN_S: f64 = 10.0;

#[derive(Clone, Debug, PartialEq)]
enum Stage {
    /// What arrives is from before us.
    Drain,
    /// `t` was sent; the first of its two lines may have come.
    Firmware(Option<Firmware>),
    /// `Z` was sent; whether it was echoed.
    Abort { echoed: bool },
    /// `i` was sent.
    Serial,
    /// `v` was sent.
    Version,
    /// `CM` was sent. What does not know it is asked once.
    Capabilities,
}

/// A connection that is being made.
#[derive(Clone, Debug)]
pub(super) struct Connect {
    stage: Stage,
    take_over: bool,
    tries: u32,
    deadline_s: f64,
    identity: InstrumentIdentity,
    /// What was said once: serial numbers, capabilities, and a device type that is not the profile's. Noise may look
    /// like any of them, so they are believed when they have been said twice.
    said_serials: Vec<String>,
    said_capabilities: Vec<Capabilities>,
    said_device: Option<String>,
}

type Ended = Step<Result<(), InstrumentError>>;

impl Connect {
    pub fn begin(take_over: bool, channel: &mut Channel, now_s: f64) -> Self {
        channel.send("\n", now_s);
        Self {
            stage: Stage::Drain,
            take_over,
            tries: 0,
            deadline_s: now_s + DRAIN_S * channel.settings.time_scale,
            identity: InstrumentIdentity::default(),
            said_serials: Vec::new(),
            said_capabilities: Vec::new(),
            said_device: None,
        }
    }

    pub fn deadline_s(&self) -> f64 {
        self.deadline_s
    }

    /// Whether a script may have been aborted, so that the cell must be switched off.
    pub fn may_have_aborted(&self) -> bool {
        self.take_over
            && matches!(
                self.stage,
                Stage::Abort { .. } | Stage::Serial | Stage::Version | Stage::Capabilities
            )
    }

    pub fn line(&mut self, line: Line, channel: &mut Channel, now_s: f64) -> Ended {
        if let Line::Rejected { .. } | Line::RuntimeError { .. } = line {
            channel.pause_after_error(now_s);
        }
        match (&mut self.stage, line) {
            (Stage::Drain, _) => {}
            (Stage::Firmware(first), Line::Firmware(firmware)) => *first = Some(firmware),
            (Stage::Firmware(Some(firmware)), Line::FirmwareKind(kind)) => {
                let firmware = firmware.clone();
                return self.recognise(&firmware, kind, channel, now_s);
            }
            // Our `t` may have been lost in the pause that follows an error.
            (Stage::Firmware(_), Line::Rejected { .. } | Line::RuntimeError { .. }) => {
                return self.ask_again(channel, now_s);
            }

            (Stage::Abort { echoed }, Line::Echo(Echo::Abort)) => {
                *echoed = true;
                self.deadline_s = now_s + channel.settings.timeout_s(WIND_DOWN_S);
            }
            (Stage::Abort { echoed: true }, Line::Empty | Line::RuntimeError { .. }) => {
                channel.remark("a running script was aborted");
                self.ask(Stage::Serial, channel, now_s);
            }
            (Stage::Abort { .. }, Line::Rejected { command: 'Z', .. }) => {
                self.ask(Stage::Serial, channel, now_s);
            }
            (Stage::Abort { .. }, _) => {}

            (Stage::Serial | Stage::Version | Stage::Capabilities, line) if is_script_output(&line) => {
                return Step::End(Err(InstrumentError::ScriptRunning));
            }
            (Stage::Serial, Line::Serial(serial)) => {
                if !self.said_serials.contains(&serial) {
                    self.said_serials.push(serial);
                    // It does answer, so this counts as an attempt only where it never says the same.
                    self.tries = self.said_serials.len() as u32 / 2;
                    return self.ask_again(channel, now_s);
                }
                self.identity.serial = serial;
                self.ask(Stage::Version, channel, now_s);
            }
            (
                Stage::Serial,
                Line::Rejected {
                    command: 'i', code, ..
                },
            ) => {
                if code == ErrorCode::WRONG_MODE {
                    return Step::End(Err(InstrumentError::ScriptRunning));
                }
                channel.remark(format!("the instrument does not tell its serial number: {code}"));
                self.ask(Stage::Version, channel, now_s);
            }
            (Stage::Version, Line::Version(version)) => {
                self.identity.firmware += &format!(", MethodSCRIPT {version}");
                self.ask(Stage::Capabilities, channel, now_s);
            }
            (
                Stage::Version,
                Line::Rejected {
                    command: 'v', code, ..
                },
            ) => {
                channel.remark(format!(
                    "the instrument does not tell its version of MethodSCRIPT: {code}"
                ));
                self.ask(Stage::Capabilities, channel, now_s);
            }
            (Stage::Capabilities, Line::Capabilities(mask)) if mask.kind == 'M' => {
                if !self.said_capabilities.contains(&mask) {
                    self.said_capabilities.push(mask);
                    self.tries = self.said_capabilities.len() as u32 / 2;
                    return self.ask_again(channel, now_s);
                }
                self.identity.techniques = Some(mask.techniques());
                return self.finish(channel);
            }
            // Old devices do not know the question.
            (Stage::Capabilities, Line::Rejected { .. }) => return self.finish(channel),
            (Stage::Serial | Stage::Version, Line::Rejected { .. }) => {
                return self.ask_again(channel, now_s);
            }
            (Stage::Firmware(_) | Stage::Serial | Stage::Version | Stage::Capabilities, _) => {}
        }
        Step::Stay
    }

    pub fn tick(&mut self, channel: &mut Channel, now_s: f64) -> Ended {
        if now_s < self.deadline_s {
            return Step::Stay;
        }
        if self.stage == Stage::Drain {
            self.ask(Stage::Firmware(None), channel, now_s);
            return Step::Stay;
        }
        if self.stage == Stage::Capabilities {
            return self.finish(channel);
        }
        // Whatever the device has of a broken command ends here, so that the question stands alone. Not after
        // `Z`: the empty answer to a line end would look like the end of the script.
        if !matches!(self.stage, Stage::Abort { .. }) {
            channel.send("\n", now_s);
        }
        self.ask_again(channel, now_s)
    }

    fn ask(&mut self, stage: Stage, channel: &mut Channel, now_s: f64) {
        self.stage = stage;
        self.tries = 1;
        self.deadline_s = channel.send(&format!("{}\n", self.question()), now_s);
    }

    fn ask_again(&mut self, channel: &mut Channel, now_s: f64) -> Ended {
        let question = self.question();
        if self.tries >= TRIES {
            channel.discard_unsent();
            return Step::End(Err(InstrumentError::NoAnswer {
                asked: format!("`{question}`, asked {TRIES} times,"),
                waited_s: channel.reply_timeout_s(),
            }));
        }
        self.tries += 1;
        if let Stage::Firmware(first) = &mut self.stage {
            *first = None;
        }
        self.deadline_s = channel.send(&format!("{question}\n"), now_s);
        Step::Stay
    }

    fn question(&self) -> &'static str {
        match self.stage {
            Stage::Drain | Stage::Firmware(_) => "t",
            Stage::Abort { .. } => "Z",
            Stage::Serial => "i",
            Stage::Version => "v",
            Stage::Capabilities => "CM",
        }
    }

    fn recognise(&mut self, firmware: &Firmware, kind: char, channel: &mut Channel, now_s: f64) -> Ended {
        let expected = &channel.settings.device;
        if firmware.device != *expected {
            if self.said_device.as_ref() != Some(&firmware.device) {
                self.said_device = Some(firmware.device.clone());
                return self.ask_again(channel, now_s);
            }
            return Step::End(Err(InstrumentError::WrongDevice {
                expected: expected.clone(),
                found: firmware.device.clone(),
            }));
        }
        let kind = match kind {
            'B' => " beta",
            'D' => " development",
            _ => "",
        };
        self.identity.device = firmware.device.clone();
        self.identity.firmware = format!("{}{kind} ({})", firmware.version(), firmware.build);
        let next = if self.take_over {
            Stage::Abort { echoed: false }
        } else {
            Stage::Serial
        };
        self.ask(next, channel, now_s);
        Step::Stay
    }

    fn finish(&mut self, channel: &mut Channel) -> Ended {
        channel.report(Output::Identity(std::mem::take(&mut self.identity)));
        Step::End(Ok(()))
    }
}

/// Lines that only a running script sends.
fn is_script_output(line: &Line) -> bool {
    matches!(
        line,
        Line::Package(_)
            | Line::LoopStart { .. }
            | Line::LoopEnd
            | Line::ScanStart { .. }
            | Line::ScanEnd
            | Line::ScriptLoopStart
            | Line::ScriptLoopEnd
            | Line::Text(_)
    )
}
