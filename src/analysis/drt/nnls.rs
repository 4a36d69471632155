//! Least squares with no value below zero, on the normal equations.
//!
//! Block principal pivoting: all variables of the wrong sign change sides at once, and one at a time where that
//! does not converge (J. Kim and H. Park 2011, doi:10.1137/110821172). A set of free variables that is nearly right,
//! such as that of a neighbouring problem, is a start that ends in two or three solutions.

use super::dense::{Factor, Square, dot};

/// Exchanges of whole blocks that are granted without getting better.
const PATIENCE: usize = 3;

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
    let slope_tolerance = 1e-10 * right.iter().fold(0.0_f64, |most, b| most.max(b.abs()));
    let (mut fewest, mut patience) = (size + 1, PATIENCE);
    let mut values = vec![0.0; size];
    for _ in 0..10 * size + 20 {
        let chosen: Vec<usize> = (0..size).filter(|&variable| free[variable]).collect();
        let factor = matrix.cholesky_of(chosen)?;
        let mut solved: Vec<f64> = factor.chosen.iter().map(|&variable| right[variable]).collect();
        factor.solve(&mut solved);
        values.iter_mut().for_each(|value| *value = 0.0);
        for (&variable, value) in factor.chosen.iter().zip(&solved) {
            values[variable] = *value;
        }
        let largest = solved.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let wrong: Vec<usize> = (0..size)
            .filter(|&variable| {
                if free[variable] {
                    values[variable] < -1e-13 * largest
                } else {
                    !blocked(variable)
                        && dot(matrix.row(variable), &values) - right[variable] < -slope_tolerance
                }
            })
            .collect();
        if wrong.is_empty() {
            values.iter_mut().for_each(|value| *value = value.max(0.0));
            return Some(Solution { values, factor });
        }
        if wrong.len() < fewest {
            (fewest, patience) = (wrong.len(), PATIENCE);
        } else if patience > 0 {
            patience -= 1;
        } else {
            // Murty's rule, which always ends.
            if let Some(&last) = wrong.last() {
                free[last] = !free[last];
            }
            continue;
        }
        for variable in wrong {
            free[variable] = !free[variable];
        }
    }
    None
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
            for i in 0..12 {
                let slope = dot(matrix.row(i), &solution.values) - right[i];
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
