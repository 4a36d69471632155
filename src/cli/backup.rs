//! `interphase backup`: a consistent copy of a recording.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use super::output;
use crate::recording::backup;

/// Copy a recording, also while its session measures.
///
/// The copy holds everything that was on disk at one moment, stands alone, and is checked before it gets its name.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  interphase backup cell7.interphase --out /mnt/backup/cell7-monday.interphase"
)]
pub(super) struct BackupArgs {
    /// The recording
    file: PathBuf,
    /// The copy; a file that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(args: &BackupArgs) -> anyhow::Result<ExitCode> {
    let found = backup(&args.file, &args.out)?;
    let out = args.out.display();
    if let Some(problem) = found.problems.first() {
        bail!(
            "{out}: copied, but the recording is not sound: {problem}; `interphase verify {out}` says all, \
             `interphase recover` saves what can be read"
        );
    }
    output::message(format!("{out}: {} events, sound", found.events));
    Ok(ExitCode::SUCCESS)
}
