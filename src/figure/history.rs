//! A parameter over the sweeps, with error bars.

use super::{Axis, Figure, Mark, Range};
use crate::state::{History, HistoryPoint};

/// What a history is drawn over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistoryAbscissa {
    /// The cell's time since the session began.
    #[default]
    Time,
    /// The number of the sweep: imported data have no times.
    Sweep,
}

impl HistoryAbscissa {
    /// Time where the entries have different times, the sweep otherwise.
    #[must_use]
    pub fn of(history: &History) -> Self {
        match (history.points.first(), history.points.last()) {
            (Some(first), Some(last)) if first.stamp == last.stamp && first.sweep != last.sweep => {
                Self::Sweep
            }
            _ => Self::Time,
        }
    }

    /// The place of an entry.
    #[must_use]
    pub fn place(self, point: &HistoryPoint) -> f64 {
        match self {
            Self::Time => point.stamp.elapsed_s(),
            Self::Sweep => f64::from(point.sweep),
        }
    }
}

/// A history with one standard error as bars. A value that the data do not determine is marked at the
/// foot of the figure, not drawn as a number; one from a sweep that is in doubt has the mark of that.
#[must_use]
pub fn history(history: &History, abscissa: HistoryAbscissa, x: Range, y: Range) -> Figure {
    let axis = match abscissa {
        HistoryAbscissa::Time => Axis::linear("", "s", x),
        HistoryAbscissa::Sweep => Axis {
            whole: true,
            ..Axis::linear("sweep", "1", x)
        },
    };
    let mut figure = Figure::new(axis, Axis::linear(&history.name, unit_of(&history.unit), y));
    figure.bars(history.determined().filter_map(|point| {
        let error = point.std_error?;
        Some([abscissa.place(point), point.value - error, point.value + error])
    }));
    let undetermined = history.points.iter().filter(|point| !point.determined);
    figure.marks(
        Mark::Undetermined,
        undetermined.map(|point| [abscissa.place(point), y.low]),
    );
    for (mark, doubtful) in [(Mark::Measured, false), (Mark::Doubtful, true)] {
        let points = history.determined().filter(|point| point.doubtful == doubtful);
        figure.marks(mark, points.map(|point| [abscissa.place(point), point.value]));
    }
    figure
}

/// The units that fits give, as static text.
fn unit_of(unit: &str) -> &'static str {
    const UNITS: [&str; 9] = [
        "ohm",
        "F",
        "H",
        "S s^n",
        "ohm s^-1/2",
        "s",
        "H s^(n-1)",
        "F s^(n-1)",
        "S",
    ];
    // A fitted time constant is a quantity like any other; the time axis alone is divided in hours.
    UNITS
        .into_iter()
        .find(|known| *known == unit && *known != "s")
        .unwrap_or("1")
}
