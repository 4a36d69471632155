//! `interphase sessions`: what is running.

use std::process::ExitCode;

use clap::Args;

use super::output;
use crate::session::runtime::{RuntimeDirectory, SessionInfo};

/// List the running sessions of this user.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase sessions --json")]
pub(super) struct SessionsArgs {
    /// JSON on standard output, one object a session
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &SessionsArgs) -> anyhow::Result<ExitCode> {
    let runtime = RuntimeDirectory::open()?;
    let sessions = runtime.sessions();
    for info in &sessions {
        if args.json {
            output::line(serde_json::to_string(info)?)?;
        } else {
            output::line(text_of(info))?;
        }
    }
    if sessions.is_empty() && !args.json {
        output::message("no session is running; `interphase demo` starts one to look at");
    }
    Ok(ExitCode::SUCCESS)
}

/// A session on a line.
pub(super) fn text_of(info: &SessionInfo) -> String {
    format!(
        "{}  {} {} on {}  since {}  {}",
        info.name,
        info.cell,
        info.plan,
        info.port,
        info.started,
        info.recording.display()
    )
}

/// The running session that an argument names: by its name, or by its recording; the only one that runs
/// where the argument is missing.
pub(super) fn resolve(argument: Option<&str>, runtime: &RuntimeDirectory) -> anyhow::Result<SessionInfo> {
    let sessions = runtime.sessions();
    let names = || {
        let names: Vec<&str> = sessions.iter().map(|info| info.name.as_str()).collect();
        if names.is_empty() {
            "none is running".to_owned()
        } else {
            format!("running: {}", names.join(", "))
        }
    };
    match argument {
        Some(argument) => sessions
            .iter()
            .find(|info| info.name == argument)
            .cloned()
            .or_else(|| runtime.session_of(std::path::Path::new(argument)))
            .ok_or_else(|| anyhow::anyhow!("there is no session {argument}; {}", names())),
        None => match sessions.as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(anyhow::anyhow!("which session? {}", names())),
        },
    }
}
