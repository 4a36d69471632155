//! `interphase recover`: what can be read of a damaged recording, as a new one.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::output;
use crate::event::{Stamp, utc_text};
use crate::recording::{Recovered, Stretch, recover};

/// Save what can be read of a damaged or cut recording into a new one.
///
/// The damaged file is opened read-only and never changed; a -wal file beside it is read as well. Events whose hash
/// still holds are taken over as they were written. Events that nobody can vouch for are taken over behind a note that
/// says so, and what is missing is told as gaps. Of a running session, make a copy with `backup` instead.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase recover cell7.interphase --out cell7-recovered.interphase")]
pub(super) struct RecoverArgs {
    /// The damaged recording
    file: PathBuf,
    /// The new recording; a file that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave out events that cannot be vouched for
    #[arg(long)]
    strict: bool,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RecoverArgs) -> anyhow::Result<ExitCode> {
    let found = recover(&args.file, &args.out, args.strict)?;
    if args.json {
        output::line(as_json(args, &found).to_string())?;
    } else {
        for line in as_text(args, &found) {
            output::line(line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(args: &RecoverArgs, found: &Recovered) -> Value {
    let stretches = |stretches: &[Stretch]| stretches.iter().map(stretch_json).collect::<Vec<_>>();
    json!({
        "file": args.file,
        "out": args.out,
        "strict": args.strict,
        "whole": found.is_whole(),
        "vouched": found.vouched,
        "doubtful": found.doubtful,
        "missing": found.missing_events(),
        "written": found.written,
        "doubtful_events": stretches(&found.doubtful_stretches),
        "missing_events": stretches(&found.missing),
        "damaged_attachments": found.damaged_attachments,
        "remarks": found.remarks,
    })
}

fn stretch_json(stretch: &Stretch) -> Value {
    let utc = |stamp: Option<Stamp>| stamp.map(|stamp| utc_text(stamp.utc_ns));
    let seconds = |stamp: Option<Stamp>| stamp.map(Stamp::elapsed_s);
    let mut value = json!({
        "first_seq": stretch.first_seq,
        "last_seq": stretch.last_seq,
        "from": utc(stretch.from),
        "to": utc(stretch.to),
        "from_t_s": seconds(stretch.from),
        "to_t_s": seconds(stretch.to),
    });
    if !stretch.why.is_empty() {
        value["why"] = stretch.why.into();
    }
    value
}

fn as_text(args: &RecoverArgs, found: &Recovered) -> Vec<String> {
    let mut lines = Vec::new();
    for stretch in &found.doubtful_stretches {
        lines.push(format!(
            "{}: cannot be vouched for ({})",
            place(stretch),
            stretch.why
        ));
    }
    lines.extend(
        found
            .missing
            .iter()
            .map(|stretch| format!("{}: missing", place(stretch))),
    );
    for name in &found.damaged_attachments {
        lines.push(format!(
            "attached file {name}: has been changed; kept under a name that says so"
        ));
    }
    lines.extend(found.remarks.iter().cloned());
    let doubtful = match (found.doubtful, args.strict) {
        (0, _) => String::new(),
        (events, false) => format!(", {events} that cannot be vouched for"),
        (events, true) => format!(", {events} left out that cannot be vouched for"),
    };
    lines.push(format!(
        "{}: {} events as they were written{doubtful}, {} missing",
        args.out.display(),
        found.vouched,
        found.missing_events()
    ));
    lines
}

/// Which events, and when.
fn place(stretch: &Stretch) -> String {
    let events = match stretch.events() {
        1 => format!("event {}", stretch.first_seq),
        _ => format!("events {} to {}", stretch.first_seq, stretch.last_seq),
    };
    match (stretch.from, stretch.to) {
        (Some(from), Some(to)) => format!("{events}, {} to {}", utc_text(from.utc_ns), utc_text(to.utc_ns)),
        (Some(from), None) => format!("{events}, after {}", utc_text(from.utc_ns)),
        (None, Some(to)) => format!("{events}, before {}", utc_text(to.utc_ns)),
        (None, None) => events,
    }
}
