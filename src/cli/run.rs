//! `interphase run`: measure.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::json_lines::FollowedToEnd;
use super::screen_options::ScreenArgs;
use super::{attach, json_lines, output, resume, start, text};
use crate::event::EventBody;
use crate::recording::network_file_system;
use crate::session::CELL_MAY_BE_ON;
use crate::session::client::Client;
use crate::session::control::Request;
use crate::session::process::{ENDED_COMPLETE, ENDED_STOPPED};
use crate::session::runtime::{RuntimeDirectory, device_number};
use crate::session::signals;
use crate::session::spec::SessionSpec;

/// Measure: start a session in the background and show it. Leaving the screen leaves it running.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  interphase run --instrument es4_hr --port /dev/serial/by-id/usb-PalmSens... \\\n      --cell li_lpscl_li --plan eis_repeat\n  interphase run --resume cell7.interphase      after a crash or a reboot"
)]
pub(super) struct RunArgs {
    /// Instrument profile: a name or a path
    #[arg(long, value_name = "PROFILE", required_unless_present = "resume")]
    instrument: Option<String>,
    /// Serial port of the instrument; with --resume the one of the recording where not given
    #[arg(long, value_name = "PATH", required_unless_present = "resume")]
    port: Option<PathBuf>,
    /// Cell profile: a name or a path
    #[arg(long, value_name = "PROFILE", required_unless_present = "resume")]
    cell: Option<String>,
    /// Plan profile: a name or a path
    #[arg(long, value_name = "PROFILE", required_unless_present = "resume")]
    plan: Option<String>,
    /// Go on in this recording, whose session was cut off by a crash or a reboot, with the profiles and the plan
    /// in it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["instrument", "cell", "plan", "out", "time_scale"])]
    resume: Option<PathBuf>,
    /// Where to record; a new file in the user's folder of recordings where not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// No screen: a line a sweep, or with --json every event, until the session ends
    #[arg(long, conflicts_with = "detach")]
    headless: bool,
    /// No screen: print the session's name and return
    #[arg(long)]
    detach: bool,
    /// Do not ask before starting
    #[arg(long, short)]
    yes: bool,
    /// Abort a script that runs on the instrument; its cell is switched off
    #[arg(long)]
    take_over: bool,
    /// With a simulated instrument: how much faster than the wall clock the session's clock runs;
    /// taken from the simulator where not given
    #[arg(long, value_name = "X")]
    time_scale: Option<f64>,
    /// JSON on standard output, one object a line (with --headless or --detach)
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    screen: ScreenArgs,
}

pub(super) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    if args.json && !args.headless && !args.detach {
        return usage("--json needs --headless or --detach: the screen has standard output otherwise");
    }
    let runtime = RuntimeDirectory::open()?;
    let screen = !args.headless && !args.detach;
    if screen && !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) {
        return usage("the screen needs a terminal; use --headless or --detach without one");
    }
    let spec = match &args.resume {
        Some(recording) => resume::specification(recording, args.port.as_deref(), args.take_over, &runtime)?,
        None => match new_session(args, &runtime)? {
            Some(spec) => spec,
            None => bail!("not started"),
        },
    };
    if let Some(kind) = network_file_system(&spec.recording) {
        output::message(format!(
            "warning: {} is on a network file system ({kind}): a recording is safe there only as far as the network \
             is, and must not be looked at from another machine while it is written; better record on a local disk \
             and copy the finished file",
            spec.recording.display()
        ));
    }
    let mut launched = start::start(&spec, &runtime)?;
    if args.detach {
        let recording = launched.recording.display().to_string();
        if args.json {
            let line = serde_json::json!({"session": launched.name, "recording": recording});
            output::line(line.to_string())?;
        } else {
            output::line(&launched.name)?;
            output::message(format!("recording {recording}"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.headless {
        let followed = headless(&launched.name, &launched.recording, args.json, &runtime)?;
        // The session has closed its recording and left the port when its process has ended.
        launched.child.wait()?;
        return exit_of(&followed, &launched.recording, &runtime.log_file(&launched.name));
    }
    attach::screen(&launched.recording, &runtime, &args.screen)
}

/// What a new session needs to know; none where the user does not want it after all.
fn new_session(args: &RunArgs, runtime: &RuntimeDirectory) -> anyhow::Result<Option<SessionSpec>> {
    let (Some(instrument), Some(cell), Some(plan), Some(port)) =
        (&args.instrument, &args.cell, &args.plan, &args.port)
    else {
        bail!("--instrument, --port, --cell and --plan say what to measure; see `interphase run --help`");
    };
    let chosen = start::choose(instrument, cell, plan)?;
    let (simulated, time_scale) = time_scale_of(port, args.time_scale, runtime)?;
    let recording = start::recording_path(args.out.as_deref(), &chosen.profiles.cell.name)?;
    if !args.headless && !args.detach && !args.yes {
        output::message(start::summary(
            &chosen.profiles,
            &port.display().to_string(),
            &recording,
        )?);
        if !confirmed()? {
            return Ok(None);
        }
    }
    Ok(Some(SessionSpec {
        name: start::session_name(&recording, runtime),
        recording,
        resume: false,
        port: Some(std::path::absolute(port)?),
        own_simulator: None,
        instrument: chosen.instrument,
        cell: chosen.cell,
        plan: chosen.plan,
        simulated,
        time_scale,
        take_over: args.take_over,
    }))
}

fn usage(message: &str) -> anyhow::Result<ExitCode> {
    output::message(format!("interphase run: {message}"));
    Ok(ExitCode::from(2))
}

/// Whether the port belongs to a simulator of ours, and its scale of time.
pub(super) fn time_scale_of(
    port: &Path,
    asked: Option<f64>,
    runtime: &RuntimeDirectory,
) -> anyhow::Result<(bool, f64)> {
    let simulator = device_number(port).and_then(|device| runtime.simulator(device));
    let port = port.display();
    match (simulator, asked) {
        (Some(simulator), Some(asked)) if asked != simulator.time_scale => bail!(
            "--time-scale {asked}: the simulator on {port} runs at {}; leave the option out, or start the \
             simulator with this scale",
            simulator.time_scale
        ),
        (Some(simulator), _) => Ok((true, simulator.time_scale)),
        (None, Some(_)) => bail!(
            "--time-scale: no simulator of this program serves {port}, and a real instrument has real time; \
             leave the option out"
        ),
        (None, None) => Ok((false, 1.0)),
    }
}

fn confirmed() -> anyhow::Result<bool> {
    let mut stderr = std::io::stderr();
    write!(stderr, "Start? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Follows a session without a screen, to its end. Being interrupted stops the session.
fn headless(
    name: &str,
    recording: &Path,
    json: bool,
    runtime: &RuntimeDirectory,
) -> anyhow::Result<FollowedToEnd> {
    let socket = runtime.socket(name);
    signals::on_stop(move || {
        if let Ok(mut client) = Client::connect(&socket) {
            let _ = client.ask(&Request::Stop { now: false });
        }
    })
    .context("signals")?;
    if json {
        json_lines::write(recording, runtime)
    } else {
        output::message(format!("session {name}, recording {}", recording.display()));
        json_lines::follow(recording, runtime, |event, state| match &event.body {
            EventBody::Fit(fit) if fit.is_final => {
                let sums: Vec<String> = fit.result.sums.iter().map(text::sum).collect();
                let points = state.sweep(fit.sweep).map_or(0, |sweep| sweep.points().len());
                Ok(output::line(format!(
                    "sweep {}: {points} points; {}",
                    fit.sweep,
                    sums.join(", ")
                ))?)
            }
            EventBody::Alarm(alarm) => {
                output::message(format!("{}: {}", alarm.severity.word(), alarm.text));
                Ok(())
            }
            _ => Ok(()),
        })
    }
}

/// The exit status that the end of a session asks for.
fn exit_of(followed: &FollowedToEnd, recording: &Path, log: &Path) -> anyhow::Result<ExitCode> {
    let alarms = &followed.state.head().alarms;
    if let Some((_, alarm)) = alarms.iter().find(|(_, alarm)| alarm.name == CELL_MAY_BE_ON) {
        bail!("the session has ended, but: {}", alarm.text);
    }
    match &followed.ended {
        Some(ended) if ended.reason == ENDED_COMPLETE || ended.reason == ENDED_STOPPED => {
            Ok(ExitCode::SUCCESS)
        }
        Some(ended) => bail!(
            "the session ended: {}; recording {}",
            ended.reason,
            recording.display()
        ),
        None => bail!(
            "the session was cut off without an end; why, may be in its log {}; everything up to then is in {}",
            log.display(),
            recording.display()
        ),
    }
}
