//! Measurement loops of a running script.

use super::execution::{Bench, Execution, Flow, Waiting};
use super::impedance_sweep::{Excitation, ImpedanceSweep};
use super::potential_scan::Scan;
use super::potentiostat::{MODE_GALVANOSTAT, MODE_HIGH_SPEED, MODE_MAX_RANGE, Potentiostat, load_status};
use super::script::{Command, Step};
use super::set_up::{apply_potential, check_potential};
use super::variables::variable;
use crate::instrument::method_script::{ErrorCode, Line, Value, Variable, VariableType, status};

/// Most points of a measurement loop.
const MAX_POINTS: f64 = 1e6;

/// Shortest interval between samples in s.
const MIN_INTERVAL_S: f64 = 1e-3;

/// A loop that is open.
#[derive(Clone, Debug)]
pub(super) enum Frame {
    Script,
    Measurement {
        start: usize,
        remaining: u32,
        point_s: f64,
        technique: Technique,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Technique {
    Impedance(Box<ImpedanceSweep>),
    Current {
        potential_v: f64,
        interval_s: f64,
    },
    /// Constant current.
    Potential {
        interval_s: f64,
    },
    Scan(Box<Scan>),
    OpenCircuit {
        interval_s: f64,
    },
}

impl Execution {
    /// Checks a measurement loop, announces it and begins its first point.
    pub(super) fn begin_measurement(
        &mut self,
        step: &Step,
        bench: &mut Bench,
        output: &mut Vec<Line>,
    ) -> Result<Flow, ErrorCode> {
        let number = |index: usize| self.values.number(step.arguments.get(index)).0;
        let potentiostat = &mut bench.potentiostat;
        if !potentiostat.persona.has(technique_of(step.command)) {
            return Err(ErrorCode::NOT_SUPPORTED);
        }
        if step.command == Command::OpenCircuit {
            if potentiostat.cell_on {
                return Err(ErrorCode::OPEN_CIRCUIT_CELL_ON);
            }
        } else if !potentiostat.cell_on {
            return Err(ErrorCode::CELL_MUST_BE_ON);
        }
        let (id, technique, remaining) = match step.command {
            Command::OpenCircuit => {
                let count = sample_count(number(1), number(2))?;
                (
                    0x000B,
                    Technique::OpenCircuit {
                        interval_s: number(1),
                    },
                    count,
                )
            }
            Command::Chronopotentiometry => {
                if potentiostat.mode != MODE_GALVANOSTAT {
                    return Err(ErrorCode::WRONG_PGSTAT_MODE);
                }
                if number(2).abs() > potentiostat.persona.current_max_a {
                    return Err(ErrorCode::ARGUMENT_OUT_OF_BOUNDS);
                }
                let count = sample_count(number(3), number(4))?;
                if potentiostat.current_a != number(2) {
                    potentiostat.current_a = number(2);
                    potentiostat.applied_since_s = self.now_s;
                }
                let interval_s = number(3);
                (0x000A, Technique::Potential { interval_s }, count)
            }
            Command::LinearSweep | Command::CyclicVoltammetry => {
                if matches!(potentiostat.mode, 0 | MODE_GALVANOSTAT) {
                    return Err(ErrorCode::WRONG_PGSTAT_MODE);
                }
                let cyclic = step.command == Command::CyclicVoltammetry;
                let scan = if cyclic {
                    let scans = if step.arguments.len() > 7 { number(7) } else { 1.0 };
                    let ways = [number(2), number(3), number(4), number(2)];
                    Scan::new(&ways, number(5), number(6), scans as u32)?
                } else {
                    Scan::new(&[number(2), number(3)], number(4), number(5), 1)?
                };
                for potential_v in &scan.potentials {
                    check_potential(potentiostat, *potential_v)?;
                }
                let id = if cyclic { 0x0005 } else { 0x0000 };
                let count = scan.scans * scan.potentials.len() as u32;
                (id, Technique::Scan(Box::new(scan)), count)
            }
            Command::Chronoamperometry => {
                if matches!(potentiostat.mode, 0 | MODE_GALVANOSTAT) {
                    return Err(ErrorCode::WRONG_PGSTAT_MODE);
                }
                apply_potential(potentiostat, number(2), self.now_s)?;
                let count = sample_count(number(3), number(4))?;
                (
                    0x0007,
                    Technique::Current {
                        potential_v: number(2),
                        interval_s: number(3),
                    },
                    count,
                )
            }
            command => {
                let (amplitude, first_hz, last_hz) = (number(3), number(4), number(5));
                let (count, bias) = (number(6).round(), number(7));
                let galvanostatic = command == Command::GalvanostaticImpedance;
                check_impedance(potentiostat, galvanostatic, amplitude, bias)?;
                if !potentiostat.frequency_is_valid(first_hz) || !potentiostat.frequency_is_valid(last_hz) {
                    return Err(ErrorCode::INVALID_FREQUENCY);
                }
                if !(1.0..=MAX_POINTS).contains(&count) {
                    return Err(ErrorCode::ARGUMENT_OUT_OF_BOUNDS);
                }
                let excitation = if galvanostatic {
                    Excitation::Current {
                        amplitude_arms: amplitude,
                        bias_a: bias,
                    }
                } else {
                    apply_potential(potentiostat, bias, self.now_s)?;
                    Excitation::Potential {
                        amplitude_vrms: amplitude,
                        bias_v: bias,
                    }
                };
                let count = count as u32;
                let frequencies = (first_hz, last_hz, count);
                let sweep = ImpedanceSweep::begin(&mut bench.cell, self.now_s, excitation, frequencies);
                let id = if galvanostatic { 0x000E } else { 0x000D };
                (id, Technique::Impedance(Box::new(sweep)), count)
            }
        };
        bench.drive(self.now_s);
        output.push(Line::LoopStart { technique: id });
        self.frames.push(Frame::Measurement {
            start: self.position,
            remaining,
            point_s: self.now_s,
            technique,
        });
        Ok(self.begin_point(bench, output))
    }

    /// Begins the next point of the innermost measurement loop, or ends the loop.
    pub(super) fn begin_point(&mut self, bench: &mut Bench, output: &mut Vec<Line>) -> Flow {
        let now_s = self.now_s;
        match self.frames.last_mut() {
            Some(Frame::Measurement {
                start,
                remaining,
                point_s,
                technique,
            }) if *remaining > 0 => {
                *point_s = now_s;
                let duration_s = match technique {
                    Technique::Impedance(sweep) => {
                        sweep.begin_point(&bench.cell, &mut bench.potentiostat, now_s)
                    }
                    Technique::Current { interval_s, .. }
                    | Technique::Potential { interval_s }
                    | Technique::OpenCircuit { interval_s } => *interval_s,
                    Technique::Scan(scan) => {
                        let potential_v = scan.next(output);
                        bench.potentiostat.potential_v = potential_v;
                        // The response to a ramp is that to its last steps: what was before has settled.
                        bench.potentiostat.applied_since_s = now_s - 10.0 * scan.interval_s;
                        bench.drive(now_s);
                        scan.interval_s
                    }
                };
                self.waiting = Some(Waiting::Point);
                Flow::Sleep(duration_s, *start + 1)
            }
            Some(Frame::Measurement { start, technique, .. }) => {
                if let Technique::Scan(scan) = technique {
                    scan.end(output);
                }
                let end = self.program.steps[*start].target;
                self.close_loop(bench, output);
                Flow::Jump(end + 1)
            }
            // A loop of the script is never innermost where a measurement loop's end stands.
            _ => Flow::Next,
        }
    }

    /// Reads the point that has just ended into the loop's variables.
    pub(super) fn end_point(&mut self, bench: &mut Bench) {
        let now_s = self.now_s;
        bench.drive(now_s);
        let Some(Frame::Measurement {
            start,
            remaining,
            point_s,
            technique,
        }) = self.frames.last_mut()
        else {
            return;
        };
        *remaining -= 1;
        let outputs = &self.program.steps[*start].arguments;
        let with = |kind, value, status, range| Variable {
            status: Some(status),
            range: Some(range),
            ..Variable::new(kind, Value::of(value))
        };
        match technique {
            Technique::Impedance(sweep) => {
                let reading = sweep.end_point(&bench.cell, &bench.potentiostat, *point_s, now_s);
                let frequency = Value::of(reading.frequency_hz);
                self.values[variable(outputs, 0)] = Variable::new(VariableType::SET_FREQUENCY, frequency);
                let (z, status) = (reading.impedance, reading.status);
                self.values[variable(outputs, 1)] =
                    with(VariableType::Z_REAL, z.re, status, reading.current_range);
                self.values[variable(outputs, 2)] =
                    with(VariableType::Z_IMAG, z.im, status, reading.potential_range);
            }
            Technique::Current { potential_v, .. } => {
                let applied = Variable::new(VariableType::SET_POTENTIAL, Value::of(*potential_v));
                self.values[variable(outputs, 0)] = applied;
                self.values[variable(outputs, 1)] = read_current(bench, now_s);
            }
            Technique::Scan(scan) => {
                let applied = Variable::new(VariableType::SET_POTENTIAL, Value::of(scan.potential_v()));
                self.values[variable(outputs, 0)] = applied;
                self.values[variable(outputs, 1)] = read_current(bench, now_s);
            }
            Technique::Potential { .. } => {
                self.values[variable(outputs, 0)] = read_potential(bench, now_s);
                let applied_a = bench.potentiostat.current_a;
                let range = bench.potentiostat.current_code();
                self.values[variable(outputs, 1)] = with(VariableType::SET_CURRENT, applied_a, 0, range);
            }
            Technique::OpenCircuit { .. } => {
                self.values[variable(outputs, 0)] = read_potential(bench, now_s);
            }
        }
    }

    /// A reading of `meas`.
    pub(super) fn read(&self, kind: VariableType, bench: &mut Bench) -> Result<Variable, ErrorCode> {
        match kind {
            VariableType::CURRENT => Ok(read_current(bench, self.now_s)),
            VariableType::POTENTIAL => Ok(read_potential(bench, self.now_s)),
            _ => Err(ErrorCode::ARGUMENT_VARIABLE_TYPE),
        }
    }

    /// Ends the innermost loop and says so.
    pub(super) fn close_loop(&mut self, bench: &mut Bench, output: &mut Vec<Line>) {
        match self.frames.pop() {
            Some(Frame::Script) => output.push(Line::ScriptLoopEnd),
            Some(Frame::Measurement { technique, .. }) => {
                output.push(Line::LoopEnd);
                self.record_truth(technique, bench);
            }
            None => {}
        }
    }

    /// The truth about what was measured until an error.
    pub(super) fn record_truths(&mut self, bench: &mut Bench) {
        while let Some(frame) = self.frames.pop() {
            if let Frame::Measurement { technique, .. } = frame {
                self.record_truth(technique, bench);
            }
        }
    }

    fn record_truth(&self, technique: Technique, bench: &mut Bench) {
        if let Technique::Impedance(sweep) = technique {
            bench.truths.extend(sweep.finish(&bench.cell, self.now_s));
        }
    }
}

/// The technique that a measurement loop stands for.
fn technique_of(command: Command) -> &'static str {
    match command {
        Command::Impedance => "peis",
        Command::GalvanostaticImpedance => "geis",
        Command::Chronoamperometry => "ca",
        Command::Chronopotentiometry => "cp",
        Command::LinearSweep => "lsv",
        Command::CyclicVoltammetry => "cv",
        _ => "ocp",
    }
}

fn check_impedance(
    potentiostat: &Potentiostat,
    galvanostatic: bool,
    amplitude: f64,
    bias: f64,
) -> Result<(), ErrorCode> {
    let persona = &potentiostat.persona;
    let (mode_fits, amplitude_max) = if galvanostatic {
        (potentiostat.mode == MODE_GALVANOSTAT, persona.current_max_a)
    } else {
        (
            matches!(potentiostat.mode, MODE_HIGH_SPEED | MODE_MAX_RANGE),
            persona.amplitude_max_vrms,
        )
    };
    if !mode_fits {
        return Err(ErrorCode::WRONG_PGSTAT_MODE);
    }
    if !(amplitude > 0.0 && amplitude <= amplitude_max) {
        return Err(ErrorCode::INVALID_AMPLITUDE);
    }
    if galvanostatic && bias.abs() > persona.current_max_a {
        return Err(ErrorCode::ARGUMENT_OUT_OF_BOUNDS);
    }
    if galvanostatic {
        Ok(())
    } else {
        check_potential(potentiostat, bias)
    }
}

/// How many samples an interval and a duration in s make.
fn sample_count(interval_s: f64, duration_s: f64) -> Result<u32, ErrorCode> {
    if !(interval_s > 0.0 && duration_s > 0.0) {
        return Err(ErrorCode::ARGUMENT_NOT_POSITIVE);
    }
    if interval_s < MIN_INTERVAL_S {
        return Err(ErrorCode::TIMING_NOT_MET);
    }
    Ok((duration_s / interval_s).round().clamp(1.0, MAX_POINTS) as u32)
}

/// A reading of the potential: under potential control what is set, otherwise what the cell has. What lies
/// beyond the device's range is clipped.
fn read_potential(bench: &mut Bench, now_s: f64) -> Variable {
    let potentiostat = &bench.potentiostat;
    let potential_v = if potentiostat.cell_on && potentiostat.mode != MODE_GALVANOSTAT {
        potentiostat.potential_v
    } else {
        bench.cell.read_potential(now_s)
    };
    let (low_v, high_v) = bench.potentiostat.persona.potential_v;
    let clipped = if (low_v..=high_v).contains(&potential_v) {
        0
    } else {
        status::OVERLOAD
    };
    Variable {
        status: Some(clipped),
        range: Some(bench.potentiostat.potential_code(potential_v)),
        ..Variable::new(
            VariableType::POTENTIAL,
            Value::of(potential_v.clamp(low_v, high_v)),
        )
    }
}

/// A reading of the direct current.
fn read_current(bench: &mut Bench, now_s: f64) -> Variable {
    let potentiostat = &mut bench.potentiostat;
    let current = if potentiostat.mode == MODE_GALVANOSTAT && potentiostat.cell_on {
        potentiostat.current_a
    } else if potentiostat.cell_on {
        let since_s = now_s - potentiostat.applied_since_s;
        bench
            .cell
            .direct_current(now_s, potentiostat.potential_v, since_s)
    } else {
        0.0
    };
    potentiostat.range_current(current.abs());
    let (code, limit_a) = (potentiostat.current_code(), potentiostat.current_range().limit_a);
    // A hundred-thousandth of the range: about a bit of a 16-bit converter.
    let noise = 1e-5 * limit_a * bench.cell.reading_noise();
    Variable {
        status: Some(load_status(current.abs(), limit_a)),
        range: Some(code),
        noise: Some(0),
        ..Variable::new(
            VariableType::CURRENT,
            Value::of((current + noise).clamp(-limit_a, limit_a)),
        )
    }
}
