//! One step of a search: the damped normal equations within the bounds, solved without allocation.

use super::problem::{Coordinate, Normal};

/// No coordinate moves by more than this at once: a factor of e² for a scale parameter.
const STEP_LIMIT: f64 = 2.0;

/// Memory for steps of a search.
pub(super) struct Stepper {
    /// Lower triangle by rows.
    damped: Vec<f64>,
    /// Coordinates that do not take part, and how far they go all the same: to their bound, or nowhere.
    forced: Vec<Option<f64>>,
    step: Vec<f64>,
    /// Where the step leads.
    pub next: Vec<f64>,
}

impl Stepper {
    pub fn new(coordinates: usize) -> Self {
        Self {
            damped: vec![0.0; coordinates * coordinates],
            forced: vec![None; coordinates],
            step: vec![0.0; coordinates],
            next: vec![0.0; coordinates],
        }
    }

    /// Finds the next position, and tells the decrease of chi-squared that the quadratic model promises; none where
    /// the damped matrix is still singular.
    ///
    /// A coordinate that pushes against its bound stays there; one that would cross it goes to the bound, and the
    /// others are solved for again, so that the model decreases along the whole step.
    pub fn take(
        &mut self,
        position: &[f64],
        normal: &Normal,
        coordinates: &[Coordinate],
        damping: f64,
    ) -> Option<f64> {
        for (k, coordinate) in coordinates.iter().enumerate() {
            let outward = (position[k] <= coordinate.lower && normal.gradient[k] > 0.0)
                || (position[k] >= coordinate.upper && normal.gradient[k] < 0.0);
            self.forced[k] = outward.then_some(0.0);
        }
        // Each round but the last forces one coordinate more, at least.
        for _ in 0..=coordinates.len() {
            self.assemble(normal, damping);
            if !solve(&mut self.damped, &mut self.step) {
                return None;
            }
            if !self.move_within(position, coordinates)? {
                break;
            }
        }
        let mut predicted = 0.0;
        for k in 0..self.step.len() {
            let bent: f64 = (0..self.step.len())
                .map(|l| normal.curvature[(l, k)] * self.step[l])
                .sum();
            predicted -= self.step[k] * (2.0 * normal.gradient[k] + bent);
        }
        Some(predicted)
    }

    fn assemble(&mut self, normal: &Normal, damping: f64) {
        let size = self.step.len();
        for row in 0..size {
            let entries = &mut self.damped[size * row..size * (row + 1)];
            if let Some(forced) = self.forced[row] {
                entries.fill(0.0);
                entries[row] = 1.0;
                self.step[row] = forced;
                continue;
            }
            self.step[row] = -normal.gradient[row];
            for (column, entry) in entries.iter_mut().enumerate() {
                let curvature = normal.curvature[(column, row)];
                if let Some(forced) = self.forced[column] {
                    *entry = 0.0;
                    self.step[row] -= curvature * forced;
                } else {
                    *entry = curvature;
                }
            }
            // The second summand holds parameters that nothing determines where they are.
            entries[row] += damping * normal.curvature[(row, row)] + 1e-14 * normal.chi_squared;
        }
    }

    /// Shortens the step to the limit; tells whether further coordinates have been forced to their bounds.
    fn move_within(&mut self, position: &[f64], coordinates: &[Coordinate]) -> Option<bool> {
        let largest = self.step.iter().fold(0.0_f64, |most, step| most.max(step.abs()));
        if !self.step.iter().all(|step| step.is_finite()) {
            return None;
        }
        let scale = if largest > STEP_LIMIT {
            STEP_LIMIT / largest
        } else {
            1.0
        };
        let mut crossed = false;
        for (k, coordinate) in coordinates.iter().enumerate() {
            self.step[k] *= scale;
            let wanted = position[k] + self.step[k];
            self.next[k] = wanted.clamp(coordinate.lower, coordinate.upper);
            if self.next[k] != wanted {
                self.step[k] = self.next[k] - position[k];
                crossed |= self.forced[k].is_none();
                self.forced[k] = Some(self.step[k]);
            }
        }
        Some(crossed)
    }
}

/// Solves a x = b in place by Cholesky's decomposition of the lower triangle; false where it is not positive.
fn solve(a: &mut [f64], b: &mut [f64]) -> bool {
    let size = b.len();
    for row in 0..size {
        let (above, rest) = a.split_at_mut(size * row);
        let own = &mut rest[..size];
        for column in 0..row {
            let other = &above[size * column..size * (column + 1)];
            let product: f64 = own[..column].iter().zip(other).map(|(x, y)| x * y).sum();
            own[column] = (own[column] - product) * other[column];
        }
        let square: f64 = own[..row].iter().map(|x| x * x).sum();
        let pivot = own[row] - square;
        if pivot.is_nan() || pivot <= 0.0 {
            return false;
        }
        // Its inverse, because only that is needed.
        own[row] = 1.0 / pivot.sqrt();
        let product: f64 = own[..row].iter().zip(&*b).map(|(x, y)| x * y).sum();
        b[row] = (b[row] - product) * own[row];
    }
    for row in (0..size).rev() {
        let product: f64 = (row + 1..size)
            .map(|below| a[size * below + row] * b[below])
            .sum();
        b[row] = (b[row] - product) * a[size * row + row];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_positive_system_is_solved_and_another_refused() {
        let mut a = [4.0, 0.0, 0.0, 2.0, 5.0, 0.0, -2.0, 1.0, 6.0];
        let mut b = [4.0 + 4.0 - 6.0, 2.0 + 10.0 + 3.0, -2.0 + 2.0 + 18.0];
        assert!(solve(&mut a, &mut b));
        for (found, expected) in b.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-14, "{b:?}");
        }
        assert!(!solve(&mut [1.0, 0.0, 2.0, 1.0], &mut [1.0, 1.0]));
        assert!(!solve(&mut [f64::NAN], &mut [1.0]));
    }
}
