//! `interphase replay`: a recording on the screen again, or as event lines.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::redecode::Redecode;
use super::screen_options::ScreenArgs;
use super::{json_lines, output};
use crate::recording::Reader;
use crate::screen::run::{self as screen_run, ReplayStart, Source};
use crate::session::runtime::RuntimeDirectory;
use crate::state::State;
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
    /// Decode the recorded bytes once more and say which points differ; the digest is that of the points so decoded
    #[arg(long)]
    redecode: bool,
    #[command(flatten)]
    screen: ScreenArgs,
}

pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let runtime = RuntimeDirectory::open()?;
    if !(1.0..=100_000.0).contains(&args.speed) {
        bail!("--speed {}: must be between 1 and 100000", args.speed);
    }
    if args.redecode {
        return redecode(args);
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

/// The events with the points as today's codec reads them out of the recorded bytes.
fn redecode(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.file)?;
    let mut redecode = Redecode::of(&mut reader)?;
    let mut state = State::new();
    let until = reader.last_seq()?;
    for event in reader.events(0).until(until) {
        let event = event?;
        let event = redecode.take(&event).unwrap_or(event);
        state.apply(&event);
        if args.json {
            output::line(event.to_json())?;
        }
    }
    redecode.finish();
    if args.json {
        output::line(json_lines::state_line(&state))?;
    } else {
        for difference in &redecode.differences {
            output::line(difference)?;
        }
        output::line(format!(
            "{} points decoded again, {} differ; the digest of the state is {}",
            redecode.compared,
            redecode.differences.len(),
            state.digest()
        ))?;
    }
    if redecode.differences.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!(
        "{}: {} points are not what the recorded bytes say today",
        args.file.display(),
        redecode.differences.len()
    )
}
