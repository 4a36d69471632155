//! The first line: what is measured, with what, in which condition, how far; and the line of alarms.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Line, Scene};
use crate::event::{LinkState, Severity};
use crate::recording::DiskCondition;
use crate::screen::view::Connection;
use crate::units::duration;

/// Paints the header into one line.
pub fn header(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let right = progress(scene);
    let room = usize::from(area.width).saturating_sub(right.width() + 2);
    let left = (0..4)
        .map(|brevity| what(scene, brevity))
        .find(|line| line.width() < room)
        .unwrap_or_else(|| what(scene, 4));
    scene.write(&left, area.x + 1, area.y, room as u16, buffer);
    let width = right.width() as u16;
    let x = (area.x + area.width).saturating_sub(width + 1).max(area.x);
    scene.write(&right, x, area.y, width.min(area.width), buffer);
}

/// Cell, instrument, port and state word; the higher `brevity`, the less of it.
fn what(scene: &Scene<'_>, brevity: usize) -> Line {
    let (theme, head) = (scene.theme, scene.state.head());
    let blank = Style::new();
    let mut line = Line::new();
    let (word, style) = state_word(scene);
    if let Some((_, session)) = &head.session {
        line.push(session.cell.clone(), theme.strong);
        line.push("  ", blank);
        let label = if session.instrument_label.is_empty() {
            &session.instrument
        } else {
            &session.instrument_label
        };
        if brevity < 3 && !label.is_empty() {
            line.push(label.clone(), theme.text);
            line.push(" ", blank);
        }
        if brevity < 2
            && let Some((_, link)) = &head.link
        {
            let port = if brevity == 0 {
                link.port.as_str()
            } else {
                link.port.strip_prefix("/dev/").unwrap_or(&link.port)
            };
            line.push(port, theme.quiet);
            line.push(" ", blank);
        }
        if brevity < 4 && session.simulated {
            let scale = if session.time_scale == 1.0 {
                "simulated".to_owned()
            } else {
                format!("simulated x{}", session.time_scale)
            };
            line.push(scale, theme.quiet);
            line.push(" ", blank);
        }
        if brevity < 3 {
            line.push(" ", blank);
        }
    }
    line.push(word, style);
    line
}

/// The condition in words.
fn state_word(scene: &Scene<'_>) -> (String, Style) {
    let (theme, head, view) = (scene.theme, scene.state.head(), scene.view);
    if let Connection::Replay(replay) = &view.connection {
        return if replay.playing {
            (format!("REPLAY x{}", replay.speed), theme.good)
        } else {
            ("REPLAY held".to_owned(), theme.strong)
        };
    }
    if head.ended.is_some() {
        return ("FINISHED".to_owned(), theme.strong);
    }
    if view.connection == Connection::Lost {
        return ("SESSION NOT ANSWERING".to_owned(), theme.alarm);
    }
    if head.session.is_none() {
        return ("WAITING".to_owned(), theme.strong);
    }
    match view.disk {
        DiskCondition::Full => return ("DISK FULL".to_owned(), theme.alarm),
        DiskCondition::Failing => return ("DISK FAILS".to_owned(), theme.alarm),
        DiskCondition::Fine | DiskCondition::Slow { .. } => {}
    }
    if let Some((stamp, link)) = &head.link
        && link.state != LinkState::Connected
    {
        let now = view.clock_s.unwrap_or(f64::MIN).max(head.last_stamp.elapsed_s());
        let since = duration((now - stamp.elapsed_s()).max(0.0));
        return (format!("LINK LOST {since}"), theme.alarm);
    }
    if let DiskCondition::Slow { commit_ms } = view.disk {
        let took = duration(f64::from(commit_ms) / 1e3);
        return (format!("DISK SLOW {took}"), theme.warning);
    }
    if view.frozen {
        return ("FROZEN".to_owned(), theme.warning);
    }
    if head.stopping {
        return ("STOPPING".to_owned(), theme.warning);
    }
    if head.paused {
        return ("PAUSED".to_owned(), theme.warning);
    }
    match view.connection {
        Connection::Behind(1) => ("BEHIND 1 sweep".to_owned(), theme.warning),
        Connection::Behind(sweeps) => (format!("BEHIND {sweeps} sweeps"), theme.warning),
        _ => ("LIVE".to_owned(), theme.good),
    }
}

/// Sweep k of n, points i/n, and the time left (or where a replay stands); fields of fixed width.
fn progress(scene: &Scene<'_>) -> Line {
    let (theme, state, view) = (scene.theme, scene.state, scene.view);
    let mut line = Line::new();
    let sweep = view.shown_sweep(state);
    if let Some(sweep) = sweep {
        let planned = state
            .head()
            .session
            .as_ref()
            .and_then(|(_, session)| session.sweeps_planned);
        let last = state.sweeps().last().map_or(0, |sweep| sweep.started.sweep);
        let of = planned.unwrap_or(0).max(last);
        let digits = of.to_string().len();
        line.push("sweep ", theme.quiet);
        line.push(format!("{:>digits$}", sweep.started.sweep), theme.strong);
        line.push(format!("/{of}"), theme.quiet);
        let points = sweep.points().len();
        let asked = (sweep.started.n_points as usize).max(points);
        let digits = asked.to_string().len();
        line.push(format!("  {points:>digits$}"), theme.text);
        line.push(format!("/{asked}"), theme.quiet);
    }
    if let Connection::Replay(replay) = &view.connection {
        let (at, of) = (duration(replay.position_s), duration(replay.length_s));
        line.push("  at ", theme.quiet);
        line.push(format!("{at:>6}"), theme.text);
        line.push(format!(" of {of}"), theme.quiet);
    } else if let Some(left) = view.left_s {
        line.push("  left ", theme.quiet);
        line.push(format!("{:>6}", duration(left)), theme.text);
    }
    line
}

/// Paints the oldest alarm that nobody has acknowledged, and how many more there are.
pub fn alarm(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let alarms = &scene.state.head().alarms;
    let (Some((_, alarm)), true) = (alarms.first(), area.height > 0) else {
        return;
    };
    let text = format!("{} {}", scene.glyphs.alarm, alarm.text).replace('\n', " ");
    let more = if alarms.len() > 1 {
        format!("  +{} more", alarms.len() - 1)
    } else {
        String::new()
    };
    let hint = format!("{more}  a acknowledge ");
    let room = usize::from(area.width).saturating_sub(hint.len() + 1);
    let style = match alarm.severity {
        Severity::Critical => scene.theme.alarm,
        Severity::Warning | Severity::Info => scene.theme.warning,
    };
    scene.write(
        &Line::new().with(text, style),
        area.x + 1,
        area.y,
        room as u16,
        buffer,
    );
    let x = (area.x + area.width)
        .saturating_sub(hint.len() as u16)
        .max(area.x);
    scene.write(&Line::new().with(hint, style), x, area.y, area.width, buffer);
}
