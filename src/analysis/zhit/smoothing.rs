//! A smooth curve through noisy values: a spline whose third differences are kept small, by as much as
//! cross-validation asks for (P. Craven and G. Wahba 1979, doi:10.1007/BF01404567). Wild values lose their weight.

use super::banded::{Banded, Factor};
use super::spline::{Knots, OVERLAP};

/// Weights of smoothness that are tried, as powers of ten, and their step.
const POWERS: [f64; 2] = [-8.0, 6.0];
const POWER_STEP: f64 = 0.5;
/// Rounds in which values far from the curve lose weight.
const ROUNDS: usize = 4;
/// Standard deviations from which on they do (P. J. Huber 1964, doi:10.1214/aoms/1177703732).
const FAR: f64 = 2.0;
/// Each degree of freedom counts a little more than once, which keeps a short series from being followed too closely.
const PRICE: f64 = 1.2;
/// Scatter that any data have: without it the few places where an exact curve bends more than the spline would be
/// taken for wild.
const LEAST_SCATTER: f64 = 1e-4;
/// Median of |x| of a standard normal x.
const NORMAL_MEDIAN: f64 = 0.674_489_750_196_081_7;

/// A curve through values.
pub(super) struct Smooth {
    pub(super) knots: Knots,
    pub(super) coefficients: Vec<f64>,
    /// How far the values scatter around it, one standard deviation.
    pub(super) scatter: f64,
    weights: Vec<f64>,
    factor: Factor,
    places: Vec<(usize, [f64; OVERLAP])>,
}

impl Smooth {
    /// The curve through `values` at `abscissa` in rising order; none where there is nothing to hold it.
    pub(super) fn of(abscissa: &[f64], values: &[f64]) -> Option<Self> {
        let (first, last) = (abscissa.first()?, abscissa.last()?);
        let mut steps: Vec<f64> = abscissa.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.retain(|step| *step > 1e-9);
        steps.sort_by(f64::total_cmp);
        let knots = Knots::new(*first, *last, *steps.get(steps.len() / 2)?);
        let places: Vec<_> = abscissa.iter().map(|x| knots.value(*x)).collect();
        let roughness = roughness(knots.coefficients());
        let mut weights = vec![1.0; values.len()];
        let mut found = None;
        for _ in 0..ROUNDS {
            let best = best(&places, values, &weights, &roughness, knots.coefficients())?;
            let residuals: Vec<f64> = residuals(&places, values, &best.coefficients);
            let mut sizes: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
            sizes.sort_by(f64::total_cmp);
            let left = 1.0 - best.freedom / values.len() as f64;
            let scatter = sizes[sizes.len() / 2] / NORMAL_MEDIAN / left.sqrt();
            let own = std::mem::replace(
                &mut weights,
                sizes_to_weights(&residuals, scatter.max(LEAST_SCATTER)),
            );
            found = Some(Self {
                knots,
                coefficients: best.coefficients,
                scatter,
                weights: own,
                factor: best.factor,
                places: places.clone(),
            });
        }
        found
    }

    /// What each value contributes to each coefficient, value after value: the curve is linear in them.
    pub(super) fn influence(&self) -> Vec<Vec<f64>> {
        self.places
            .iter()
            .zip(&self.weights)
            .map(|((first, parts), weight)| {
                let mut column = vec![0.0; self.coefficients.len()];
                for (entry, part) in column[*first..].iter_mut().zip(parts) {
                    *entry = weight * part;
                }
                self.factor.solve(&mut column);
                column
            })
            .collect()
    }
}

fn sizes_to_weights(residuals: &[f64], scatter: f64) -> Vec<f64> {
    residuals
        .iter()
        .map(|residual| (FAR * scatter / residual.abs().max(f64::MIN_POSITIVE)).min(1.0))
        .collect()
}

fn residuals(places: &[(usize, [f64; OVERLAP])], values: &[f64], coefficients: &[f64]) -> Vec<f64> {
    places
        .iter()
        .zip(values)
        .map(|((first, parts), value)| {
            let curve: f64 = coefficients[*first..].iter().zip(parts).map(|(c, p)| c * p).sum();
            value - curve
        })
        .collect()
}

/// Products of third differences.
fn roughness(coefficients: usize) -> Banded {
    let mut matrix = Banded::zero(coefficients, 4);
    let difference = [-1.0, 3.0, -3.0, 1.0];
    for first in 0..coefficients.saturating_sub(3) {
        for (row, a) in difference.iter().enumerate() {
            for (column, b) in difference.iter().enumerate().take(row + 1) {
                matrix.add(first + row, first + column, a * b);
            }
        }
    }
    matrix
}

/// A solution for one weight of smoothness.
struct Solution {
    coefficients: Vec<f64>,
    freedom: f64,
    score: f64,
    factor: Factor,
}

/// The solution that would foretell a left-out value best.
fn best(
    places: &[(usize, [f64; OVERLAP])],
    values: &[f64],
    weights: &[f64],
    roughness: &Banded,
    size: usize,
) -> Option<Solution> {
    let mut products = Banded::zero(size, OVERLAP);
    let mut right = vec![0.0; size];
    for (((first, parts), value), weight) in places.iter().zip(values).zip(weights) {
        for (row, a) in parts.iter().enumerate() {
            right[first + row] += weight * a * value;
            for (column, b) in parts.iter().enumerate().take(row + 1) {
                products.add(first + row, first + column, weight * a * b);
            }
        }
    }
    let count = values.len() as f64;
    let tried = ((POWERS[1] - POWERS[0]) / POWER_STEP) as usize;
    let solutions = (0..=tried).filter_map(|step| {
        let factor = products
            .plus(10f64.powf(POWERS[0] + POWER_STEP * step as f64), roughness)
            .factor()?;
        let mut coefficients = right.clone();
        factor.solve(&mut coefficients);
        let inverse = factor.inverse();
        let mut freedom = 0.0;
        for row in 0..size {
            for column in row.saturating_sub(OVERLAP - 1)..=row {
                let twice = if row == column { 1.0 } else { 2.0 };
                freedom += twice * inverse.at(row, column) * products.at(row, column);
            }
        }
        let sum: f64 = residuals(places, values, &coefficients)
            .iter()
            .zip(weights)
            .map(|(residual, weight)| weight * residual * residual)
            .sum();
        let left = 1.0 - PRICE * freedom / count;
        (left > 0.0).then(|| Solution {
            coefficients,
            freedom,
            score: sum / (left * left),
            factor,
        })
    });
    solutions.min_by(|a, b| a.score.total_cmp(&b.score))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    fn curve(smooth: &Smooth, x: f64) -> f64 {
        let (first, weights) = smooth.knots.value(x);
        let parts = smooth.coefficients[first..].iter().zip(weights);
        parts.map(|(a, b)| a * b).sum()
    }

    #[test]
    fn noise_is_smoothed_and_a_wild_value_has_no_say() {
        let abscissa: Vec<f64> = (0..80).map(|i| 0.2 * f64::from(i)).collect();
        let truth = |x: f64| (0.5 * x).sin();
        let mut generator = ChaCha8Rng::seed_from_u64(5);
        let mut values: Vec<f64> = abscissa
            .iter()
            .map(|x| {
                let noise: f64 = StandardNormal.sample(&mut generator);
                truth(*x) + 0.02 * noise
            })
            .collect();
        values[37] += 0.8;
        let smooth = Smooth::of(&abscissa, &values).unwrap();
        let error = |x: &f64| (curve(&smooth, *x) - truth(*x)).abs();
        let worst = abscissa.iter().map(error).fold(0.0, f64::max);
        assert!(worst < 0.03, "{worst}");
        assert!((0.012..0.03).contains(&smooth.scatter), "{}", smooth.scatter);
    }

    #[test]
    fn the_curve_is_the_sum_of_what_the_values_contribute() {
        let abscissa: Vec<f64> = (0..20).map(|i| 0.3 * f64::from(i)).collect();
        let values: Vec<f64> = abscissa
            .iter()
            .map(|x| (1.3 * x).cos() + 0.01 * (9.0 * x).sin())
            .collect();
        let smooth = Smooth::of(&abscissa, &values).unwrap();
        let influence = smooth.influence();
        for k in 0..smooth.coefficients.len() {
            let sum: f64 = influence
                .iter()
                .zip(&values)
                .map(|(column, value)| column[k] * value)
                .sum();
            assert!((sum - smooth.coefficients[k]).abs() < 1e-8, "{k}");
        }
    }
}
