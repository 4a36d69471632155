//! `interphase show`: what is in a recording.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{output, text};
use crate::event::utc_text;
use crate::recording::Reader;
use crate::state::State;
use crate::units;

/// Say what is in a recording: cell, plan, sweeps, fits, alarms, program version.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase show recordings/battery_130.interphase")]
pub(super) struct ShowArgs {
    /// The recording
    file: PathBuf,
    /// JSON on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.file)?;
    let mut state = State::new();
    for event in reader.events(0) {
        state.apply(&event?);
    }
    if args.json {
        output::line(as_json(&state).to_string())?;
    } else {
        for line in as_text(&state) {
            output::line(line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(state: &State) -> serde_json::Value {
    let head = state.head();
    let session = head.session.as_ref().map(|(_, session)| session);
    let sweeps: Vec<serde_json::Value> = state
        .sweeps()
        .iter()
        .map(|sweep| {
            let fit = sweep.fit.as_ref().map(|(_, fit)| &fit.result);
            json!({
                "sweep": sweep.started.sweep,
                "t_s": sweep.stamp.elapsed_s(),
                "n_points": sweep.points().len(),
                "complete": sweep.ended.as_ref().is_some_and(|(_, _, ended)| ended.complete),
                "parameters": fit.map(|result| &result.parameters),
                "sums": fit.map(|result| &result.sums),
                "validity": sweep.validity.as_ref().map(|(_, validity)| validity),
            })
        })
        .collect();
    let alarms: Vec<_> = head.alarms.iter().map(|(_, alarm)| alarm).collect();
    json!({
        "session": session,
        "identity": head.identity,
        "events": head.last_seq,
        "duration_s": head.last_stamp.elapsed_s(),
        "ended": head.ended.as_ref().map(|(_, ended)| &ended.reason),
        "sweeps": sweeps,
        "open_alarms": alarms,
        "digest": state.digest(),
    })
}

fn as_text(state: &State) -> Vec<String> {
    let head = state.head();
    let mut lines = Vec::new();
    if let Some((stamp, session)) = &head.session {
        lines.push(format!("recorded by  {} {}", session.program, session.version));
        lines.push(format!("cell         {} ({})", session.cell, session.chemistry));
        lines.push(format!("plan         {}", session.plan));
        lines.push(format!("circuit      {}", session.circuit));
        let simulated = if session.simulated {
            format!(", simulated, time x{}", session.time_scale)
        } else {
            String::new()
        };
        lines.push(format!("instrument   {}{simulated}", session.instrument_label));
        if !session.source.is_empty() {
            lines.push(format!("source       {}", session.source));
        }
        lines.push(format!("began        {}", utc_text(stamp.utc_ns)));
    }
    if let Some(identity) = &head.identity {
        lines.push(format!(
            "device       {} {} {}",
            identity.instrument, identity.serial, identity.firmware
        ));
    }
    let ended = head
        .ended
        .as_ref()
        .map_or("no: it runs, or was cut off", |(_, ended)| ended.reason.as_str());
    lines.push(format!("ended        {ended}"));
    lines.push(format!(
        "events       {} over {}",
        head.last_seq,
        units::duration(head.last_stamp.elapsed_s())
    ));
    for (_, alarm) in &head.alarms {
        lines.push(format!("alarm        {}: {}", alarm.severity.word(), alarm.text));
    }
    for sweep in state.sweeps() {
        let complete = match &sweep.ended {
            Some((_, _, ended)) if ended.complete => String::new(),
            Some((_, _, ended)) => format!(" ({})", ended.reason),
            None => " (not ended)".to_owned(),
        };
        let sums = match &sweep.fit {
            Some((_, fit)) => fit
                .result
                .sums
                .iter()
                .map(text::sum)
                .collect::<Vec<_>>()
                .join(", "),
            None => "no fit".to_owned(),
        };
        let validity = sweep.validity.as_ref().map(|(_, validity)| validity);
        let doubt = validity.filter(|validity| validity.is_doubtful());
        let doubt = doubt.map_or_else(String::new, |validity| {
            let why = validity.reasons().first().map_or("", String::as_str);
            format!("; KK {}: {why}", validity.verdict)
        });
        lines.push(format!(
            "sweep {:<6} {} points{complete}; {sums}{doubt}",
            sweep.started.sweep,
            sweep.points().len()
        ));
    }
    lines.push(format!("digest       {}", state.digest()));
    lines
}
