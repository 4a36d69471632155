//! `interphase stop`: end a session.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;

use super::{json_lines, output, sessions};
use crate::session::CELL_MAY_BE_ON;
use crate::session::client::{Client, Waited};
use crate::session::control::Request;
use crate::session::runtime::RuntimeDirectory;

/// End a running session after the running point; the cell is switched off.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase stop li_lpscl_li-20261123-080000")]
pub(super) struct StopArgs {
    /// The session: its name or its recording; the only one where not given
    session: Option<String>,
    /// Give up the running point
    #[arg(long)]
    now: bool,
}

pub(super) fn run(args: &StopArgs) -> anyhow::Result<ExitCode> {
    let runtime = RuntimeDirectory::open()?;
    let info = sessions::resolve(args.session.as_deref(), &runtime)?;
    let mut client = Client::connect(&runtime.socket(&info.name))?;
    client.ask(&Request::Stop { now: args.now })?;
    output::message(format!(
        "{} is stopping; the cell is being switched off",
        info.name
    ));
    while client.wait(Duration::from_secs(1)) != Waited::Ended {}
    // The socket closes a moment before the process lets go of its registration.
    let followed = json_lines::follow(&info.recording, &runtime, |_, _| Ok(()))?;
    if let Some((_, alarm)) = followed
        .state
        .head()
        .alarms
        .iter()
        .find(|(_, alarm)| alarm.name == CELL_MAY_BE_ON)
    {
        bail!("{} has ended, but: {}", info.name, alarm.text);
    }
    output::message(format!(
        "{} has ended; recording {}",
        info.name,
        info.recording.display()
    ));
    Ok(ExitCode::SUCCESS)
}
