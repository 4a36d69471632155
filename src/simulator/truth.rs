//! What a cell really was while it was measured.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cell::CellModel;

/// The truth about one sweep.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SweepTruth {
    /// Number of the impedance loop, from 1.
    pub sweep: u32,
    /// Device time at its start in s.
    pub t_start_s: f64,
    /// Device time at its end in s.
    pub t_end_s: f64,
    /// True values by parameter name; sums too (`R1+R2`).
    #[serde(rename = "true")]
    pub values: BTreeMap<String, TrueValue>,
}

/// The cell was connected to the potentiostat, or disconnected from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CellSwitched {
    /// Device time in s.
    pub t_s: f64,
    /// Whether it is connected from now on.
    pub cell_on: bool,
    /// Its potential at that moment in V.
    pub potential_v: f64,
    /// Charge that has passed through it since the device was switched on, in C.
    pub charge_c: f64,
}

/// One value over a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TrueValue {
    /// Mean over the points, each at the moment at which it was measured.
    pub mean: f64,
    /// At the start of the sweep.
    pub start: f64,
    /// At its end.
    pub end: f64,
}

/// Collects the truth while a sweep runs.
#[derive(Clone, Debug)]
pub(super) struct TruthRecorder {
    sweep: u32,
    t_start_s: f64,
    start: Vec<f64>,
    sum: Vec<f64>,
    points: u32,
}

impl TruthRecorder {
    pub(super) fn new(sweep: u32, t_start_s: f64, start: Vec<f64>) -> Self {
        let sum = vec![0.0; start.len()];
        Self {
            sweep,
            t_start_s,
            start,
            sum,
            points: 0,
        }
    }

    /// Adds the true values at the moment of a point.
    pub(super) fn add_point(&mut self, values: &[f64]) {
        for (sum, value) in self.sum.iter_mut().zip(values) {
            *sum += value;
        }
        self.points += 1;
    }

    /// The truth of the sweep; `None` if it ended before its first point.
    pub(super) fn finish(self, model: &CellModel, t_end_s: f64, end: &[f64]) -> Option<SweepTruth> {
        if self.points == 0 {
            return None;
        }
        let of = |indices: &[usize]| {
            let total = |values: &[f64]| indices.iter().map(|&index| values[index]).sum::<f64>();
            TrueValue {
                mean: total(&self.sum) / f64::from(self.points),
                start: total(&self.start),
                end: total(end),
            }
        };
        let mut values: BTreeMap<_, _> = model
            .circuit
            .parameters()
            .iter()
            .enumerate()
            .map(|(index, parameter)| (parameter.name.clone(), of(&[index])))
            .collect();
        values.extend(
            model
                .sums
                .iter()
                .map(|(name, indices)| (name.clone(), of(indices))),
        );
        Some(SweepTruth {
            sweep: self.sweep,
            t_start_s: self.t_start_s,
            t_end_s,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Circuit;

    #[test]
    fn the_mean_is_over_the_points_and_sums_are_told_too() {
        let circuit = Circuit::parse("R0-p(R1,C1)").unwrap();
        let mut model = CellModel::constant(circuit, vec![1.0, 2.0, 3.0]);
        model.sums = vec![("R0+R1".to_owned(), vec![0, 1])];
        let mut recorder = TruthRecorder::new(4, 10.0, vec![1.0, 2.0, 3.0]);
        recorder.add_point(&[1.0, 4.0, 3.0]);
        recorder.add_point(&[1.0, 6.0, 3.0]);
        let truth = recorder.finish(&model, 20.0, &[1.0, 7.0, 3.0]).unwrap();
        assert_eq!(
            truth.values["R1"],
            TrueValue {
                mean: 5.0,
                start: 2.0,
                end: 7.0
            }
        );
        assert_eq!(
            truth.values["R0+R1"],
            TrueValue {
                mean: 6.0,
                start: 3.0,
                end: 8.0
            }
        );
        let json = serde_json::to_string(&truth).unwrap();
        assert!(
            json.starts_with(r#"{"sweep":4,"t_start_s":10.0,"t_end_s":20.0,"true":{"C1":{"mean":3.0,"#),
            "{json}"
        );
    }

    #[test]
    fn a_sweep_without_a_point_has_no_truth() {
        let model = CellModel::constant(Circuit::parse("R0").unwrap(), vec![1.0]);
        assert!(
            TruthRecorder::new(1, 0.0, vec![1.0])
                .finish(&model, 1.0, &[1.0])
                .is_none()
        );
    }
}
