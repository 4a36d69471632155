//! The log in sentences.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::fit::verdict_style;
use super::text::wrapped;
use super::{Line, Scene, title};
use crate::event::{LinkState, Stamp, Validity};
use crate::state::{LogEntry, LogWhat};
use crate::units::{duration, with_error};

/// Rows that one sentence may take: more than one only where it says what speaks against a sweep.
const SENTENCE_ROWS: usize = 4;
/// What stands before those after the first.
const INDENT: &str = "  ";

/// Paints the end of the log; `long` adds dates and seconds.
pub fn events(scene: &Scene<'_>, inner: Rect, long: bool, scroll: usize, buffer: &mut Buffer) {
    let log = scene.state.log();
    let rows = usize::from(inner.height);
    let width = inner.width.saturating_sub(2);
    let end = log
        .len()
        .saturating_sub(scroll.min(log.len().saturating_sub(rows)));
    let mut painted: Vec<Line> = Vec::new();
    for entry in log[..end].iter().rev() {
        if painted.len() >= rows {
            break;
        }
        painted.extend(lines(scene, entry, long, width).into_iter().rev());
    }
    painted.truncate(rows);
    for (line, row) in painted.iter().rev().zip(inner.y..inner.bottom()) {
        scene.write(line, inner.x + 1, row, width, buffer);
    }
    let mut heading = Line::new().with("Events", scene.theme.strong);
    if end < log.len() {
        heading.push(format!("  {} newer below", log.len() - end), scene.theme.warning);
    }
    title(scene, inner, &heading, buffer);
}

/// An entry in as many rows as it may take.
fn lines(scene: &Scene<'_>, entry: &LogEntry, long: bool, width: u16) -> Vec<Line> {
    let (text, style) = sentence(scene, &entry.what);
    let mut time = clock(entry.stamp, long);
    if !time.is_empty() {
        time.push(' ');
    }
    let rows = match entry.what {
        LogWhat::Validity(_) => {
            let widths = [
                usize::from(width).saturating_sub(time.len()),
                usize::from(width).saturating_sub(INDENT.len()),
            ];
            wrapped(&text, widths, SENTENCE_ROWS)
        }
        _ => vec![text],
    };
    rows.into_iter()
        .enumerate()
        .map(|(row, text)| {
            let before = if row == 0 { time.as_str() } else { INDENT };
            Line::new().with(before, scene.theme.quiet).with(text, style)
        })
        .collect()
}

/// Time of day in UTC, with the date where `long`; nothing where the time is not known.
pub fn clock(stamp: Stamp, long: bool) -> String {
    if stamp.utc_ns == 0 {
        return String::new();
    }
    let format = if long { "%Y-%m-%d %H:%M:%S" } else { "%H:%M" };
    jiff::Timestamp::from_nanosecond(i128::from(stamp.utc_ns))
        .map(|time| {
            time.to_zoned(jiff::tz::TimeZone::UTC)
                .strftime(format)
                .to_string()
        })
        .unwrap_or_default()
}

fn sentence(scene: &Scene<'_>, what: &LogWhat) -> (String, Style) {
    let theme = scene.theme;
    let usual = theme.text;
    match what {
        LogWhat::Session(session) => {
            let from = if session.source.is_empty() {
                String::new()
            } else {
                format!(", {}", session.source)
            };
            (
                format!("session: {} by plan {}{from}", session.cell, session.plan),
                theme.quiet,
            )
        }
        LogWhat::Link(link) => {
            let style = if link.state == LinkState::Lost {
                theme.warning
            } else {
                theme.quiet
            };
            let reason = if link.reason.is_empty() {
                String::new()
            } else {
                format!(": {}", link.reason)
            };
            (format!("link {} {}{reason}", link.state.word(), link.port), style)
        }
        LogWhat::Identity(identity) => (
            format!(
                "{} {} {}",
                identity.instrument, identity.firmware, identity.serial
            ),
            theme.quiet,
        ),
        LogWhat::Command(command) => {
            let text = if command.text.is_empty() {
                String::new()
            } else {
                format!(": {}", command.text)
            };
            (
                format!("{} asked for {}{text}", command.origin, command.command),
                usual,
            )
        }
        LogWhat::SweepStarted(sweep) => (format!("sweep {} started", sweep.sweep), usual),
        LogWhat::SweepEnded(sweep) => {
            let points = scene
                .state
                .sweep(sweep.sweep)
                .map_or(0, |record| record.points().len());
            if sweep.complete {
                (format!("sweep {} done, {points} points", sweep.sweep), usual)
            } else {
                let reason = format!(
                    "sweep {} cut after {points} points: {}",
                    sweep.sweep, sweep.reason
                );
                (reason, theme.warning)
            }
        }
        LogWhat::FinalFit(number) => (fit_sentence(scene, *number), usual),
        LogWhat::Validity(validity) => (doubt_sentence(validity), verdict_style(scene, validity)),
        LogWhat::Alarm(alarm) => (
            format!("{} {}: {}", scene.glyphs.alarm, alarm.severity.word(), alarm.text),
            theme.alarm,
        ),
        LogWhat::AlarmAcknowledged(seen) => (format!("{} acknowledged by {}", seen.name, seen.origin), usual),
        LogWhat::Gap(gap) => (
            format!("nothing known for {}: {}", length(gap), gap.reason),
            theme.warning,
        ),
        LogWhat::ClockJump(gap) => (
            format!("wall clock jumped by {}: {}", length(gap), gap.reason),
            theme.warning,
        ),
        LogWhat::Resumed(gap) => (
            format!("went on after {}: {}", length(gap), gap.reason),
            theme.warning,
        ),
        LogWhat::Amend(amend) => (
            match &amend.old {
                Some(old) => format!("amended: {} is {}, not {old}", amend.key, amend.new),
                None => format!("amended: {} is {}", amend.key, amend.new),
            },
            theme.strong,
        ),
        LogWhat::Note(note) => (format!("{} {}", scene.glyphs.pointer, note.text), theme.strong),
        LogWhat::SessionEnded(ended) => (format!("session ended: {}", ended.reason), theme.strong),
    }
}

/// A verdict other than pass, with why.
fn doubt_sentence(validity: &Validity) -> String {
    let mut text = format!("sweep {} KK {}", validity.sweep, validity.verdict);
    if let Some(largest) = validity.max_residual_percent {
        text.push_str(&format!(" {largest:.1} %"));
    }
    if let Some(reason) = validity.reasons().first() {
        text.push_str(": ");
        text.push_str(reason);
    }
    text
}

fn length(gap: &crate::event::Gap) -> String {
    duration((gap.to_utc_ns.saturating_sub(gap.from_utc_ns)) as f64 * 1e-9)
}

/// The headline of a fit: the first followed sum, or how it went.
fn fit_sentence(scene: &Scene<'_>, number: u32) -> String {
    let script = scene.glyphs.script;
    let Some(fit) = scene.state.fit_of(number) else {
        return format!("fit {number}");
    };
    let track = scene
        .state
        .head()
        .session
        .as_ref()
        .and_then(|(_, session)| session.track.first());
    let headline = match track {
        Some(name) => fit.result.sum(name),
        None => fit.result.sums.first(),
    };
    match headline {
        Some(sum) if sum.determined => match sum.std_error {
            Some(error) => {
                let value = with_error(sum.value, error, "ohm", script).line(script);
                format!("fit {number}: {} {value}", sum.name)
            }
            None => format!("fit {number}: {} at bound", sum.name),
        },
        Some(sum) => format!("fit {number}: {} not determined", sum.name),
        None => format!("fit {number} done"),
    }
}
