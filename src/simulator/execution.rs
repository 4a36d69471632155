//! A script that runs: in device time, resumable at any moment.

use std::sync::Arc;

use super::cell::Cell;
use super::measurement::Frame;
use super::potentiostat::Potentiostat;
use super::script::{Argument, Command, Program, Step};
use super::set_up::set_up;
use super::truth::{CellSwitched, SweepTruth};
use super::variables::{Variables, kind, variable};
use crate::instrument::method_script::{Echo, ErrorCode, Line, Package, Value, Variable, VariableType};

/// Commands that run at one moment; a script that runs more without waiting pauses.
const BURST: u32 = 1000;

/// That pause in s.
const BURST_PAUSE_S: f64 = 0.01;

/// Lines of output after which a script that has fallen behind stops, so that whoever sends them can keep
/// step.
const OUTPUT_LINES: usize = 1000;

/// What a script works on.
#[derive(Clone, Debug)]
pub(super) struct Bench {
    pub(super) potentiostat: Potentiostat,
    pub(super) cell: Cell,
    /// Of sweeps that ended and were not fetched yet.
    pub(super) truths: Vec<SweepTruth>,
    /// When the cell was switched, not fetched yet.
    pub(super) switched: Vec<CellSwitched>,
}

impl Bench {
    /// Lets the cell carry the current that the potentiostat drives now.
    pub(super) fn drive(&mut self, now_s: f64) {
        let current_a = self.potentiostat.driven_current(&self.cell, now_s);
        if self.potentiostat.holds_potential() {
            self.cell.settle(now_s, current_a);
        } else {
            self.cell.carry(now_s, current_a);
        }
    }

    /// Tells that the cell was switched where it was.
    fn note_switch(&mut self, was_on: bool, now_s: f64) {
        let on = self.potentiostat.cell_on;
        if on != was_on {
            self.switched.push(CellSwitched {
                t_s: now_s,
                cell_on: on,
                potential_v: self.cell.potential(now_s),
                charge_c: self.cell.charge_c(),
            });
        }
    }
}

/// What happens when a wait is over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waiting {
    Point,
    Reading { variable: usize, kind: VariableType },
}

/// What a command leads to.
pub(super) enum Flow {
    Next,
    Jump(usize),
    /// Sleep for seconds, then go on at a step.
    Sleep(f64, usize),
}

/// A running script.
#[derive(Clone, Debug)]
pub(super) struct Execution {
    pub(super) program: Arc<Program>,
    pub(super) position: usize,
    pub(super) values: Variables,
    pub(super) now_s: f64,
    wake_s: f64,
    pub(super) waiting: Option<Waiting>,
    package: Package,
    timer_s: f64,
    pub(super) frames: Vec<Frame>,
    halted_since_s: Option<f64>,
}

impl Execution {
    pub(super) fn new(program: Arc<Program>, now_s: f64) -> Self {
        Self {
            position: 0,
            values: Variables::new(program.variables),
            program,
            now_s,
            wake_s: now_s,
            waiting: None,
            package: Package::default(),
            timer_s: now_s,
            frames: Vec::new(),
            halted_since_s: None,
        }
    }

    /// When there is something to do next; `None` while the script is halted.
    pub(super) fn deadline_s(&self) -> Option<f64> {
        self.halted_since_s.is_none().then_some(self.wake_s)
    }

    /// Runs up to a device time, or until there is much to send. Returns whether the script has ended.
    pub(super) fn advance(&mut self, now_s: f64, bench: &mut Bench, output: &mut Vec<Line>) -> bool {
        while self.halted_since_s.is_none() && self.wake_s <= now_s && output.len() < OUTPUT_LINES {
            self.now_s = self.wake_s;
            match self.run(bench, output) {
                Ok(Some(duration_s)) => self.wake_s = self.now_s + duration_s,
                Ok(None) => {
                    output.push(Line::Empty);
                    return true;
                }
                Err(code) => {
                    let line = self.program.steps.get(self.position).map(|step| step.line);
                    self.record_truths(bench);
                    output.push(Line::RuntimeError { code, line });
                    return true;
                }
            }
        }
        false
    }

    /// Takes a run-time command. `Z` winds the script down to what stands under `on_finished:`.
    ///
    /// # Errors
    /// When there is no measurement loop to skip.
    pub(super) fn command(
        &mut self,
        echo: Echo,
        now_s: f64,
        bench: &mut Bench,
        output: &mut Vec<Line>,
    ) -> Result<(), ErrorCode> {
        let measuring = self
            .frames
            .iter()
            .rposition(|frame| matches!(frame, Frame::Measurement { .. }));
        if echo == Echo::Skip && measuring.is_none() {
            return Err(ErrorCode::WRONG_MODE);
        }
        output.push(Line::Echo(echo));
        match (echo, measuring) {
            (Echo::Halt, _) => {
                self.halted_since_s.get_or_insert(now_s);
            }
            (Echo::Resume, _) => self.resume(now_s),
            (Echo::Skip, Some(depth)) => {
                self.resume(now_s);
                if let Frame::Measurement { start, .. } = self.frames[depth] {
                    self.interrupt(depth, now_s, bench, output);
                    self.position = self.program.steps[start].target + 1;
                }
            }
            (Echo::Abort | Echo::Skip, _) => {
                self.resume(now_s);
                if self.position < self.program.on_finished {
                    self.interrupt(0, now_s, bench, output);
                    self.position = self.program.on_finished;
                }
            }
        }
        Ok(())
    }

    fn resume(&mut self, now_s: f64) {
        if let Some(since_s) = self.halted_since_s.take() {
            self.wake_s += now_s - since_s;
        }
    }

    /// Closes loops down to a depth and forgets what was waited for.
    fn interrupt(&mut self, depth: usize, now_s: f64, bench: &mut Bench, output: &mut Vec<Line>) {
        self.now_s = now_s.max(self.now_s);
        while self.frames.len() > depth {
            self.close_loop(bench, output);
        }
        self.waiting = None;
        self.package = Package::default();
        self.wake_s = self.now_s;
    }

    /// Runs until there is something to wait for. Returns how long that is in s, `None` at the end.
    fn run(&mut self, bench: &mut Bench, output: &mut Vec<Line>) -> Result<Option<f64>, ErrorCode> {
        match self.waiting.take() {
            Some(Waiting::Point) => self.end_point(bench),
            Some(Waiting::Reading { variable, kind }) => self.values[variable] = self.read(kind, bench)?,
            None => {}
        }
        let program = Arc::clone(&self.program);
        for _ in 0..BURST {
            let Some(step) = program.steps.get(self.position) else {
                return Ok(None);
            };
            match self.execute(step, bench, output)? {
                Flow::Next => self.position += 1,
                Flow::Jump(position) => self.position = position,
                Flow::Sleep(duration_s, position) => {
                    self.position = position;
                    return Ok(Some(duration_s));
                }
            }
        }
        Ok(Some(BURST_PAUSE_S))
    }

    fn execute(&mut self, step: &Step, bench: &mut Bench, output: &mut Vec<Line>) -> Result<Flow, ErrorCode> {
        let arguments = &step.arguments;
        let number = |index: usize| self.values.number(arguments.get(index)).0;
        match step.command {
            command if command.is_measurement() => return self.begin_measurement(step, bench, output),
            Command::Store | Command::Copy => self.values.store(arguments),
            Command::Add | Command::Subtract | Command::Multiply | Command::Divide => {
                self.values.calculate(step.command, arguments)?;
            }
            Command::Wait => {
                let duration_s = number(0);
                if duration_s < 0.0 {
                    return Err(ErrorCode::ARGUMENT_NEGATIVE);
                }
                return Ok(Flow::Sleep(duration_s, self.position + 1));
            }
            Command::TimerStart => self.timer_s = self.now_s,
            Command::TimerGet => {
                let elapsed = Value::Number(self.now_s - self.timer_s);
                self.values[variable(arguments, 0)] = Variable::new(VariableType::TIME, elapsed);
            }
            Command::SendString => {
                if let Some(Argument::Text(text)) = arguments.first() {
                    output.push(Line::Text(text.clone()));
                }
            }
            Command::Measure => {
                let duration_s = number(0).max(0.0);
                self.waiting = Some(Waiting::Reading {
                    variable: variable(arguments, 1),
                    kind: kind(arguments, 2),
                });
                return Ok(Flow::Sleep(duration_s, self.position + 1));
            }
            Command::PackageStart => self.package = Package::default(),
            Command::PackageAdd => {
                self.package.variables.push(self.values.of(arguments.first()));
            }
            Command::PackageEnd => {
                let package = std::mem::take(&mut self.package);
                if !package.variables.is_empty() {
                    output.push(Line::Package(package));
                }
            }
            Command::Loop => {
                output.push(Line::ScriptLoopStart);
                self.frames.push(Frame::Script);
                return Ok(self.iterate(step, bench, output));
            }
            Command::EndLoop => {
                let program = Arc::clone(&self.program);
                let start = &program.steps[step.target];
                if start.command.is_measurement() {
                    return Ok(self.begin_point(bench, output));
                }
                return Ok(self.iterate(start, bench, output));
            }
            Command::BreakLoop => {
                self.close_loop(bench, output);
                return Ok(Flow::Jump(step.target + 1));
            }
            Command::If => return Ok(Flow::Jump(self.branch(self.position))),
            // Reached from a branch that was taken: the condition is over.
            Command::ElseIf | Command::Else => return Ok(Flow::Jump(self.end_of_condition(self.position))),
            Command::Abort => {
                let finishing = self.position >= self.program.on_finished;
                self.interrupt(0, self.now_s, bench, output);
                let end = if finishing {
                    self.program.steps.len()
                } else {
                    self.program.on_finished
                };
                return Ok(Flow::Jump(end));
            }
            command => {
                let was_on = bench.potentiostat.cell_on;
                bench.drive(self.now_s);
                if command == Command::CellOff {
                    // Before the switch, so that it tells under what the cell was.
                    bench.potentiostat.cell_on = false;
                    bench.note_switch(was_on, self.now_s);
                }
                set_up(
                    command,
                    arguments,
                    &self.values,
                    &mut bench.potentiostat,
                    self.now_s,
                )?;
                bench.drive(self.now_s);
                if command == Command::CellOn {
                    bench.note_switch(was_on, self.now_s);
                }
            }
        }
        Ok(Flow::Next)
    }

    /// Goes into a loop of the script, or behind it.
    fn iterate(&mut self, start: &Step, bench: &mut Bench, output: &mut Vec<Line>) -> Flow {
        if self.holds(start) {
            let inside = self.program.steps[start.target].target + 1;
            return Flow::Jump(inside);
        }
        self.close_loop(bench, output);
        Flow::Jump(start.target + 1)
    }

    /// The first step of the branch to take, from the `if` at a position.
    fn branch(&self, mut position: usize) -> usize {
        loop {
            let step = &self.program.steps[position];
            let taken = match step.command {
                Command::If | Command::ElseIf => self.holds(step),
                _ => true,
            };
            if taken {
                return position + 1;
            }
            position = step.target;
        }
    }

    /// The step after the `endif` that belongs to a branch.
    fn end_of_condition(&self, mut position: usize) -> usize {
        while self.program.steps[position].command != Command::EndIf {
            position = self.program.steps[position].target;
        }
        position + 1
    }

    fn holds(&self, step: &Step) -> bool {
        let (left, right) = (
            self.values.number(step.arguments.first()).0,
            self.values.number(step.arguments.get(2)).0,
        );
        match step.arguments.get(1) {
            Some(Argument::Comparison(comparison)) => comparison.holds(left, right),
            _ => false,
        }
    }
}
