//! Where values come to lie in a rectangle.

use super::Figure;
use super::axis::{Range, Scale};

/// How values of one axis become shares of its length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// The range that is shown.
    pub range: Range,
    /// How values are spread.
    pub scale: Scale,
}

impl Projection {
    /// The share of the axis at which a value lies: 0 at its low end, 1 at its high end, beyond that
    /// where the value is not shown, not finite where it has no place.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        let (low, high) = (
            self.scale.forward(self.range.low),
            self.scale.forward(self.range.high),
        );
        (self.scale.forward(value) - low) / (high - low)
    }
}

/// Both directions of a figure in a rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Along the width.
    pub x: Projection,
    /// Along the height, upwards.
    pub y: Projection,
}

impl Figure {
    /// Fits the figure into a rectangle, whose sides are in any unit that is the same for both.
    ///
    /// With equal aspect, the shorter-ranged axis is made longer at its high end so that one unit has
    /// the same length in both directions; a wide rectangle shows more of the abscissa, a circle stays
    /// round.
    #[must_use]
    pub fn place(&self, width: f64, height: f64) -> Placement {
        let (mut x, mut y) = (sound(self.x.range), sound(self.y.range));
        if self.equal && width > 0.0 && height > 0.0 {
            let per_length = (x.span() / width).max(y.span() / height);
            x.high = x.low + per_length * width;
            y.high = y.low + per_length * height;
        }
        Placement {
            x: Projection {
                range: x,
                scale: self.x.scale,
            },
            y: Projection {
                range: y,
                scale: self.y.scale,
            },
        }
    }
}

/// A range that can be divided by its span.
fn sound(range: Range) -> Range {
    if range.low.is_finite() && range.high.is_finite() && range.span() > 0.0 {
        range
    } else if range.low.is_finite() {
        Range::new(range.low, range.low + range.low.abs().max(1.0))
    } else {
        Range::new(0.0, 1.0)
    }
}

/// The part of a segment within the unit square; none where it passes by (Liang and Barsky 1984,
/// 10.1145/357332.357333).
#[must_use]
pub fn clip_to_unit_square(from: [f64; 2], to: [f64; 2]) -> Option<([f64; 2], [f64; 2])> {
    if !from.iter().chain(&to).all(|coordinate| coordinate.is_finite()) {
        return None;
    }
    let delta = [to[0] - from[0], to[1] - from[1]];
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for axis in 0..2 {
        for (direction, distance) in [(-delta[axis], from[axis]), (delta[axis], 1.0 - from[axis])] {
            if direction == 0.0 {
                if distance < 0.0 {
                    return None;
                }
            } else {
                let at = distance / direction;
                if direction < 0.0 {
                    enter = enter.max(at);
                } else {
                    leave = leave.min(at);
                }
            }
        }
    }
    let point = |t: f64| [from[0] + t * delta[0], from[1] + t * delta[1]];
    (enter <= leave).then(|| (point(enter), point(leave)))
}
