//! `interphase attach`: the screen, or the event lines, of a running session or a recording.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::screen_options::ScreenArgs;
use super::{json_lines, output, sessions};
use crate::screen::run::{self as screen_run, Exit, Source};
use crate::session::runtime::RuntimeDirectory;

/// Show a running session, or a recording. Leaving the screen leaves the session running.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  interphase attach                       the only running session\n  interphase attach --headless --json     its events as they come"
)]
pub(super) struct AttachArgs {
    /// A session's name, or a recording; the only running session where not given
    target: Option<String>,
    /// No screen; with --json
    #[arg(long, requires = "json")]
    headless: bool,
    /// Every event as a line of JSON, then the state's digest
    #[arg(long, requires = "headless")]
    json: bool,
    #[command(flatten)]
    screen: ScreenArgs,
}

pub(super) fn run(args: &AttachArgs) -> anyhow::Result<ExitCode> {
    let runtime = RuntimeDirectory::open()?;
    let recording = match args.target.as_deref() {
        Some(target) if Path::new(target).is_file() => PathBuf::from(target),
        target => sessions::resolve(target, &runtime)?.recording,
    };
    if args.json {
        json_lines::write(&recording, &runtime)?;
        return Ok(ExitCode::SUCCESS);
    }
    screen(&recording, &runtime, &args.screen)
}

/// Shows a recording: live where its session runs.
pub(super) fn screen(
    recording: &Path,
    runtime: &RuntimeDirectory,
    args: &ScreenArgs,
) -> anyhow::Result<ExitCode> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!("the screen needs a terminal; use --headless --json without one");
    }
    let exit = screen_run::run(Source::Live, recording, runtime, &args.options())?;
    if let Some(info) = runtime.session_of(recording) {
        match exit {
            Exit::Quit => output::message(format!(
                "{} goes on; `interphase attach {}` shows it again, `interphase stop {}` ends it",
                info.name, info.name, info.name
            )),
            Exit::TerminalGone | Exit::Signal => {}
        }
    } else {
        output::message(format!("recording {}", recording.display()));
    }
    Ok(ExitCode::SUCCESS)
}
