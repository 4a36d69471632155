//! The runs test of A. Wald and J. Wolfowitz (1940), doi:10.1214/aoms/1177731909: are residuals noise?

use statrs::function::erf::erfc;

/// Two-sided probability that independent signs would show so few, or so many, runs; none where there are too few
/// residuals for the normal approximation (under ten).
///
/// Runs, their expectation and variance are added over the sequences. A sequence of one sign has one run whatever it
/// is; there the sign itself counts, with probability 2^(1-n) for n signs that are equal by chance.
pub(super) fn probability(sequences: &[Vec<f64>]) -> Option<f64> {
    let (mut excess, mut variance, mut count) = (0.0, 0.0, 0);
    let mut of_one_sign: f64 = 1.0;
    for sequence in sequences {
        let positive = sequence.iter().filter(|r| **r >= 0.0).count() as f64;
        let negative = sequence.len() as f64 - positive;
        let total = positive + negative;
        count += sequence.len();
        let product = 2.0 * positive * negative;
        if product == 0.0 {
            // Residuals of zero have no sign.
            if sequence.iter().any(|r| *r != 0.0) {
                of_one_sign = of_one_sign.min(2f64.powf(1.0 - total));
            }
            continue;
        }
        let changes = sequence
            .windows(2)
            .filter(|pair| (pair[0] >= 0.0) != (pair[1] >= 0.0))
            .count();
        excess += (changes + 1) as f64 - (product / total + 1.0);
        variance += product * (product - total) / (total * total * (total - 1.0));
    }
    if count < 10 || (variance == 0.0 && of_one_sign == 1.0) {
        return None;
    }
    if variance == 0.0 {
        return Some(of_one_sign);
    }
    // Half a run towards the mean makes the discrete count continuous.
    let distance: f64 = f64::max(f64::abs(excess) - 0.5, 0.0);
    Some(of_one_sign.min(erfc(distance / (2.0 * variance).sqrt())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_is_told_from_noise() {
        let wave = |period: usize| -> Vec<f64> {
            (0..60)
                .map(|i| if (i / period).is_multiple_of(2) { 1.0 } else { -1.0 })
                .collect()
        };
        assert!(probability(&[wave(15), wave(15)]).unwrap() < 1e-6, "long runs");
        assert!(probability(&[wave(1), wave(1)]).unwrap() < 1e-6, "alternation");
        assert!(
            probability(&[wave(2), wave(2)]).unwrap() > 0.5,
            "as many runs as expected"
        );
    }

    #[test]
    fn a_known_case_by_hand() {
        // 8 positive, 6 negative, 9 runs: mean 7.857, variance 3.0884; z = (9 - 7.857 - 0.5)/1.7574 = 0.3659.
        let signs = [1, 1, -1, 1, -1, -1, 1, 1, -1, 1, -1, -1, 1, 1];
        let sequence: Vec<f64> = signs.iter().map(|&s| f64::from(s)).collect();
        let p = probability(&[sequence]).unwrap();
        assert!((p - 0.7145).abs() < 1e-3, "{p}");
    }

    #[test]
    fn residuals_of_one_sign_are_no_noise() {
        let p = probability(&[vec![1.0; 20], vec![-1.0; 20]]).unwrap();
        assert!((p / 2f64.powi(-19) - 1.0).abs() < 1e-12, "{p}");
        let noise = [
            1.0, 1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0, -1.0, 1.0, 1.0,
        ];
        assert!(probability(&[noise.to_vec(), vec![0.5; 14]]).unwrap() < 1e-3);
    }

    #[test]
    fn nothing_is_said_where_nothing_can_be() {
        assert_eq!(probability(&[vec![1.0, -1.0, 1.0]]), None);
        assert_eq!(probability(&[vec![0.0; 20], vec![0.0; 20]]), None);
    }
}
