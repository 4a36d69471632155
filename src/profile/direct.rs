//! Techniques of direct current and what ends them.

use std::fmt;

/// A technique of direct current. Current is positive when the working electrode is oxidised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DirectTechnique {
    /// Constant potential.
    ChronoAmperometry {
        /// Potential in V.
        potential_v: f64,
        /// How long in s.
        duration_s: f64,
    },
    /// Constant current.
    ChronoPotentiometry {
        /// Current in A.
        current_a: f64,
        /// How long in s.
        duration_s: f64,
    },
    /// A potential that moves evenly from one value to another, once.
    LinearSweep {
        /// Where it begins in V.
        start_v: f64,
        /// Where it ends in V.
        end_v: f64,
        /// Height of its steps in V, positive.
        step_v: f64,
        /// Its rate in V/s, positive.
        rate_v_per_s: f64,
    },
    /// A potential that moves to one vertex, to the other and back to its start.
    CyclicVoltammetry {
        /// Where it begins and ends in V.
        start_v: f64,
        /// The first vertex in V.
        vertex1_v: f64,
        /// The second vertex in V.
        vertex2_v: f64,
        /// Height of its steps in V, positive.
        step_v: f64,
        /// Its rate in V/s, positive.
        rate_v_per_s: f64,
        /// How often.
        scans: u32,
    },
}

impl DirectTechnique {
    /// The word used for it in plans and in the recording.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::ChronoAmperometry { .. } => "ca",
            Self::ChronoPotentiometry { .. } => "cp",
            Self::LinearSweep { .. } => "lsv",
            Self::CyclicVoltammetry { .. } => "cv",
        }
    }

    /// How long it takes in s where no bound ends it.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        match *self {
            Self::ChronoAmperometry { duration_s, .. } | Self::ChronoPotentiometry { duration_s, .. } => {
                duration_s
            }
            Self::LinearSweep {
                start_v,
                end_v,
                rate_v_per_s,
                ..
            } => (end_v - start_v).abs() / rate_v_per_s,
            Self::CyclicVoltammetry {
                start_v,
                vertex1_v,
                vertex2_v,
                rate_v_per_s,
                scans,
                ..
            } => {
                let way_v =
                    (vertex1_v - start_v).abs() + (vertex2_v - vertex1_v).abs() + (start_v - vertex2_v).abs();
                f64::from(scans) * way_v / rate_v_per_s
            }
        }
    }

    /// The same with every potential that it sets higher by `by_v` in V.
    #[must_use]
    pub fn shifted(mut self, by_v: f64) -> Self {
        match &mut self {
            Self::ChronoAmperometry { potential_v, .. } => *potential_v += by_v,
            Self::ChronoPotentiometry { .. } => {}
            Self::LinearSweep { start_v, end_v, .. } => {
                *start_v += by_v;
                *end_v += by_v;
            }
            Self::CyclicVoltammetry {
                start_v,
                vertex1_v,
                vertex2_v,
                ..
            } => {
                *start_v += by_v;
                *vertex1_v += by_v;
                *vertex2_v += by_v;
            }
        }
        self
    }

    /// What is left of holding a potential or a current after some time in s; none where nothing is left, and
    /// for a scan, which cannot be taken up in its middle.
    #[must_use]
    pub fn rest_after(mut self, elapsed_s: f64) -> Option<Self> {
        match &mut self {
            Self::ChronoAmperometry { duration_s, .. } | Self::ChronoPotentiometry { duration_s, .. } => {
                *duration_s -= elapsed_s;
                (*duration_s > 0.0).then_some(self)
            }
            Self::LinearSweep { .. } | Self::CyclicVoltammetry { .. } => None,
        }
    }

    /// The potentials that it sets, lowest and highest in V; none where it sets the current.
    #[must_use]
    pub fn potentials_v(&self) -> Option<(f64, f64)> {
        match *self {
            Self::ChronoAmperometry { potential_v, .. } => Some((potential_v, potential_v)),
            Self::ChronoPotentiometry { .. } => None,
            Self::LinearSweep { start_v, end_v, .. } => Some((start_v.min(end_v), start_v.max(end_v))),
            Self::CyclicVoltammetry {
                start_v,
                vertex1_v,
                vertex2_v,
                ..
            } => Some((
                start_v.min(vertex1_v).min(vertex2_v),
                start_v.max(vertex1_v).max(vertex2_v),
            )),
        }
    }
}

/// Something that ends a technique of direct current: what is measured has passed a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// What is looked at.
    pub quantity: Quantity,
    /// On which side of the value it ends.
    pub side: Side,
    /// The value in V, A or C.
    pub value: f64,
    /// Whether it protects the cell; otherwise the plan means it to be reached.
    pub safety: bool,
}

/// What a bound looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Potential in V.
    Potential,
    /// Current in A.
    Current,
    /// Size of the current in A, whatever its sign.
    CurrentModulus,
    /// Charge since the beginning of the technique in C.
    Charge,
}

/// On which side of its value a bound ends a technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Above it.
    Above,
    /// Below it.
    Below,
}

impl Bound {
    /// Whether a reading has passed it.
    #[must_use]
    pub fn is_passed(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value > self.value,
            Side::Below => value < self.value,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (quantity, unit) = match self.quantity {
            Quantity::Potential => ("potential", "V"),
            Quantity::Current => ("current", "A"),
            Quantity::CurrentModulus => ("size of the current", "A"),
            Quantity::Charge => ("charge", "C"),
        };
        let side = match self.side {
            Side::Above => "above",
            Side::Below => "below",
        };
        write!(formatter, "{quantity} {side} {} {unit}", self.value)
    }
}
