//! Figures as Scalable Vector Graphics (SVG 1.1): standing alone, for reports and print.
//!
//! The same input gives the same text, to the byte.

mod layout;
mod marks;
mod markup;
mod panel;
mod words;

use super::{Figure, Mark, Series, Stroke};
use layout::Layout;
use marks::{INK, Style};
use markup::{Markup, cut_to, px};

/// What is drawn on one sheet: panels in a grid below a title and a legend.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// What stands above all; may be empty.
    pub title: String,
    /// What the marks and lines are.
    pub legend: Vec<LegendEntry>,
    /// The panels, row by row. Those of a column share their abscissa, and only the lowest has it labelled.
    pub panels: Vec<Panel>,
    /// Panels beside each other.
    pub columns: usize,
    /// Width in pixels.
    pub width_px: f64,
    /// Height in pixels; none lets the panels have the shape that suits them.
    pub height_px: Option<f64>,
    /// Height of a panel over its width where the sheet's height is free and the axes need not be equal.
    pub aspect: f64,
    /// Whether faint lines lead from the ticks across the panels.
    pub grid: bool,
}

/// Figures over the same axes, those of the first; each has its own shape of marks.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The figures, from back to front.
    pub layers: Vec<Figure>,
}

/// What a mark or line is, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct LegendEntry {
    /// The mark or line.
    pub sample: Sample,
    /// The words.
    pub text: String,
}

/// A mark or line as an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// This kind of mark.
    Mark(Mark),
    /// This kind of line.
    Line(Stroke),
    /// The measured points of the layer with this index.
    Layer(usize),
    /// Error bars.
    Bars,
    /// Nothing: the words are about the figure as a whole.
    Words,
}

/// A drawn sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// The text of the SVG file.
    pub svg: String,
    /// Height in pixels, which is more than was asked for where the panels would have had no room.
    pub height_px: f64,
    /// Marks that lie beyond the ranges of their axes and were left out.
    pub beyond: usize,
}

impl Sheet {
    /// A sheet of usual size for panels one above the other.
    #[must_use]
    pub fn new(title: impl Into<String>, panels: Vec<Panel>) -> Self {
        Self {
            title: title.into(),
            legend: Vec::new(),
            panels,
            columns: 1,
            width_px: 720.0,
            height_px: None,
            aspect: 0.5,
            grid: false,
        }
    }

    /// Adds a line to the legend where any panel has something of that kind.
    pub fn explain(&mut self, sample: Sample, text: impl Into<String>) {
        let shown = self.panels.iter().any(|panel| match sample {
            Sample::Layer(index) => panel.layers.len() > index,
            Sample::Mark(mark) => panel.has(|series| matches!(series, Series::Marks(of, _) if *of == mark)),
            Sample::Line(stroke) => {
                panel.has(|series| matches!(series, Series::Line(of, _) if *of == stroke))
            }
            Sample::Bars => panel.has(|series| matches!(series, Series::Bars(_))),
            Sample::Words => true,
        });
        if shown {
            self.legend.push(LegendEntry {
                sample,
                text: text.into(),
            });
        }
    }

    /// Draws the sheet.
    #[must_use]
    pub fn draw(&self) -> Drawing {
        let layout = Layout::of(self);
        let mut markup = Markup::new();
        let (width, height) = (px(self.width_px), px(layout.height));
        markup.open(
            "svg",
            &[
                ("xmlns", "http://www.w3.org/2000/svg"),
                ("version", "1.1"),
                ("width", &width),
                ("height", &height),
                ("viewBox", &format!("0 0 {width} {height}")),
                ("font-family", "sans-serif"),
                ("fill", INK),
            ],
        );
        if !self.title.is_empty() {
            markup.words("title", &[], &self.title);
        }
        markup.empty(
            "rect",
            &[("width", &width), ("height", &height), ("fill", "#ffffff")],
        );
        self.heading(&mut markup, &layout);
        let mut beyond = 0;
        for (panel, cell) in self.panels.iter().zip(&layout.cells) {
            beyond += panel.draw(&mut markup, cell, self.grid);
        }
        Drawing {
            svg: markup.finish(),
            height_px: layout.height,
            beyond,
        }
    }

    fn heading(&self, markup: &mut Markup, layout: &Layout) {
        if !self.title.is_empty() {
            let room = self.width_px - 2.0 * layout::EDGE;
            markup.words(
                "text",
                &[
                    ("class", "title"),
                    ("x", &px(layout.heading_x)),
                    ("y", &px(layout::EDGE + layout::TITLE_SIZE)),
                    ("font-size", &px(layout::TITLE_SIZE)),
                    ("font-weight", "bold"),
                ],
                &cut_to(
                    &self.title,
                    layout::TITLE_SIZE,
                    room.min(self.width_px - layout.heading_x),
                ),
            );
        }
        if self.legend.is_empty() {
            return;
        }
        markup.open("g", &[("class", "legend"), ("font-size", &px(layout::TEXT_SIZE))]);
        for (entry, &[x, y]) in self.legend.iter().zip(&layout.legend) {
            self.sample(markup, entry.sample, [x, y]);
            let x_words = x + layout::sample_width(entry.sample);
            let room = self.width_px - x_words - layout::EDGE;
            markup.words(
                "text",
                &[("x", &px(x_words)), ("y", &px(y + 0.36 * layout::TEXT_SIZE))],
                &cut_to(&entry.text, layout::TEXT_SIZE, room),
            );
        }
        markup.close();
    }

    /// Draws an example with its left end and middle height at a place.
    fn sample(&self, markup: &mut Markup, sample: Sample, [x, y]: [f64; 2]) {
        let layers = self
            .panels
            .iter()
            .map(|panel| panel.layers.len())
            .max()
            .unwrap_or(0);
        let general = match layers {
            0 | 1 => Style::alone(),
            _ => Style::of_layer(0).neutral(),
        };
        let length = layout::sample_width(sample) - 7.0;
        let middle = [x + 0.5 * length, y];
        match sample {
            Sample::Mark(Mark::Undetermined) => {
                general.marks(markup, Mark::Undetermined, &[[middle[0], y + 8.0]]);
            }
            Sample::Mark(mark) => general.marks(markup, mark, &[middle]),
            Sample::Layer(index) => style_of(index, layers).marks(markup, Mark::Measured, &[middle]),
            Sample::Line(stroke) => general.line(markup, stroke, &[vec![[x, y], [x + length, y]]]),
            Sample::Bars => general.bars(
                markup,
                &[marks::Bar {
                    x: middle[0],
                    low: y + 6.0,
                    high: y - 6.0,
                    capped: [true, true],
                }],
            ),
            Sample::Words => {}
        }
    }
}

impl Panel {
    /// A panel of one figure.
    #[must_use]
    pub fn of(figure: Figure) -> Self {
        Self { layers: vec![figure] }
    }

    fn has(&self, wanted: impl Fn(&Series) -> bool) -> bool {
        self.layers.iter().any(|layer| layer.series.iter().any(&wanted))
    }
}

/// The look of one of several layers.
fn style_of(index: usize, layers: usize) -> Style {
    if layers <= 1 {
        Style::alone()
    } else {
        Style::of_layer(index)
    }
}

#[cfg(test)]
mod tests;
