//! Errors of a series. For each spectrum the own coordinates of all others are taken out of the equations, which
//! leaves what the whole series says of its own and of the shared ones; from there on they are errors like those
//! of a single fit.

use nalgebra::{DMatrix, DVector};

use super::arrow::{Arrow, Position};
use super::search::{Outcome, Series};
use super::sharing::{Layout, Link};
use crate::analysis::fit::covariance::{Covariance, Optimum, inverse};
use crate::analysis::fit::problem::Coordinate;

/// The equations of a series at its optimum, in which coordinates on a bound have the room that data and bound leave
/// them.
pub(super) struct Errors<'a> {
    layout: &'a Layout,
    reduced: Reduced,
    position: &'a Position,
    noise: f64,
}

impl<'a> Errors<'a> {
    /// `noise` is the variance of a weighted residual.
    pub fn new(series: &Series<'a, '_>, outcome: &'a Outcome, noise: f64) -> Self {
        let layout = series.layout;
        let mut reduced = Reduced::new(outcome.arrow.clone());
        let position = &outcome.position;
        let shared = shared_coordinates(layout);
        let (curvature, gradient) = reduced.shared();
        let optimum = Optimum {
            coordinates: &shared,
            position: &position.shared,
            curvature: &curvature,
            gradient: &gradient,
        };
        let of_shared = optimum.stiffness_at_bounds(noise);
        let mut of_own = Vec::new();
        for (spectrum, own) in position.own.iter().enumerate() {
            let own_coordinates: Vec<Coordinate> = layout.own[spectrum]
                .iter()
                .map(|&k| series.problems[spectrum].coordinates[k].clone())
                .collect();
            let mut on_bound = own_coordinates.iter().zip(own);
            if !on_bound.any(|(coordinate, &value)| coordinate.at_bound(value)) {
                continue;
            }
            let (curvature, gradient) = reduced.with(spectrum);
            let optimum = Optimum {
                coordinates: &[shared.clone(), own_coordinates].concat(),
                position: &[position.shared.as_slice(), own].concat(),
                curvature: &curvature,
                gradient: &gradient,
            };
            let all = optimum.stiffness_at_bounds(noise);
            let own = all.into_iter().filter(|(k, _)| *k >= shared.len());
            of_own.extend(own.map(|(k, stiffness)| (spectrum, k - shared.len(), stiffness)));
        }
        if !(of_shared.is_empty() && of_own.is_empty()) {
            let mut arrow = reduced.arrow;
            for (k, stiffness) in of_shared {
                arrow.curvature[(k, k)] += stiffness;
            }
            for (spectrum, k, stiffness) in of_own {
                arrow.blocks[spectrum].curvature[(k, k)] += stiffness;
            }
            reduced = Reduced::new(arrow);
        }
        Self {
            layout,
            reduced,
            position,
            noise,
        }
    }

    /// Standard error of each shared coordinate as the search sees it; none on a bound, and where the series does not
    /// determine it.
    pub fn of_shared(&self) -> Vec<Option<f64>> {
        let count = self.layout.shared.len();
        let coordinates: Vec<Coordinate> = shared_coordinates(self.layout)
            .into_iter()
            .enumerate()
            .map(|(k, coordinate)| Coordinate {
                parameters: vec![k],
                ..coordinate
            })
            .collect();
        let (curvature, gradient) = self.reduced.shared();
        let optimum = Optimum {
            coordinates: &coordinates,
            position: &self.position.shared,
            curvature: &curvature,
            gradient: &gradient,
        };
        let covariance = Covariance::of(&optimum, count, self.noise);
        (0..count).map(|k| covariance.parameter_error(k)).collect()
    }

    /// Covariance of the parameters of one spectrum in natural units. `coordinates` are those of its problem, and
    /// `local` their values.
    pub fn of_spectrum(
        &self,
        spectrum: usize,
        coordinates: &[Coordinate],
        local: &[f64],
        parameters: usize,
    ) -> Covariance {
        let shared = self.layout.shared.len();
        let energies: Vec<usize> = (0..shared).filter(|&k| self.layout.shared[k].is_energy).collect();
        let slot = |energy: usize| {
            let place = energies.iter().position(|&other| other == energy);
            coordinates.len() + place.unwrap_or_default()
        };
        // The coordinates of the problem, and the energies behind them, in place of the shared and own ones.
        let size = coordinates.len() + energies.len();
        let mut change = DMatrix::zeros(size, size);
        for &energy in &energies {
            change[(energy, slot(energy))] = 1.0;
        }
        for (k, link) in self.layout.links[spectrum].iter().enumerate() {
            match link {
                Link::Own(index) => change[(shared + index, k)] = 1.0,
                Link::Shared(terms, _) => {
                    let (value, _) = terms[0];
                    change[(value, k)] = 1.0;
                    for &(energy, factor) in &terms[1..] {
                        change[(value, slot(energy))] = -factor;
                    }
                }
            }
        }
        let (curvature, gradient) = self.reduced.with(spectrum);
        let energy_coordinates = energies.iter().map(|&k| Coordinate {
            parameters: Vec::new(),
            ..self.layout.shared[k].coordinate()
        });
        let energy_values = energies.iter().map(|&k| self.position.shared[k]);
        let optimum = Optimum {
            coordinates: &coordinates
                .iter()
                .cloned()
                .chain(energy_coordinates)
                .collect::<Vec<_>>(),
            position: &local.iter().copied().chain(energy_values).collect::<Vec<_>>(),
            curvature: &change.tr_mul(&(curvature * &change)),
            gradient: &change.tr_mul(&gradient),
        };
        Covariance::of(&optimum, parameters, self.noise)
    }
}

fn shared_coordinates(layout: &Layout) -> Vec<Coordinate> {
    layout.shared.iter().map(|shared| shared.coordinate()).collect()
}

/// Equations with what each spectrum by itself says of the shared coordinates once its own are free.
struct Reduced {
    arrow: Arrow,
    /// What the freedom of its own coordinates takes from curvature and gradient of the shared ones, of each spectrum.
    taken: Vec<(DMatrix<f64>, DVector<f64>)>,
}

impl Reduced {
    fn new(arrow: Arrow) -> Self {
        let taken = arrow
            .blocks
            .iter()
            .map(|block| {
                let response = inverse(&block.curvature) * &block.coupling;
                (block.coupling.tr_mul(&response), response.tr_mul(&block.gradient))
            })
            .collect();
        Self { arrow, taken }
    }

    /// Curvature and gradient of the shared coordinates, the own ones of all spectra but one taken out.
    fn without(&self, kept: Option<usize>) -> (DMatrix<f64>, DVector<f64>) {
        let mut curvature = self.arrow.curvature.clone();
        let mut gradient = self.arrow.gradient.clone();
        for (spectrum, (of_curvature, of_gradient)) in self.taken.iter().enumerate() {
            if Some(spectrum) != kept {
                curvature -= of_curvature;
                gradient -= of_gradient;
            }
        }
        (curvature, gradient)
    }

    fn shared(&self) -> (DMatrix<f64>, DVector<f64>) {
        self.without(None)
    }

    /// Curvature and gradient of the shared coordinates (first) and the own ones of one spectrum.
    fn with(&self, spectrum: usize) -> (DMatrix<f64>, DVector<f64>) {
        let (of_shared, gradient_of_shared) = self.without(Some(spectrum));
        let block = &self.arrow.blocks[spectrum];
        let (shared, own) = (of_shared.nrows(), block.curvature.nrows());
        let mut curvature = DMatrix::zeros(shared + own, shared + own);
        curvature.view_mut((0, 0), (shared, shared)).copy_from(&of_shared);
        curvature
            .view_mut((shared, 0), (own, shared))
            .copy_from(&block.coupling);
        curvature
            .view_mut((0, shared), (shared, own))
            .copy_from(&block.coupling.transpose());
        curvature
            .view_mut((shared, shared), (own, own))
            .copy_from(&block.curvature);
        let mut gradient = DVector::zeros(shared + own);
        gradient.rows_mut(0, shared).copy_from(&gradient_of_shared);
        gradient.rows_mut(shared, own).copy_from(&block.gradient);
        (curvature, gradient)
    }
}
