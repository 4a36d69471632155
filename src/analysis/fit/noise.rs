//! Whether a search has explained all but the noise.

use super::problem::Problem;
use super::search::Outcome;

/// How many standard deviations below its expectation von Neumann's ratio may lie: one in twenty of true models is
/// searched for longer than it needs.
const DEVIATIONS: f64 = 1.65;

/// Whether the residuals look independent of their neighbours in frequency, by the ratio of J. von Neumann (1941),
/// doi:10.1214/aoms/1177731677: half the mean squared difference of neighbours to the mean square is one for noise,
/// and less for structure. More sensitive than the runs test, which decides what is told.
pub(super) fn is_all_that_is_left(problem: &Problem<'_>, outcome: &Outcome) -> bool {
    if outcome.chi_squared <= problem.negligible() {
        return true;
    }
    let mut order: Vec<usize> = (0..problem.points()).collect();
    order.sort_by(|&a, &b| problem.grid.omega[b].total_cmp(&problem.grid.omega[a]));
    let (real, imaginary) = outcome.residuals.split_at(problem.points());
    let ratio = ratio(&[real, imaginary], &order);
    ratio > 1.0 - DEVIATIONS / (outcome.residuals.len() as f64).sqrt()
}

fn ratio(sequences: &[&[f64]], order: &[usize]) -> f64 {
    let (mut differences, mut squares, mut pairs, mut numbers) = (0.0, 0.0, 0.0, 0.0);
    for sequence in sequences {
        for pair in order.windows(2) {
            differences += (sequence[pair[1]] - sequence[pair[0]]).powi(2);
            pairs += 1.0;
        }
        squares += sequence.iter().map(|value| value * value).sum::<f64>();
        numbers += sequence.len() as f64;
    }
    0.5 * differences / pairs * numbers / squares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_one_for_noise_and_small_for_waves() {
        use rand::SeedableRng;
        use rand_distr::{Distribution, StandardNormal};
        let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let noise: Vec<f64> = (0..4000).map(|_| StandardNormal.sample(&mut generator)).collect();
        let order: Vec<usize> = (0..4000).rev().collect();
        let of_noise = ratio(&[&noise[..], &noise[..]], &order);
        assert!((of_noise - 1.0).abs() < 0.05, "{of_noise}");
        let wave: Vec<f64> = (0..4000).map(|i| (f64::from(i) / 10.0).sin()).collect();
        assert!(ratio(&[&wave[..]], &order) < 0.02);
    }
}
