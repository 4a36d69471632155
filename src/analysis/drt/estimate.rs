//! One distribution at one weight of the penalty, with what it says about its own errors.

use super::dense::dot;
use super::nnls::{self, Solution};
use super::system::System;

/// The distribution at one weight of the penalty. Unknowns are in units of the data's scale.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub lambda: f64,
    pub solution: Solution,
    /// Weighted sum of squared residuals.
    pub chi_squared: f64,
    /// The same with the penalty.
    pub objective: f64,
    /// Trace of the influence matrix: how many parameters the data were given to fit.
    pub freedom: f64,
    /// Measured numbers.
    pub rows: usize,
}

impl Estimate {
    /// Solves; `free` is a guess of which unknowns are not zero, and is brought up to date.
    pub(super) fn at(system: &System, lambda: f64, free: &mut [bool]) -> Option<Self> {
        let matrix = system.penalised(lambda);
        let solution = nnls::solve(&matrix, &system.right, free, |_| false)?;
        Some(Self::of(system, lambda, solution))
    }

    fn of(system: &System, lambda: f64, solution: Solution) -> Self {
        let residuals = system.residuals(&solution.values);
        let chi_squared = dot(&residuals, &residuals);
        Self {
            lambda,
            chi_squared,
            objective: chi_squared + lambda * system.roughness_of(&solution.values),
            freedom: freedom(system, lambda, &solution),
            rows: system.rows(),
            solution,
        }
    }

    /// Estimate of one weighted residual's variance.
    pub(super) fn variance(&self) -> f64 {
        self.chi_squared / (self.rows as f64 - self.freedom).max(1.0)
    }

    /// Generalised cross-validation (G. H. Golub, M. Heath and G. Wahba 1979, doi:10.1080/00401706.1979.10489751)
    /// over the unknowns that are not held at zero. `price` above 1 asks more for each parameter (D. J. Cummins,
    /// T. G. Filloon and D. Nychka 2001, doi:10.1198/016214501750332767), since plain cross-validation
    /// now and then follows the noise.
    pub(super) fn cross_validation(&self, price: f64) -> f64 {
        let rows = self.rows as f64;
        let left = (1.0 - price * self.freedom / rows).max(1e-3);
        self.chi_squared / rows / (left * left)
    }

    /// How much worse the objective becomes where some unknowns must be zero, in units of the noise's variance.
    pub(super) fn cost_of_removing(&self, system: &System, removed: std::ops::Range<usize>) -> Option<f64> {
        let matrix = system.penalised(self.lambda);
        let mut free: Vec<bool> = (0..system.layout.size())
            .map(|unknown| self.solution.is_free(unknown))
            .collect();
        let solution = nnls::solve(&matrix, &system.right, &mut free, |unknown| {
            removed.contains(&unknown)
        })?;
        let residuals = system.residuals(&solution.values);
        let without = dot(&residuals, &residuals) + self.lambda * system.roughness_of(&solution.values);
        Some((without - self.objective) / self.variance())
    }

    /// Standard error of a weighted sum of the unknowns: noise at this weight of the penalty and with the same
    /// unknowns at zero. None where all the weights fall on unknowns that are held at zero.
    pub(super) fn std_error_of(&self, system: &System, weights: &[(usize, f64)]) -> Option<f64> {
        let chosen = &self.solution.factor.chosen;
        let mut vector = vec![0.0; chosen.len()];
        let mut any = false;
        for (unknown, weight) in weights {
            if let Ok(place) = chosen.binary_search(unknown) {
                vector[place] = *weight;
                any = true;
            }
        }
        if !any {
            return None;
        }
        self.solution.factor.solve(&mut vector);
        let mut whole = vec![0.0; system.layout.size()];
        for (unknown, value) in chosen.iter().zip(&vector) {
            whole[*unknown] = *value;
        }
        let quadratic: f64 = chosen
            .iter()
            .zip(&vector)
            .map(|(unknown, value)| value * dot(system.gram.row(*unknown), &whole))
            .sum();
        Some((self.variance() * quadratic.max(0.0)).sqrt())
    }
}

/// tr(G K^-1) over the free unknowns: their number less what the penalty holds, lambda tr(M K^-1). M is banded, so
/// only a band of the inverse is needed.
fn freedom(system: &System, lambda: f64, solution: &Solution) -> f64 {
    let factor = &solution.factor;
    let columns = factor.inverse_columns();
    let inverse = |row: usize, column: usize| {
        let from = row.max(column);
        dot(&columns[row][from..], &columns[column][from..])
    };
    let taus = system.layout.taus;
    let mut held = 0.0;
    for (place, &unknown) in factor.chosen.iter().enumerate().take_while(|(_, u)| **u < taus) {
        held += system.penalty[unknown][0] * inverse(place, place);
        for next in place + 1..(place + 3).min(factor.size()) {
            let offset = factor.chosen[next] - unknown;
            if offset < 3 && factor.chosen[next] < taus {
                held += 2.0 * system.penalty[unknown][offset] * inverse(place, next);
            }
        }
    }
    factor.size() as f64 - lambda * held
}
