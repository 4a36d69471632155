//! Following the plan: rounds of sweeps at their times, through lost links and failed sweeps.

use super::direct_progress::DirectProgress;
use super::preflight::{self, Refusal};
use super::resume::Position;
use super::runner::Runner;
use super::spec::Profiles;
use super::sweep_parts::Moduli;
use crate::event::{EventBody, PlanStep, Severity};
use crate::instrument::{Done, InstrumentError, Job, OpenCircuit, Outcome};
use crate::profile::{RestStep, Step};
use crate::session::runtime::RuntimeDirectory;
use crate::units;

/// How long the open-circuit potential is read before a sweep, in s.
const OPEN_CIRCUIT_S: f64 = 2.0;
/// Time between its readings in s.
const OPEN_CIRCUIT_INTERVAL_S: f64 = 0.2;
/// Sweeps that may fail one after the other before the session gives up.
const FAILURES_ALLOWED: u32 = 3;

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
    /// A limit of the plan was passed: the cell is off.
    #[error("a limit of the plan was passed ({0}): the cell is off, and nothing goes on by itself")]
    LimitPassed(String),
    /// A limit of the plan may have been passed while nothing was seen of the cell: it is off.
    #[error("a limit of the plan may have been passed ({0}): the cell is off, and nothing goes on by itself")]
    LimitMayBePassed(String),
    /// Too many sweeps failed one after the other.
    #[error("{FAILURES_ALLOWED} steps failed one after the other, the last because {0}")]
    TooManyFailures(String),
}

/// How one step went.
pub(super) enum StepEnd {
    Complete,
    Failed(String),
    OutOfReach(String),
    /// Nothing could be recorded any more.
    Unrecorded,
}

/// What the sweeps of a step have taught for the next of them.
#[derive(Clone, Debug, Default)]
pub struct StepMemory {
    /// |Z| of the last complete sweep.
    pub(super) moduli: Option<Moduli>,
    /// Smallest current range in A that may be used, after one was overloaded.
    pub(super) least_range_a: f64,
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
    /// A step of direct current that was interrupted, by the number of the planned step, and how far it had come.
    pub(super) unfinished: Option<(u32, DirectProgress)>,
    /// An open-circuit potential that was read just now, for the next step.
    pub(super) fresh: Option<OpenCircuit>,
    /// Whether the instrument can read it at all.
    pub(super) reads_open_circuit: bool,
    /// Whether the sign of a constant current has been checked.
    pub(super) sign_is_checked: bool,
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
        let says = self
            .runner
            .identity
            .as_ref()
            .and_then(|identity| identity.techniques.clone());
        if let Some(techniques) = says {
            preflight::check_capabilities(self.profiles, &techniques)?;
        }
        self.reads_open_circuit =
            self.profiles.instrument.has("ocp") && self.profiles.instrument.reads_open_circuit();
        if self.reads_open_circuit {
            match self.open_circuit().await {
                Ok(ocp) => self.fresh = Some(ocp),
                Err(Ending::Instrument(error)) if preflight::has_no_open_circuit(&error) => {
                    self.reads_open_circuit = false;
                }
                Err(ending) => return Err(ending),
            }
        }
        let ocp_v = self.fresh.map(|ocp| ocp.potential_v);
        if let Some(ocp_v) = ocp_v {
            preflight::check_open_circuit(self.profiles, ocp_v)?;
        }
        match &self.profiles.plan.steps[0] {
            Step::Sweep(step) => {
                self.sweep_job(0, step, ocp_v)?;
            }
            Step::Direct(step) => {
                preflight::direct_technique(self.profiles, step, ocp_v)?;
            }
            Step::Rest(_) => {}
        }
        let drives = self
            .profiles
            .plan
            .steps
            .iter()
            .any(|step| matches!(step, Step::Direct(_)));
        if !self.reads_open_circuit && (drives || self.profiles.instrument.line.is_none()) {
            let text = "the instrument cannot read the open-circuit potential: whether a step polarises the cell, and \
                        whether the leads are right, is not checked before the cell is switched on";
            self.runner
                .alarm("no_open_circuit", Severity::Warning, text.to_owned());
        }
        Ok(())
    }

    /// Follows the plan from where it stands to its end.
    ///
    /// # Errors
    /// Where it ends before.
    pub(super) async fn follow(&mut self, from: Position) -> Result<(), Ending> {
        let plan = &self.profiles.plan;
        let began_s = from.began_s.unwrap_or_else(|| self.runner.clock.now_s());
        let mut failures = 0;
        for round in 0..plan.repeat {
            let at_s = began_s + f64::from(round) * plan.interval_s;
            for index in 0..plan.steps.len() {
                self.planned += 1;
                if self.planned <= from.done {
                    continue;
                }
                loop {
                    // Before each sweep, so that a pause holds between the steps of a round as well.
                    self.wait_until(at_s).await?;
                    match self.step(index).await? {
                        StepEnd::Complete => {
                            failures = 0;
                            break;
                        }
                        StepEnd::Failed(why) => {
                            failures += 1;
                            self.runner.alarm("sweep_failed", Severity::Warning, why.clone());
                            if failures >= FAILURES_ALLOWED {
                                return Err(Ending::TooManyFailures(why));
                            }
                            break;
                        }
                        StepEnd::OutOfReach(why) => self.reach_again(&why).await?,
                        // Before the next attempt it is waited until the disk takes something again.
                        StepEnd::Unrecorded => {
                            self.runner.job(Job::CellOff).await;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Reaches the instrument again for a session that was cut off, its cell off, and looks at the cell; waits for the
    /// user where either is not what it was.
    ///
    /// # Errors
    /// Where it is stopped meanwhile.
    pub(super) async fn begin_again(&mut self, take_over: bool) -> Result<(), Ending> {
        // Whatever ran when the session was cut off may still run.
        self.runner.has_touched = true;
        let serial = self.runner.identity.as_ref().map(|known| known.serial.clone());
        let held = self.runtime.held_on(&self.runner.port_path);
        let may_end_a_script = take_over || serial.is_some_and(|serial| held.contains(&serial));
        if !may_end_a_script {
            self.wait_for_a_foreign_script().await?;
        }
        if !self.is_ours_again().await {
            self.reach_again("the instrument of this session does not answer yet")
                .await?;
        }
        if let Some(identity) = &self.runner.identity
            && let Err(error) = self.runtime.hold(&identity.serial, &self.runner.port_path)
        {
            tracing::warn!("{error}");
        }
        self.reads_open_circuit =
            self.profiles.instrument.has("ocp") && self.profiles.instrument.reads_open_circuit();
        if !self.reads_open_circuit {
            return Ok(());
        }
        let why = match self.open_circuit().await {
            Ok(ocp) => preflight::check_open_circuit(self.profiles, ocp.potential_v)
                .err()
                .map(|refusal| refusal.to_string()),
            Err(Ending::Instrument(error)) if preflight::has_no_open_circuit(&error) => {
                self.reads_open_circuit = false;
                None
            }
            Err(Ending::Stopped) if self.runner.stop.is_some() => return Err(Ending::Stopped),
            Err(ending) => Some(ending.to_string()),
        };
        if let Some(why) = why {
            let text = format!("{why}; the session waits, cell off: look at the cell, then resume it");
            self.runner
                .alarm("cell_has_changed", Severity::Critical, text.clone());
            self.runner.hold(text);
        }
        Ok(())
    }

    /// Waits until no script runs on the port that may be somebody else's.
    async fn wait_for_a_foreign_script(&mut self) -> Result<(), Ending> {
        let known = self.runner.identity.clone();
        loop {
            let done = self.runner.job(Job::Connect { take_over: false }).await;
            // Whoever answers, this session looks for the one that it began with.
            self.runner.identity.clone_from(&known);
            if done.outcome != Outcome::Failed(InstrumentError::ScriptRunning) {
                return Ok(());
            }
            if !self.runner.alarms.contains_key("script_running") {
                let text = "a script runs on this port that is not known to be this session's; it is waited until it \
                            ends (`run --resume --take-over` would end it)";
                self.runner
                    .alarm("script_running", Severity::Critical, text.to_owned());
            }
            let pause_s = self
                .runner
                .clock
                .stretch_of_real_s(super::reach::BACKOFF.1.as_secs_f64());
            let until_s = self.runner.clock.now_s() + pause_s;
            self.runner.idle_until(until_s).await;
            if self.runner.stop.is_some() {
                return Err(Ending::Stopped);
            }
        }
    }

    /// Waits for the time of the next round, and as long as the user holds the plan.
    pub(super) async fn wait_until(&mut self, at_s: f64) -> Result<(), Ending> {
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
            if self.runner.is_unrecorded() {
                self.runner.idle_until(f64::MAX).await;
                continue;
            }
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

    pub(super) fn tell_step(&mut self, name: &str, text: String, until_s: Option<f64>) {
        self.runner.journal.record(EventBody::PlanStep(PlanStep {
            step: self.planned,
            of: self.profiles.plan.all_steps(),
            name: name.to_owned(),
            text,
            until_s,
        }));
    }

    pub(super) async fn open_circuit(&mut self) -> Result<OpenCircuit, Ending> {
        let job = Job::OpenCircuit {
            duration_s: OPEN_CIRCUIT_S,
            interval_s: OPEN_CIRCUIT_INTERVAL_S,
        };
        match outcome_of(self.runner.job(job).await)? {
            Outcome::OpenCircuit(ocp) => Ok(ocp),
            _ => Err(Ending::Stopped),
        }
    }

    async fn step(&mut self, index: usize) -> Result<StepEnd, Ending> {
        let profiles = self.profiles;
        if self.runner.stop.is_some() {
            return Err(Ending::Stopped);
        }
        if let Some(why) = self.runner.lost_because.clone() {
            return Ok(StepEnd::OutOfReach(why));
        }
        match &profiles.plan.steps[index] {
            Step::Rest(step) => self.rest(step).await,
            Step::Direct(step) => self.direct(step).await,
            Step::Sweep(step) => match self.resting_potential().await? {
                Ok(ocp_v) => self.sweep(index, step, ocp_v).await,
                Err(end) => Ok(end),
            },
        }
    }

    /// The open-circuit potential for the next step, read just now; none where the instrument cannot.
    pub(super) async fn resting_potential(&mut self) -> Result<Result<Option<f64>, StepEnd>, Ending> {
        let ocp = match self.fresh.take() {
            _ if !self.reads_open_circuit => return Ok(Ok(None)),
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
                    _ => return self.ended_badly(done).map(Err),
                }
            }
        };
        // The stop, or the loss of the link, may have come with the last reading.
        if self.runner.stop.is_some() {
            return Err(Ending::Stopped);
        }
        if let Some(why) = self.runner.lost_because.clone() {
            return Ok(Err(StepEnd::OutOfReach(why)));
        }
        match preflight::check_open_circuit(self.profiles, ocp.potential_v) {
            Ok(()) => Ok(Ok(Some(ocp.potential_v))),
            Err(refusal) => Ok(Err(StepEnd::Failed(refusal.to_string()))),
        }
    }

    async fn rest(&mut self, step: &RestStep) -> Result<StepEnd, Ending> {
        self.fresh = None;
        let until_s = self.runner.clock.now_s() + step.duration_s;
        let text = format!("the cell rests for {}", units::duration(step.duration_s));
        self.tell_step("ocp", text, Some(until_s));
        let job = Job::OpenCircuit {
            duration_s: step.duration_s,
            interval_s: step.interval_s,
        };
        let done = self.runner.job(job).await;
        match done.outcome {
            Outcome::OpenCircuit(_) => Ok(StepEnd::Complete),
            _ => self.ended_badly(done),
        }
    }

    pub(super) fn ended_badly(&mut self, done: Done) -> Result<StepEnd, Ending> {
        if Runner::out_of_reach(&done) {
            let why = match (&self.runner.lost_because, done.outcome) {
                (Some(why), _) => why.clone(),
                (None, Outcome::Failed(error)) => error.to_string(),
                (None, _) => "the instrument does not answer".to_owned(),
            };
            return if self.runner.stop.is_some() {
                Err(Ending::Stopped)
            } else {
                Ok(StepEnd::OutOfReach(why))
            };
        }
        match done.outcome {
            Outcome::Aborted { .. } if self.runner.stop.is_none() => Ok(StepEnd::Unrecorded),
            Outcome::Aborted { .. } => Err(Ending::Stopped),
            Outcome::Failed(
                error @ (InstrumentError::ScriptRefused { .. } | InstrumentError::ImpossibleJob(_)),
            ) => Err(error.into()),
            Outcome::Failed(error @ InstrumentError::LeftLimits) => {
                self.runner
                    .alarm("limit_passed", Severity::Critical, error.to_string());
                Err(Ending::LimitPassed("the potential, during a sweep".to_owned()))
            }
            Outcome::Failed(error) => Ok(StepEnd::Failed(error.to_string())),
            other => Ok(StepEnd::Failed(format!("the job ended unexpectedly ({other:?})"))),
        }
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
