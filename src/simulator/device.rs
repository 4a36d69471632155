//! The device at the far end of the line: commands in, answers out.

use std::sync::Arc;

use super::cell::{Cell, CellModel};
use super::execution::{Bench, Execution};
use super::persona::Persona;
use super::potentiostat::Potentiostat;
use super::script::{LoadError, Program, parse};
use super::truth::{CellSwitched, SweepTruth};
use crate::instrument::method_script::{Capabilities, Echo, ErrorCode, Firmware, Line, ScriptPosition};

/// For this long after an error the device takes no notice of what it is sent.
const DEAF_S: f64 = 0.05;

/// Bits of `CC` of the commands that the simulated device takes: t, CC, CM, l, r, e, i, v, h, H, Z, Y.
const COMMANDS: [u32; 12] = [1, 32, 33, 36, 37, 38, 48, 49, 96, 97, 98, 99];

/// Most lines of a script.
const SCRIPT_MAX_LINES: usize = 5000;

/// What a simulated device is made of.
#[derive(Clone, Debug)]
pub struct DeviceSettings {
    /// Which device it pretends to be.
    pub persona: Persona,
    /// Its serial number.
    pub serial: String,
    /// What is connected to it.
    pub cell: CellModel,
    /// Seed of all noise.
    pub seed: u64,
}

/// A simulated instrument with its cell. It does no I/O and reads no clock: device times in s, which never
/// run backwards, are given to it.
#[derive(Clone, Debug)]
pub struct Device {
    serial: String,
    bench: Bench,
    /// A line of input that has not ended.
    partial: Vec<u8>,
    overlong: bool,
    /// The letter of the command that takes a script, and the lines taken so far.
    receiving: Option<(char, Vec<String>)>,
    loaded: Option<Arc<Program>>,
    execution: Option<Execution>,
    deaf_until_s: f64,
    output: Vec<u8>,
}

impl Device {
    /// A device that was just switched on.
    #[must_use]
    pub fn new(settings: DeviceSettings) -> Self {
        let bench = Bench {
            potentiostat: Potentiostat::new(settings.persona),
            cell: Cell::new(settings.cell, settings.seed),
            truths: Vec::new(),
            switched: Vec::new(),
        };
        Self {
            serial: settings.serial,
            bench,
            partial: Vec::new(),
            overlong: false,
            receiving: None,
            loaded: None,
            execution: None,
            deaf_until_s: f64::NEG_INFINITY,
            output: Vec::new(),
        }
    }

    /// Takes bytes from the line at a device time, in any pieces. What they lead to is given out by
    /// [`Device::advance`].
    pub fn receive(&mut self, bytes: &[u8], now_s: f64) {
        self.run_until(now_s);
        for &byte in bytes {
            if now_s < self.deaf_until_s {
                self.partial.clear();
                self.overlong = false;
                return;
            }
            match byte {
                b'\n' => self.take_line(now_s),
                // Flow control is not part of the text.
                0x11 | 0x13 => {}
                _ if self.partial.len() < self.bench.potentiostat.persona.line_max_bytes => {
                    self.partial.push(byte);
                }
                _ => self.overlong = true,
            }
        }
    }

    /// Runs up to a device time and returns what the device sends until then. Where that is very much it
    /// returns the beginning, and [`Device::deadline_s`] lies in the past: call again.
    pub fn advance(&mut self, now_s: f64) -> Vec<u8> {
        self.run_until(now_s);
        std::mem::take(&mut self.output)
    }

    /// When the device will do something without being asked; `None` while it waits for commands.
    #[must_use]
    pub fn deadline_s(&self) -> Option<f64> {
        self.execution.as_ref().and_then(Execution::deadline_s)
    }

    /// The truth about sweeps that have ended since the last call.
    pub fn take_truths(&mut self) -> Vec<SweepTruth> {
        std::mem::take(&mut self.bench.truths)
    }

    /// When the cell was connected or disconnected since the last call.
    pub fn take_switched(&mut self) -> Vec<CellSwitched> {
        std::mem::take(&mut self.bench.switched)
    }

    /// Potential of the cell in V at a device time.
    #[must_use]
    pub fn cell_potential_v(&self, now_s: f64) -> f64 {
        self.bench.cell.potential(now_s)
    }

    /// Whether the cell is connected to the potentiostat.
    #[must_use]
    pub fn cell_is_on(&self) -> bool {
        self.bench.potentiostat.cell_on
    }

    /// Whether a script runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.execution.is_some()
    }

    /// Ends a running script as a defect in the device would: `on_finished:` is not executed, so that the
    /// cell stays as it is.
    pub fn fail(&mut self, now_s: f64) {
        self.output.clear();
        if let Some(mut execution) = self.execution.take() {
            execution.record_truths(&mut self.bench);
            let line = Line::RuntimeError {
                code: ErrorCode::CRITICAL_OVERLOAD,
                line: None,
            };
            self.deaf_until_s = now_s + DEAF_S;
            self.send(&line);
        }
    }

    /// Restarts: script, loaded script and settings are gone, and the cell is off.
    pub fn restart(&mut self, now_s: f64) {
        self.output.clear();
        if let Some(mut execution) = self.execution.take() {
            execution.record_truths(&mut self.bench);
        }
        // What was driven until now counts, and nothing is driven from now on.
        self.bench.drive(now_s);
        if self.bench.potentiostat.cell_on {
            // Before the switch, so that it tells under what the cell was.
            self.bench.switched.push(CellSwitched {
                t_s: now_s,
                cell_on: false,
                potential_v: self.bench.cell.potential(now_s),
                charge_c: self.bench.cell.charge_c(),
            });
        }
        let persona = self.bench.potentiostat.persona.clone();
        self.bench.potentiostat = Potentiostat::new(persona);
        self.bench.drive(now_s);
        self.partial.clear();
        self.overlong = false;
        self.receiving = None;
        self.loaded = None;
        self.deaf_until_s = now_s + DEAF_S;
    }

    fn run_until(&mut self, now_s: f64) {
        let Some(execution) = &mut self.execution else {
            return;
        };
        let mut lines = Vec::new();
        let ended = execution.advance(now_s, &mut self.bench, &mut lines);
        if ended {
            self.execution = None;
        }
        for line in lines {
            if matches!(line, Line::RuntimeError { .. }) {
                self.deaf_until_s = now_s + DEAF_S;
            }
            self.send(&line);
        }
    }

    fn send(&mut self, line: &Line) {
        self.output.extend_from_slice(line.to_string().as_bytes());
        self.output.push(b'\n');
    }

    fn reject(&mut self, command: char, code: ErrorCode, position: Option<ScriptPosition>, now_s: f64) {
        self.send(&Line::Rejected {
            command,
            code,
            position,
        });
        self.deaf_until_s = now_s + DEAF_S;
    }

    fn take_line(&mut self, now_s: f64) {
        let bytes = std::mem::take(&mut self.partial);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let overlong = std::mem::take(&mut self.overlong);
        match self.receiving.take() {
            Some((command, _)) if overlong => self.reject(command, ErrorCode::LINE_TOO_LONG, None, now_s),
            Some((command, lines)) if text.is_empty() => self.load(command, &lines, now_s),
            Some((command, lines)) if lines.len() >= SCRIPT_MAX_LINES => {
                let line = u32::try_from(lines.len() + 1).unwrap_or(u32::MAX);
                let position = ScriptPosition {
                    line,
                    column: Some(1),
                };
                self.reject(command, ErrorCode::SCRIPT_TOO_LARGE, Some(position), now_s);
            }
            Some((command, mut lines)) => {
                lines.push(text);
                self.receiving = Some((command, lines));
            }
            None => self.take_command(&text, overlong, now_s),
        }
    }

    fn take_command(&mut self, text: &str, overlong: bool, now_s: f64) {
        let Some(letter) = text.chars().next() else {
            // It has flushed a partial command. Inside a script's output it would read as its end.
            if self.execution.is_none() {
                self.send(&Line::Empty);
            }
            return;
        };
        if overlong {
            return self.reject(letter, ErrorCode::LINE_TOO_LONG, None, now_s);
        }
        if text.len() == letter.len_utf8()
            && let Some(echo) = Echo::from_letter(letter)
        {
            return self.interrupt(echo, now_s);
        }
        match text {
            "t" => self.identify(),
            _ if self.execution.is_some() => self.reject(letter, ErrorCode::WRONG_MODE, None, now_s),
            "i" => self.send(&Line::Serial(self.serial.clone())),
            "v" => self.send(&Line::Version(
                self.bench.potentiostat.persona.script_version.to_owned(),
            )),
            "CM" => {
                let techniques = &self.bench.potentiostat.persona.techniques;
                self.send(&Line::Capabilities(Capabilities::of_techniques(techniques)));
            }
            "CC" => self.send(&Line::Capabilities(Capabilities::of('C', &COMMANDS, 160))),
            "e" | "l" => self.receiving = Some((letter, Vec::new())),
            "r" => match self.loaded.clone() {
                Some(program) => self.start(letter, program, now_s),
                None => self.reject(letter, ErrorCode::NO_SCRIPT, None, now_s),
            },
            _ => self.reject(letter, ErrorCode::UNKNOWN_COMMAND, None, now_s),
        }
    }

    fn identify(&mut self) {
        let persona = &self.bench.potentiostat.persona;
        let firmware = Firmware {
            device: persona.device.to_owned(),
            digits: persona.firmware.to_owned(),
            build: persona.build.to_owned(),
        };
        self.send(&Line::Firmware(firmware));
        self.send(&Line::FirmwareKind('R'));
    }

    fn interrupt(&mut self, echo: Echo, now_s: f64) {
        let Some(execution) = &mut self.execution else {
            return self.reject(echo.letter(), ErrorCode::WRONG_MODE, None, now_s);
        };
        let mut lines = Vec::new();
        let taken = execution.command(echo, now_s, &mut self.bench, &mut lines);
        for line in lines {
            self.send(&line);
        }
        match taken {
            Ok(()) => self.run_until(now_s),
            Err(code) => self.reject(echo.letter(), code, None, now_s),
        }
    }

    fn load(&mut self, command: char, lines: &[String], now_s: f64) {
        match parse(lines) {
            Ok(program) => {
                let program = Arc::new(program);
                self.loaded = Some(Arc::clone(&program));
                if command == 'e' {
                    self.start(command, program, now_s);
                } else {
                    self.send(&Line::Accepted(command));
                }
            }
            Err(LoadError { code, line, column }) => {
                self.loaded = None;
                self.reject(
                    command,
                    code,
                    Some(ScriptPosition {
                        line,
                        column: Some(column),
                    }),
                    now_s,
                );
            }
        }
    }

    fn start(&mut self, command: char, program: Arc<Program>, now_s: f64) {
        self.send(&Line::Accepted(command));
        self.execution = Some(Execution::new(program, now_s));
        self.run_until(now_s);
    }
}
