//! Where the search over a series starts: from fits of the single spectra.

use super::arrow::Position;
use super::of_spectrum;
use super::sharing::{Layout, Link};
use crate::analysis::fit::options::{ColdStarts, FitError, FitOptions};
use crate::analysis::fit::problem::Problem;
use crate::analysis::fit::{FitResult, fit};
use crate::circuit::Circuit;
use crate::spectrum::Spectrum;

/// Fits of the spectra by themselves, each from the optimum of the last.
pub(super) fn single_fits(
    spectra: &[Spectrum],
    circuit: &Circuit,
    options: &FitOptions,
) -> Result<Vec<FitResult>, FitError> {
    let mut fits: Vec<FitResult> = Vec::with_capacity(spectra.len());
    for (index, spectrum) in spectra.iter().enumerate() {
        let mut options = options.clone();
        match fits.last() {
            Some(last) => {
                options.start = Some(last.parameters.iter().map(|p| p.value).collect());
                options.expected_reduced_chi_squared = last.reduced_chi_squared;
            }
            None => options.cold = ColdStarts::Always,
        }
        fits.push(fit(spectrum, circuit, &options).map_err(|error| of_spectrum(index, error))?);
    }
    Ok(fits)
}

/// Starts with the shared coordinates at the mean of the single fits, weighted by how well each knows them, and
/// at their median: one spectrum in a wrong minimum moves the first, not the second.
pub(super) fn starts(layout: &Layout, problems: &[Problem<'_>], singles: &[FitResult]) -> Vec<Position> {
    let positions: Vec<Vec<f64>> = problems
        .iter()
        .zip(singles)
        .map(|(problem, single)| {
            let natural: Vec<f64> = single.parameters.iter().map(|p| p.value).collect();
            problem.to_search(&natural)
        })
        .collect();
    let own: Vec<Vec<f64>> = layout
        .own
        .iter()
        .zip(&positions)
        .map(|(own, position)| own.iter().map(|&coordinate| position[coordinate]).collect())
        .collect();
    [false, true]
        .into_iter()
        .map(|robust| Position {
            shared: shared_start(layout, &positions, singles, robust),
            own: own.clone(),
        })
        .collect()
}

/// What one spectrum by itself says of a shared coordinate.
struct Witness {
    /// Factor of the coordinate after the first, the energy; zero where there is none.
    factor: f64,
    value: f64,
    weight: f64,
}

fn shared_start(layout: &Layout, positions: &[Vec<f64>], singles: &[FitResult], robust: bool) -> Vec<f64> {
    let mut shared = vec![0.0; layout.shared.len()];
    for (k, coordinate) in layout.shared.iter().enumerate().filter(|(_, c)| !c.is_energy) {
        let has_energy = layout.shared.get(k + 1).is_some_and(|next| next.is_energy);
        let witnesses: Vec<Witness> = layout
            .links
            .iter()
            .zip(positions.iter().zip(singles))
            .filter_map(|(links, (position, single))| {
                let (place, link) = links.iter().enumerate().find(
                    |(_, link)| matches!(link, Link::Shared(terms, _) if terms.iter().any(|(i, _)| *i == k)),
                )?;
                let Link::Shared(terms, offset) = link else {
                    return None;
                };
                let parameter = &single.parameters[coordinate.parameter];
                let relative = parameter.std_error.map(|error| error / parameter.value.abs());
                Some(Witness {
                    factor: terms.get(1).map_or(0.0, |(_, factor)| *factor),
                    value: position[place] - offset,
                    weight: relative.map_or(1e-6, |error| error.max(1e-6).powi(-2)),
                })
            })
            .collect();
        let slope = if has_energy {
            slope_of(&witnesses, robust)
        } else {
            0.0
        };
        let levels: Vec<(f64, f64)> = witnesses
            .iter()
            .map(|w| (w.value - slope * w.factor, w.weight))
            .collect();
        shared[k] = if robust {
            median(levels.iter().map(|(level, _)| *level).collect())
        } else {
            let weight: f64 = levels.iter().map(|(_, weight)| weight).sum();
            levels.iter().map(|(level, weight)| level * weight).sum::<f64>() / weight
        };
        if has_energy {
            shared[k + 1] = slope;
        }
    }
    shared
}

/// Slope of value over factor: weighted least squares, or the median of the slopes of all pairs (H. Theil 1950;
/// P. K. Sen 1968, doi:10.1080/01621459.1968.10480934).
fn slope_of(witnesses: &[Witness], robust: bool) -> f64 {
    if robust {
        let mut slopes = Vec::new();
        for (index, a) in witnesses.iter().enumerate() {
            for b in &witnesses[index + 1..] {
                if a.factor != b.factor {
                    slopes.push((b.value - a.value) / (b.factor - a.factor));
                }
            }
        }
        return median(slopes);
    }
    let total: f64 = witnesses.iter().map(|w| w.weight).sum();
    let mean = |of: fn(&Witness) -> f64| witnesses.iter().map(|w| w.weight * of(w)).sum::<f64>() / total;
    let (factor, value) = (mean(|w| w.factor), mean(|w| w.value));
    let (mut across, mut along) = (0.0, 0.0);
    for w in witnesses {
        across += w.weight * (w.factor - factor) * (w.value - value);
        along += w.weight * (w.factor - factor).powi(2);
    }
    if along > 0.0 { across / along } else { 0.0 }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
