//! `interphase replay`: a recording on the screen again, or as event lines.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::json_lines;
use super::screen_options::ScreenArgs;
use crate::screen::run::{self as screen_run, ReplayStart, Source};
use crate::session::runtime::RuntimeDirectory;
use crate::units;

/// Play a recording: the same screen over its events.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  interphase replay recordings/battery_130.interphase\n  interphase replay day.interphase --speed 600 --from 1h30m"
)]
pub(super) struct ReplayArgs {
    /// The recording
    file: PathBuf,
    /// How much faster than it was recorded, 1 to 100000
    #[arg(long, value_name = "X", default_value_t = 60.0)]
    speed: f64,
    /// Where to begin playing: time since the start of the session (90, 45m, 1h30m)
    #[arg(long, value_name = "T", value_parser = units::parse_duration, default_value = "0")]
    from: f64,
    /// Every event as a line of JSON, then the state's digest
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    screen: ScreenArgs,
}

pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let runtime = RuntimeDirectory::open()?;
    if !(1.0..=100_000.0).contains(&args.speed) {
        bail!("--speed {}: must be between 1 and 100000", args.speed);
    }
    if args.json {
        json_lines::write_recorded(&args.file, &runtime)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!("the screen needs a terminal; use --json without one");
    }
    let start = ReplayStart {
        speed: args.speed,
        from_s: args.from,
    };
    screen_run::run(
        Source::Replay(start),
        &args.file,
        &runtime,
        &args.screen.options(),
    )?;
    Ok(ExitCode::SUCCESS)
}
