//! Words beside points, where nothing is in the way.

use super::layout::Frame;
use super::marks::RADIUS;
use super::markup::width_of;
use crate::figure::clip_to_unit_square;

/// Size of the words' font.
pub(super) const WORD_SIZE: f64 = 11.0;
/// How far from its point a word stands, first and second choice.
const DISTANCES: [f64; 2] = [6.0, 13.0];

/// What words must not cover, in pixels.
#[derive(Debug, Default)]
pub(super) struct Obstacles {
    marks: Vec<[f64; 2]>,
    segments: Vec<[[f64; 2]; 2]>,
    words: Vec<Frame>,
    /// The points that have a word, which must not seem to belong to another one.
    points: Vec<[f64; 2]>,
}

impl Obstacles {
    /// Takes in marks.
    pub(super) fn add_marks(&mut self, places: &[[f64; 2]]) {
        self.marks.extend_from_slice(places);
    }

    /// Takes in a line.
    pub(super) fn add_line(&mut self, line: &[[f64; 2]]) {
        let pairs = line.windows(2).map(|pair| [pair[0], pair[1]]);
        self.segments.extend(pairs);
    }

    /// Takes in a point that has a word, whether or not there will be room for it.
    pub(super) fn add_point(&mut self, place: [f64; 2]) {
        self.points.push(place);
    }

    /// A place for a word beside a point, within a frame: its left end and its baseline. None where there is
    /// no room.
    pub(super) fn place(&mut self, word: &str, [x, y]: [f64; 2], within: Frame) -> Option<[f64; 2]> {
        let (width, height) = (width_of(word, WORD_SIZE), WORD_SIZE);
        let boxes = DISTANCES.into_iter().flat_map(|distance| {
            let beside = 0.7 * distance;
            let (above, below) = (y - distance - height, y + distance);
            let (right, left) = (x + beside, x - beside - width);
            [
                [x - 0.5 * width, above],
                [right, above],
                [left, above],
                [x + distance, y - 0.5 * height],
                [x - distance - width, y - 0.5 * height],
                [x - 0.5 * width, below],
                [right, below],
                [left, below],
            ]
        });
        let chosen = boxes
            .map(|[x, y]| Frame { x, y, width, height })
            .find(|frame| self.is_free(*frame, within) && self.is_unmistakable(*frame, [x, y]))?;
        self.words.push(chosen);
        Some([chosen.x, chosen.bottom() - 0.15 * WORD_SIZE])
    }

    /// Whether no other point with a word is nearly as near to the word as its own.
    fn is_unmistakable(&self, frame: Frame, own: [f64; 2]) -> bool {
        let others = self.points.iter().filter(|other| **other != own);
        let nearest = others
            .map(|other| distance(frame, *other))
            .fold(f64::INFINITY, f64::min);
        distance(frame, own) * 1.5 < nearest
    }

    fn is_free(&self, frame: Frame, within: Frame) -> bool {
        let inside = frame.x >= within.x + 2.0
            && frame.right() <= within.right() - 2.0
            && frame.y >= within.y + 2.0
            && frame.bottom() <= within.bottom() - 2.0;
        let around = Frame {
            x: frame.x - 2.0,
            y: frame.y - 1.0,
            width: frame.width + 4.0,
            height: frame.height + 2.0,
        };
        inside
            && !self.marks.iter().any(|mark| is_near(frame, *mark, RADIUS + 1.0))
            && !self.segments.iter().any(|segment| crosses(around, *segment))
            && !self.words.iter().any(|other| overlap(frame, *other))
    }
}

/// From a rectangle to a point.
fn distance(frame: Frame, [x, y]: [f64; 2]) -> f64 {
    let across = (frame.x - x).max(x - frame.right()).max(0.0);
    let along = (frame.y - y).max(y - frame.bottom()).max(0.0);
    across.hypot(along)
}

fn is_near(frame: Frame, [x, y]: [f64; 2], distance: f64) -> bool {
    x > frame.x - distance
        && x < frame.right() + distance
        && y > frame.y - distance
        && y < frame.bottom() + distance
}

fn crosses(frame: Frame, segment: [[f64; 2]; 2]) -> bool {
    let [from, to] = segment.map(|[x, y]| [(x - frame.x) / frame.width, (y - frame.y) / frame.height]);
    clip_to_unit_square(from, to).is_some()
}

fn overlap(one: Frame, other: Frame) -> bool {
    one.x < other.right() + 3.0
        && other.x < one.right() + 3.0
        && one.y < other.bottom() + 1.0
        && other.y < one.bottom() + 1.0
}
