//! Following the plan: rounds of sweeps at their times, through lost links and failed sweeps.

use std::time::Duration;

use super::preflight::{self, Refusal};
use super::runner::{Runner, RunningSweep};
use super::spec::Profiles;
use crate::event::{EventBody, Link, LinkState, PlanStep, Severity, SweepEnded, SweepStarted};
use crate::instrument::port::Port;
use crate::instrument::{Done, InstrumentError, Job, OpenCircuit, Outcome, SweepJob};
use crate::profile::{Bias, SweepStep};
use crate::session::runtime::RuntimeDirectory;
use crate::units;

/// How long the open-circuit potential is read before a sweep, in s.
const OPEN_CIRCUIT_S: f64 = 2.0;
/// Time between its readings in s.
const OPEN_CIRCUIT_INTERVAL_S: f64 = 0.2;
/// Sweeps that may fail one after the other before the session gives up.
const FAILURES_ALLOWED: u32 = 3;
/// Shortest and longest pause between attempts to reach an instrument again, in real time.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

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

/// A plan while it is followed.
pub struct PlanRun<'a> {
    pub(super) runner: &'a mut Runner,
    pub(super) profiles: &'a Profiles,
    pub(super) runtime: &'a RuntimeDirectory,
    /// Sweeps begun so far.
    pub(super) sweeps: u32,
    /// Smallest |Z| in ohm of the last sweep.
    pub(super) smallest_ohm: Option<f64>,
    /// An open-circuit potential that was read just now, for the next sweep.
    pub(super) fresh: Option<OpenCircuit>,
}

impl PlanRun<'_> {
    /// Reaches the instrument for the first time and looks at the cell, before anything is promised.
    ///
    /// # Errors
    /// Where the instrument is not the one meant, or cell and plan do not fit together.
    pub(super) async fn begin(&mut self, take_over: bool) -> Result<(), Ending> {
        let done = self.runner.job(Job::Connect { take_over }).await;
        outcome_of(done)?;
        let step = &self.profiles.plan.steps[0];
        let ocp = self.open_circuit().await?;
        let bias_v = preflight::bias_of(
            &self.profiles.instrument,
            &self.profiles.plan,
            step,
            ocp.potential_v,
        )?;
        self.range_for(step, bias_v - ocp.potential_v)?;
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
            self.wait_until(at_s).await?;
            for step in &plan.steps {
                loop {
                    match self.sweep(step).await? {
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
            step: self.sweeps,
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

    fn range_for(&self, step: &SweepStep, distance_v: f64) -> Result<(f64, String), Refusal> {
        let smallest_ohm = self
            .smallest_ohm
            .unwrap_or_else(|| preflight::smallest_impedance_ohm(self.profiles, step));
        let (_, range) = preflight::current_range(self.profiles, step, distance_v, smallest_ohm)?;
        Ok((range.limit_a, range.label.clone()))
    }

    async fn sweep(&mut self, step: &SweepStep) -> Result<SweepEnd, Ending> {
        if self.runner.stop.is_some() {
            return Err(Ending::Stopped);
        }
        if let Some(why) = self.runner.lost_because.clone() {
            return Ok(SweepEnd::OutOfReach(why));
        }
        let ocp = match self.fresh.take() {
            Some(ocp) => ocp,
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
                    Outcome::OpenCircuit(ocp) => ocp,
                    _ => return self.ended_badly(done),
                }
            }
        };
        let plan = &self.profiles.plan;
        let bias_v = preflight::bias_of(&self.profiles.instrument, plan, step, ocp.potential_v)?;
        let (current_range_a, label) = self.range_for(step, bias_v - ocp.potential_v)?;
        self.sweeps += 1;
        let number = self.sweeps;
        let against = match step.bias {
            Bias::OpenCircuit => "open circuit".to_owned(),
            Bias::Potential(_) => format!(
                "a bias, {:.1} mV from open circuit",
                1e3 * (bias_v - ocp.potential_v)
            ),
        };
        let text = format!("sweep {number}, {} points against {against}", step.n_points());
        self.tell_step(step.technique.word(), text, None);
        self.runner.journal.record(EventBody::SweepStarted(SweepStarted {
            sweep: number,
            technique: step.technique,
            n_points: step.n_points(),
            f_max_hz: step.f_max_hz,
            f_min_hz: step.f_min_hz,
            bias_v: Some(bias_v),
            amplitude_vrms: Some(step.amplitude_vrms),
            range: Some(label),
        }));
        self.runner.sweep = Some(RunningSweep {
            number,
            points: Vec::new(),
            point_began_s: self.runner.clock.now_s(),
            amplitude_vrms: step.amplitude_vrms,
        });
        let done = self
            .runner
            .job(Job::Sweep(SweepJob {
                f_max_hz: step.f_max_hz,
                f_min_hz: step.f_min_hz,
                n_points: step.n_points(),
                amplitude_vrms: step.amplitude_vrms,
                bias_v,
                current_range_a,
                pgstat_mode: self.profiles.instrument.pgstat_mode,
                max_bandwidth_hz: self.profiles.instrument.max_bandwidth_hz,
            }))
            .await;
        self.close_sweep(number, &done);
        match done.outcome {
            Outcome::SweepComplete { .. } if !Runner::out_of_reach(&done) => Ok(SweepEnd::Complete),
            _ => self.ended_badly(done),
        }
    }

    /// Records the end of a sweep and asks for its final fit.
    fn close_sweep(&mut self, number: u32, done: &Done) {
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
            if complete {
                self.smallest_ohm = preflight::smallest_measured_ohm(&sweep.points).or(self.smallest_ohm);
            }
            self.runner.fitter.finish(number, sweep.points);
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
        loop {
            if self.runner.stop.is_some() {
                return Err(Ending::Stopped);
            }
            self.runner.lost_because = None;
            let now_s = self.runner.clock.now_s();
            self.runner
                .idle_until(now_s + self.runner.clock.stretch_of_real_s(pause.as_secs_f64()))
                .await;
            pause = (2 * pause).min(BACKOFF.1);
            let path = self.runner.port_path.clone();
            let link = &self.profiles.instrument.link;
            match Port::open(&path, link, self.runtime.path()) {
                Ok(port) => self.runner.port = Some(port),
                Err(error) => {
                    tracing::info!("still out of reach: {error}");
                    continue;
                }
            }
            self.tell_link(LinkState::Reconnecting, "");
            let known = self.runner.identity.clone();
            let done = self.runner.job(Job::Connect { take_over: true }).await;
            match done.outcome {
                Outcome::Connected
                    if self.runner.identity.as_ref().map(|i| &i.serial)
                        == known.as_ref().map(|i| &i.serial) => {}
                Outcome::Connected => {
                    self.runner.port = None;
                    let text =
                        "another instrument answers on this port; connect the one this session began with";
                    self.runner
                        .alarm("another_instrument", Severity::Critical, text.to_owned());
                    self.runner.identity = known;
                    continue;
                }
                _ => {
                    self.runner.port = None;
                    continue;
                }
            }
            let off = self.runner.job(Job::CellOff).await;
            if Runner::out_of_reach(&off) {
                self.runner.port = None;
                continue;
            }
            self.tell_link(LinkState::Connected, "the same instrument answers again");
            return Ok(());
        }
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
