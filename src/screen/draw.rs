//! The whole screen: header, alarm, one view, footer.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::follow::history_names;
use super::panel::{self, Frames, Line, Plots, Scene, title};
use super::theme::Theme;
use super::view::{Tab, View};
use crate::circuit::Circuit;
use crate::state::State;

/// Columns below which the screen only says that it is too small.
pub const MINIMUM_WIDTH: u16 = 60;
/// Rows below which the screen only says that it is too small.
pub const MINIMUM_HEIGHT: u16 = 16;
/// Columns from which on more is shown at once.
const WIDE: u16 = 120;
/// Columns of the fit panel on a wide screen.
const FIT_COLUMNS: u16 = 58;

/// Columns of the fit panel on a small screen.
const FIT_COLUMNS_LEAST: u16 = 40;
/// Rows of the fit panel beyond the parameters on a wide screen.
const FIT_ROWS: u16 = 12;

/// Paints the state as seen through the view. Pure: the same arguments give the same cells.
///
/// [`View::observe`] should have seen the state before, so that the axes are right.
///
/// ```text
///  header          what, with what, in which condition, how far
///  alarm           only while there is one
///  ┌ panel ───┬──────────┐
///  │   one of the views  │
///  └──────────┴──────────┘
///  footer          views, and what can be done now
/// ```
pub fn render(state: &State, view: &View, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    paint(state, view, theme, area, frame.buffer_mut());
}

fn paint(state: &State, view: &View, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let glyphs = view.glyphs.glyphs();
    let scene = Scene {
        state,
        view,
        theme,
        glyphs,
    };
    if area.width < MINIMUM_WIDTH || area.height < MINIMUM_HEIGHT {
        let text = format!(
            "too small: needs {MINIMUM_WIDTH}x{MINIMUM_HEIGHT}, has {}x{}",
            area.width, area.height
        );
        if area.height > 0 {
            scene.write(
                &Line::new().with(text, theme.strong),
                area.x,
                area.y,
                area.width,
                buffer,
            );
        }
        return;
    }
    let alarm_rows = u16::from(!state.head().alarms.is_empty());
    let row = |y: u16, height: u16| Rect { y, height, ..area };
    panel::header(&scene, row(area.y, 1), buffer);
    panel::alarm(&scene, row(area.y + 1, alarm_rows), buffer);
    panel::footer(&scene, row(area.bottom() - 1, 1), buffer);
    let body = row(area.y + 1 + alarm_rows, area.height - 2 - alarm_rows);
    if view.help {
        return panel::help(&scene, body, buffer);
    }
    match view.tab {
        Tab::Sweep if area.width >= WIDE => wide_sweep(&scene, body, buffer),
        Tab::Sweep => sweep(&scene, body, buffer),
        Tab::History => history(&scene, body, buffer),
        Tab::Bode => bode(&scene, body, buffer),
        Tab::Points => {
            let [inner] = framed(&scene, [body], body, buffer);
            panel::points(&scene, inner, buffer);
        }
        Tab::Wire => wire(&scene, body, buffer),
    }
}

/// Frames rectangles that share their borders, and returns their insides.
fn framed<const N: usize>(scene: &Scene<'_>, rects: [Rect; N], body: Rect, buffer: &mut Buffer) -> [Rect; N] {
    let mut frames = Frames::new(body);
    let inners = rects.map(|rect| frames.add(rect));
    frames.paint(scene, buffer);
    inners
}

/// The part of `body` from column `x0` to `x1` and row `y0` to `y1`, borders included: neighbours give
/// the same number and share that border.
fn part(body: Rect, x0: u16, x1: u16, y0: u16, y1: u16) -> Rect {
    Rect {
        x: body.x + x0,
        y: body.y + y0,
        width: x1 + 1 - x0,
        height: y1 + 1 - y0,
    }
}

/// ```text
/// ┌ Nyquist ──────┬ Fit ────┐
/// ├ R1+R2 ────────┼ Events ─┤
/// └───────────────┴─────────┘
/// ```
fn sweep(scene: &Scene<'_>, body: Rect, buffer: &mut Buffer) {
    let (right, bottom) = (body.width - 1, body.height - 1);
    let column = (right * 53 / 100).min(right - FIT_COLUMNS_LEAST);
    let row = (bottom * 6 / 10).max(bottom.saturating_sub(12)).min(bottom - 4);
    let rects = [
        part(body, 0, column, 0, row),
        part(body, column, right, 0, row),
        part(body, 0, column, row, bottom),
        part(body, column, right, row, bottom),
    ];
    let [nyquist, fit, headline, events] = framed(scene, rects, body, buffer);
    Plots::new(*scene).nyquist(nyquist, buffer);
    panel::fit(scene, fit, buffer);
    title(scene, fit, &panel::fit_title(scene), buffer);
    panel::histories(scene, 0, &[headline], buffer);
    panel::events(scene, events, false, 0, buffer);
}

/// ```text
/// ┌ Nyquist ──────┬ |Z| ────┬ Fit ────┐
/// │               ├ phase ──┤         │
/// │               ├ resid. ─┼ Events ─┤
/// ├ R1+R2 ──┬ R0 ─┴─┬ R1 ───┤         │
/// └─────────┴───────┴───────┴─────────┘
/// ```
fn wide_sweep(scene: &Scene<'_>, body: Rect, buffer: &mut Buffer) {
    let (right, bottom) = (body.width - 1, body.height - 1);
    let fit_column = right - FIT_COLUMNS.min(right * 36 / 100);
    let bode_column = fit_column * 60 / 100;
    let row = bottom * 64 / 100;
    let (first, second) = (row * 36 / 100, row * 68 / 100);
    // The log takes what the fit leaves.
    let parameters = scene.state.head().session.as_ref().map_or(0, |(_, session)| {
        session.track.len() + Circuit::parse(&session.circuit).map_or(8, |circuit| circuit.parameters().len())
    });
    let fit_row = (parameters as u16).saturating_add(FIT_ROWS).min(row);
    let rects = [
        part(body, 0, bode_column, 0, row),
        part(body, bode_column, fit_column, 0, first),
        part(body, bode_column, fit_column, first, second),
        part(body, bode_column, fit_column, second, row),
        part(body, fit_column, right, 0, fit_row),
        part(body, fit_column, right, fit_row, bottom),
    ];
    let histories = grid(
        part(body, 0, fit_column, row, bottom),
        history_names(scene.state).len(),
        34,
        9,
    );
    let mut frames = Frames::new(body);
    let [nyquist, modulus, phase, residuals, fit, events] = rects.map(|rect| frames.add(rect));
    let histories: Vec<Rect> = histories.into_iter().map(|rect| frames.add(rect)).collect();
    frames.paint(scene, buffer);
    let plots = Plots::new(*scene);
    plots.nyquist(nyquist, buffer);
    let plots = plots.without_foretold();
    plots.modulus(modulus, buffer);
    plots.phase(phase, buffer);
    plots.residuals(residuals, buffer);
    panel::fit(scene, fit, buffer);
    title(scene, fit, &panel::fit_title(scene), buffer);
    panel::histories(scene, 0, &histories, buffer);
    panel::events(scene, events, false, 0, buffer);
}

fn history(scene: &Scene<'_>, body: Rect, buffer: &mut Buffer) {
    let rects = grid(body, history_names(scene.state).len(), 36, 7);
    let columns = rects.iter().take_while(|rect| rect.y == body.y).count().max(1);
    let mut frames = Frames::new(body);
    let inners: Vec<Rect> = rects.into_iter().map(|rect| frames.add(rect)).collect();
    frames.paint(scene, buffer);
    panel::histories(scene, scene.view.scroll.saturating_mul(columns), &inners, buffer);
}

/// Equal parts of an area for `count` panels, at least so wide and high, sharing borders, row by row;
/// fewer where there is no room for more.
fn grid(area: Rect, count: usize, least_width: u16, least_height: u16) -> Vec<Rect> {
    let (right, bottom) = (area.width.saturating_sub(1), area.height.saturating_sub(1));
    let mut columns = (right / least_width).clamp(1, 6);
    let mut rows = (bottom / least_height).max(1);
    let holds = |columns: u16, rows: u16| usize::from(columns) * usize::from(rows) >= count.max(1);
    loop {
        let is_narrow = f64::from(right) / f64::from(columns) < 3.2 * f64::from(bottom) / f64::from(rows);
        if columns > 1 && holds(columns - 1, rows) && (is_narrow || !holds(columns, rows - 1)) {
            columns -= 1;
        } else if rows > 1 && holds(columns, rows - 1) {
            rows -= 1;
        } else {
            break;
        }
    }
    let mut rects = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let (x0, x1) = (right * column / columns, right * (column + 1) / columns);
            let (y0, y1) = (bottom * row / rows, bottom * (row + 1) / rows);
            rects.push(part(area, x0, x1, y0, y1));
        }
    }
    rects
}

/// ```text
/// ┌ |Z| ────────┐
/// ├ phase ──────┤
/// ├ residuals ──┤
/// └─────────────┘
/// ```
fn bode(scene: &Scene<'_>, body: Rect, buffer: &mut Buffer) {
    let (right, bottom) = (body.width - 1, body.height - 1);
    // Residuals are mostly noise, which more rows would only spread.
    let second = (bottom * 70 / 100).max(bottom.saturating_sub(12));
    let first = second * 54 / 100;
    let rects = [
        part(body, 0, right, 0, first),
        part(body, 0, right, first, second),
        part(body, 0, right, second, bottom),
    ];
    let [modulus, phase, residuals] = framed(scene, rects, body, buffer);
    let plots = Plots::new(*scene);
    plots.modulus(modulus, buffer);
    plots.phase(phase, buffer);
    plots.residuals(residuals, buffer);
}

fn wire(scene: &Scene<'_>, body: Rect, buffer: &mut Buffer) {
    let (right, bottom) = (body.width - 1, body.height - 1);
    let rects = if body.width >= WIDE {
        let middle = right * 45 / 100;
        [
            part(body, 0, middle, 0, bottom),
            part(body, middle, right, 0, bottom),
        ]
    } else {
        let middle = bottom / 2;
        [
            part(body, 0, right, 0, middle),
            part(body, 0, right, middle, bottom),
        ]
    };
    let [events, traffic] = framed(scene, rects, body, buffer);
    panel::events(scene, events, true, scene.view.scroll, buffer);
    panel::wire(scene, traffic, scene.view.scroll, buffer);
}
