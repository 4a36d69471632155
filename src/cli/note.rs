//! `interphase note`: a remark into the recording.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::sessions;
use crate::session::client::Client;
use crate::session::control::Request;
use crate::session::runtime::RuntimeDirectory;

/// Put a remark into the recording of a running session.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  interphase note li_lpscl_li-20261123-080000 \"stack pressure raised to 10 MPa\""
)]
pub(super) struct NoteArgs {
    /// The session: its name or its recording
    session: String,
    /// The remark
    #[arg(required = true, num_args = 1..)]
    text: Vec<String>,
}

pub(super) fn run(args: &NoteArgs) -> anyhow::Result<ExitCode> {
    let text = args.text.join(" ");
    if text.trim().is_empty() {
        bail!("the remark is empty");
    }
    let runtime = RuntimeDirectory::open()?;
    let info = sessions::resolve(Some(&args.session), &runtime)?;
    Client::connect(&runtime.socket(&info.name))?.ask(&Request::Note { text })?;
    Ok(ExitCode::SUCCESS)
}
