//! The driver: jobs to stages, stages to the end of the job.

use super::cell_off::CellOff;
use super::channel::{Channel, Step};
use super::connect::Connect;
use super::decoder::Decoder;
use super::direct::Direct;
use super::line::Line;
use super::measurement::Measurement;
use super::run::{Run, RunEnd};
use super::script::{Script, ScriptError};
use super::settings::DriverSettings;
use crate::analysis::point_time::PointTime;
use crate::instrument::{CellSwitch, Done, Instrument, InstrumentError, Job, Outcome, Output};

/// A driver of one MethodSCRIPT device.
#[derive(Clone, Debug)]
pub struct MethodScript {
    decoder: Decoder,
    channel: Channel,
    time: PointTime,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Idle,
    Connect(Connect),
    Run(Box<Run>),
    /// The cell is being switched off after what came of the job; what is left of its run takes points that
    /// come late.
    CellOff(CellOff, Outcome, Option<Box<Run>>),
}

impl MethodScript {
    /// A driver that has sent nothing.
    #[must_use]
    pub fn new(settings: DriverSettings) -> Self {
        Self {
            decoder: Decoder::new(),
            time: PointTime::new(settings.timing),
            channel: Channel::new(settings),
            phase: Phase::Idle,
        }
    }

    /// How long points take, as it is believed now.
    #[must_use]
    pub fn point_time(&self) -> &PointTime {
        &self.time
    }

    fn run(&mut self, script: Result<Script, ScriptError>, measurement: Measurement, now_s: f64) {
        match script {
            Ok(script) => {
                let run = Run::begin(script, measurement, &mut self.channel, now_s);
                self.phase = Phase::Run(Box::new(run));
            }
            Err(error) => {
                let error = InstrumentError::ImpossibleJob(error.to_string());
                self.done(Outcome::Failed(error), CellSwitch::Untouched);
            }
        }
    }

    fn line(&mut self, line: Line, now_s: f64) {
        match &mut self.phase {
            Phase::Idle => {}
            Phase::Connect(connect) => {
                let step = connect.line(line, &mut self.channel, now_s);
                self.connect_step(step, now_s);
            }
            Phase::Run(run) => {
                let step = run.line(line, &mut self.time, &mut self.channel, now_s);
                self.run_step(step, now_s);
            }
            Phase::CellOff(cell_off, _, run) => {
                if let (Line::Package(package), Some(run)) = (&line, run) {
                    run.late_package(package, &mut self.time, &mut self.channel, now_s);
                }
                let step = cell_off.line(line, &mut self.channel, now_s);
                self.cell_off_step(step);
            }
        }
    }

    fn connect_step(&mut self, step: Step<Result<(), InstrumentError>>, now_s: f64) {
        let Step::End(result) = step else { return };
        let Phase::Connect(connect) = &self.phase else {
            return;
        };
        let may_have_aborted = connect.may_have_aborted();
        let in_step = result.is_ok();
        let outcome = result.map_or_else(Outcome::Failed, |()| Outcome::Connected);
        // What was aborted may have left its cell on.
        if may_have_aborted {
            self.switch_off(outcome, in_step, now_s);
        } else {
            self.done(outcome, CellSwitch::Untouched);
        }
    }

    fn run_step(&mut self, step: Step<RunEnd>, now_s: f64) {
        let Step::End(end) = step else { return };
        let Phase::Run(run) = &mut self.phase else {
            return;
        };
        // A script that never switches the cell on, and switches it off first, confirms it by its own end.
        if run.is_open_circuit() && end.script_ended {
            self.done(end.outcome, CellSwitch::Off);
        } else {
            let run = run.clone();
            self.switch_off(end.outcome, end.in_step, now_s);
            if let Phase::CellOff(_, _, late) = &mut self.phase {
                *late = Some(run);
            }
        }
    }

    fn cell_off_step(&mut self, step: Step<Result<(), String>>) {
        let Step::End(result) = step else { return };
        let Phase::CellOff(_, mut outcome, run) = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return;
        };
        if let (Outcome::Aborted { points }, Some(run)) = (&mut outcome, run) {
            *points = run.arrived();
        }
        match result {
            Ok(()) => self.done(outcome, CellSwitch::Off),
            Err(why) => {
                let outcome = match outcome {
                    Outcome::CellOff => Outcome::Failed(InstrumentError::CellOffUnconfirmed),
                    outcome => outcome,
                };
                self.done(outcome, CellSwitch::MayBeOn { why });
            }
        }
    }

    fn switch_off(&mut self, outcome: Outcome, in_step: bool, now_s: f64) {
        let cell_off = CellOff::begin(in_step, &mut self.channel, now_s);
        self.phase = Phase::CellOff(cell_off, outcome, None);
    }

    fn done(&mut self, outcome: Outcome, cell: CellSwitch) {
        self.phase = Phase::Idle;
        self.channel.report(Output::Done(Done { outcome, cell }));
    }
}

impl Instrument for MethodScript {
    fn start(&mut self, job: Job, now_s: f64) {
        if !self.is_idle() {
            self.channel
                .remark(format!("a job was dropped because another runs: {job:?}"));
            return;
        }
        match job {
            Job::Connect { .. } | Job::Identify => {
                let take_over = job == Job::Connect { take_over: true };
                self.decoder.reset();
                let connect = Connect::begin(take_over, &mut self.channel, now_s);
                self.phase = Phase::Connect(connect);
            }
            Job::OpenCircuit {
                duration_s,
                interval_s,
            } => {
                let settings = &self.channel.settings;
                let (mode, bandwidth) = (settings.pgstat_mode, settings.max_bandwidth_hz);
                let channel = self.channel.settings.channel;
                let script = Script::open_circuit(duration_s, interval_s, channel, mode, bandwidth);
                self.run(script, Measurement::open_circuit(interval_s), now_s);
            }
            Job::Sweep(job) => self.run(Script::sweep(&job), Measurement::sweep(job), now_s),
            Job::Direct(job) => {
                let measurement = Measurement::Direct(Box::new(Direct::new(job.clone())));
                self.run(Script::direct(&job), measurement, now_s);
            }
            Job::CellOff => self.switch_off(Outcome::CellOff, false, now_s),
        }
        self.channel.pump(now_s);
    }

    fn receive(&mut self, bytes: &[u8], now_s: f64) {
        for line in self.decoder.feed(bytes) {
            self.line(line, now_s);
            self.channel.pump(now_s);
        }
    }

    fn tick(&mut self, now_s: f64) {
        match &mut self.phase {
            Phase::Idle => {}
            Phase::Connect(connect) => {
                let step = connect.tick(&mut self.channel, now_s);
                self.connect_step(step, now_s);
            }
            Phase::Run(run) => {
                let step = run.tick(&self.time, &mut self.channel, now_s);
                self.run_step(step, now_s);
            }
            Phase::CellOff(cell_off, ..) => {
                let step = cell_off.tick(&mut self.channel, now_s);
                self.cell_off_step(step);
            }
        }
        self.channel.pump(now_s);
    }

    fn deadline_s(&self) -> Option<f64> {
        let phase = match &self.phase {
            Phase::Idle => None,
            Phase::Connect(connect) => Some(connect.deadline_s()),
            Phase::Run(run) => Some(run.deadline_s(&self.time, &self.channel)),
            Phase::CellOff(cell_off, ..) => Some(cell_off.deadline_s()),
        };
        [phase, self.channel.deadline_s()]
            .into_iter()
            .flatten()
            .min_by(f64::total_cmp)
    }

    fn abort(&mut self, now_s: f64) {
        match &mut self.phase {
            Phase::Run(run) => run.abort(&mut self.channel, now_s),
            Phase::Connect(connect) => {
                self.channel.discard_unsent();
                let outcome = Outcome::Aborted { points: 0 };
                if connect.may_have_aborted() {
                    self.switch_off(outcome, false, now_s);
                } else {
                    self.done(outcome, CellSwitch::Untouched);
                }
            }
            Phase::Idle | Phase::CellOff(..) => {}
        }
        self.channel.pump(now_s);
    }

    fn end_after_point(&mut self, now_s: f64) {
        match &mut self.phase {
            Phase::Run(run) => run.end_after_point(),
            _ => self.abort(now_s),
        }
    }

    fn link_lost(&mut self) {
        self.decoder.reset();
        self.channel.discard_unsent();
        let may_be_on = CellSwitch::MayBeOn {
            why: "the link was lost before the instrument confirmed that the cell is off".to_owned(),
        };
        let cell = match &self.phase {
            Phase::Idle => return,
            Phase::Connect(connect) if !connect.may_have_aborted() => CellSwitch::Untouched,
            Phase::Run(run) if run.is_open_circuit() => CellSwitch::Untouched,
            _ => may_be_on,
        };
        self.done(Outcome::LinkLost, cell);
    }

    fn take_output(&mut self) -> Option<Output> {
        self.channel.take_output()
    }

    fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    fn remaining_s(&self, now_s: f64) -> Option<f64> {
        match &self.phase {
            Phase::Run(run) => run.remaining_s(&self.time, now_s),
            _ => None,
        }
    }
}
