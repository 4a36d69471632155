//! The coordinates in which a search moves: logarithms of scale parameters, exponents as they are.

/// One free number of a search, which one parameter follows, or several that are tied to each other.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::analysis::fit) struct Coordinate {
    /// The parameters that have this value, by index; at least one.
    pub parameters: Vec<usize>,
    /// Whether the search sees the logarithm.
    pub logarithmic: bool,
    /// Least value that a search may take, in the coordinate's own scale.
    pub lower: f64,
    /// Largest value that a search may take, in the coordinate's own scale.
    pub upper: f64,
}

impl Coordinate {
    /// A natural value in the coordinate's scale, moved into the bounds.
    pub fn to_position(&self, value: f64) -> f64 {
        let coordinate = if self.logarithmic {
            value.max(0.0).ln()
        } else {
            value
        };
        if coordinate.is_nan() {
            self.lower
        } else {
            coordinate.clamp(self.lower, self.upper)
        }
    }

    /// The natural value at a position.
    pub fn natural(&self, position: f64) -> f64 {
        if self.logarithmic {
            position.exp()
        } else {
            position
        }
    }

    /// dp/du: what turns steps of the coordinate into steps of the natural value.
    pub fn slope(&self, position: f64) -> f64 {
        if self.logarithmic { position.exp() } else { 1.0 }
    }

    /// Whether the position lies on a bound.
    pub fn at_bound(&self, position: f64) -> bool {
        let margin = 1e-9 * (1.0 + position.abs());
        position <= self.lower + margin || position >= self.upper - margin
    }
}
