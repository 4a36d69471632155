//! `interphase verify`: is a recording complete and unchanged?

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde_json::json;

use super::output;
use crate::recording::{META_STATE_DIGEST, META_STATE_VERSION, Reader, verify};
use crate::state::{STATE_VERSION, State};

/// Check that a recording is complete and unchanged: structure, order, hash chain, state digest.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase verify recordings/battery_130.interphase")]
pub(super) struct VerifyArgs {
    /// The recording
    file: PathBuf,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let report = verify(&args.file)?;
    let mut problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    if problems.is_empty() {
        problems.extend(compare_digest(&args.file)?);
    }
    if args.json {
        let line = json!({
            "file": args.file,
            "sound": problems.is_empty(),
            "events": report.events,
            "batches": report.batches,
            "chain_hash": report.chain_hash,
            "closed": report.closed,
            "session_ended": report.session_ended,
            "problems": problems,
        });
        output::line(line.to_string())?;
    } else {
        for problem in &problems {
            output::line(problem)?;
        }
        let ended = match (report.session_ended, report.closed) {
            (true, true) => "ended and closed",
            (true, false) => "ended, but not closed",
            (false, _) => "not ended: it runs, or was cut off",
        };
        let verdict = if problems.is_empty() { "sound" } else { "NOT SOUND" };
        output::line(format!(
            "{verdict}: {} events in {} commits, {ended}",
            report.events, report.batches
        ))?;
    }
    if problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!(
        "{}: {} found; what is not named is sound",
        args.file.display(),
        count(problems.len())
    )
}

fn count(problems: usize) -> String {
    if problems == 1 {
        "a problem was".to_owned()
    } else {
        format!("{problems} problems were")
    }
}

/// What the session itself arrived at, against what the events say now.
fn compare_digest(file: &std::path::Path) -> anyhow::Result<Option<String>> {
    let mut reader = Reader::open(file)?;
    let (Some(version), Some(digest)) = (reader.meta(META_STATE_VERSION)?, reader.meta(META_STATE_DIGEST)?)
    else {
        return Ok(None);
    };
    if version != STATE_VERSION.to_string() {
        return Ok(None);
    }
    let mut state = State::new();
    for event in reader.events(0) {
        state.apply(&event?);
    }
    let now = state.digest();
    Ok((now != digest).then(|| format!("the state's digest is {now}, the session arrived at {digest}")))
}
