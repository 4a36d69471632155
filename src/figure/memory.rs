//! Axes that keep still: they grow in steps and shrink only when it is worth it.
//!
//! To rescale an axis costs 50 to 180 times as many bytes on the line as to draw one point, and the eye
//! loses its hold. So a range has headroom, ends at round numbers, and gives room back only when a new
//! sweep begins and most of it has become useless.

use super::axis::{Range, Scale, step_at_least, step_at_most};

/// Room beyond the data when an axis has to grow, as a share of their span.
const HEADROOM: f64 = 0.15;
/// Share of the axis that data must fill, lest it shrink when a new sweep begins.
const WORTH_KEEPING: f64 = 0.45;

/// The range of one axis over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AxisMemory {
    range: Option<Range>,
    scale: Scale,
}

impl AxisMemory {
    /// An axis that has seen nothing yet.
    #[must_use]
    pub fn new(scale: Scale) -> Self {
        Self { range: None, scale }
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
        let fitting = match self.scale {
            Scale::Linear => round_outwards(data),
            Scale::Log => log_outwards(data),
        };
        let Some(range) = self.range else {
            self.range = Some(fitting);
            return;
        };
        let length = |range: Range| self.scale.forward(range.high) - self.scale.forward(range.low);
        if !range.holds(data) {
            // Where data drift out on one side, the other side keeps its place unless that is absurd.
            let grown = match self.scale {
                Scale::Linear => round_outwards(range.union(data)),
                Scale::Log => log_outwards(range.union(data)),
            };
            let absurd = length(data) < WORTH_KEEPING * length(grown);
            self.range = Some(if absurd { fitting } else { grown });
        } else if may_shrink && length(data) < WORTH_KEEPING * length(range) {
            self.range = Some(fitting);
        }
    }
}

/// A range with headroom that ends at round numbers, and at zero where the data come close to it.
fn round_outwards(data: Range) -> Range {
    let span = if data.span() > 0.0 {
        data.span()
    } else {
        data.high.abs() * 0.1
    };
    let span = if span > 0.0 && span.is_finite() { span } else { 1.0 };
    let near_zero = |value: f64, other: f64| value.abs() < 0.5 * other.abs() && value * other >= 0.0;
    let step = step_at_least(span / 5.0);
    let headroom = HEADROOM * span;
    let down = if near_zero(data.low, data.high) {
        0.0
    } else {
        data.low - headroom
    };
    let up = if near_zero(data.high, data.low) {
        0.0
    } else {
        data.high + headroom
    };
    Range {
        low: (down / step).floor() * step,
        high: (up / step).ceil() * step,
    }
}

fn log_outwards(data: Range) -> Range {
    Range {
        low: step_at_most(data.low / 1.1),
        high: step_at_least(data.high * 1.1),
    }
}
