//! Normal equations of a series: own blocks on the diagonal, coupled by what is shared alone. They are solved
//! block by block (Schur complement), so that the cost grows with the number of spectra, not with its cube.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::sharing::{Layout, Link};
use crate::analysis::fit::problem::Normal;

/// The block of one spectrum.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub gradient: DVector<f64>,
    pub curvature: DMatrix<f64>,
    /// Rows: own coordinates, columns: shared ones.
    pub coupling: DMatrix<f64>,
}

/// chi-squared, J'r and J'J of the whole series.
#[derive(Clone, Debug)]
pub(super) struct Arrow {
    pub chi_squared: f64,
    pub gradient: DVector<f64>,
    pub curvature: DMatrix<f64>,
    pub blocks: Vec<Block>,
}

/// A vector over all coordinates of the series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Position {
    pub shared: Vec<f64>,
    pub own: Vec<Vec<f64>>,
}

impl Arrow {
    pub fn new(layout: &Layout) -> Self {
        let shared = layout.shared.len();
        Self {
            chi_squared: 0.0,
            gradient: DVector::zeros(shared),
            curvature: DMatrix::zeros(shared, shared),
            blocks: Vec::with_capacity(layout.own.len()),
        }
    }

    /// Adds what one spectrum says, in the order of the spectra.
    pub fn add(&mut self, layout: &Layout, normal: &Normal) {
        let spectrum = self.blocks.len();
        let own = &layout.own[spectrum];
        let links = &layout.links[spectrum];
        self.chi_squared += normal.chi_squared;
        let mut block = Block {
            gradient: DVector::from_fn(own.len(), |i, _| normal.gradient[own[i]]),
            curvature: DMatrix::from_fn(own.len(), own.len(), |i, j| normal.curvature[(own[i], own[j])]),
            coupling: DMatrix::zeros(own.len(), self.gradient.len()),
        };
        for (k, link) in links.iter().enumerate() {
            let Link::Shared(terms, _) = link else { continue };
            for &(column, factor) in terms {
                self.gradient[column] += factor * normal.gradient[k];
                for (row, &own) in own.iter().enumerate() {
                    block.coupling[(row, column)] += factor * normal.curvature[(own, k)];
                }
                for (l, other) in links.iter().enumerate() {
                    let Link::Shared(terms, _) = other else { continue };
                    for &(row, other_factor) in terms {
                        self.curvature[(row, column)] += factor * other_factor * normal.curvature[(l, k)];
                    }
                }
            }
        }
        self.blocks.push(block);
    }

    pub fn is_finite(&self) -> bool {
        self.chi_squared.is_finite()
            && self.gradient.iter().all(|g| g.is_finite())
            && self.curvature.iter().all(|c| c.is_finite())
    }

    /// Holds some coordinates where they are: their equations say that they do not move.
    pub fn hold(&mut self, is_held: &Held) {
        for (k, _) in is_held.shared.iter().enumerate().filter(|(_, held)| **held) {
            single_out(&mut self.curvature, &mut self.gradient, k);
            for block in &mut self.blocks {
                block.coupling.column_mut(k).fill(0.0);
            }
        }
        for (block, held) in self.blocks.iter_mut().zip(&is_held.own) {
            for (k, _) in held.iter().enumerate().filter(|(_, held)| **held) {
                single_out(&mut block.curvature, &mut block.gradient, k);
                block.coupling.row_mut(k).fill(0.0);
            }
        }
    }

    /// Makes a step shorter and safer.
    pub fn damp(&mut self, damping: f64) {
        let floor = 1e-14 * self.chi_squared.max(f64::MIN_POSITIVE);
        let damp = |matrix: &mut DMatrix<f64>| {
            for k in 0..matrix.nrows() {
                matrix[(k, k)] += damping * matrix[(k, k)] + floor;
            }
        };
        damp(&mut self.curvature);
        self.blocks
            .iter_mut()
            .for_each(|block| damp(&mut block.curvature));
    }

    /// Takes the own coordinates out; none where a block is singular.
    pub fn factor(&self) -> Option<Factors> {
        let mut schur = self.curvature.clone();
        let mut own = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let cholesky = Cholesky::new(block.curvature.clone())?;
            let response = cholesky.solve(&block.coupling);
            schur -= block.coupling.tr_mul(&response);
            own.push((cholesky, response));
        }
        Some(Factors {
            shared: Cholesky::new(schur)?,
            own,
        })
    }

    /// The step that the equations ask for.
    pub fn step(&self, factors: &Factors) -> Position {
        let mut right = -&self.gradient;
        let mut free = Vec::with_capacity(self.blocks.len());
        for (block, (cholesky, _)) in self.blocks.iter().zip(&factors.own) {
            let alone = cholesky.solve(&-&block.gradient);
            right -= block.coupling.tr_mul(&alone);
            free.push(alone);
        }
        let shared = factors.shared.solve(&right);
        let own = free
            .into_iter()
            .zip(&factors.own)
            .map(|(alone, (_, response))| (alone - response * &shared).iter().copied().collect())
            .collect();
        Position {
            shared: shared.iter().copied().collect(),
            own,
        }
    }

    /// How much chi-squared falls over a step, as the equations promise.
    pub fn promise(&self, step: &Position) -> f64 {
        let shared = DVector::from_column_slice(&step.shared);
        let mut change = 2.0 * self.gradient.dot(&shared) + shared.dot(&(&self.curvature * &shared));
        for (block, own) in self.blocks.iter().zip(&step.own) {
            let own = DVector::from_column_slice(own);
            change += 2.0 * block.gradient.dot(&own)
                + own.dot(&(&block.curvature * &own))
                + 2.0 * own.dot(&(&block.coupling * &shared));
        }
        -change
    }
}

/// Which coordinates do not move.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub shared: Vec<bool>,
    pub own: Vec<Vec<bool>>,
}

/// Factors of the equations.
pub(super) struct Factors {
    shared: Cholesky<f64, Dyn>,
    /// For each spectrum its block, and how its coordinates follow the shared ones.
    own: Vec<(Cholesky<f64, Dyn>, DMatrix<f64>)>,
}

fn single_out(matrix: &mut DMatrix<f64>, gradient: &mut DVector<f64>, k: usize) {
    matrix.row_mut(k).fill(0.0);
    matrix.column_mut(k).fill(0.0);
    matrix[(k, k)] = 1.0;
    gradient[k] = 0.0;
}
