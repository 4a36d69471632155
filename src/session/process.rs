//! The session process: from its specification on standard input to the closed recording.

use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::clock::SessionClock;
use super::control::Request;
use super::fitter::Fitter;
use super::journal::{Journal, Progress};
use super::own_simulator::{OwnSimulatorProcess, SimulatorError};
use super::plan_run::{Ending, PlanRun, StepMemory};
use super::reach::PortMemory;
use super::resume::{Position, Standing};
use super::runner::Runner;
use super::runtime::{RuntimeDirectory, RuntimeError, SessionInfo};
use super::sequence::FitSequence;
use super::spec::{ProfileText, Profiles, Readiness, SessionSpec};
use super::{lifeline, server};
use crate::event::{EventBody, Gap, Link, LinkState, SessionEnded, SessionStarted, Severity};
use crate::instrument::port::Port;
use crate::instrument::port::list::Roots;
use crate::instrument::{CellSwitch, Job, PortError, driver_for};
use crate::profile::ProfileError;
use crate::recording::{Attachment, Opening, ReadError, WriteError, Writer};
use crate::state::State;

/// Reason of the end of a session whose plan was done.
pub const ENDED_COMPLETE: &str = "plan complete";
/// Reason of the end of a session that was stopped.
pub const ENDED_STOPPED: &str = "stopped";

/// Why a session cannot begin.
#[derive(Debug, thiserror::Error)]
enum CannotBegin {
    #[error("standard input: {0}; this command is started by `run` and `demo`")]
    Input(#[from] std::io::Error),
    #[error("the specification on standard input: {0}; this command is started by `run` and `demo`")]
    Spec(#[from] serde_json::Error),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Circuit(#[from] crate::circuit::CircuitError),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error(transparent)]
    Simulator(#[from] SimulatorError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Recording(#[from] WriteError),
    #[error(transparent)]
    Standing(#[from] ReadError),
    #[error(transparent)]
    Ending(#[from] Ending),
    #[error(
        "{ending}; CELL MAY BE ON: {why}. Look at the instrument and disconnect the cell by hand. What was sent and \
         received is in {recording}"
    )]
    CellMayBeOn {
        ending: Box<Ending>,
        why: String,
        recording: String,
    },
}

/// Runs a session: reads its specification, says on standard output when it measures, and ends with it.
///
/// # Errors
/// None so far: what goes wrong is said on standard output, in the log, and in the recording.
pub fn main() -> anyhow::Result<ExitCode> {
    // A process group leader cannot begin a session of its own; this one never is, being a child.
    let _ = rustix::process::setsid();
    let outcome = read_spec().and_then(|spec| {
        let runtime = RuntimeDirectory::open()?;
        log_to(&runtime.log_file(&spec.name));
        let executor = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        executor.block_on(session(spec, &runtime))
    });
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            tracing::error!("cannot begin: {error}");
            report(&Readiness::Failed {
                why: error.to_string(),
            });
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read_spec() -> Result<SessionSpec, CannotBegin> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

/// A log file of the session's own, for its user alone; without one the session goes on unlogged.
fn log_to(path: &Path) {
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path);
    if let Ok(file) = opened {
        // One that an earlier session of this name left behind may be open to others.
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
        let subscriber = tracing_subscriber::fmt()
            .with_writer(file)
            .with_ansi(false)
            .finish();
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
}

/// Says how it went on standard output and lets go of it, so that nobody waits for this process.
fn report(readiness: &Readiness) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(super::control::line_of(readiness).as_bytes());
    let _ = stdout.flush();
    let null = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null");
    match null {
        Ok(null) => {
            let _ = rustix::stdio::dup2_stdin(&null);
            let _ = rustix::stdio::dup2_stdout(&null);
        }
        Err(error) => tracing::warn!("/dev/null: {error}"),
    }
}

async fn session(spec: SessionSpec, runtime: &RuntimeDirectory) -> Result<(), CannotBegin> {
    let profiles = spec.profiles()?;
    let simulator = match &spec.own_simulator {
        Some(own) => Some(OwnSimulatorProcess::start(own, spec.time_scale)?),
        None => None,
    };
    let port_path = match (&spec.port, &simulator) {
        (Some(path), _) => path.clone(),
        (None, Some(simulator)) => simulator.port().to_owned(),
        (None, None) => return Err(std::io::Error::other("neither a port nor a simulator is given").into()),
    };
    let registration = runtime.register_session(&info_of(&spec, &profiles, &port_path))?;
    let port = Port::open(&port_path, &profiles.instrument.link, runtime.path())
        .map_err(|error| runtime.name_session(error))?;
    let standing = match spec.resume {
        true => Some(Standing::of(&spec.recording)?),
        false => None,
    };
    let (writer, clock, state) = match &standing {
        Some(standing) => (
            Writer::go_on(&spec.recording)?,
            SessionClock::go_on(spec.time_scale, standing.last()),
            standing.state.clone(),
        ),
        None => (
            Writer::create(&spec.recording, &opening_of(&spec))?,
            SessionClock::start(spec.time_scale),
            State::without_samples(),
        ),
    };
    let head = state.head().clone();
    let (tell_progress, progress) = watch::channel(Progress {
        seq: head.last_seq,
        ..Progress::default()
    });
    let journal = Journal::begin(clock, writer, state, tell_progress)?;
    match &standing {
        Some(standing) => record_resumption(&journal, clock, standing),
        None => journal.record(EventBody::Session(started(&spec, &profiles))),
    }
    journal.record(EventBody::Link(Link {
        state: LinkState::Connected,
        port: port_path.display().to_string(),
        reason: String::new(),
    }));

    let (send_requests, requests) = mpsc::channel(64);
    let socket = runtime.socket(&spec.name);
    let serving = tokio::spawn(server::serve(
        server::bind(&socket)?,
        socket.clone(),
        send_requests,
        progress,
    ));
    let mut sequence = FitSequence::for_cell(&profiles.cell)?;
    for fit in standing.iter().flat_map(Standing::final_fits) {
        sequence.remember(fit);
    }
    let (fitter, findings) = Fitter::start(sequence)?;
    let mut runner = Runner {
        clock,
        journal,
        driver: driver_for(&profiles.instrument, profiles.plan.channel, spec.time_scale),
        port: Some(port),
        port_memory: PortMemory::of(port_path.clone(), &Roots::system(), runtime),
        port_path,
        requests,
        signals: signals()?,
        fitter,
        findings,
        stop: None,
        paused: head.paused,
        identity: standing.as_ref().and_then(Standing::instrument),
        sweep: None,
        last_sample: None,
        cell: CellSwitch::Untouched,
        has_touched: false,
        alarms: head
            .alarms
            .iter()
            .map(|(_, alarm)| (alarm.name.clone(), alarm.severity))
            .collect(),
        lost_because: None,
        unrecorded: None,
    };
    let mut plan_run = PlanRun {
        runner: &mut runner,
        profiles: &profiles,
        runtime,
        sweeps: standing.as_ref().map_or(0, Standing::sweeps),
        planned: 0,
        memory: match &standing {
            Some(standing) => standing.memory(&profiles),
            None => vec![StepMemory::default(); profiles.plan.steps.len()],
        },
        unfinished: standing
            .as_ref()
            .and_then(|standing| standing.unfinished(&profiles)),
        fresh: None,
        reads_open_circuit: true,
        sign_is_checked: false,
    };
    let ready = Readiness::Ready {
        name: spec.name.clone(),
        recording: spec.recording.clone(),
    };
    let ending = match standing {
        Some(standing) => {
            // It may have to wait for its instrument or its user; that is seen on the screen.
            report(&ready);
            let ended = match plan_run.begin_again(spec.take_over).await {
                Ok(()) => plan_run.follow(standing.position).await,
                Err(ending) => Err(ending),
            };
            runner.await_findings().await;
            Ok(ended)
        }
        None => match plan_run.begin(spec.take_over).await {
            Ok(()) => {
                report(&ready);
                let ended = plan_run.follow(Position::default()).await;
                runner.await_findings().await;
                Ok(ended)
            }
            Err(ending) => Err(ending),
        },
    };
    let cell = finish(runner, runtime, &ending).await;
    serving.abort();
    let _ = std::fs::remove_file(&socket);
    drop(registration);
    drop(simulator);
    match ending {
        Ok(_) => Ok(()),
        Err(ending) => match cell {
            CellSwitch::MayBeOn { why } => {
                let recording = spec.recording.display().to_string();
                Err(CannotBegin::CellMayBeOn {
                    ending: Box::new(ending),
                    why,
                    recording,
                })
            }
            CellSwitch::Off | CellSwitch::Untouched | CellSwitch::NoSwitch => {
                // Nothing was measured: an empty recording would only be in the way of the next attempt.
                let _ = std::fs::remove_file(&spec.recording);
                Err(ending.into())
            }
        },
    }
}

/// What stands in a recording between the last event before a session was cut off and the first after.
fn record_resumption(journal: &Journal, clock: SessionClock, standing: &Standing) {
    let (from, to) = (standing.last(), clock.stamp());
    let gap = |reason: String| Gap {
        from_utc_ns: from.utc_ns,
        to_utc_ns: to.utc_ns,
        reason,
    };
    let version = env!("CARGO_PKG_VERSION");
    journal.record(EventBody::Gap(gap(
        "the session was cut off; nothing was recorded".to_owned(),
    )));
    journal.record(EventBody::Resumed(gap(format!(
        "resumed by interphase {version}"
    ))));
    if let Some(ended) = standing.open_sweep() {
        journal.record(EventBody::SweepEnded(ended));
    }
}

/// Leaves the cell off, the end in the recording, and the recording closed.
async fn finish(
    mut runner: Runner,
    runtime: &RuntimeDirectory,
    ending: &Result<Result<(), Ending>, Ending>,
) -> CellSwitch {
    let rests = |cell: &CellSwitch| matches!(cell, CellSwitch::Off | CellSwitch::NoSwitch);
    if runner.port.is_some() && runner.has_touched && !rests(&runner.cell) {
        // The job must be done although a stop was asked for.
        runner.stop = None;
        runner.job(Job::CellOff).await;
    }
    if rests(&runner.cell)
        && let Some(identity) = &runner.identity
    {
        runtime.release(&identity.serial);
    }
    let reason = match ending {
        Ok(Ok(())) => ENDED_COMPLETE.to_owned(),
        Ok(Err(Ending::Stopped)) => ENDED_STOPPED.to_owned(),
        Ok(Err(ending)) | Err(ending) => {
            runner.alarm(
                "plan_given_up",
                Severity::Critical,
                format!("the plan was given up: {ending}"),
            );
            ending.to_string()
        }
    };
    tracing::info!("ending: {reason}");
    runner
        .journal
        .record(EventBody::SessionEnded(SessionEnded { reason }));
    // On disk, and told to screens, before the socket goes.
    runner.journal.flush();
    tokio::task::yield_now().await;
    match runner.journal.close() {
        Ok(closed) => tracing::info!("recording closed after event {}", closed.last_seq),
        Err(error) => tracing::error!("recording: {error}"),
    }
    runner.cell
}

fn info_of(spec: &SessionSpec, profiles: &Profiles, port: &Path) -> SessionInfo {
    SessionInfo {
        name: spec.name.clone(),
        pid: std::process::id(),
        recording: spec.recording.clone(),
        port: port.display().to_string(),
        cell: profiles.cell.name.clone(),
        plan: profiles.plan.name.clone(),
        started: format!("{:.0}", Timestamp::now()),
    }
}

fn started(spec: &SessionSpec, profiles: &Profiles) -> SessionStarted {
    let Profiles {
        instrument,
        cell,
        plan,
    } = profiles;
    SessionStarted {
        program: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cell: cell.name.clone(),
        chemistry: cell.chemistry.clone(),
        plan: plan.name.clone(),
        instrument: instrument.name.clone(),
        instrument_label: instrument.label.clone(),
        circuit: cell.circuit.model.clone(),
        track: cell.circuit.track.clone(),
        sweeps_planned: Some(plan.sweeps()),
        point_overhead_s: instrument.timing.point_overhead_s,
        point_periods: instrument.timing.point_periods,
        simulated: spec.simulated,
        time_scale: spec.time_scale,
        source: String::new(),
    }
}

fn opening_of(spec: &SessionSpec) -> Opening {
    let attachment = |kind: &str, profile: &ProfileText| Attachment {
        name: format!("{kind}.toml"),
        media_type: "application/toml".to_owned(),
        bytes: profile.text.clone().into_bytes(),
    };
    Opening {
        meta: [
            ("program", env!("CARGO_PKG_NAME").to_owned()),
            ("program_version", env!("CARGO_PKG_VERSION").to_owned()),
            ("session", spec.name.clone()),
            (
                "host",
                rustix::system::uname().nodename().to_string_lossy().into_owned(),
            ),
            ("instrument_profile", spec.instrument.origin.clone()),
            ("cell_profile", spec.cell.origin.clone()),
            ("plan_profile", spec.plan.origin.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec(),
        attachments: vec![
            attachment("instrument", &spec.instrument),
            attachment("cell", &spec.cell),
            attachment("plan", &spec.plan),
        ],
    }
}

/// Interruption and termination mean stop, twice means at once; a hang-up means nothing to a session
/// without a terminal; a lifeline that is cut means stop at once.
fn signals() -> std::io::Result<mpsc::Receiver<Request>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (send, receive) = mpsc::channel(8);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let cut = send.clone();
    lifeline::on_cut(move || {
        let _ = cut.blocking_send(Request::Stop { now: true });
    });
    tokio::spawn(async move {
        let mut now = false;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => continue,
            }
            if send.send(Request::Stop { now }).await.is_err() {
                return;
            }
            now = true;
        }
    });
    Ok(receive)
}
