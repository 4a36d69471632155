//! `interphase replay`: a recording on the screen again, or as event lines.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::output::UsageError;
use super::redecode::Redecode;
use super::screen_options::ScreenArgs;
use super::{json_lines, output, reanalyse, serve, values};
use crate::circuit::Circuit;
use crate::recording::{Reader, SPEED_MAX, SPEED_MIN};
use crate::screen::run::{self as screen_run, ReplayStart, Source};
use crate::session::runtime::RuntimeDirectory;
use crate::state::State;
use crate::units;

/// The speed of the screen where none is given.
const SPEED: f64 = 60.0;

/// Play a recording: the same screen over its events. Or decode it, fit it, or serve its instrument again.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  interphase replay recordings/battery_130.interphase
  interphase replay day.interphase --speed 600 --from 1h30m
  interphase replay day.interphase --reanalyse --circuit 'R0-p(R1,CPE1)-W1'
  interphase replay day.interphase --serve --link /tmp/that_day
  interphase run --instrument es4_hr --port /tmp/that_day --cell my_cell --plan eis_once

--serve answers each request with the bytes that followed it on that day, after the same time on the wall clock, \
divided by --speed (1 where not given). A session of a simulator that ran 100 times faster is served 100 times faster, \
so that clients meet the time-outs of that day; `run` takes this scale from the port, as it does with `simulate`. A \
client that asks the same in the same order gets the same bytes. What is asked out of order is looked for from the \
present place on, then from the beginning; what was never asked is told on standard error and answered as an unknown \
command is (`x!0003`), or not at all by instruments of a line profile. What the instrument sent unasked begins when a \
client opens the port. Where the link was lost on that day, the port hangs up and comes back behind the same --link.")]
pub(super) struct ReplayArgs {
    /// The recording
    file: PathBuf,
    /// How much faster than it was recorded, 1 to 100000; with --serve also slower [default: 60, with --serve 1]
    #[arg(long, value_name = "X")]
    speed: Option<f64>,
    /// Where to begin playing: time since the start of the session (90, 45m, 1h30m), or before its end (-10m)
    #[arg(long, value_name = "T", value_parser = place, allow_hyphen_values = true, default_value = "0")]
    from: Place,
    /// Every event as a line of JSON, then the state's digest
    #[arg(long, conflicts_with = "from")]
    json: bool,
    /// Decode the recorded bytes once more and say which points differ; the digest is that of the points so decoded
    #[arg(long, conflicts_with_all = ["reanalyse", "from", "speed"])]
    redecode: bool,
    /// Fit every sweep once more, in the order of the session, and show the old fits beside the new ones
    #[arg(long, conflicts_with_all = ["from", "speed"])]
    reanalyse: bool,
    /// The circuit to fit instead of the session's own
    #[arg(long, value_name = "CIRCUIT", requires = "reanalyse", value_parser = values::circuit)]
    circuit: Option<Circuit>,
    /// Serve the instrument of that day on a pseudo terminal until interrupted; see below
    #[arg(long, conflicts_with_all = ["redecode", "reanalyse", "from"])]
    serve: bool,
    /// Make a symbolic link to the port, removed at the end
    #[arg(long, value_name = "PATH", requires = "serve")]
    link: Option<PathBuf>,
    #[command(flatten)]
    screen: ScreenArgs,
}

/// A place in a session.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    AfterStart(f64),
    BeforeEnd(f64),
}

fn place(text: &str) -> Result<Place, String> {
    match text.trim().strip_prefix('-') {
        Some(rest) => units::parse_duration(rest).map(Place::BeforeEnd),
        None => units::parse_duration(text).map(Place::AfterStart),
    }
}

pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    if args.serve {
        return serve::run(&serve::Request {
            recording: &args.file,
            link: args.link.as_deref(),
            speed: args.speed.unwrap_or(1.0),
            json: args.json,
        });
    }
    if args.json && args.speed.is_some() {
        return Err(UsageError::new(
            "--speed cannot be used with --json, which gives all events at once; leave one of them out",
        )
        .into());
    }
    let speed = args.speed.unwrap_or(SPEED);
    if !(SPEED_MIN..=SPEED_MAX).contains(&speed) {
        bail!("--speed {speed}: must be between {SPEED_MIN} and {SPEED_MAX}");
    }
    if args.redecode {
        return redecode(args);
    }
    if args.reanalyse {
        return reanalyse::run(&args.file, args.circuit.as_ref(), args.json);
    }
    let runtime = RuntimeDirectory::open()?;
    if args.json {
        json_lines::write_recorded(&args.file, &runtime)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!("the screen needs a terminal; use --json without one");
    }
    let from_s = from_s(args)?;
    let start = ReplayStart { speed, from_s };
    screen_run::run(
        Source::Replay(start),
        &args.file,
        &runtime,
        &args.screen.options(),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Where the replay begins, in s after the start of the session. A place outside of the session is told.
fn from_s(args: &ReplayArgs) -> anyhow::Result<f64> {
    let length_s = match Reader::open(&args.file)?.span()? {
        Some([_, (_, last)]) => last.elapsed_s(),
        None => 0.0,
    };
    let length = units::duration(length_s);
    let from_s = match args.from {
        Place::AfterStart(from_s) => from_s,
        Place::BeforeEnd(before_s) => length_s - before_s,
    };
    if from_s > length_s {
        output::message(format!(
            "--from: the session lasted {length}; the replay stands at its end"
        ));
    } else if from_s < 0.0 {
        output::message(format!(
            "--from: the session lasted {length}; the replay begins at its beginning"
        ));
    }
    Ok(from_s.clamp(0.0, length_s))
}

/// The events with the points as today's codec reads them out of the recorded bytes.
fn redecode(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.file)?;
    let mut redecode = Redecode::of(&mut reader)?;
    let mut state = State::without_samples();
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
    let digest = state.digest_with(&mut reader)?;
    if args.json {
        output::line(json_lines::state_line(&state, &digest))?;
    } else {
        for difference in &redecode.differences {
            output::line(difference)?;
        }
        output::line(format!(
            "{} points decoded again, {} differ; the digest of the state is {}",
            redecode.compared,
            redecode.differences.len(),
            digest
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_after_the_start_or_before_the_end() {
        assert_eq!(place("1h30m"), Ok(Place::AfterStart(5400.0)));
        assert_eq!(place("-10m"), Ok(Place::BeforeEnd(600.0)));
        assert_eq!(place("-90"), Ok(Place::BeforeEnd(90.0)));
        for text in ["--speed", "", "-", "noon", "--5"] {
            assert!(place(text).is_err(), "{text}");
        }
    }

    #[derive(Debug, clap::Parser)]
    struct Replay {
        #[command(flatten)]
        args: ReplayArgs,
    }

    fn parsed(options: &[&str]) -> Result<ReplayArgs, clap::Error> {
        use clap::Parser;
        let words = ["replay", "none.interphase"].iter().chain(options);
        Replay::try_parse_from(words).map(|replay| replay.args)
    }

    #[test]
    fn where_to_begin_and_how_fast_are_refused_where_nothing_is_played() {
        for options in [
            &["--json", "--from", "1h"][..],
            &["--redecode", "--from", "-10m"],
            &["--redecode", "--speed", "9"],
            &["--reanalyse", "--from", "1h"],
            &["--reanalyse", "--json", "--speed", "9"],
            &["--serve", "--from", "1h"],
        ] {
            let error = parsed(options).unwrap_err();
            assert_eq!(
                error.kind(),
                clap::error::ErrorKind::ArgumentConflict,
                "{options:?}"
            );
        }
        for options in [
            &["--speed", "9", "--from", "1h"][..],
            &["--json"],
            &["--json", "--redecode"],
            &["--json", "--reanalyse"],
            &["--json", "--serve", "--speed", "9"],
        ] {
            assert!(parsed(options).is_ok(), "{options:?}");
        }
        let error = run(&parsed(&["--json", "--speed", "9"]).unwrap()).unwrap_err();
        assert!(error.is::<UsageError>(), "{error}");
    }
}
