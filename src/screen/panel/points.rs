//! The points of a sweep as a table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Line, Scene, title};
use crate::figure::phase_deg;
use crate::screen::follow::residuals_by_index;
use crate::spectrum::{Point, PointStatus};
use crate::units::{engineering, unit_text};

/// Headings of the columns with their widths in Unicode and in ASCII, whose units are words.
const COLUMNS: [(&str, usize, usize); 10] = [
    ("#", 4, 4),
    ("f", 9, 9),
    ("Z'", 9, 11),
    ("Z''", 9, 11),
    ("|Z|", 9, 11),
    ("phase", 9, 11),
    ("re %", 6, 6),
    ("im %", 6, 6),
    ("status", 10, 10),
    ("range", 7, 7),
];

/// The column that is left out where there is no room for all: it follows from others.
const SPARE: usize = 4;

/// Rows of the last page that are still seen after it was turned.
const KEPT: usize = 3;

/// Headings and widths of the columns that fit, by their index.
fn columns(scene: &Scene<'_>, width: u16) -> Vec<(usize, &'static str, usize)> {
    let ascii = scene.glyphs.script == crate::units::Script::Ascii;
    let all = COLUMNS.iter().enumerate();
    let mut columns: Vec<_> = all
        .map(|(index, (heading, unicode, plain))| (index, *heading, if ascii { *plain } else { *unicode }))
        .collect();
    if columns.iter().map(|(_, _, width)| width).sum::<usize>() > usize::from(width) {
        columns.remove(SPARE);
    }
    columns
}

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
    let columns = columns(scene, width);
    for (_, caption, width) in &columns {
        captions.push(format!("{caption:>width$}"), theme.quiet);
    }
    scene.write(&captions, inner.x, inner.y, width, buffer);
    let Some(sweep) = sweep else { return };
    let rows = usize::from(inner.height).saturating_sub(1).max(1);
    let count = sweep.points().len();
    let turned = rows.saturating_sub(KEPT).max(1);
    let page = match count.saturating_sub(rows) {
        beyond if sweep.ended.is_some() => beyond,
        beyond => beyond.div_ceil(turned) * turned,
    };
    let from = page.saturating_sub(scene.view.scroll);
    let validity = scene.state.validity_of(sweep.started.sweep);
    let mut residuals = vec![None; count];
    // While a sweep runs each new fit would change every row.
    if let Some(fit) = scene.state.fit_of(sweep.started.sweep).filter(|fit| fit.is_final) {
        for (index, _, residual) in residuals_by_index(fit, sweep.points()) {
            residuals[index] = Some(residual);
        }
    }
    for (row, index) in (from..count.min(from + rows)).enumerate() {
        let is_doubtful = validity.is_some_and(|validity| {
            let doubtful = validity.doubtful_points();
            doubtful.iter().any(|place| usize::try_from(*place) == Ok(index))
        });
        let of_point = (&sweep.points()[index], is_doubtful);
        let line = line(scene, &columns, index, of_point, residuals[index]);
        let y = inner.y + 1 + row as u16;
        if y < inner.bottom() {
            scene.write(&line, inner.x, y, width, buffer);
        }
    }
}

fn line(
    scene: &Scene<'_>,
    columns: &[(usize, &'static str, usize)],
    index: usize,
    (point, is_doubtful): (&Point, bool),
    residual: Option<num_complex::Complex64>,
) -> Line {
    let (theme, script) = (scene.theme, scene.glyphs.script);
    let z = point.impedance();
    let percent = |part: fn(num_complex::Complex64) -> f64| match residual.map(part) {
        Some(value) if value.is_finite() => format!("{:+.1}", 100.0 * value + 0.0),
        _ => "-".to_owned(),
    };
    // What the instrument says comes first.
    let (status, style) = match point.status {
        PointStatus::Ok if is_doubtful => ("doubtful", theme.alarm),
        PointStatus::Ok => (PointStatus::Ok.word(), theme.text),
        status if status.is_usable() => (status.word(), theme.warning),
        status => (status.word(), theme.alarm),
    };
    let cells = [
        (index.to_string(), theme.quiet),
        (engineering(point.frequency_hz, "Hz", script), theme.text),
        (engineering(point.z_real_ohm, "ohm", script), theme.text),
        (engineering(point.z_imag_ohm, "ohm", script), theme.text),
        (engineering(z.norm(), "ohm", script), theme.text),
        (
            format!("{:.2} {}", phase_deg(z), unit_text("deg", 0, script)),
            theme.text,
        ),
        (percent(|r| r.re), theme.quiet),
        (percent(|r| r.im), theme.quiet),
        (status.to_owned(), style),
        (point.range.clone().unwrap_or_default(), theme.quiet),
    ];
    let mut line = Line::new();
    for (column, _, width) in columns {
        let (text, style) = &cells[*column];
        let width = *width;
        line.push(format!("{text:>width$}"), *style);
    }
    line
}
