//! Distributions that are known in closed form: what a numerical one is checked against.

use std::f64::consts::{PI, TAU};

/// Distribution per ln tau, in ohm, of a ZARC R/(1+(jw tau0)^n) at the time constant `tau_s`.
///
/// K. S. Cole and R. H. Cole 1941, doi:10.1063/1.1750906: symmetric in ln tau about `tau0_s`, with the integral R
/// and the height R/(2 pi) tan(n pi/2). For n = 1 it is a single line, which has no height; so n must be below 1.
#[must_use]
pub fn zarc(resistance_ohm: f64, tau0_s: f64, exponent: f64, tau_s: f64) -> f64 {
    let angle = (1.0 - exponent) * PI;
    let distance = exponent * (tau_s / tau0_s).ln();
    // cosh x - cos a without cancellation at small x and a.
    let denominator = 2.0 * ((0.5 * distance).sinh().powi(2) + (0.5 * angle).sin().powi(2));
    resistance_ohm / TAU * angle.sin() / denominator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zarc_has_its_published_values() {
        for (distance, expected) in [
            (0.0, 48.98285_f64),
            (0.5, 34.38599),
            (1.0, 17.70359),
            (2.0, 5.28989),
            (4.0, 0.815_054),
        ] {
            for sign in [-1.0_f64, 1.0] {
                let gamma = zarc(100.0, 3e-4, 0.8, 3e-4 * (sign * distance).exp());
                assert!((gamma - expected).abs() < 5.1e-6, "{distance} {gamma}");
            }
        }
    }

    #[test]
    fn the_integral_over_ln_tau_is_the_resistance() {
        for exponent in [0.5, 0.8, 0.95] {
            let step = 1e-3;
            let sum: f64 = (-80_000..=80_000)
                .map(|i| zarc(100.0, 1.0, exponent, (step * f64::from(i)).exp()))
                .sum();
            assert!((sum * step - 100.0).abs() < 1e-6, "{exponent} {}", sum * step);
        }
    }

    #[test]
    fn the_height_is_that_of_the_half_angle() {
        let height = zarc(40.0, 0.02, 0.85, 0.02);
        assert!((height - 40.0 / TAU * (0.85 * PI / 2.0).tan()).abs() < 1e-10);
    }
}
