//! Axes that keep still: they grow in steps and shrink only when it is worth it.
//!
//! To rescale an axis costs 50 to 180 times as many bytes on the line as to draw one point, and the eye
//! loses its hold. So a range has headroom, ends at round numbers, and gives room back only when a new
//! sweep begins and most of it has become useless.

use super::axis::{Range, Scale, step_at_least, step_at_most};

/// Room beyond the data when a range is chosen anew, as a share of their span.
const HEADROOM: f64 = 0.05;
/// Room beyond the data when they leave a range, so that they do not leave it again soon.
const GROWTH: f64 = 0.6;
/// Share of the axis that data must fill, lest it shrink when a new sweep begins.
const WORTH_KEEPING: f64 = 0.7;

/// The range of one axis over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AxisMemory {
    range: Option<Range>,
    scale: Scale,
}

impl AxisMemory {
    /// How far data may lie beyond the end before the axis moves, as a share of its span: noise around
    /// zero is not worth a negative axis. Marks so close beyond the end are painted at the end.
    pub const TOLERANCE: f64 = 0.06;

    /// An axis that has seen nothing yet.
    #[must_use]
    pub fn new(scale: Scale) -> Self {
        Self { range: None, scale }
    }

    /// The range of an axis that is drawn once. No data lie beyond it, not even noise: on paper nothing
    /// moves, and a mark beside its place would be a wrong number.
    #[must_use]
    pub fn once(data: Range, scale: Scale) -> Range {
        let mut memory = Self::new(scale);
        memory.observe(data, true);
        let range = memory.range_or(data);
        let room = match scale {
            Scale::Linear => 0.3 * HEADROOM * range.span(),
            Scale::Log => 0.0,
        };
        Range {
            low: if data.low < range.low {
                data.low - room
            } else {
                range.low
            },
            high: if data.high > range.high {
                data.high + room
            } else {
                range.high
            },
        }
    }

    /// The range; none before the first data.
    #[must_use]
    pub fn range(&self) -> Option<Range> {
        self.range
    }

    /// The range, or `otherwise` before the first data.
    #[must_use]
    pub fn range_or(&self, otherwise: Range) -> Range {
        self.range.unwrap_or(otherwise)
    }

    /// Takes in the extent of the data. `may_shrink` is true at moments when a jump is expected anyway.
    pub fn observe(&mut self, data: Range, may_shrink: bool) {
        if self.scale == Scale::Log && data.low <= 0.0 {
            return;
        }
        let Some(range) = self.range else {
            self.range = Some(self.fitting(data));
            return;
        };
        let tolerance = match self.scale {
            Scale::Linear => Self::TOLERANCE * range.span(),
            Scale::Log => 0.0,
        };
        let (below, above) = (
            data.low < range.low - tolerance,
            data.high > range.high + tolerance,
        );
        if below || above {
            // Where data drift out on one side, the other side keeps its place unless that is absurd.
            let whole = range.union(data);
            let grown = match self.scale {
                Scale::Linear => {
                    let room = |beyond: bool| if beyond { GROWTH * whole.span() } else { 0.0 };
                    round_outwards(whole, room(below), room(above))
                }
                Scale::Log => log_outwards(whole, 1.3),
            };
            let absurd = self.length(data) < 0.5 * WORTH_KEEPING * self.length(grown);
            self.range = Some(if absurd { self.fitting(data) } else { grown });
        } else if may_shrink && self.length(data) < WORTH_KEEPING * self.length(range) {
            self.range = Some(self.fitting(data));
        }
    }

    /// The range that suits the data alone.
    fn fitting(&self, data: Range) -> Range {
        match self.scale {
            Scale::Linear => {
                let span = span_of(data);
                round_outwards(data, HEADROOM * span, HEADROOM * span)
            }
            Scale::Log => log_outwards(data, 1.1),
        }
    }

    fn length(&self, range: Range) -> f64 {
        self.scale.forward(range.high) - self.scale.forward(range.low)
    }
}

/// The span, or where there is none one that goes with the size of the numbers.
fn span_of(data: Range) -> f64 {
    let span = if data.span() > 0.0 {
        data.span()
    } else {
        data.high.abs() * 0.1
    };
    if span > 0.0 && span.is_finite() { span } else { 1.0 }
}

/// A range with room that ends at round numbers, and at zero where the data come close to it.
fn round_outwards(data: Range, room_below: f64, room_above: f64) -> Range {
    let step = step_at_least(span_of(data) / 10.0);
    let is_close_to_zero =
        |value: f64, other: f64| other != 0.0 && (-AxisMemory::TOLERANCE..0.5).contains(&(value / other));
    let down = if is_close_to_zero(data.low, data.high) || (data.low == 0.0 && data.high >= 0.0) {
        0.0
    } else {
        data.low - room_below.max(f64::EPSILON * data.low.abs())
    };
    let up = if data.high <= 0.0 && is_close_to_zero(data.high, data.low) {
        0.0
    } else {
        data.high + room_above
    };
    let (low, high) = ((down / step).floor() * step, (up / step).ceil() * step);
    Range {
        low,
        high: if high > low { high } else { low + step },
    }
}

fn log_outwards(data: Range, room: f64) -> Range {
    Range {
        low: step_at_most(data.low / room),
        high: step_at_least(data.high * room),
    }
}
