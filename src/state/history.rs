//! A parameter over the sweeps.

use super::columns::SweepRecord;
use crate::event::Stamp;

/// One final fit's word on a parameter or sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPoint {
    /// The sweep.
    pub sweep: u32,
    /// When the sweep began.
    pub stamp: Stamp,
    /// The value in SI units.
    pub value: f64,
    /// One standard error.
    pub std_error: Option<f64>,
    /// Whether the data determine it; where they do not, the value is not to be shown as a number.
    pub determined: bool,
    /// Whether something speaks against the sweep.
    pub doubtful: bool,
}

/// A parameter or sum over the sweeps, one entry for each sweep with a final fit that knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Name of the parameter or sum.
    pub name: String,
    /// Its unit in plain ASCII; empty where no fit knows it.
    pub unit: String,
    /// The entries in the order of the sweeps.
    pub points: Vec<HistoryPoint>,
}

impl History {
    pub(super) fn of(sweeps: &[SweepRecord], name: &str) -> Self {
        let mut history = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        for sweep in sweeps {
            let Some((_, fit)) = &sweep.fit else { continue };
            let (unit, value, std_error, determined) = if let Some(found) = fit.result.parameter(name) {
                (
                    found.unit.as_str(),
                    found.value,
                    found.std_error,
                    found.determined,
                )
            } else if let Some(found) = fit.result.sum(name) {
                ("ohm", found.value, found.std_error, found.determined)
            } else {
                continue;
            };
            history.unit = unit.to_owned();
            history.points.push(HistoryPoint {
                sweep: sweep.started.sweep,
                stamp: sweep.stamp,
                value,
                std_error,
                determined,
                doubtful: sweep
                    .validity
                    .as_ref()
                    .is_some_and(|(_, validity)| validity.is_doubtful()),
            });
        }
        history
    }

    /// The entries that are determined and have an error.
    pub fn determined(&self) -> impl Iterator<Item = &HistoryPoint> {
        self.points
            .iter()
            .filter(|point| point.determined && point.value.is_finite())
    }
}
