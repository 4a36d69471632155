//! Fits of sweep after sweep: each starts from what the last one found, so that arcs keep their names and
//! a refit for every arriving point costs next to nothing.

use std::time::Instant;

use crate::analysis::fit::{ArcTrack, ColdStarts, FitError, FitOptions, FitResult, fit_timed};
use crate::circuit::{Circuit, CircuitError};
use crate::event::Fit;
use crate::profile::Cell;
use crate::spectrum::{Point, Spectrum};

/// Name and version of the engine, as fits carry it.
pub const ENGINE: &str = concat!("interphase ", env!("CARGO_PKG_VERSION"), " cnls");

/// Distance of two arcs in ln tau below which they may be about to cross.
const CROSSING: f64 = 2.0;
/// Ratio of the reduced chi-squared to that of the last sweep from which on the last optimum is not trusted alone.
const RISEN: f64 = 1.1;
/// Two optima are the same when their chi-squared differ by less than this fraction: a fit that is as good
/// elsewhere is no reason to leave the last one.
const SAME: f64 = 5e-4;

/// Fits of one circuit to the sweeps of one cell.
#[derive(Clone, Debug)]
pub struct FitSequence {
    circuit: Circuit,
    options: FitOptions,
    /// The guess of the cell's profile; none for another circuit than its own.
    profile_start: Option<Vec<f64>>,
    last: Option<Optimum>,
    /// The optimum with the smallest residuals so far.
    best: Option<Optimum>,
    track: ArcTrack,
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
        Ok(Self::new(circuit, options, Some(profile_start)))
    }

    /// Fits of a circuit of which nothing more is known: no bounds, and the start is found in the data. Of the sums
    /// that are given, those are followed whose parameters the circuit has.
    #[must_use]
    pub fn for_circuit(circuit: Circuit, sums: &[String]) -> Self {
        let has = |name: &str| {
            let mut parameters = circuit.parameters().iter();
            parameters.any(|parameter| parameter.name == name)
        };
        let sums = sums
            .iter()
            .filter(|sum| sum.contains('+') && sum.split('+').all(|name| has(name.trim())))
            .cloned()
            .collect();
        let options = FitOptions {
            sums,
            ..FitOptions::default()
        };
        Self::new(circuit, options, None)
    }

    fn new(circuit: Circuit, options: FitOptions, profile_start: Option<Vec<f64>>) -> Self {
        Self {
            circuit,
            options,
            profile_start,
            last: None,
            best: None,
            track: ArcTrack::default(),
            running: None,
        }
    }

    /// The circuit that is fitted.
    #[must_use]
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
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
        let mut result = self.fit(points, &options)?;
        if self.has_risen(&result) {
            // Where the last optimum leads may no longer be the best place.
            options.also_start.extend(self.elsewhere());
            if let Some(again) = self.fit(points, &options)
                && again.chi_squared < result.chi_squared * (1.0 - SAME)
            {
                result = again;
            }
        }
        self.remember(&result);
        self.running = None;
        Some(Fit {
            sweep,
            is_final: true,
            engine: ENGINE.to_owned(),
            result,
        })
    }

    /// Takes note of the fit of a whole sweep, made here or read from a recording that is carried on: the next
    /// one starts from it, and its arcs are named after those before.
    pub fn remember(&mut self, result: &FitResult) {
        let values = values_of(result);
        if !result.converged || values.len() != self.circuit.parameters().len() {
            return;
        }
        self.track.observe(&self.circuit, result);
        let optimum = Optimum {
            values,
            reduced_chi_squared: result.reduced_chi_squared,
        };
        let is_best = self
            .best
            .as_ref()
            .is_none_or(|best| optimum.reduced_chi_squared < best.reduced_chi_squared);
        if is_best && optimum.reduced_chi_squared.is_some() {
            self.best = Some(optimum.clone());
        }
        self.last = Some(optimum);
    }

    /// Whether the residuals are larger than after the last sweep.
    fn has_risen(&self, result: &FitResult) -> bool {
        let last = self.last.as_ref().and_then(|last| last.reduced_chi_squared);
        match (last, result.reduced_chi_squared) {
            (Some(last), Some(now)) => now > RISEN * last,
            _ => false,
        }
    }

    /// Starts that have nothing to do with the last sweep: the one fitted best so far, where the arcs are heading,
    /// and the profile.
    fn elsewhere(&self) -> Vec<Vec<f64>> {
        let heading = match (self.track.forecast(), &self.last) {
            (Some(forecast), Some(last)) => Some(forecast.placed(&self.circuit, &last.values)),
            _ => None,
        };
        let best = self.best.as_ref().map(|best| best.values.clone());
        best.into_iter()
            .chain(heading)
            .chain(self.profile_start.clone())
            .collect()
    }

    fn options_from_the_last(&self) -> FitOptions {
        let mut options = self.options.clone();
        options.arcs = self.track.forecast();
        match &self.last {
            Some(optimum) => {
                // Where arcs cross, the last fit may have gone astray; their course from before leads through.
                if let Some(forecast) = &options.arcs
                    && forecast.closest(&self.circuit) < CROSSING
                {
                    let expected = forecast.placed(&self.circuit, &optimum.values);
                    options.also_start.push(expected);
                }
                options.start = Some(optimum.values.clone());
                options.expected_reduced_chi_squared = optimum.reduced_chi_squared;
            }
            None => options.also_start.extend(self.profile_start.clone()),
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
mod tests;
