//! Least squares with no value below zero, on the normal equations.
//!
//! An active set method (C. L. Lawson and R. J. Hanson 1974, doi:10.1137/1.9781611971217, chapter 23; on the normal
//! equations R. Bro and S. de Jong 1997, doi:10.1002/(SICI)1099-128X(199709/10)11:5<393::AID-CEM483>3.0.CO;2-L) that
//! begins with a guess of the free variables and lets one variable of each run of neighbours go at a time: with
//! the set of a neighbouring problem it ends after a few solutions.

use super::dense::{Factor, Square, dot};

/// The minimum of x'Kx/2 - b'x with x at least zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Solution {
    /// All variables.
    pub values: Vec<f64>,
    /// The factor of K over the variables that are free, in ascending order.
    pub factor: Factor,
}

impl Solution {
    /// Whether a variable is free, and not held at zero.
    pub(super) fn is_free(&self, variable: usize) -> bool {
        self.factor.chosen.binary_search(&variable).is_ok()
    }
}

/// Solves for `matrix` K, positive definite, and `right` b. `free` is where to begin and then what was found free;
/// variables of which `blocked` is true stay at zero. None where K is not positive definite.
pub(super) fn solve(
    matrix: &Square,
    right: &[f64],
    free: &mut [bool],
    blocked: impl Fn(usize) -> bool,
) -> Option<Solution> {
    let size = matrix.size;
    for (variable, free) in free.iter_mut().enumerate() {
        *free &= !blocked(variable);
    }
    let slope_tolerance = 1e-9 * right.iter().fold(0.0_f64, |most, b| most.max(b.abs()));
    let mut values = vec![0.0; size];
    let mut factor = begin(matrix, right, free, &mut values)?;
    let mut one_at_a_time = false;
    for _ in 0..5 * size + 20 {
        let slopes: Vec<f64> = (0..size)
            .map(|variable| match free[variable] || blocked(variable) {
                true => 0.0,
                false => dot(matrix.row(variable), &values) - right[variable],
            })
            .collect();
        let released = released(&slopes, slope_tolerance, one_at_a_time);
        if released.is_empty() {
            return Some(Solution { values, factor });
        }
        released.iter().for_each(|&variable| free[variable] = true);
        factor = descend(matrix, right, free, &mut values)?;
        if released.iter().all(|&variable| !free[variable]) {
            if one_at_a_time {
                // The steepest variable cannot leave zero: what is left is rounding.
                return Some(Solution { values, factor });
            }
            one_at_a_time = true;
        } else {
            one_at_a_time = false;
        }
    }
    None
}

/// The solution over the free variables, in the order of the factor's rows.
fn solve_free(matrix: &Square, right: &[f64], free: &[bool]) -> Option<(Factor, Vec<f64>)> {
    let factor = matrix.cholesky_of((0..free.len()).filter(|&variable| free[variable]).collect())?;
    let mut solved: Vec<f64> = factor.chosen.iter().map(|&variable| right[variable]).collect();
    factor.solve(&mut solved);
    Some((factor, solved))
}

/// Frees only what is positive, and begins there.
fn begin(matrix: &Square, right: &[f64], free: &mut [bool], values: &mut [f64]) -> Option<Factor> {
    loop {
        let (factor, solved) = solve_free(matrix, right, free)?;
        let pairs = factor.chosen.iter().zip(&solved);
        if solved.iter().all(|value| *value > 0.0) {
            pairs.for_each(|(&variable, value)| values[variable] = *value);
            return Some(factor);
        }
        pairs.for_each(|(&variable, value)| free[variable] = *value > 0.0);
    }
}

/// Goes from feasible values to the minimum over the free variables, and holds what meets zero on the way.
fn descend(matrix: &Square, right: &[f64], free: &mut [bool], values: &mut [f64]) -> Option<Factor> {
    loop {
        let (factor, solved) = solve_free(matrix, right, free)?;
        let pairs = || factor.chosen.iter().copied().zip(solved.iter().copied());
        let step = pairs()
            .filter(|(_, target)| *target <= 0.0)
            .map(|(variable, target)| values[variable] / (values[variable] - target))
            .fold(1.0, f64::min);
        if pairs().all(|(_, target)| target > 0.0) {
            pairs().for_each(|(variable, target)| values[variable] = target);
            return Some(factor);
        }
        for (variable, target) in pairs() {
            let here = values[variable];
            values[variable] += step * (target - here);
            if target <= 0.0 && (values[variable] <= 1e-12 * here || step.is_nan()) {
                values[variable] = 0.0;
                free[variable] = false;
            }
        }
    }
}

/// The variables to free: the steepest of each run of neighbours that want to grow, or the steepest of all.
fn released(slopes: &[f64], tolerance: f64, only_one: bool) -> Vec<usize> {
    let wants = |variable: usize| slopes[variable] < -tolerance;
    if only_one {
        let steepest = (0..slopes.len()).filter(|&variable| wants(variable));
        return steepest
            .min_by(|a, b| slopes[*a].total_cmp(&slopes[*b]))
            .into_iter()
            .collect();
    }
    let beside = |variable: Option<usize>| variable.and_then(|at| slopes.get(at)).copied().unwrap_or(0.0);
    (0..slopes.len())
        .filter(|&variable| {
            wants(variable)
                && slopes[variable] < beside(variable.checked_sub(1))
                && slopes[variable] <= beside(Some(variable + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// K = A'A + ridge and b = A'y of numbers in -1..1.
    fn problem(numbers: &[f64], size: usize, ridge: f64) -> (Square, Vec<f64>) {
        let rows = numbers.len() / (size + 1);
        let column = |k: usize| &numbers[k * rows..(k + 1) * rows];
        let mut matrix = Square::zeros(size);
        for i in 0..size {
            for j in 0..=i {
                let ridge = if i == j { ridge } else { 0.0 };
                matrix.set_both(i, j, dot(column(i), column(j)) + ridge);
            }
        }
        let right = (0..size).map(|i| dot(column(i), column(size))).collect();
        (matrix, right)
    }

    proptest! {
        #[test]
        fn the_conditions_of_a_constrained_minimum_hold_wherever_it_begins(
            numbers in prop::collection::vec(-1.0..1.0_f64, 12 * 13),
            start in prop::collection::vec(any::<bool>(), 12),
            blocked in 0..16_usize,
        ) {
            let (matrix, right) = problem(&numbers, 12, 1e-6);
            let mut free = start;
            let solution = solve(&matrix, &right, &mut free, |i| i == blocked).unwrap();
            for (i, b) in right.iter().enumerate() {
                let slope = dot(matrix.row(i), &solution.values) - b;
                prop_assert!(solution.values[i] >= 0.0);
                if solution.is_free(i) {
                    prop_assert!(slope.abs() < 1e-7, "{i} {slope}");
                } else {
                    prop_assert!(solution.values[i] == 0.0);
                    prop_assert!(i == blocked || slope > -1e-7, "{i} {slope}");
                }
            }
        }
    }

    #[test]
    fn a_known_case_has_its_known_answer() {
        // min (x-1)^2 + (y+1)^2 with both at least zero.
        let (matrix, right) = problem(&[1.0, 0.0, 0.0, 1.0, 1.0, -1.0], 2, 0.0);
        let solution = solve(&matrix, &right, &mut [true, true], |_| false).unwrap();
        assert_eq!(solution.values, [1.0, 0.0]);
        assert_eq!(solution.factor.chosen, [0]);
    }

    #[test]
    fn nothing_that_is_not_positive_definite_is_solved() {
        let matrix = Square {
            size: 2,
            values: vec![1.0, 1.0, 1.0, 1.0],
        };
        assert!(solve(&matrix, &[1.0, 1.0], &mut [true, true], |_| false).is_none());
    }
}
