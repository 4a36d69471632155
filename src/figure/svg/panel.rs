//! One panel: its figures within a frame with ticks and captions.

use super::layout::{Cell, TEXT_SIZE, TICK, caption};
use super::marks::{Bar, FAINT, INK, QUIET};
use super::markup::{Markup, px, width_of};
use super::words::{Obstacles, WORD_SIZE};
use super::{Panel, style_of};
use crate::figure::{Mark, Projection, Scale, Series, Stroke, clip_to_unit_square};

/// Shares by which a value may lie beyond the frame by rounding alone.
const ROUNDING: f64 = 1e-9;

impl Panel {
    /// Draws the panel; gives back how many marks lie beyond its frame and were left out.
    pub(super) fn draw(&self, markup: &mut Markup, cell: &Cell, grid: bool) -> usize {
        markup.open("g", &[("class", "panel")]);
        if grid {
            draw_grid(markup, cell);
        }
        let mut obstacles = Obstacles::default();
        let mut beyond = 0;
        for index in 0..self.layers.len() {
            markup.open("g", &[("class", "layer")]);
            beyond += self.draw_layer(index, markup, cell, &mut obstacles);
            markup.close();
        }
        let frame = cell.frame;
        markup.empty(
            "rect",
            &[
                ("class", "frame"),
                ("x", &px(frame.x)),
                ("y", &px(frame.y)),
                ("width", &px(frame.width)),
                ("height", &px(frame.height)),
                ("fill", "none"),
                ("stroke", INK),
                ("stroke-width", "1"),
            ],
        );
        draw_ticks(markup, cell);
        self.draw_captions(markup, cell);
        self.draw_words(markup, cell, &mut obstacles);
        markup.close();
        beyond
    }

    fn draw_layer(&self, index: usize, markup: &mut Markup, cell: &Cell, obstacles: &mut Obstacles) -> usize {
        let style = style_of(index, self.layers.len());
        let share = |point: &[f64; 2]| [cell.placement.x.share(point[0]), cell.placement.y.share(point[1])];
        let mut beyond = 0;
        for series in self.layers.get(index).iter().flat_map(|figure| &figure.series) {
            match series {
                // A guide is the same in every layer.
                Series::Line(Stroke::Guide, _) if index > 0 => {}
                Series::Line(stroke, points) => {
                    let pieces: Vec<Vec<[f64; 2]>> = clipped(points.iter().map(share))
                        .into_iter()
                        .map(|piece| piece.into_iter().map(|at| cell.frame.at(at)).collect())
                        .collect();
                    for piece in &pieces {
                        obstacles.add_line(piece);
                    }
                    style.line(markup, *stroke, &pieces);
                }
                Series::Bars(bars) => {
                    let bars: Vec<Bar> = bars.iter().filter_map(|bar| place_bar(cell, *bar)).collect();
                    style.bars(markup, &bars);
                }
                Series::Marks(mark, points) => {
                    let places: Vec<[f64; 2]> = points
                        .iter()
                        .map(share)
                        .filter(|at| at.iter().all(|share| is_within(*share)))
                        .map(|at| cell.frame.at(at))
                        .collect();
                    if *mark != Mark::Undetermined {
                        beyond += points.len() - places.len();
                    }
                    obstacles.add_marks(&places);
                    style.marks(markup, *mark, &places);
                }
            }
        }
        beyond
    }

    fn draw_captions(&self, markup: &mut Markup, cell: &Cell) {
        let Some(figure) = self.layers.first() else {
            return;
        };
        let frame = cell.frame;
        if cell.is_lowest {
            markup.words(
                "text",
                &[
                    ("class", "caption"),
                    ("x", &px(frame.x + 0.5 * frame.width)),
                    ("y", &px(frame.bottom() + TICK + 2.0 * TEXT_SIZE + 9.0)),
                    ("font-size", &px(TEXT_SIZE)),
                    ("text-anchor", "middle"),
                ],
                &caption(&figure.x, cell.x_ticks.unit),
            );
        }
        let words = caption(&figure.y, cell.y_ticks.unit);
        // A caption may be longer than its panel is high; smaller it can still be read.
        let fitting = TEXT_SIZE * frame.height / width_of(&words, TEXT_SIZE).max(1.0);
        let x = px(cell.caption_x);
        let y = px(frame.y + 0.5 * frame.height);
        markup.words(
            "text",
            &[
                ("class", "caption"),
                ("x", &x),
                ("y", &y),
                ("font-size", &px(TEXT_SIZE.min(fitting).max(0.7 * TEXT_SIZE))),
                ("text-anchor", "middle"),
                ("transform", &format!("rotate(-90 {x} {y})")),
            ],
            &words,
        );
    }

    fn draw_words(&self, markup: &mut Markup, cell: &Cell, obstacles: &mut Obstacles) {
        if self.layers.iter().all(|figure| figure.labels.is_empty()) {
            return;
        }
        let mut words = Vec::new();
        for (index, figure) in self.layers.iter().enumerate() {
            let colour = match self.layers.len() {
                1 => QUIET,
                several => style_of(index, several).colour(),
            };
            for label in &figure.labels {
                let at = [
                    cell.placement.x.share(label.at[0]),
                    cell.placement.y.share(label.at[1]),
                ];
                if at.iter().all(|share| is_within(*share)) {
                    obstacles.add_point(cell.frame.at(at));
                    words.push((colour, cell.frame.at(at), typeset(&label.text)));
                }
            }
        }
        markup.open("g", &[("class", "words"), ("font-size", &px(WORD_SIZE))]);
        for (colour, at, text) in words {
            if let Some([x, y]) = obstacles.place(&text, at, cell.frame) {
                markup.words("text", &[("x", &px(x)), ("y", &px(y)), ("fill", colour)], &text);
            }
        }
        markup.close();
    }
}

/// A line in shares, cut at the frame: one piece for each time that it is within.
fn clipped(points: impl Iterator<Item = [f64; 2]>) -> Vec<Vec<[f64; 2]>> {
    let mut pieces: Vec<Vec<[f64; 2]>> = Vec::new();
    let mut before: Option<[f64; 2]> = None;
    // Whether the last segment ended at its own end, not at the frame.
    let mut is_open = false;
    for point in points {
        if let Some(from) = before {
            match clip_to_unit_square(from, point) {
                Some((start, end)) => {
                    match pieces.last_mut() {
                        Some(piece) if is_open => piece.push(end),
                        _ => pieces.push(vec![start, end]),
                    }
                    is_open = is_inside(point);
                }
                None => is_open = false,
            }
        }
        before = Some(point);
    }
    pieces
}

fn is_inside(point: [f64; 2]) -> bool {
    point.iter().all(|share| (0.0..=1.0).contains(share))
}

fn is_within(share: f64) -> bool {
    (-ROUNDING..=1.0 + ROUNDING).contains(&share)
}

fn place_bar(cell: &Cell, [x, low, high]: [f64; 3]) -> Option<Bar> {
    let across = cell.placement.x.share(x);
    let (low, high) = (cell.placement.y.share(low), cell.placement.y.share(high));
    // On a logarithmic axis, an error as large as the value reaches down without end.
    let low = if low.is_finite() { low } else { -1.0 };
    if !is_within(across) || !high.is_finite() || high < 0.0 || low > 1.0 {
        return None;
    }
    let y = |share: f64| cell.frame.at([across, share.clamp(0.0, 1.0)])[1];
    Some(Bar {
        x: cell.frame.at([across, 0.0])[0],
        low: y(low),
        high: y(high),
        capped: [is_within(low), is_within(high)],
    })
}

fn draw_grid(markup: &mut Markup, cell: &Cell) {
    let frame = cell.frame;
    let mut path = String::new();
    for tick in &cell.x_ticks.ticks {
        let [x, _] = frame.at([cell.placement.x.share(tick.value), 0.0]);
        path.push_str(&format!("M{} {} V{} ", px(x), px(frame.y), px(frame.bottom())));
    }
    for tick in &cell.y_ticks.ticks {
        let [_, y] = frame.at([0.0, cell.placement.y.share(tick.value)]);
        path.push_str(&format!("M{} {} H{} ", px(frame.x), px(y), px(frame.right())));
    }
    markup.empty(
        "path",
        &[
            ("class", "grid"),
            ("fill", "none"),
            ("stroke", FAINT),
            ("stroke-width", "1"),
            ("d", path.trim_end()),
        ],
    );
}

fn draw_ticks(markup: &mut Markup, cell: &Cell) {
    let frame = cell.frame;
    let mut path = String::new();
    for value in minor_ticks(&cell.placement.x) {
        let [x, y] = frame.at([cell.placement.x.share(value), 0.0]);
        path.push_str(&format!("M{} {} v{} ", px(x), px(y), px(0.5 * TICK)));
    }
    for value in minor_ticks(&cell.placement.y) {
        let [x, y] = frame.at([0.0, cell.placement.y.share(value)]);
        path.push_str(&format!("M{} {} h{} ", px(x), px(y), px(-0.5 * TICK)));
    }
    for tick in &cell.x_ticks.ticks {
        let [x, y] = frame.at([cell.placement.x.share(tick.value), 0.0]);
        path.push_str(&format!("M{} {} v{} ", px(x), px(y), px(TICK)));
    }
    for tick in &cell.y_ticks.ticks {
        let [x, y] = frame.at([0.0, cell.placement.y.share(tick.value)]);
        path.push_str(&format!("M{} {} h{} ", px(x), px(y), px(-TICK)));
    }
    markup.empty(
        "path",
        &[
            ("class", "ticks"),
            ("fill", "none"),
            ("stroke", INK),
            ("stroke-width", "1"),
            ("d", path.trim_end()),
        ],
    );
    markup.open(
        "g",
        &[
            ("class", "abscissa"),
            ("font-size", &px(TEXT_SIZE)),
            ("text-anchor", "middle"),
        ],
    );
    let mut free_from = f64::NEG_INFINITY;
    for tick in cell.x_ticks.ticks.iter().filter(|_| cell.is_lowest) {
        let label = typeset(&tick.label);
        let [x, y] = frame.at([cell.placement.x.share(tick.value), 0.0]);
        let half = 0.5 * width_of(&label, TEXT_SIZE);
        if x - half >= free_from {
            markup.words(
                "text",
                &[("x", &px(x)), ("y", &px(y + TICK + TEXT_SIZE + 1.0))],
                &label,
            );
            free_from = x + half + 4.0;
        }
    }
    markup.close();
    markup.open(
        "g",
        &[
            ("class", "ordinate"),
            ("font-size", &px(TEXT_SIZE)),
            ("text-anchor", "end"),
        ],
    );
    for tick in &cell.y_ticks.ticks {
        let [x, y] = frame.at([0.0, cell.placement.y.share(tick.value)]);
        markup.words(
            "text",
            &[("x", &px(x - TICK - 3.0)), ("y", &px(y + 0.36 * TEXT_SIZE))],
            &typeset(&tick.label),
        );
    }
    markup.close();
}

/// The places between the decades of a logarithmic axis that make its spacing visible.
fn minor_ticks(axis: &Projection) -> Vec<f64> {
    let (low, high) = (axis.range.low, axis.range.high);
    if axis.scale != Scale::Log || low <= 0.0 || (high / low).log10() > 10.0 {
        return Vec::new();
    }
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    (first..=last)
        .flat_map(|decade| (1..10).map(move |digit| f64::from(digit) * 10f64.powi(decade)))
        .filter(|value| is_within(axis.share(*value)))
        .collect()
}

/// The micro sign instead of the letter that stands for it where only seven bits are to be had.
fn typeset(label: &str) -> String {
    match label.strip_suffix('u') {
        Some(number) => format!("{number}µ"),
        None => label.replace(" uHz", " µHz"),
    }
}
