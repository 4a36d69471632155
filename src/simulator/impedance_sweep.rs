//! One loop of impedance: its frequencies, its pace, its readings.

use std::f64::consts::SQRT_2;

use num_complex::Complex64;

use super::cell::Cell;
use super::potentiostat::{Potentiostat, clipped_share, load_status};
use super::truth::{SweepTruth, TruthRecorder};
use crate::instrument::method_script::status;

/// What excites the cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Excitation {
    /// Potential: amplitude in V rms and bias in V.
    Potential { amplitude_vrms: f64, bias_v: f64 },
    /// Current: amplitude in A rms and bias in A.
    Current { amplitude_arms: f64, bias_a: f64 },
}

/// A sweep that runs.
#[derive(Clone, Debug)]
pub(super) struct ImpedanceSweep {
    number: u32,
    excitation: Excitation,
    frequency_hz: f32,
    ratio: f32,
    point: u32,
    truth: TruthRecorder,
}

/// What the device says about one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ImpedanceReading {
    pub(super) frequency_hz: f64,
    /// NaN where nothing of the signal is left.
    pub(super) impedance: Complex64,
    pub(super) status: u8,
    pub(super) current_range: u8,
    pub(super) potential_range: u8,
}

impl ImpedanceSweep {
    /// A sweep of `count` log-spaced frequencies. They follow from each other in 32-bit floats, as on the
    /// device, so that the last ones are off by a few millionths.
    pub(super) fn begin(
        cell: &mut Cell,
        now_s: f64,
        excitation: Excitation,
        (first_hz, last_hz, count): (f64, f64, u32),
    ) -> Self {
        let number = cell.begin_sweep(now_s);
        let steps = f64::from(count.max(2) - 1);
        Self {
            number,
            excitation,
            frequency_hz: first_hz as f32,
            ratio: (last_hz / first_hz).powf(1.0 / steps) as f32,
            point: 0,
            truth: TruthRecorder::new(number, now_s, cell.values(now_s)),
        }
    }

    /// Chooses the ranges for the next point and says how long it takes in s: one period more where the
    /// current range changes.
    pub(super) fn begin_point(&self, cell: &Cell, potentiostat: &mut Potentiostat, now_s: f64) -> f64 {
        let frequency_hz = f64::from(self.frequency_hz);
        let (_, peak_a, _) = self.signal(cell, now_s, cell.impedance(now_s, frequency_hz));
        let changed = potentiostat.range_current(peak_a);
        let persona = &potentiostat.persona;
        let periods = persona.point_periods + f64::from(u8::from(changed));
        persona.point_overhead_s + periods / frequency_hz
    }

    /// The point that took from `start_s` to `end_s`, measured in the middle of it.
    pub(super) fn end_point(
        &mut self,
        cell: &Cell,
        potentiostat: &Potentiostat,
        start_s: f64,
        end_s: f64,
    ) -> ImpedanceReading {
        let moment_s = f64::midpoint(start_s, end_s);
        let frequency_hz = f64::from(self.frequency_hz);
        let truth = cell.impedance(moment_s, frequency_hz);
        self.truth.add_point(&cell.values(moment_s));
        let (direct_a, peak_a, peak_v) = self.signal(cell, moment_s, truth);
        let current_range = potentiostat.current_range();
        let current_status = load_status(peak_a, current_range.limit_a);
        let potential_limit = potentiostat.potential_limit();
        let potential_overload = load_status(peak_v, potential_limit) & status::OVERLOAD;
        // A clipped current looks small, so the impedance looks large; a clipped potential the reverse.
        let current_share = clipped_share(
            peak_a - direct_a.abs(),
            (current_range.limit_a - direct_a.abs()).max(0.0),
        );
        let potential_share = clipped_share(peak_v, potential_limit);
        let noise = cell.impedance_noise(truth, self.number, self.point);
        let impedance = (truth + noise) * potential_share / current_share;
        let reading = ImpedanceReading {
            frequency_hz,
            impedance,
            status: current_status | potential_overload,
            current_range: potentiostat.current_code(),
            potential_range: potentiostat.potential_code(peak_v),
        };
        self.point += 1;
        self.frequency_hz *= self.ratio;
        reading
    }

    /// The truth of the sweep that ended.
    pub(super) fn finish(self, cell: &Cell, now_s: f64) -> Option<SweepTruth> {
        self.truth.finish(cell.model(), now_s, &cell.values(now_s))
    }

    /// Direct current in A, peak current in A and peak of the alternating potential in V.
    fn signal(&self, cell: &Cell, now_s: f64, impedance: Complex64) -> (f64, f64, f64) {
        let modulus = impedance.norm();
        match self.excitation {
            Excitation::Potential {
                amplitude_vrms,
                bias_v,
            } => {
                let direct_a = cell.direct_current(now_s, bias_v, f64::INFINITY);
                let peak_v = SQRT_2 * amplitude_vrms;
                (direct_a, direct_a.abs() + peak_v / modulus, peak_v)
            }
            Excitation::Current {
                amplitude_arms,
                bias_a,
            } => {
                let peak_a = SQRT_2 * amplitude_arms;
                (bias_a, bias_a.abs() + peak_a, peak_a * modulus)
            }
        }
    }
}
