//! A figure with its axes, ticks and labels in an area of the terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use crate::figure::{AxisMemory, Figure, Mark, Placement, Series, Stroke, Ticks, clip_to_unit_square};
use crate::screen::glyphs::Glyphs;
use crate::screen::theme::Theme;

/// Paints figures with one theme, one set of characters and one shape of cells.
#[derive(Clone, Copy)]
pub struct Painter<'a> {
    /// The styles.
    pub theme: &'a Theme,
    /// The characters.
    pub glyphs: &'a Glyphs,
    /// Height of a cell over its width.
    pub cell_aspect: f64,
    /// Columns kept for the ordinate's labels at least, so that figures one above the other line up.
    pub label_columns: u16,
    /// Whether the abscissa is labelled; not needed above another figure with the same one.
    pub abscissa: bool,
}

impl Painter<'_> {
    /// Paints a figure with its axes into an area.
    pub fn paint(&self, figure: &Figure, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        let height = self.plot_rows(area.height);
        if height < 2 || area.width < 12 {
            return;
        }
        let (gutter, placement, y_ticks) = self.measure(figure, area.width, height);
        if area.width < gutter + 6 {
            return;
        }
        let plot = Rect {
            x: area.x + gutter,
            y: area.y,
            width: area.width - gutter,
            height,
        };
        self.axes(figure, &placement, &y_ticks, area, plot, buffer);
        self.series(figure, &placement, plot, buffer);
    }

    /// Caption of the ordinate as it stands in the panel's title, for a plot of that area.
    #[must_use]
    pub fn ordinate_caption(&self, figure: &Figure, area: Rect) -> String {
        let (_, _, ticks) = self.measure(figure, area.width, self.plot_rows(area.height).max(1));
        figure.y.caption(ticks.unit, self.glyphs.script)
    }

    /// Rows left for the plot itself in an area of that height: the axis takes one, its labels another.
    fn plot_rows(&self, height: u16) -> u16 {
        height.saturating_sub(1 + u16::from(self.abscissa))
    }

    /// Width of the ordinate's labels with the axis line, and where values come to lie.
    fn measure(&self, figure: &Figure, width: u16, height: u16) -> (u16, Placement, Ticks) {
        let most = usize::from(height / 2).clamp(1, 8);
        // The labels' width decides the plot's width, which with equal aspect decides the range and so
        // the labels: the second round is good enough.
        let mut gutter = 4;
        for _ in 0..2 {
            let (_, ticks) = self.place(figure, width.saturating_sub(gutter), height, most);
            gutter = longest_label(&ticks).max(self.label_columns) + 1;
        }
        let (placement, ticks) = self.place(figure, width.saturating_sub(gutter), height, most);
        (gutter, placement, ticks)
    }

    fn place(&self, figure: &Figure, width: u16, height: u16, most: usize) -> (Placement, Ticks) {
        let placement = figure.place(f64::from(width), f64::from(height) * self.cell_aspect);
        let ticks = figure.y.ticks(placement.y.range, most);
        (placement, ticks)
    }

    fn axes(
        &self,
        figure: &Figure,
        placement: &Placement,
        y_ticks: &Ticks,
        area: Rect,
        plot: Rect,
        buffer: &mut Buffer,
    ) {
        let quiet = self.theme.quiet;
        let canvas = Canvas::new(plot, self.glyphs);
        let axis_column = plot.x - 1;
        let axis_row = plot.y + plot.height;
        let [vertical, tick_left, horizontal, tick_down, corner] =
            [0b0101, 0b1101, 0b1010, 0b1110, 0b0011].map(|bits: usize| self.glyphs.lines[bits]);
        for row in plot.y..axis_row {
            put(buffer, axis_column, row, vertical, quiet);
        }
        put(buffer, axis_column, axis_row, corner, quiet);
        for column in plot.x..plot.right() {
            put(buffer, column, axis_row, horizontal, quiet);
        }
        for tick in &y_ticks.ticks {
            let share = placement.y.share(tick.value);
            let Some((_, row)) = canvas.cell_at(0.0, share) else {
                continue;
            };
            put(buffer, axis_column, row, tick_left, quiet);
            let width = tick.label.chars().count() as u16;
            let x = axis_column.saturating_sub(width).max(area.x);
            buffer.set_stringn(x, row, &tick.label, usize::from(axis_column - x), self.theme.text);
        }
        self.abscissa(
            figure,
            placement,
            &canvas,
            area,
            plot,
            buffer,
            (axis_row, tick_down),
        );
    }

    #[allow(clippy::too_many_arguments)]
    fn abscissa(
        &self,
        figure: &Figure,
        placement: &Placement,
        canvas: &Canvas<'_>,
        area: Rect,
        plot: Rect,
        buffer: &mut Buffer,
        (axis_row, tick_down): (u16, char),
    ) {
        let label_row = axis_row + 1;
        let most = usize::from(plot.width / 8).clamp(1, 12);
        let ticks = figure.x.ticks(placement.x.range, most);
        let caption = figure.x.caption(ticks.unit, self.glyphs.script);
        let caption_width = caption.chars().count() as u16;
        let caption_x = area.right().saturating_sub(caption_width).max(area.x);
        if self.abscissa {
            buffer.set_stringn(
                caption_x,
                label_row,
                &caption,
                usize::from(caption_width),
                self.theme.quiet,
            );
        }
        let mut free_from = area.x;
        for tick in &ticks.ticks {
            let Some((column, _)) = canvas.cell_at(placement.x.share(tick.value), 0.0) else {
                continue;
            };
            put(buffer, column, axis_row, tick_down, self.theme.quiet);
            if !self.abscissa {
                continue;
            }
            let width = tick.label.chars().count() as u16;
            let x = column.saturating_sub(width / 2).max(area.x);
            if x >= free_from && x + width < caption_x {
                buffer.set_stringn(x, label_row, &tick.label, usize::from(width), self.theme.text);
                free_from = x + width + 1;
            }
        }
    }

    fn series(&self, figure: &Figure, placement: &Placement, plot: Rect, buffer: &mut Buffer) {
        let share = |point: &[f64; 2]| [placement.x.share(point[0]), placement.y.share(point[1])];
        // A blank looks the same in any colour; in that of the marks it costs no change of colour when a
        // mark goes or comes, which is most of what a new point costs on the line.
        buffer.set_style(plot, self.theme.measured);
        let mut canvas = Canvas::new(plot, self.glyphs);
        for series in &figure.series {
            if let Series::Line(stroke, points) = series {
                self.line(&mut canvas, *stroke, points.iter().map(share));
            }
        }
        canvas.paint(buffer);
        for series in &figure.series {
            match series {
                Series::Bars(bars) => {
                    for [x, low, high] in bars {
                        self.bar(&canvas, placement, [*x, *low, *high], buffer);
                    }
                }
                Series::Marks(mark, points) => {
                    let (symbol, style) = self.mark(*mark);
                    for point in points {
                        let [x, y] = share(point);
                        let (x, y) = (onto(x, plot.width), onto(y, plot.height));
                        if let Some((column, row)) = canvas.cell_at(x, y) {
                            put(buffer, column, row, symbol, style);
                        }
                    }
                }
                Series::Line(..) => {}
            }
        }
        self.labels(figure, placement, plot, &canvas, buffer);
    }

    fn line(&self, canvas: &mut Canvas<'_>, stroke: Stroke, points: impl Iterator<Item = [f64; 2]>) {
        let style = match stroke {
            Stroke::Fitted | Stroke::Foretold => self.theme.fitted,
            Stroke::Guide => self.theme.quiet,
        };
        let mut drawn = 0;
        let mut before: Option<[f64; 2]> = None;
        for point in points {
            if let Some(from) = before
                && let Some((from, to)) = clip_to_unit_square(from, point)
            {
                canvas.line(from, to, stroke, style, &mut drawn);
            }
            before = Some(point);
        }
        if let Some(last) = before {
            canvas.end(last, stroke, style, drawn);
        }
    }

    fn bar(&self, canvas: &Canvas<'_>, placement: &Placement, [x, low, high]: [f64; 3], buffer: &mut Buffer) {
        let x = placement.x.share(x);
        let clamped = |value: f64| placement.y.share(value).clamp(0.0, 1.0);
        let (Some((column, bottom)), Some((_, top))) =
            (canvas.cell_at(x, clamped(low)), canvas.cell_at(x, clamped(high)))
        else {
            return;
        };
        let [stem, upper, lower] = self.glyphs.bar;
        for row in top..=bottom {
            put(buffer, column, row, stem, self.theme.quiet);
        }
        if bottom > top {
            put(buffer, column, top, upper, self.theme.quiet);
            put(buffer, column, bottom, lower, self.theme.quiet);
        }
    }

    fn mark(&self, mark: Mark) -> (char, Style) {
        let (glyphs, theme) = (self.glyphs, self.theme);
        match mark {
            Mark::Measured => (glyphs.measured, theme.measured),
            Mark::Decade => (glyphs.decade, theme.measured),
            Mark::Newest => (glyphs.newest, theme.newest),
            Mark::Doubtful => (glyphs.doubtful, theme.alarm),
            Mark::Second => (glyphs.second, theme.measured),
            Mark::Unreliable => (glyphs.undetermined, theme.measured),
            Mark::Undetermined => (glyphs.undetermined, theme.word),
        }
    }

    /// Words beside their points, where nothing is in the way.
    fn labels(
        &self,
        figure: &Figure,
        placement: &Placement,
        plot: Rect,
        canvas: &Canvas<'_>,
        buffer: &mut Buffer,
    ) {
        for label in &figure.labels {
            let (x, y) = (placement.x.share(label.at[0]), placement.y.share(label.at[1]));
            let Some((column, row)) = canvas.cell_at(x, y) else {
                continue;
            };
            let width = label.text.chars().count() as u16;
            let above = (column.saturating_sub(width / 2), row.checked_sub(1));
            let right = (column + 2, Some(row));
            let left = (column.saturating_sub(width + 1), Some(row));
            let higher = (column.saturating_sub(width / 2), row.checked_sub(2));
            let place = [above, right, left, higher].into_iter().find_map(|(x, y)| {
                let at = Rect {
                    x,
                    y: y?,
                    width,
                    height: 1,
                };
                let around = Rect {
                    x: x.saturating_sub(1),
                    width: width + 2,
                    ..at
                }
                .intersection(plot);
                let inside = plot.intersection(at) == at;
                let free = around
                    .positions()
                    .all(|position| buffer.cell(position).is_some_and(|cell| cell.symbol() == " "));
                (inside && free).then_some(at)
            });
            if let Some(at) = place {
                buffer.set_stringn(at.x, at.y, &label.text, usize::from(width), self.theme.quiet);
            }
        }
    }
}

/// A share that lies so little beyond the end that the axis did not move for it, moved to the end.
fn onto(share: f64, cells: u16) -> f64 {
    let beyond = AxisMemory::TOLERANCE.max(1.0 / f64::from(cells));
    if (-beyond..=1.0 + beyond).contains(&share) {
        share.clamp(0.0, 1.0)
    } else {
        share
    }
}

fn put(buffer: &mut Buffer, column: u16, row: u16, symbol: char, style: Style) {
    if let Some(cell) = buffer.cell_mut((column, row)) {
        cell.set_char(symbol).set_style(Style::reset().patch(style));
    }
}

fn longest_label(ticks: &Ticks) -> u16 {
    ticks
        .ticks
        .iter()
        .map(|tick| tick.label.chars().count() as u16)
        .max()
        .unwrap_or(0)
}
