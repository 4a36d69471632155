//! Following the plan: rounds of sweeps at their times, through lost links and failed sweeps.

use std::time::Duration;

use super::fitter::Measured;
use super::preflight::{self, Refusal};
use super::runner::{Runner, RunningSweep};
use super::spec::Profiles;
use crate::event::{EventBody, Link, LinkState, PlanStep, Severity, SweepEnded, SweepStarted};
use crate::instrument::port::Port;
use crate::instrument::{Done, InstrumentError, InstrumentIdentity, Job, OpenCircuit, Outcome, SweepJob};
use crate::profile::Bias;
use crate::session::runtime::RuntimeDirectory;
use crate::spectrum::PointStatus;
use crate::units;

/// How long the open-circuit potential is read before a sweep, in s.
const OPEN_CIRCUIT_S: f64 = 2.0;
/// Time between its readings in s.
const OPEN_CIRCUIT_INTERVAL_S: f64 = 0.2;
/// Sweeps that may fail one after the other before the session gives up.
const FAILURES_ALLOWED: u32 = 3;
/// Shortest and longest pause between attempts to reach an instrument again, in real time.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// The alarm that says that the port leads to another instrument than before.
const ANOTHER_INSTRUMENT: &str = "another_instrument";

/// Why a session ends before its plan does.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// Somebody asked for it.
    #[error("stopped")]
    Stopped,
    /// The plan cannot be followed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The instrument does not do what it is asked for.
    #[error(transparent)]
    Instrument(#[from] InstrumentError),
    /// A script was aborted for a session that was killed, and then the instrument was not its own.
    #[error(
        "a script was ended on this port because a session that was killed had left one on {held} here, but another \
         instrument answers now; its cell is off"
    )]
    NotTheHeldOne {
        /// Serial numbers of those that were held.
        held: String,
    },
    /// Too many sweeps failed one after the other.
    #[error("{FAILURES_ALLOWED} sweeps failed one after the other, the last because {0}")]
    TooManyFailures(String),
}

/// How one sweep went.
enum SweepEnd {
    Complete,
    Failed(String),
    OutOfReach(String),
}

/// What the sweeps of a step have taught for the next of them.
#[derive(Clone, Debug, Default)]
pub struct StepMemory {
    /// Smallest |Z| in ohm of the last complete sweep.
    smallest_ohm: Option<f64>,
    /// Smallest current range in A that may be used, after one was overloaded.
    least_range_a: f64,
}

/// A plan while it is followed.
pub struct PlanRun<'a> {
    pub(super) runner: &'a mut Runner,
    pub(super) profiles: &'a Profiles,
    pub(super) runtime: &'a RuntimeDirectory,
    /// Sweeps begun so far.
    pub(super) sweeps: u32,
    /// Number of the planned sweep that is due, which those that were repeated do not move.
    pub(super) planned: u32,
    /// What the sweeps of each step have taught for the next.
    pub(super) memory: Vec<StepMemory>,
    /// An open-circuit potential that was read just now, for the next sweep.
    pub(super) fresh: Option<OpenCircuit>,
}

impl PlanRun<'_> {
    /// Reaches the instrument for the first time and looks at the cell, before anything is promised.
    ///
    /// # Errors
    /// Where the instrument is not the one meant, or cell and plan do not fit together.
    pub(super) async fn begin(&mut self, take_over: bool) -> Result<(), Ending> {
        let mut done = self.runner.job(Job::Connect { take_over }).await;
        let held = self.runtime.held_on(&self.runner.port_path);
        if done.outcome == Outcome::Failed(InstrumentError::ScriptRunning) && !held.is_empty() {
            // A session that was killed left its script running here; that is ours to end.
            done = self.runner.job(Job::Connect { take_over: true }).await;
            let found = self.runner.identity.as_ref().map(|identity| &identity.serial);
            if done.outcome == Outcome::Connected && !found.is_some_and(|serial| held.contains(serial)) {
                return Err(Ending::NotTheHeldOne {
                    held: held.join(", "),
                });
            }
        }
        outcome_of(done)?;
        if let Some(identity) = &self.runner.identity
            && let Err(error) = self.runtime.hold(&identity.serial, &self.runner.port_path)
        {
            tracing::warn!("{error}");
        }
        if !self.profiles.instrument.reads_open_circuit() {
            return Ok(());
        }
        let ocp = self.open_circuit().await?;
        let step = &self.profiles.plan.steps[0];
        let bias_v = preflight::bias_of(
            &self.profiles.instrument,
            &self.profiles.plan,
            step,
            ocp.potential_v,
        )?;
        self.range_for(0, bias_v - ocp.potential_v)?;
        self.fresh = Some(ocp);
        Ok(())
    }

    /// Follows the plan to its end.
    ///
    /// # Errors
    /// Where it ends before.
    pub(super) async fn follow(&mut self) -> Result<(), Ending> {
        let plan = &self.profiles.plan;
        let began_s = self.runner.clock.now_s();
        let mut failures = 0;
        for round in 0..plan.repeat {
            let at_s = began_s + f64::from(round) * plan.interval_s;
            for index in 0..plan.steps.len() {
                self.planned += 1;
                loop {
                    // Before each sweep, so that a pause holds between the steps of a round as well.
                    self.wait_until(at_s).await?;
                    match self.sweep(index).await? {
                        SweepEnd::Complete => {
                            failures = 0;
                            break;
                        }
                        SweepEnd::Failed(why) => {
                            failures += 1;
                            self.runner.alarm("sweep_failed", Severity::Warning, why.clone());
                            if failures >= FAILURES_ALLOWED {
                                return Err(Ending::TooManyFailures(why));
                            }
                            break;
                        }
                        SweepEnd::OutOfReach(why) => self.reach_again(&why).await?,
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits for the time of the next round, and as long as the user holds the plan.
    async fn wait_until(&mut self, at_s: f64) -> Result<(), Ending> {
        let mut told = None;
        loop {
            if self.runner.stop.is_some() {
                return Err(Ending::Stopped);
            }
            if let Some(why) = self.runner.lost_because.clone() {
                self.reach_again(&why).await?;
                told = None;
                continue;
            }
            let now_s = self.runner.clock.now_s();
            if now_s >= at_s && !self.runner.paused {
                return Ok(());
            }
            if told != Some(self.runner.paused) {
                told = Some(self.runner.paused);
                self.tell_waiting(at_s - now_s, at_s);
            }
            let until_s = if self.runner.paused { f64::MAX } else { at_s };
            self.runner.idle_until(until_s).await;
        }
    }

    fn tell_waiting(&mut self, left_s: f64, at_s: f64) {
        let (name, text, until_s) = if self.runner.paused {
            ("paused", "held by the user; the cell rests".to_owned(), None)
        } else {
            (
                "wait",
                format!("next sweep in {}", units::duration(left_s)),
                Some(at_s),
            )
        };
        self.tell_step(name, text, until_s);
    }

    fn tell_step(&mut self, name: &str, text: String, until_s: Option<f64>) {
        self.runner.journal.record(EventBody::PlanStep(PlanStep {
            step: self.planned,
            of: self.profiles.plan.sweeps(),
            name: name.to_owned(),
            text,
            until_s,
        }));
    }

    async fn open_circuit(&mut self) -> Result<OpenCircuit, Ending> {
        let job = Job::OpenCircuit {
            duration_s: OPEN_CIRCUIT_S,
            interval_s: OPEN_CIRCUIT_INTERVAL_S,
        };
        match outcome_of(self.runner.job(job).await)? {
            Outcome::OpenCircuit(ocp) => Ok(ocp),
            _ => Err(Ending::Stopped),
        }
    }

    /// The current range for a step: by the predicted current, and never one that was overloaded.
    fn range_for(&self, index: usize, distance_v: f64) -> Result<(f64, String), Refusal> {
        let step = &self.profiles.plan.steps[index];
        let memory = &self.memory[index];
        let smallest_ohm = memory
            .smallest_ohm
            .unwrap_or_else(|| preflight::smallest_impedance_ohm(self.profiles, step));
        let (_, range) = preflight::current_range(self.profiles, step, distance_v, smallest_ohm)?;
        let ranges = &self.profiles.instrument.current_ranges;
        let larger = ranges
            .iter()
            .find(|larger| larger.limit_a >= memory.least_range_a.max(range.limit_a));
        let range = larger.unwrap_or(range);
        Ok((range.limit_a, range.label.clone()))
    }

    async fn sweep(&mut self, index: usize) -> Result<SweepEnd, Ending> {
        let step = &self.profiles.plan.steps[index];
        if self.runner.stop.is_some() {
            return Err(Ending::Stopped);
        }
        if let Some(why) = self.runner.lost_because.clone() {
            return Ok(SweepEnd::OutOfReach(why));
        }
        let ocp = match self.fresh.take() {
            Some(ocp) => Some(ocp),
            None if !self.profiles.instrument.reads_open_circuit() => None,
            None => {
                self.tell_step(
                    "ocp",
                    "reading the open-circuit potential, cell off".to_owned(),
                    None,
                );
                let job = Job::OpenCircuit {
                    duration_s: OPEN_CIRCUIT_S,
                    interval_s: OPEN_CIRCUIT_INTERVAL_S,
                };
                let done = self.runner.job(job).await;
                match done.outcome {
                    Outcome::OpenCircuit(ocp) => Some(ocp),
                    _ => return self.ended_badly(done),
                }
            }
        };
        // The stop, or the loss of the link, may have come with the last reading.
        if self.runner.stop.is_some() {
            return Err(Ending::Stopped);
        }
        if let Some(why) = self.runner.lost_because.clone() {
            return Ok(SweepEnd::OutOfReach(why));
        }
        let plan = &self.profiles.plan;
        let instrument = &self.profiles.instrument;
        let bias = match (&ocp, step.bias) {
            (Some(ocp), _) => preflight::bias_of(instrument, plan, step, ocp.potential_v).map(Some),
            // Where nothing reads the potential of the resting cell, the cell is measured where it is.
            (None, Bias::Potential(bias_v)) if instrument.sets_bias() => Ok(Some(bias_v)),
            (None, _) => Ok(None),
        };
        let distance_v = |bias_v: Option<f64>| match (bias_v, &ocp) {
            (Some(bias_v), Some(ocp)) => bias_v - ocp.potential_v,
            _ => 0.0,
        };
        let allowed = bias.and_then(|bias_v| Ok((bias_v, self.range_for(index, distance_v(bias_v))?)));
        // In the middle of a plan a refusal costs this sweep, not the weeks before and after it.
        let (bias_v, (current_range_a, label)) = match allowed {
            Ok(allowed) => allowed,
            Err(refusal) => return Ok(SweepEnd::Failed(refusal.to_string())),
        };
        self.sweeps += 1;
        let number = self.sweeps;
        let against = match step.bias {
            Bias::OpenCircuit => "open circuit".to_owned(),
            Bias::Potential(_) => format!("a bias, {:.1} mV from open circuit", 1e3 * distance_v(bias_v)),
        };
        let text = format!("sweep {number}, {} points against {against}", step.n_points());
        self.tell_step(step.technique.word(), text, None);
        let amplitude_vrms = instrument.sets_amplitude().then_some(step.amplitude_vrms);
        self.runner.journal.record(EventBody::SweepStarted(SweepStarted {
            sweep: number,
            technique: step.technique,
            n_points: step.n_points(),
            f_max_hz: step.f_max_hz,
            f_min_hz: step.f_min_hz,
            bias_v,
            amplitude_vrms,
            range: Some(label),
        }));
        self.runner.sweep = Some(RunningSweep {
            number,
            step: u32::try_from(index).unwrap_or(u32::MAX),
            points: Vec::new(),
            point_began_s: self.runner.clock.now_s(),
            amplitude_vrms,
        });
        let done = self
            .runner
            .job(Job::Sweep(SweepJob {
                f_max_hz: step.f_max_hz,
                f_min_hz: step.f_min_hz,
                n_points: step.n_points(),
                amplitude_vrms: step.amplitude_vrms,
                bias_v: bias_v.unwrap_or(0.0),
                current_range_a,
                pgstat_mode: self.profiles.instrument.pgstat_mode,
                max_bandwidth_hz: self.profiles.instrument.max_bandwidth_hz,
            }))
            .await;
        self.close_sweep(number, index, current_range_a, &done);
        match done.outcome {
            Outcome::SweepComplete { .. } if !Runner::out_of_reach(&done) => Ok(SweepEnd::Complete),
            _ => self.ended_badly(done),
        }
    }

    /// Records the end of a sweep and asks for its final fit and judgement.
    fn close_sweep(&mut self, number: u32, index: usize, range_a: f64, done: &Done) {
        let reason = match &done.outcome {
            Outcome::SweepComplete { .. } => String::new(),
            Outcome::Aborted { .. } => "stopped".to_owned(),
            Outcome::LinkLost => "the link was lost".to_owned(),
            Outcome::Failed(error) => error.to_string(),
            other => format!("ended unexpectedly ({other:?})"),
        };
        let complete = reason.is_empty();
        let ended = SweepEnded {
            sweep: number,
            complete,
            reason,
        };
        self.runner.journal.record(EventBody::SweepEnded(ended));
        if let Some(sweep) = self.runner.sweep.take() {
            self.learn(index, range_a, complete, &sweep);
            let measured = Measured {
                sweep: number,
                step: sweep.step,
                points: sweep.points,
            };
            self.runner.fitter.finish(measured, complete);
        }
    }

    /// What a sweep teaches for the next one of its step.
    fn learn(&mut self, index: usize, range_a: f64, complete: bool, sweep: &RunningSweep) {
        let overloaded = sweep
            .points
            .iter()
            .filter(|point| point.status == PointStatus::Overload)
            .count();
        let memory = &mut self.memory[index];
        if overloaded > 0 {
            let ranges = &self.profiles.instrument.current_ranges;
            let next = ranges.iter().find(|range| range.limit_a > range_a);
            memory.least_range_a = next.map_or(range_a, |range| range.limit_a);
            let advice = match next {
                Some(range) => format!("the next sweep uses the range {}", range.label),
                None => "there is no larger range: lower amplitude_vrms in the plan".to_owned(),
            };
            let text = format!(
                "{overloaded} of {} points of sweep {} were overloaded and are left out; {advice}",
                sweep.points.len(),
                sweep.number
            );
            self.runner.alarm("overload", Severity::Warning, text);
        } else if complete {
            memory.smallest_ohm = preflight::smallest_measured_ohm(&sweep.points).or(memory.smallest_ohm);
        }
    }

    fn ended_badly(&mut self, done: Done) -> Result<SweepEnd, Ending> {
        if Runner::out_of_reach(&done) {
            let why = match (&self.runner.lost_because, done.outcome) {
                (Some(why), _) => why.clone(),
                (None, Outcome::Failed(error)) => error.to_string(),
                (None, _) => "the instrument does not answer".to_owned(),
            };
            return if self.runner.stop.is_some() {
                Err(Ending::Stopped)
            } else {
                Ok(SweepEnd::OutOfReach(why))
            };
        }
        match done.outcome {
            Outcome::Aborted { .. } => Err(Ending::Stopped),
            Outcome::Failed(
                error @ (InstrumentError::ScriptRefused { .. } | InstrumentError::ImpossibleJob(_)),
            ) => Err(error.into()),
            Outcome::Failed(error) => Ok(SweepEnd::Failed(error.to_string())),
            other => Ok(SweepEnd::Failed(format!(
                "the job ended unexpectedly ({other:?})"
            ))),
        }
    }

    /// Tries until the same instrument answers again; a session never ends because a plug was pulled.
    async fn reach_again(&mut self, why: &str) -> Result<(), Ending> {
        self.runner.port = None;
        self.fresh = None;
        self.tell_link(LinkState::Lost, why);
        let mut pause = BACKOFF.0;
        let mut told = false;
        loop {
            if self.runner.stop.is_some() {
                return Err(Ending::Stopped);
            }
            self.runner.lost_because = None;
            let pause_s = self.runner.clock.stretch_of_real_s(pause.as_secs_f64());
            let until_s = self.runner.clock.now_s() + pause_s;
            self.runner.idle_until(until_s).await;
            pause = (2 * pause).min(BACKOFF.1);
            let path = self.runner.port_path.clone();
            match Port::open(&path, &self.profiles.instrument.link, self.runtime.path()) {
                Ok(port) => self.runner.port = Some(port),
                Err(error) => {
                    tracing::debug!("still out of reach: {error}");
                    continue;
                }
            }
            if !told {
                told = true;
                self.tell_link(LinkState::Reconnecting, "");
            }
            if self.is_ours_again().await {
                self.tell_link(LinkState::Connected, "the same instrument answers again");
                return Ok(());
            }
            self.runner.port = None;
        }
    }

    /// Whether the instrument of this session answers and has switched its cell off. Another one is left
    /// as it is.
    async fn is_ours_again(&mut self) -> bool {
        let known = self.runner.identity.clone();
        let mut done = self.runner.job(Job::Connect { take_over: false }).await;
        if done.outcome == Outcome::Failed(InstrumentError::ScriptRunning) {
            // On the port on which our own script was cut off: an instrument in the middle of a script cannot
            // say who it is, and one that was plugged in afresh runs none.
            done = self.runner.job(Job::Connect { take_over: true }).await;
        }
        if done.outcome != Outcome::Connected {
            return false;
        }
        let serial =
            |identity: &Option<InstrumentIdentity>| identity.as_ref().map(|identity| identity.serial.clone());
        if serial(&self.runner.identity) != serial(&known) {
            self.runner.identity = known;
            if !self.runner.alarms.contains_key(ANOTHER_INSTRUMENT) {
                let text = "another instrument answers on this port; connect the one this session began with";
                self.runner
                    .alarm(ANOTHER_INSTRUMENT, Severity::Critical, text.to_owned());
            }
            return false;
        }
        let off = self.runner.job(Job::CellOff).await;
        !Runner::out_of_reach(&off)
    }

    fn tell_link(&mut self, state: LinkState, reason: &str) {
        self.runner.journal.record(EventBody::Link(Link {
            state,
            port: self.runner.port_path.display().to_string(),
            reason: reason.to_owned(),
        }));
    }
}

fn outcome_of(done: Done) -> Result<Outcome, Ending> {
    match done.outcome {
        Outcome::Failed(error) => Err(error.into()),
        Outcome::LinkLost => Err(Ending::Instrument(InstrumentError::NoAnswer {
            asked: "anything: the port closed".to_owned(),
            waited_s: 0.0,
        })),
        Outcome::Aborted { .. } => Err(Ending::Stopped),
        outcome => Ok(outcome),
    }
}
