//! The help: every action of the table, what it needs, and what the marks mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Frames, Line, Scene, title};
use crate::screen::actions::TABLE;

/// Paints the help over an area.
pub fn help(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let mut frames = Frames::new(area);
    let inner = frames.add(area);
    frames.paint(scene, buffer);
    let heading = Line::new().with("Help", scene.theme.strong);
    title(scene, inner, &heading, buffer);
    let lines = lines(scene);
    let rows = usize::from(inner.height);
    let columns = if inner.width >= 150 {
        3
    } else {
        usize::from(inner.width >= 72) + 1
    };
    let column_width = inner.width / columns as u16;
    // Columns are filled evenly, so that a high screen does not put all in the first.
    let each = lines.len().div_ceil(columns).clamp(1, rows.max(1));
    let from = scene.view.scroll.min(lines.len().saturating_sub(each * columns));
    for (index, line) in lines.iter().skip(from).take(each * columns).enumerate() {
        let x = inner.x + 1 + (index / each) as u16 * column_width;
        let y = inner.y + (index % each) as u16;
        scene.write(line, x, y, column_width.saturating_sub(2), buffer);
    }
}

fn lines(scene: &Scene<'_>) -> Vec<Line> {
    let theme = scene.theme;
    let blank = Style::new();
    let mut lines = Vec::new();
    let mut group = "";
    for entry in TABLE {
        if entry.group != group {
            group = entry.group;
            lines.push(Line::new().with(group, theme.strong));
        }
        let available = entry.action.is_available(scene.state, scene.view);
        let mut line = Line::new().with(" ", blank);
        line.push(
            entry.keys.join(" "),
            if available { theme.key } else { theme.quiet },
        );
        line.pad_to(11);
        line.push(entry.doc, if available { theme.text } else { theme.quiet });
        lines.push(line);
    }
    let glyphs = scene.glyphs;
    lines.push(Line::new().with("Marks", theme.strong));
    for (mark, style, meaning) in [
        (glyphs.measured, theme.measured, "measured"),
        (glyphs.decade, theme.measured, "at whole decades"),
        (glyphs.newest, theme.newest, "the newest point"),
        (glyphs.doubtful, theme.alarm, "not to be trusted"),
        (glyphs.undetermined, theme.word, "not (yet) determined"),
    ] {
        let mut line = Line::new().with(" ", blank).with(mark, style);
        line.pad_to(11);
        line.push(meaning, theme.text);
        lines.push(line);
    }
    for (mark, meaning) in [("line", "fitted"), ("dashes", "foretold by the fit")] {
        let mut line = Line::new().with(" ", blank).with(mark, theme.fitted);
        line.pad_to(11);
        line.push(meaning, theme.text);
        lines.push(line);
    }
    lines
}
