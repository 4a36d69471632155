//! Fits of sweep after sweep: each starts from what the last one found, so that arcs keep their names and
//! a refit for every arriving point costs next to nothing.

use std::time::Instant;

use crate::analysis::fit::{ColdStarts, FitError, FitOptions, FitResult, fit_timed};
use crate::circuit::{Circuit, CircuitError};
use crate::event::Fit;
use crate::profile::Cell;
use crate::spectrum::{Point, Spectrum};

/// Name and version of the engine, as fits carry it.
pub const ENGINE: &str = concat!("interphase ", env!("CARGO_PKG_VERSION"), " cnls");

/// Fits of one circuit to the sweeps of one cell.
#[derive(Clone, Debug)]
pub struct FitSequence {
    circuit: Circuit,
    options: FitOptions,
    profile_start: Vec<f64>,
    last: Option<Optimum>,
    running: Option<(u32, Vec<f64>)>,
}

/// Where a final fit ended.
#[derive(Clone, Debug)]
struct Optimum {
    values: Vec<f64>,
    reduced_chi_squared: Option<f64>,
}

impl FitSequence {
    /// Fits of the circuit of a cell profile, with its bounds and the sums that it follows.
    ///
    /// # Errors
    /// Where the circuit does not parse.
    pub fn for_cell(cell: &Cell) -> Result<Self, CircuitError> {
        let (circuit, profile_start) = cell.start_values()?;
        let bounds = cell
            .circuit
            .bounds
            .iter()
            .map(|(name, [low, high])| (name.clone(), *low, *high))
            .collect();
        let sums = cell
            .circuit
            .track
            .iter()
            .filter(|name| name.contains('+'))
            .cloned()
            .collect();
        let options = FitOptions {
            bounds,
            sums,
            ..FitOptions::default()
        };
        Ok(Self {
            circuit,
            options,
            profile_start,
            last: None,
            running: None,
        })
    }

    /// The fit of the points so far of a running sweep; none while they are too few.
    pub fn partial(&mut self, sweep: u32, points: &[Point]) -> Option<Fit> {
        let mut options = self.options_from_the_last();
        if let Some((of, values)) = &self.running
            && *of == sweep
        {
            options.also_start.push(values.clone());
        }
        // A start of one's own is worth its time only while there is nothing to go by.
        options.cold = if self.last.is_some() {
            ColdStarts::Never
        } else {
            ColdStarts::IfPoor
        };
        let result = self.fit(points, &options)?;
        self.running = Some((sweep, values_of(&result)));
        Some(Fit {
            sweep,
            is_final: false,
            engine: ENGINE.to_owned(),
            result,
        })
    }

    /// The fit of all points of an ended sweep; none where they are too few.
    pub fn finish(&mut self, sweep: u32, points: &[Point]) -> Option<Fit> {
        let mut options = self.options_from_the_last();
        if self.last.is_none() {
            options.cold = ColdStarts::Always;
        }
        let result = self.fit(points, &options)?;
        if result.converged {
            self.last = Some(Optimum {
                values: values_of(&result),
                reduced_chi_squared: result.reduced_chi_squared,
            });
        }
        self.running = None;
        Some(Fit {
            sweep,
            is_final: true,
            engine: ENGINE.to_owned(),
            result,
        })
    }

    fn options_from_the_last(&self) -> FitOptions {
        let mut options = self.options.clone();
        match &self.last {
            Some(optimum) => {
                options.start = Some(optimum.values.clone());
                options.expected_reduced_chi_squared = optimum.reduced_chi_squared;
            }
            None => options.also_start.push(self.profile_start.clone()),
        }
        options
    }

    fn fit(&self, points: &[Point], options: &FitOptions) -> Option<FitResult> {
        let spectrum = Spectrum::from(points.to_vec());
        let began = Instant::now();
        let clock = move || began.elapsed().as_secs_f64() * 1e6;
        match fit_timed(&spectrum, &self.circuit, options, &clock) {
            Ok(result) => Some(result),
            Err(FitError::TooFewPoints { .. }) => None,
            Err(error) => {
                tracing::warn!("no fit of {}: {error}", self.circuit);
                None
            }
        }
    }
}

fn values_of(result: &FitResult) -> Vec<f64> {
    result
        .parameters
        .iter()
        .map(|parameter| parameter.value)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Kind, shipped_text};

    fn sequence() -> FitSequence {
        let text = shipped_text(Kind::Cell, "dummy_r_rc").unwrap();
        FitSequence::for_cell(&Cell::parse("dummy_r_rc", text).unwrap()).unwrap()
    }

    fn points(resistance: f64) -> Vec<Point> {
        let circuit = Circuit::parse("R0-p(R1,C1)").unwrap();
        (0..40)
            .map(|index| {
                let frequency = 1e5 * 10f64.powf(-f64::from(index) / 8.0);
                let z = circuit.impedance(&[100.0, resistance, 1e-6], frequency);
                let wiggle = 1.0 + 1e-3 * f64::from(index * 7919 % 13 - 6) / 6.0;
                Point::new(frequency, z.re * wiggle, z.im * wiggle)
            })
            .collect()
    }

    #[test]
    fn a_parameter_is_followed_from_sweep_to_sweep() {
        let mut sequence = sequence();
        for (sweep, resistance) in [(1, 1000.0), (2, 1100.0), (3, 1500.0)] {
            let fit = sequence.finish(sweep, &points(resistance)).unwrap();
            let found = fit.result.parameter("R1").unwrap();
            assert!((found.value - resistance).abs() < 0.01 * resistance, "{found:?}");
            assert!(fit.is_final && found.determined);
        }
    }

    #[test]
    fn too_few_points_give_no_fit_and_more_give_a_live_one() {
        let mut sequence = sequence();
        let points = points(1000.0);
        assert!(sequence.partial(1, &points[..1]).is_none());
        let fit = sequence.partial(1, &points[..25]).unwrap();
        assert!(!fit.is_final);
        assert_eq!(fit.result.n_used, 25);
    }
}
