//! `interphase demo`: simulator, session and screen in one command.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;

use super::screen_options::ScreenArgs;
use super::{json_lines, output, start};
use crate::screen::run::{self as screen_run, Source};
use crate::session::client::Client;
use crate::session::control::Request;
use crate::session::runtime::RuntimeDirectory;
use crate::session::spec::{OwnSimulator, SessionSpec};

/// Watch a simulated cell age: an EmStat4 HR on a pseudo terminal, a session and the live screen.
/// Leaving the screen ends the demo; its recording stays.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase demo --time-scale 100")]
pub(super) struct DemoArgs {
    /// End by itself after so many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<f64>,
    /// How much faster than the wall clock the cell's time runs
    #[arg(long, value_name = "X", default_value_t = 60.0)]
    time_scale: f64,
    /// Where to record; a new file in the user's folder of recordings where not given
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    screen: ScreenArgs,
}

/// What the demo measures with.
const INSTRUMENT: &str = "es4_hr";
/// What the demo measures: a cell young enough to age while somebody watches.
const CELL: &str = "li_lpscl_li_fresh";
/// Seed of the demo's noise: the same demo for everybody.
const SEED: u64 = 1;

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    if !(args.time_scale.is_finite() && (1.0..=100_000.0).contains(&args.time_scale)) {
        bail!("--time-scale {}: must be between 1 and 100000", args.time_scale);
    }
    if let Some(seconds) = args
        .seconds
        .filter(|seconds| !(seconds.is_finite() && *seconds > 0.0))
    {
        bail!("--seconds {seconds}: must be above 0");
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!(
            "the demo draws a screen and needs a terminal; without one use `simulate` and `run --headless`"
        );
    }
    let runtime = RuntimeDirectory::open()?;
    let chosen = start::choose(INSTRUMENT, CELL, "demo")?;
    let recording = start::recording_path(args.out.as_deref(), "demo")?;
    let spec = SessionSpec {
        resume: false,
        name: start::session_name(&recording, &runtime),
        recording,
        port: None,
        own_simulator: Some(OwnSimulator {
            instrument: INSTRUMENT.to_owned(),
            cell: CELL.to_owned(),
            seed: SEED,
        }),
        instrument: chosen.instrument,
        cell: chosen.cell,
        plan: chosen.plan,
        simulated: true,
        time_scale: args.time_scale,
        take_over: false,
    };
    let launched = start::start(&spec, &runtime)?;
    let mut options = args.screen.options();
    options.end_after = args.seconds.map(Duration::from_secs_f64);
    let shown = screen_run::run(Source::Live, &launched.recording, &runtime, &options);
    if let Ok(mut client) = Client::connect(&runtime.socket(&launched.name)) {
        let _ = client.ask(&Request::Stop { now: true });
    }
    json_lines::follow(&launched.recording, &runtime, |_, _| Ok(()))?;
    shown?;
    let path = launched.recording.display();
    output::message(format!(
        "recording {path}\nplay it with: interphase replay {path}"
    ));
    Ok(ExitCode::SUCCESS)
}
