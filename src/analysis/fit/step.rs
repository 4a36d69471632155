//! One step of a search: the damped normal equations within the bounds and a radius, solved without allocation.

use super::problem::{Coordinate, Normal};

/// How much more a step of an exponent counts than one of a logarithm: the whole range of an exponent is less than
/// what a factor of e is to a scale parameter.
const EXPONENT_WEIGHT: f64 = 4.0;
/// A step that is longer than allowed by no more than this factor is shortened rather than damped further.
const SHORTENED: f64 = 1.5;
/// By how much the damping is raised at once where a step is too long.
const RAISES: (f64, f64) = (1.5, 10.0);
/// Damping beyond this leads nowhere.
const LARGEST_DAMPING: f64 = 1e20;

/// Memory for steps of a search.
pub(super) struct Stepper {
    /// Upper triangle by rows.
    damped: Vec<f64>,
    /// What the damping is multiplied by for each coordinate.
    stiffness: Vec<f64>,
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
            stiffness: vec![0.0; coordinates],
            forced: vec![None; coordinates],
            step: vec![0.0; coordinates],
            next: vec![0.0; coordinates],
        }
    }

    /// Finds the next position no further away than `radius`, raising the damping until that holds, and tells the
    /// decrease of chi-squared that the quadratic model promises; none where no damping leads to a step.
    pub fn take(
        &mut self,
        position: &[f64],
        normal: &Normal,
        coordinates: &[Coordinate],
        damping: &mut f64,
        radius: f64,
    ) -> Option<f64> {
        self.stiffen(normal, coordinates);
        let length = loop {
            let length = self.solve_within_bounds(position, normal, coordinates, *damping);
            match length {
                Some(length) if length <= SHORTENED * radius => break length,
                Some(length) => *damping *= (length / radius).clamp(RAISES.0, RAISES.1),
                None => *damping *= RAISES.1,
            }
            if *damping > LARGEST_DAMPING {
                return None;
            }
        };
        let scale = if length > radius { radius / length } else { 1.0 };
        for (k, coordinate) in coordinates.iter().enumerate() {
            self.step[k] *= scale;
            self.next[k] = (position[k] + self.step[k]).clamp(coordinate.lower, coordinate.upper);
        }
        let mut predicted = 0.0;
        for (k, &step) in self.step.iter().enumerate() {
            let below: f64 = (0..k).map(|l| normal.curvature[(l, k)] * self.step[l]).sum();
            predicted -= step * (2.0 * (normal.gradient[k] + below) + normal.curvature[(k, k)] * step);
        }
        Some(predicted)
    }

    /// How long the step is, in the measure of a radius.
    pub fn length(&self, coordinates: &[Coordinate]) -> f64 {
        let longer =
            |most: f64, (step, coordinate): (&f64, &Coordinate)| most.max(step.abs() * weight(coordinate));
        self.step.iter().zip(coordinates).fold(0.0, longer)
    }

    /// Half way between equal damping of all coordinates (K. Levenberg) and damping in proportion to the curvature
    /// (D. W. Marquardt). With the latter a coordinate that the data hardly see runs away, with the former one that
    /// they see well is held back.
    fn stiffen(&mut self, normal: &Normal, coordinates: &[Coordinate]) {
        let largest = (0..coordinates.len()).fold(0.0_f64, |most, k| most.max(normal.curvature[(k, k)]));
        for (k, coordinate) in coordinates.iter().enumerate() {
            self.stiffness[k] = weight(coordinate) * (normal.curvature[(k, k)] * largest).sqrt();
        }
    }

    /// Finds the damped step and tells its length; none where the damped matrix is still singular.
    ///
    /// A coordinate that pushes against its bound stays there; one that would cross it goes to the bound, and the
    /// others are solved for again, so that the model decreases along the whole step.
    fn solve_within_bounds(
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
            if !solve(&mut self.damped, &mut self.step) || !self.step.iter().all(|step| step.is_finite()) {
                return None;
            }
            if !self.move_within(position, coordinates) {
                break;
            }
        }
        Some(self.length(coordinates))
    }

    fn assemble(&mut self, normal: &Normal, damping: f64) {
        let size = self.step.len();
        if size == 0 {
            return;
        }
        // The second summand holds parameters that nothing determines where they are.
        let least = 1e-14 * normal.chi_squared;
        let rows = self.damped.chunks_exact_mut(size);
        let curvature = normal.curvature.as_slice().chunks_exact(size);
        for (row, (entries, curvature)) in rows.zip(curvature).enumerate() {
            entries[row..].copy_from_slice(&curvature[row..]);
            entries[row] += damping * self.stiffness[row] + least;
            self.step[row] = -normal.gradient[row];
        }
        for index in 0..size {
            if let Some(forced) = self.forced[index] {
                self.force(index, forced, normal);
            }
        }
    }

    /// Takes a coordinate out of the equations of the others.
    fn force(&mut self, index: usize, forced: f64, normal: &Normal) {
        let size = self.step.len();
        for other in 0..size {
            if self.forced[other].is_none() {
                self.step[other] -= normal.curvature[(other, index)] * forced;
            }
            self.damped[size * other.min(index) + other.max(index)] = 0.0;
        }
        self.damped[size * index + index] = 1.0;
        self.step[index] = forced;
    }

    /// Shortens steps that would cross a bound; tells whether there were any.
    fn move_within(&mut self, position: &[f64], coordinates: &[Coordinate]) -> bool {
        let mut crossed = false;
        for (k, coordinate) in coordinates.iter().enumerate() {
            let wanted = position[k] + self.step[k];
            let within = wanted.clamp(coordinate.lower, coordinate.upper);
            if within != wanted {
                self.step[k] = within - position[k];
                crossed |= self.forced[k].is_none();
                self.forced[k] = Some(self.step[k]);
            }
        }
        crossed
    }
}

fn weight(coordinate: &Coordinate) -> f64 {
    if coordinate.logarithmic {
        1.0
    } else {
        EXPONENT_WEIGHT
    }
}

/// Solves a x = b in place by elimination in the upper triangle of a symmetric matrix; false where it is not positive.
fn solve(a: &mut [f64], b: &mut [f64]) -> bool {
    let size = b.len();
    for pivot in 0..size {
        let (above, below) = a.split_at_mut(size * (pivot + 1));
        let own = &mut above[size * pivot..];
        if own[pivot].is_nan() || own[pivot] <= 0.0 {
            return false;
        }
        // Its inverse, because only that is needed.
        own[pivot] = 1.0 / own[pivot];
        for (row, entries) in (pivot + 1..size).zip(below.chunks_exact_mut(size)) {
            let factor = own[row] * own[pivot];
            for (entry, other) in entries[row..].iter_mut().zip(&own[row..]) {
                *entry -= factor * other;
            }
            b[row] -= factor * b[pivot];
        }
    }
    for row in (0..size).rev() {
        let entries = &a[size * row..size * (row + 1)];
        let product: f64 = entries[row + 1..]
            .iter()
            .zip(&b[row + 1..])
            .map(|(x, y)| x * y)
            .sum();
        b[row] = (b[row] - product) * entries[row];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_positive_system_is_solved_and_another_refused() {
        let mut a = [4.0, 2.0, -2.0, 0.0, 5.0, 1.0, 0.0, 0.0, 6.0];
        let mut b = [4.0 + 4.0 - 6.0, 2.0 + 10.0 + 3.0, -2.0 + 2.0 + 18.0];
        assert!(solve(&mut a, &mut b));
        for (found, expected) in b.iter().zip([1.0, 2.0, 3.0]) {
            assert!((found - expected).abs() < 1e-14, "{b:?}");
        }
        assert!(!solve(&mut [1.0, 2.0, 0.0, 1.0], &mut [1.0, 1.0]));
        assert!(!solve(&mut [f64::NAN], &mut [1.0]));
    }
}
