//! A simulated instrument that speaks a line profile from the other end: the templates with which the
//! driver writes are those by which this reads, and the reverse.

mod commands;
mod rows;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use self::commands::{Command, Commands, Meaning};
use self::rows::Measured;
use super::cell::{Cell, CellModel};
use super::instrument::SimulatedInstrument;
use super::truth::{CellSwitched, SweepTruth, TruthRecorder};
use crate::instrument::line_profile::{Line, Splitter, encode, parameters};
use crate::profile::line::{
    AcknowledgePolicy, DirectTable, Framing, LineProfile, Measuring, Mode, Step, Template, Value, Values,
};
use crate::profile::{Instrument, PointTiming};

/// What a simulated line instrument is made of.
#[derive(Clone, Debug)]
pub struct LineDeviceSettings {
    /// What it says.
    pub line: Arc<LineProfile>,
    /// The device type that it gives.
    pub device: String,
    /// Its serial number.
    pub serial: String,
    /// How long its points take.
    pub timing: PointTiming,
    /// What is connected to it.
    pub cell: CellModel,
    /// Seed of all noise.
    pub seed: u64,
}

impl LineDeviceSettings {
    /// Settings from a profile; none where its protocol is another. Without a serial number one is made
    /// from the seed.
    #[must_use]
    pub fn new(instrument: &Instrument, serial: Option<String>, cell: CellModel, seed: u64) -> Option<Self> {
        let line = Arc::new(instrument.line.clone()?);
        let start = match line.simulation.serial.as_str() {
            "" => "SIM",
            start => start,
        };
        Some(Self {
            serial: serial.unwrap_or_else(|| format!("{start}{seed:04}")),
            device: instrument.device.clone(),
            timing: instrument.timing,
            line,
            cell,
            seed,
        })
    }
}

/// A simulated instrument that a line profile describes.
#[derive(Clone, Debug)]
pub struct LineDevice {
    line: Arc<LineProfile>,
    timing: PointTiming,
    /// Fields of its answers.
    fields: Values,
    commands: Arc<Commands>,
    splitter: Splitter,
    cell: Cell,
    /// What was set, by parameter.
    set: BTreeMap<String, f64>,
    /// Commands that wait for the end of a measurement that nothing interrupts.
    inbox: VecDeque<String>,
    /// The command that is being obeyed.
    heard: String,
    running: Option<Running>,
    sweep: Option<Sweep>,
    output: Vec<u8>,
    truths: Vec<SweepTruth>,
    /// Whether the cell is connected, where there is a switch.
    cell_is_on: bool,
    switched: Vec<CellSwitched>,
    now_s: f64,
}

/// The sweep that points belong to.
#[derive(Clone, Debug)]
struct Sweep {
    number: u32,
    points: u32,
    last_hz: f64,
    truth: TruthRecorder,
}

/// A measurement that runs.
#[derive(Clone, Debug)]
struct Running {
    kind: Kind,
    index: u32,
    /// When the running row began, and when it is sent, in s.
    began_s: f64,
    due_s: f64,
}

/// What kind of measurement runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One row, or one after the other, at the frequency that was set; whether it is confirmed after.
    Point { confirm_after: bool },
    /// One reading of the potential at rest.
    Rest { confirm_after: bool },
    /// Rows of a sweep, of themselves.
    Sweep,
    /// Sweeps without end, of themselves.
    Free,
    /// Rows of direct current.
    Direct(DirectTable),
}

impl LineDevice {
    /// A device that was just switched on.
    #[must_use]
    pub fn new(settings: LineDeviceSettings) -> Self {
        let line = settings.line;
        let framing = Framing {
            receive_end: line.framing.send_end,
            max_line_bytes: 4096,
            ..line.framing.clone()
        };
        let mut fields: Values = line
            .simulation
            .fields
            .iter()
            .map(|(name, text)| (name.clone(), Value::Text(text.clone())))
            .collect();
        for (name, text) in [
            ("device", &settings.device),
            ("serial", &settings.serial),
            ("firmware", &line.simulation.firmware),
        ] {
            fields.insert(name.to_owned(), Value::Text(text.clone()));
        }
        let mut device = Self {
            commands: Arc::new(Commands::of(&line)),
            timing: settings.timing,
            fields,
            splitter: Splitter::new(framing),
            cell: Cell::new(settings.cell, settings.seed),
            set: BTreeMap::new(),
            inbox: VecDeque::new(),
            heard: String::new(),
            running: None,
            sweep: None,
            output: Vec::new(),
            truths: Vec::new(),
            cell_is_on: false,
            switched: Vec::new(),
            now_s: 0.0,
            line,
        };
        if device
            .line
            .sweep
            .as_ref()
            .is_some_and(|sweep| sweep.mode == Mode::Listen)
        {
            device.begin_rows(Kind::Free);
        }
        device
    }

    fn send(&mut self, text: &str) {
        let framing = Framing {
            blank_before_multiples_of: None,
            send_end: match self.line.framing.receive_end {
                crate::profile::line::LineEnd::Any => self.line.framing.send_end,
                end => end,
            },
            ..self.line.framing.clone()
        };
        self.output.extend_from_slice(&encode(&framing, text));
    }

    fn send_template(&mut self, template: &Template, values: &Values) {
        let mut all = self.fields.clone();
        all.extend(values.clone());
        self.send(&template.write(&all));
    }

    fn policy(&self, step: &Step) -> AcknowledgePolicy {
        step.acknowledge.unwrap_or(self.line.acknowledge.policy)
    }

    fn confirm(&mut self) {
        let line = Arc::clone(&self.line);
        let mut canned = line.simulation.answers.iter();
        let reply = canned.find_map(|answer| Some((&answer.reply, answer.line.read(&self.heard)?)));
        match (reply, &line.acknowledge.good) {
            (Some((reply, values)), _) => self.send_template(reply, &values),
            (None, Some(good)) => self.send_template(good, &Values::new()),
            (None, None) => {}
        }
    }

    fn take_command(&mut self, text: &str) {
        let text = commands::without_blanks_of_json(text);
        let commands = Arc::clone(&self.commands);
        let Some((command, values)) = commands.find(&text) else {
            return self.refuse(&text);
        };
        // A command that is fixed in one place may be one with parameters in another.
        for (template, values) in commands.readings(&text) {
            for parameter in commands::PARAMETERS {
                if let Some(value) = parameters::read(&self.line, template, &values, parameter) {
                    self.set.insert((*parameter).to_owned(), value);
                }
            }
        }
        self.heard = text;
        self.obey(command, &values);
    }

    fn refuse(&mut self, text: &str) {
        let mut values = Values::new();
        values.insert("reason".to_owned(), Value::Text("unknown command".to_owned()));
        values.insert("command".to_owned(), Value::Text(text.to_owned()));
        if let Some(bad) = self.line.acknowledge.bad.clone() {
            self.send_template(&bad, &values);
        }
    }

    fn obey(&mut self, command: &Command, values: &Values) {
        match &command.meaning {
            Meaning::NoErrors(expect) => self.send_template(expect, values),
            Meaning::Taken => {
                if let Some(good) = self.line.acknowledge.good.clone() {
                    self.send_template(&good, values);
                } else {
                    self.send("0");
                }
            }
            Meaning::Canned(reply) => self.send_template(reply, values),
            Meaning::Step(step) => self.step(step, values, None),
            Meaning::Ends(step) | Meaning::Off(step) => {
                let ended = self.running.take();
                self.end_sweep();
                if self.line.cell.opens_by_itself || matches!(command.meaning, Meaning::Off(_)) {
                    self.switch(false);
                }
                self.step(step, values, None);
                // Rows that are cut off have an end like others.
                if let Some(Kind::Direct(table)) = ended.map(|running| running.kind) {
                    let line = Arc::clone(&self.line);
                    if let Some(spec) = line.direct(table) {
                        self.send_end(spec);
                    }
                }
            }
            Meaning::Pauses(step) => {
                self.running = None;
                self.step(step, values, None);
            }
            Meaning::Starts(step, kind) => self.step(step, values, Some(*kind)),
            Meaning::Point(step) | Meaning::Rest(step) => {
                let policy = self.policy(step);
                if policy == AcknowledgePolicy::Before {
                    self.confirm();
                }
                let confirm_after = policy == AcknowledgePolicy::After;
                let is_point = matches!(command.meaning, Meaning::Point(_));
                self.begin_rows(if is_point {
                    Kind::Point { confirm_after }
                } else {
                    Kind::Rest { confirm_after }
                });
            }
        }
    }

    /// Confirms and answers a step; then begins what it starts.
    fn step(&mut self, step: &Step, values: &Values, starts: Option<Kind>) {
        let policy = self.policy(step);
        if policy == AcknowledgePolicy::Before {
            self.confirm();
        }
        if let Some(expect) = &step.expect {
            self.send_template(expect, values);
        }
        if policy == AcknowledgePolicy::After {
            self.confirm();
        }
        if let Some(kind) = starts {
            self.begin_rows(kind);
        }
    }

    /// What stands at the end of rows.
    fn send_end(&mut self, spec: &Measuring) {
        if spec.end.empty_object {
            self.send("{}");
        }
        if let Some(marker) = &spec.end.marker {
            self.send_template(marker, &Values::new());
        }
    }

    /// Connects or disconnects the cell, where there is a switch.
    fn switch(&mut self, on: bool) {
        if !self.line.switches_cell() || self.cell_is_on == on {
            return;
        }
        // What flowed up to now counts, and from now on nothing does until the next reading.
        self.cell.carry(self.now_s, 0.0);
        self.cell_is_on = on;
        self.switched.push(CellSwitched {
            t_s: self.now_s,
            cell_on: on,
            potential_v: self.cell.potential(self.now_s),
            charge_c: self.cell.charge_c(),
        });
    }

    /// Whether commands wait until the measurement has ended.
    fn is_deaf(&self) -> bool {
        let kind = self.running.as_ref().map(|running| running.kind);
        let waits = matches!(kind, Some(Kind::Point { .. } | Kind::Rest { .. }));
        waits && !self.line.simulation.streams
    }

    fn end_sweep(&mut self) {
        if let Some(sweep) = self.sweep.take() {
            let values = self.cell.values(self.now_s);
            let truth = sweep.truth.finish(self.cell.model(), self.now_s, &values);
            self.truths.extend(truth);
        }
    }

    fn run_until(&mut self, now_s: f64) {
        loop {
            while !self.is_deaf() {
                let Some(text) = self.inbox.pop_front() else {
                    break;
                };
                self.take_command(&text);
            }
            let due_s = self.running.as_ref().map(|running| running.due_s);
            match due_s {
                Some(due_s) if due_s <= now_s && self.output.len() < 65_536 => {
                    self.now_s = self.now_s.max(due_s);
                    self.row_due();
                }
                _ => break,
            }
        }
        self.now_s = self.now_s.max(now_s);
    }

    fn measured(&mut self, frequency_hz: f64, began_s: f64) -> Measured {
        let middle_s = f64::midpoint(began_s, self.now_s);
        // A frequency against the order of the sweep begins another; the same again is another try.
        let goes_on = self
            .sweep
            .as_ref()
            .is_some_and(|sweep| rows::follows(&self.line, sweep.last_hz, frequency_hz));
        if !goes_on {
            self.end_sweep();
            let number = self.cell.begin_sweep(began_s);
            let truth = TruthRecorder::new(number, began_s, self.cell.values(began_s));
            self.sweep = Some(Sweep {
                number,
                points: 0,
                last_hz: frequency_hz,
                truth,
            });
        }
        let truth = self.cell.impedance(middle_s, frequency_hz);
        let values = self.cell.values(middle_s);
        let mut noise = num_complex::Complex64::ZERO;
        if let Some(sweep) = &mut self.sweep {
            noise = self.cell.impedance_noise(truth, sweep.number, sweep.points);
            sweep.points += 1;
            sweep.last_hz = frequency_hz;
            sweep.truth.add_point(&values);
        }
        Measured {
            frequency_hz,
            impedance: truth + noise,
            potential_v: self.cell.read_potential(self.now_s),
            current_a: 0.0,
            time_s: 0.0,
        }
    }
}

impl SimulatedInstrument for LineDevice {
    fn receive(&mut self, bytes: &[u8], now_s: f64) {
        self.run_until(now_s);
        for line in self.splitter.feed(bytes) {
            if let Line::Text(text) = line {
                let commands = Arc::clone(&self.commands);
                if commands.interrupts(&text) {
                    self.inbox.clear();
                    self.take_command(&text);
                } else {
                    self.inbox.push_back(text);
                }
            }
            self.run_until(now_s);
        }
    }

    fn advance(&mut self, now_s: f64) -> Vec<u8> {
        self.run_until(now_s);
        std::mem::take(&mut self.output)
    }

    fn deadline_s(&self) -> Option<f64> {
        self.running.as_ref().map(|running| running.due_s)
    }

    fn take_truths(&mut self) -> Vec<SweepTruth> {
        std::mem::take(&mut self.truths)
    }

    fn take_switched(&mut self) -> Vec<CellSwitched> {
        std::mem::take(&mut self.switched)
    }

    fn cell_is_on(&self) -> Option<bool> {
        self.line.switches_cell().then_some(self.cell_is_on)
    }
}

#[cfg(test)]
mod tests;
