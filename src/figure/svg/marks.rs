//! Shapes and colours. A shape alone tells what a mark is; the colours only repeat it, and are those that
//! Okabe and Ito chose for all kinds of colour vision (Color Universal Design, 2008).

use super::markup::{Markup, px};
use crate::figure::{Mark, Stroke};

/// Text, axes and what has no colour of its own.
pub(super) const INK: &str = "#222222";
/// What helps reading and must not be looked at.
pub(super) const QUIET: &str = "#767676";
/// The grid.
pub(super) const FAINT: &str = "#e4e4e4";

const BLUE: &str = "#0072b2";
const VERMILLION: &str = "#d55e00";
const LAYER_COLOURS: [&str; 7] = [
    "#000000", BLUE, VERMILLION, "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];
const LAYER_SHAPES: [Shape; 6] = [
    Shape::Circle,
    Shape::Square,
    Shape::TriangleUp,
    Shape::Diamond,
    Shape::TriangleDown,
    Shape::Star,
];

/// Half the size of a mark in pixels.
pub(super) const RADIUS: f64 = 3.4;

/// The outline of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Circle,
    Square,
    TriangleUp,
    TriangleDown,
    Diamond,
    Star,
    Cross,
    Plus,
}

/// How the marks and lines of one layer look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    colour: &'static str,
    line: &'static str,
    doubtful: &'static str,
    shape: Shape,
    decade: Shape,
    /// Whether marks have a dot in the middle, which doubles the number of shapes.
    dotted: bool,
}

impl Style {
    /// The look of the only layer: as on the screen, with a colour each for data and fit.
    pub(super) fn alone() -> Self {
        Self {
            colour: BLUE,
            line: VERMILLION,
            doubtful: INK,
            shape: Shape::Circle,
            decade: Shape::Diamond,
            dotted: false,
        }
    }

    /// The look of one of several layers: a shape of its own for each of the first twelve.
    pub(super) fn of_layer(index: usize) -> Self {
        let colour = LAYER_COLOURS[index % LAYER_COLOURS.len()];
        let shape = LAYER_SHAPES[index % LAYER_SHAPES.len()];
        Self {
            colour,
            line: colour,
            doubtful: colour,
            shape,
            decade: shape,
            dotted: (index / LAYER_SHAPES.len()) % 2 == 1,
        }
    }

    /// The same shapes without a colour: where a legend speaks of all layers.
    pub(super) fn neutral(self) -> Self {
        Self {
            colour: INK,
            line: INK,
            doubtful: INK,
            ..self
        }
    }

    /// The colour of words that belong to the layer's points.
    pub(super) fn colour(&self) -> &'static str {
        self.colour
    }

    /// Draws the marks of one kind at places in pixels.
    pub(super) fn marks(&self, markup: &mut Markup, mark: Mark, places: &[[f64; 2]]) {
        let (class, shape, filled, radius) = match mark {
            Mark::Measured => ("measured", self.shape, false, RADIUS),
            Mark::Decade => ("decade", self.decade, true, RADIUS * 1.1),
            Mark::Newest => ("newest", self.shape, true, RADIUS * 1.4),
            Mark::Doubtful => ("doubtful", Shape::Cross, false, RADIUS * 1.2),
            Mark::Second => ("second", Shape::Plus, false, RADIUS * 1.1),
            Mark::Undetermined | Mark::Unreliable => return self.question_marks(markup, places),
        };
        let colour = match mark {
            Mark::Second => VERMILLION,
            Mark::Doubtful => self.doubtful,
            _ => self.colour,
        };
        markup.open(
            "g",
            &[
                ("class", class),
                ("fill", if filled { colour } else { "none" }),
                ("stroke", colour),
                ("stroke-width", "1.2"),
            ],
        );
        let dotted = self.dotted && !matches!(shape, Shape::Cross | Shape::Plus);
        for &place in places {
            draw(markup, shape, place, radius);
            if dotted {
                let dot = if filled { "#ffffff" } else { colour };
                let [x, y] = place.map(px);
                markup.empty(
                    "circle",
                    &[
                        ("cx", &x),
                        ("cy", &y),
                        ("r", "1"),
                        ("fill", dot),
                        ("stroke", "none"),
                    ],
                );
            }
        }
        markup.close();
    }

    /// Only the abscissa means anything: the signs stand on the foot of the figure.
    fn question_marks(&self, markup: &mut Markup, places: &[[f64; 2]]) {
        markup.open(
            "g",
            &[
                ("class", "undetermined"),
                ("fill", QUIET),
                ("font-size", "11"),
                ("text-anchor", "middle"),
            ],
        );
        let mut free_from = f64::NEG_INFINITY;
        for &[x, y] in places {
            // Where they stand closer than they are wide, one stands for two.
            if x < free_from {
                continue;
            }
            free_from = x + 6.5;
            markup.words("text", &[("x", &px(x)), ("y", &px(y - 4.0))], "?");
        }
        markup.close();
    }

    /// Draws a line that is in pieces where it leaves the frame.
    pub(super) fn line(&self, markup: &mut Markup, stroke: Stroke, pieces: &[Vec<[f64; 2]>]) {
        if pieces.is_empty() {
            return;
        }
        let (class, colour, width, dashes) = match stroke {
            Stroke::Fitted => ("fitted", self.line, "1.6", "none"),
            Stroke::Foretold => ("foretold", self.line, "1.4", "6 4"),
            Stroke::Guide => ("guide", QUIET, "0.8", "2 3"),
        };
        let mut path = String::new();
        for piece in pieces {
            for (index, &[x, y]) in piece.iter().enumerate() {
                if !path.is_empty() {
                    path.push(' ');
                }
                path.push(if index == 0 { 'M' } else { 'L' });
                path.push_str(&format!("{} {}", px(x), px(y)));
            }
        }
        markup.empty(
            "path",
            &[
                ("class", class),
                ("fill", "none"),
                ("stroke", colour),
                ("stroke-width", width),
                ("stroke-dasharray", dashes),
                ("stroke-linejoin", "round"),
                ("d", &path),
            ],
        );
    }

    /// Draws error bars, each from abscissa, low and high end in pixels; an end that lies beyond the frame
    /// has no cap.
    pub(super) fn bars(&self, markup: &mut Markup, bars: &[Bar]) {
        markup.open(
            "g",
            &[
                ("class", "bars"),
                ("fill", "none"),
                ("stroke", self.colour),
                ("stroke-width", "1"),
            ],
        );
        for bar in bars {
            let (x, low, high) = (px(bar.x), px(bar.low), px(bar.high));
            let (left, right) = (px(bar.x - 2.5), px(bar.x + 2.5));
            let mut path = format!("M{x} {low} L{x} {high}");
            for (y, capped) in [(&low, bar.capped[0]), (&high, bar.capped[1])] {
                if capped {
                    path.push_str(&format!(" M{left} {y} L{right} {y}"));
                }
            }
            markup.empty("path", &[("d", &path)]);
        }
        markup.close();
    }
}

/// One error bar in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar {
    /// Its abscissa.
    pub x: f64,
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
    /// Whether its low and its high end lie within the frame.
    pub capped: [bool; 2],
}

fn draw(markup: &mut Markup, shape: Shape, [x, y]: [f64; 2], radius: f64) {
    if shape == Shape::Circle {
        markup.empty("circle", &[("cx", &px(x)), ("cy", &px(y)), ("r", &px(radius))]);
        return;
    }
    // Corners in units of the radius, y downwards, chosen so that all shapes weigh about the same.
    let (corners, closed): (&[[f64; 2]], bool) = match shape {
        Shape::Square => (&[[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]], true),
        Shape::TriangleUp => (&[[0.0, -1.2], [1.1, 0.8], [-1.1, 0.8]], true),
        Shape::TriangleDown => (&[[0.0, 1.2], [-1.1, -0.8], [1.1, -0.8]], true),
        Shape::Diamond => (&[[0.0, -1.25], [1.25, 0.0], [0.0, 1.25], [-1.25, 0.0]], true),
        Shape::Star => (
            &[
                [0.0, -1.4],
                [0.38, -0.52],
                [1.33, -0.43],
                [0.61, 0.2],
                [0.82, 1.13],
                [0.0, 0.64],
                [-0.82, 1.13],
                [-0.61, 0.2],
                [-1.33, -0.43],
                [-0.38, -0.52],
            ],
            true,
        ),
        Shape::Cross => (&[[-0.9, -0.9], [0.9, 0.9], [-0.9, 0.9], [0.9, -0.9]], false),
        Shape::Plus | Shape::Circle => (&[[-1.1, 0.0], [1.1, 0.0], [0.0, -1.1], [0.0, 1.1]], false),
    };
    let mut path = String::new();
    for (index, [dx, dy]) in corners.iter().enumerate() {
        // An open shape is made of separate strokes of two corners each.
        let moves = if closed { index == 0 } else { index % 2 == 0 };
        let letter = if moves { 'M' } else { 'L' };
        path.push_str(&format!(
            "{letter}{} {} ",
            px(x + radius * dx),
            px(y + radius * dy)
        ));
    }
    let path = if closed {
        format!("{path}Z")
    } else {
        path.trim_end().to_owned()
    };
    markup.empty("path", &[("d", &path)]);
}
