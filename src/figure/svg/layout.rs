//! Where title, legend and panels come to lie on the sheet, in pixels.

use super::markup::width_of;
use super::{LegendEntry, Panel, Sample, Sheet};
use crate::figure::{Axis, Figure, Placement, Projection, Range, Scale, Tick, TickUnit, Ticks};
use crate::units::{Script, unit_text};

/// Blank edge of the sheet.
pub(super) const EDGE: f64 = 12.0;
/// Size of the title's font.
pub(super) const TITLE_SIZE: f64 = 15.0;
/// Size of the font of captions, tick labels and legend.
pub(super) const TEXT_SIZE: f64 = 13.0;
/// Length of a tick, outwards.
pub(super) const TICK: f64 = 5.0;

/// Most ticks of a linear axis.
const MOST_TICKS: usize = 9;
const LEGEND_ROW: f64 = 20.0;
/// Between the caption of the ordinate and its widest tick label.
const CAPTION_GAP: f64 = 8.0;
const LEGEND_GAP: f64 = 18.0;
/// Below a panel with a labelled abscissa: ticks, their labels, the caption.
const FOOT: f64 = 46.0;
/// Below a panel without.
const GAP: f64 = 16.0;
/// To the right of a panel: the last tick label is centred on the frame's end.
const RIGHT: f64 = 14.0;
/// The least height of a panel, lest its labels run into each other.
const LEAST_HEIGHT: f64 = 70.0;
/// The shapes, as height over width, that a panel with equal axes may take where the height is free.
const EQUAL_SHAPES: Range = Range { low: 0.34, high: 1.0 };

/// Where everything lies.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Height of the sheet.
    pub height: f64,
    /// Where title and legend begin.
    pub heading_x: f64,
    /// Left end and middle height of each line of the legend.
    pub legend: Vec<[f64; 2]>,
    /// The panels.
    pub cells: Vec<Cell>,
}

/// One panel on the sheet.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The frame.
    pub frame: Frame,
    /// Where values lie in it.
    pub placement: Placement,
    /// Ticks of the abscissa.
    pub x_ticks: Ticks,
    /// Ticks of the ordinate.
    pub y_ticks: Ticks,
    /// Whether the abscissa is labelled.
    pub is_lowest: bool,
    /// Middle of the ordinate's caption: the same for all panels of a column.
    pub caption_x: f64,
}

/// A rectangle, `y` downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Frame {
    /// A place in shares of the frame, the second upwards.
    pub(super) fn at(&self, [across, up]: [f64; 2]) -> [f64; 2] {
        [self.x + across * self.width, self.y + (1.0 - up) * self.height]
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

impl Layout {
    /// Arranges the sheet.
    pub(super) fn of(sheet: &Sheet) -> Self {
        // The width of the ordinates' labels decides the frames' width, which decides the ranges of equal
        // axes and so the labels: it settles at once or never, and then the last is good enough.
        let mut gutter = 60.0;
        for _ in 0..3 {
            let needed = gutter_of(&arrange(sheet, gutter).cells);
            if needed == gutter {
                break;
            }
            gutter = needed;
        }
        arrange(sheet, gutter)
    }
}

fn gutter_of(cells: &[Cell]) -> f64 {
    let labels = cells.iter().flat_map(|cell| &cell.y_ticks.ticks);
    let widest = labels
        .map(|tick| width_of(&tick.label, TEXT_SIZE))
        .fold(0.0, f64::max);
    TEXT_SIZE + CAPTION_GAP + widest + TICK + 3.0
}

fn arrange(sheet: &Sheet, gutter: f64) -> Layout {
    let columns = sheet.columns.clamp(1, sheet.panels.len().max(1));
    let rows = sheet.panels.len().div_ceil(columns);
    let cell_width = (sheet.width_px - 2.0 * EDGE) / columns as f64;
    let frame_width = (cell_width - gutter - RIGHT).max(20.0);
    let heading_x = EDGE + gutter;
    let mut top = EDGE;
    if !sheet.title.is_empty() {
        top += TITLE_SIZE + 11.0;
    }
    let legend = legend_places(sheet, heading_x, top + 0.5 * LEGEND_ROW);
    top = legend.last().map_or(top, |[_, y]| y + 0.5 * LEGEND_ROW + 8.0);

    let is_lowest = |index: usize| index + columns >= sheet.panels.len();
    let foot = |row: usize| {
        let has_labels = (row * columns..(row + 1) * columns).any(is_lowest);
        if has_labels { FOOT } else { GAP }
    };
    let feet: f64 = (0..rows).map(foot).sum();
    let shared_height = sheet
        .height_px
        .map(|height| ((height - top - feet - EDGE) / rows.max(1) as f64).max(LEAST_HEIGHT));
    let mut cells = Vec::with_capacity(sheet.panels.len());
    for (row, panels) in sheet.panels.chunks(columns).enumerate() {
        let free = |panel: &Panel| frame_width * shape_of(panel, sheet.aspect);
        let height = shared_height.unwrap_or_else(|| panels.iter().map(free).fold(LEAST_HEIGHT, f64::max));
        for (column, panel) in panels.iter().enumerate() {
            let frame = Frame {
                x: EDGE + column as f64 * cell_width + gutter,
                y: top,
                width: frame_width,
                height,
            };
            cells.push(Cell {
                is_lowest: is_lowest(row * columns + column),
                caption_x: frame.x - gutter + TEXT_SIZE,
                ..cell(panel, frame)
            });
        }
        top += height + foot(row);
    }
    Layout {
        height: sheet.height_px.unwrap_or(0.0).max(top + EDGE),
        heading_x,
        legend,
        cells,
    }
}

/// Height over width that suits a panel.
fn shape_of(panel: &Panel, otherwise: f64) -> f64 {
    match panel.layers.first() {
        Some(figure) if figure.equal => {
            let shape = figure.y.range.span() / figure.x.range.span();
            if shape.is_finite() {
                shape.clamp(EQUAL_SHAPES.low, EQUAL_SHAPES.high)
            } else {
                EQUAL_SHAPES.high
            }
        }
        _ => otherwise,
    }
}

fn cell(panel: &Panel, frame: Frame) -> Cell {
    let empty = Figure::new(
        Axis::linear("", "1", Range::new(0.0, 1.0)),
        Axis::linear("", "1", Range::new(0.0, 1.0)),
    );
    let figure = panel.layers.first().unwrap_or(&empty);
    let placement = figure.place(frame.width, frame.height);
    let (mut x, mut y) = (placement.x.range, placement.y.range);
    let (x_ticks, y_ticks) = if figure.equal {
        // Axes on which one unit is equally long have their ticks equally far apart: those of the longer one.
        let span = x.span().max(y.span());
        (x.high, y.high) = (x.low + span, y.low + span);
        let most = most_ticks(&figure.x, x, frame.width.max(frame.height), across);
        let (mut x_ticks, mut y_ticks) = (figure.x.ticks(x, most), figure.y.ticks(y, most));
        let is_shown = |tick: &Tick, axis: &Projection| axis.share(tick.value) <= 1.0 + 1e-9;
        x_ticks.ticks.retain(|tick| is_shown(tick, &placement.x));
        y_ticks.ticks.retain(|tick| is_shown(tick, &placement.y));
        (x_ticks, y_ticks)
    } else {
        let x_most = most_ticks(&figure.x, x, frame.width, across);
        let y_most = most_ticks(&figure.y, y, frame.height, |_| 2.0 * TEXT_SIZE);
        (figure.x.ticks(x, x_most), figure.y.ticks(y, y_most))
    };
    Cell {
        frame,
        placement,
        x_ticks,
        y_ticks,
        is_lowest: true,
        caption_x: frame.x,
    }
}

/// What a label of the abscissa needs.
fn across(label: &str) -> f64 {
    width_of(label, TEXT_SIZE) + 12.0
}

/// How many ticks may be asked for so that their labels have room.
fn most_ticks(axis: &Axis, range: Range, length: f64, room: impl Fn(&str) -> f64) -> usize {
    let projection = Projection {
        range,
        scale: axis.scale,
    };
    let have_room = |ticks: &Ticks| {
        let widest = ticks
            .ticks
            .iter()
            .map(|tick| room(&tick.label))
            .fold(0.0, f64::max);
        ticks.ticks.windows(2).all(|pair| {
            let [one, other] = [&pair[0], &pair[1]].map(|tick| projection.share(tick.value));
            (other - one) * length >= widest
        })
    };
    let most = match axis.scale {
        Scale::Linear => MOST_TICKS,
        Scale::Log => 2 * MOST_TICKS,
    };
    (2..=most)
        .rev()
        .find(|most| have_room(&axis.ticks(range, *most)))
        .unwrap_or(2)
}

/// The lines of the legend beside each other, as many in a row as there is room for.
fn legend_places(sheet: &Sheet, left: f64, first_row: f64) -> Vec<[f64; 2]> {
    let width_of_entry = |entry: &LegendEntry| sample_width(entry.sample) + width_of(&entry.text, TEXT_SIZE);
    // Layers stand in columns, like a table.
    let layers = sheet
        .legend
        .iter()
        .filter(|entry| matches!(entry.sample, Sample::Layer(_)));
    let widest_layer = layers.map(width_of_entry).fold(0.0, f64::max);
    let (mut x, mut y) = (left, first_row);
    let mut places = Vec::with_capacity(sheet.legend.len());
    for entry in &sheet.legend {
        let mut width = width_of_entry(entry);
        if matches!(entry.sample, Sample::Layer(_)) {
            width = width.max(widest_layer);
        }
        if x > left && x + width > sheet.width_px - EDGE {
            (x, y) = (left, y + LEGEND_ROW);
        }
        places.push([x, y]);
        x += width + LEGEND_GAP;
    }
    places
}

/// Room for an example in the legend.
pub(super) fn sample_width(sample: Sample) -> f64 {
    match sample {
        Sample::Line(_) => 33.0,
        Sample::Words => 0.0,
        Sample::Mark(_) | Sample::Layer(_) | Sample::Bars => 17.0,
    }
}

/// What stands at an axis: the quantity over the unit in which its labels count (`Z' / kΩ`).
pub(super) fn caption(axis: &Axis, unit: TickUnit) -> String {
    let (name, unit) = match unit {
        TickUnit::Group(group) => (axis.title.as_str(), unit_text(axis.unit, group, Script::Unicode)),
        TickUnit::Time(word) if axis.title.is_empty() => ("time", word.to_owned()),
        TickUnit::Time(word) => (axis.title.as_str(), word.to_owned()),
    };
    match (name, unit.as_str()) {
        (name, "") => name.to_owned(),
        ("", unit) => unit.to_owned(),
        (name, unit) => format!("{name} / {unit}"),
    }
}
