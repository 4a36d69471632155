//! Staircases of potential: linear sweeps and cyclic voltammetry.

use crate::instrument::method_script::{ErrorCode, Line};

/// Most steps of one scan.
const MOST_STEPS: f64 = 1e6;

/// A staircase of potential, once or repeatedly.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    /// The potentials of one scan in V.
    pub(super) potentials: Vec<f64>,
    pub(super) interval_s: f64,
    pub(super) scans: u32,
    /// Steps begun so far.
    begun: usize,
}

impl Scan {
    /// From one vertex to the next in steps of `step_v`.
    pub(super) fn new(vertices: &[f64], step_v: f64, rate: f64, scans: u32) -> Result<Self, ErrorCode> {
        if !(step_v > 0.0 && rate > 0.0) {
            return Err(ErrorCode::ARGUMENT_NOT_POSITIVE);
        }
        let mut potentials = vec![vertices[0]];
        for leg in vertices.windows(2) {
            let way_v = leg[1] - leg[0];
            let steps = (way_v.abs() / step_v * (1.0 + 1e-9)).floor();
            if potentials.len() as f64 + steps > MOST_STEPS {
                return Err(ErrorCode::ARGUMENT_OUT_OF_BOUNDS);
            }
            for step in 1..=steps as u32 {
                potentials.push(leg[0] + way_v.signum() * step_v * f64::from(step));
            }
        }
        if potentials.len() < 2 {
            return Err(ErrorCode::NO_STEP);
        }
        Ok(Self {
            potentials,
            interval_s: step_v / rate,
            scans: scans.max(1),
            begun: 0,
        })
    }

    /// Goes to the next potential; says where a scan of several begins and ends.
    pub(super) fn next(&mut self, output: &mut Vec<Line>) -> f64 {
        let within = self.begun % self.potentials.len();
        let number = self.begun / self.potentials.len();
        if self.scans > 1 && within == 0 {
            if number > 0 {
                output.push(Line::ScanEnd);
            }
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            output.push(Line::ScanStart { number });
        }
        self.begun += 1;
        self.potentials[within]
    }

    /// The potential of the step that has begun last.
    pub(super) fn potential_v(&self) -> f64 {
        self.potentials[self.begun.saturating_sub(1) % self.potentials.len()]
    }

    /// Says that the last scan has ended.
    pub(super) fn end(&self, output: &mut Vec<Line>) {
        if self.scans > 1 {
            output.push(Line::ScanEnd);
        }
    }
}
