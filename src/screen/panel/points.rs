//! The points of a sweep as a table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Line, Scene, title};
use crate::figure::phase_deg;
use crate::screen::follow::residuals_by_index;
use crate::spectrum::{Point, PointStatus};
use crate::units::engineering;

/// One column: heading, width.
const COLUMNS: [(&str, usize); 10] = [
    ("#", 4),
    ("f", 10),
    ("Z'", 11),
    ("Z''", 11),
    ("|Z|", 11),
    ("phase", 9),
    ("fit re %", 9),
    ("im %", 7),
    ("status", 10),
    ("range", 8),
];

/// Paints the table of the sweep that is looked at. Full pages are turned rather than scrolled, so that
/// a new point costs one line.
pub fn points(scene: &Scene<'_>, inner: Rect, buffer: &mut Buffer) {
    let theme = scene.theme;
    let sweep = scene.view.shown_sweep(scene.state);
    let mut heading = Line::new().with("Points", theme.strong);
    if let Some(sweep) = sweep {
        heading.push(format!(" of sweep {}", sweep.started.sweep), theme.text);
    }
    title(scene, inner, &heading, buffer);
    let width = inner.width.saturating_sub(1);
    let mut captions = Line::new();
    for (caption, width) in COLUMNS {
        captions.push(format!("{caption:>width$}"), theme.quiet);
    }
    scene.write(&captions, inner.x, inner.y, width, buffer);
    let Some(sweep) = sweep else { return };
    let rows = usize::from(inner.height).saturating_sub(1).max(1);
    let count = sweep.points().len();
    let page = count.saturating_sub(1) / rows * rows;
    let from = page.saturating_sub(scene.view.scroll);
    let mut residuals = vec![None; count];
    if let Some(fit) = scene.state.fit_of(sweep.started.sweep) {
        for (index, _, residual) in residuals_by_index(fit, sweep.points()) {
            residuals[index] = Some(residual);
        }
    }
    for (row, index) in (from..count.min(from + rows)).enumerate() {
        let line = line(scene, index, &sweep.points()[index], residuals[index]);
        let y = inner.y + 1 + row as u16;
        if y < inner.bottom() {
            scene.write(&line, inner.x, y, width, buffer);
        }
    }
}

fn line(scene: &Scene<'_>, index: usize, point: &Point, residual: Option<num_complex::Complex64>) -> Line {
    let (theme, script) = (scene.theme, scene.glyphs.script);
    let z = point.impedance();
    let percent = |part: fn(num_complex::Complex64) -> f64| match residual.map(part) {
        Some(value) if value.is_finite() => format!("{:+.1}", 100.0 * value + 0.0),
        _ => "-".to_owned(),
    };
    let style = match point.status {
        PointStatus::Ok => theme.text,
        status if status.is_usable() => theme.warning,
        _ => theme.alarm,
    };
    let cells = [
        (index.to_string(), theme.quiet),
        (engineering(point.frequency_hz, "Hz", script), theme.text),
        (engineering(point.z_real_ohm, "ohm", script), theme.text),
        (engineering(point.z_imag_ohm, "ohm", script), theme.text),
        (engineering(z.norm(), "ohm", script), theme.text),
        (engineering(phase_deg(z), "deg", script), theme.text),
        (percent(|r| r.re), theme.quiet),
        (percent(|r| r.im), theme.quiet),
        (point.status.word().to_owned(), style),
        (point.range.clone().unwrap_or_default(), theme.quiet),
    ];
    let mut line = Line::new();
    for ((text, style), (_, width)) in cells.into_iter().zip(COLUMNS) {
        line.push(format!("{text:>width$}"), style);
    }
    line
}
