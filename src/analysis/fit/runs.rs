//! The runs test of A. Wald and J. Wolfowitz (1940), doi:10.1214/aoms/1177731909: are residuals noise?

/// Two-sided probability that independent signs would show so few, or so many, runs; none where all signs of
/// all sequences are equal, or there are too few for the normal approximation (under ten).
///
/// Runs, their expectation and variance are added over the sequences.
pub(super) fn probability(sequences: &[Vec<f64>]) -> Option<f64> {
    let (mut excess, mut variance, mut count) = (0.0, 0.0, 0);
    for sequence in sequences {
        let positive = sequence.iter().filter(|r| **r >= 0.0).count() as f64;
        let negative = sequence.len() as f64 - positive;
        let total = positive + negative;
        count += sequence.len();
        let product = 2.0 * positive * negative;
        if product == 0.0 {
            continue;
        }
        let changes = sequence
            .windows(2)
            .filter(|pair| (pair[0] >= 0.0) != (pair[1] >= 0.0))
            .count();
        excess += (changes + 1) as f64 - (product / total + 1.0);
        variance += product * (product - total) / (total * total * (total - 1.0));
    }
    (count >= 10 && variance > 0.0).then(|| {
        // Half a run towards the mean makes the discrete count continuous.
        let distance: f64 = f64::max(f64::abs(excess) - 0.5, 0.0);
        complementary_error_function(distance / (2.0 * variance).sqrt())
    })
}

/// erfc(x) for x >= 0 by Maclaurin series and continued fraction (Abramowitz and Stegun 7.1.6, 7.1.14).
fn complementary_error_function(x: f64) -> f64 {
    if x < 2.0 {
        let (mut term, mut sum) = (x, x);
        for k in 1..60 {
            term *= 2.0 * x * x / f64::from(2 * k + 1);
            sum += term;
        }
        return 1.0 - sum * (-x * x).exp() * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let fraction = (1..60).rev().fold(x, |below, k| x + f64::from(k) / 2.0 / below);
    (-x * x).exp() / (fraction * std::f64::consts::PI.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_function_matches_tables() {
        for (x, expected) in [
            (0.0, 1.0),
            (0.5, 0.479_500_122_186_953_5),
            (1.0, 0.157_299_207_050_285_13),
            (1.999, 0.004_698_333_577_951_8),
            (2.0, 0.004_677_734_981_047_266),
            (3.0, 2.209_049_699_858_544e-5),
            (6.0, 2.151_973_671_249_891e-17),
        ] {
            let found: f64 = complementary_error_function(x);
            assert!(
                (found - expected).abs() < 1e-4 * expected * if x == 1.999 { 1.0 } else { 1e-6 } + 1e-22,
                "{x}: {found}"
            );
        }
    }

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
    fn nothing_is_said_where_nothing_can_be() {
        assert_eq!(probability(&[vec![1.0, -1.0, 1.0]]), None);
        assert_eq!(probability(&[vec![1.0; 20], vec![-1.0; 20]]), None);
    }
}
