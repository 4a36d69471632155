//! The current range for a sweep, from the current that it will draw.
//!
//! The range is pinned for a whole sweep, because a change in the middle bends the spectrum; so it must be
//! right from the start: the peak current fills at most 70 % of it.

use crate::profile::CurrentRange;

/// The largest share of a range that a predicted peak current may fill.
pub const LARGEST_FILL: f64 = 0.7;

/// Why there is no current range for a sweep.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RangeError {
    /// The current is too large for the instrument.
    #[error(
        "the sweep would draw a peak current of {peak_a:.3e} A, and the largest that this instrument takes is \
         {largest_a:.3e} A (70 % of its range `{range}`): use a smaller amplitude, an instrument with a larger \
         range, or correct the start values of the cell's circuit"
    )]
    TooLarge {
        /// Predicted peak current in A.
        peak_a: f64,
        /// Largest peak current that can be measured in A.
        largest_a: f64,
        /// Name of the largest range that may be used.
        range: String,
    },
    /// The current cannot be predicted.
    #[error(
        "the current of the sweep cannot be predicted from an amplitude of {amplitude_vrms} V rms and a smallest \
         modulus of {smallest_modulus_ohm} ohm: correct the start values of the cell's circuit"
    )]
    Unpredictable {
        /// Excitation in V rms.
        amplitude_vrms: f64,
        /// Smallest |Z| of the sweep in ohm.
        smallest_modulus_ohm: f64,
    },
    /// The profile has no range that the instrument's current limit allows.
    #[error(
        "the instrument's profile has no current range within its limit of {limit_a:.3e} A: correct the profile"
    )]
    NoRange {
        /// The instrument's largest current in A.
        limit_a: f64,
    },
}

/// The peak current of a potentiostatic sweep in A: the peak of the excitation over the smallest modulus,
/// plus the direct current where the cell is polarised.
///
/// # Errors
/// Where a number is not finite, or the amplitude or the modulus is not positive.
pub fn peak_current_a(
    amplitude_vrms: f64,
    smallest_modulus_ohm: f64,
    direct_current_a: f64,
) -> Result<f64, RangeError> {
    let peak_a = amplitude_vrms * std::f64::consts::SQRT_2 / smallest_modulus_ohm + direct_current_a.abs();
    if amplitude_vrms > 0.0 && smallest_modulus_ohm > 0.0 && peak_a.is_finite() {
        Ok(peak_a)
    } else {
        Err(RangeError::Unpredictable {
            amplitude_vrms,
            smallest_modulus_ohm,
        })
    }
}

/// The smallest range of which a peak current fills at most [`LARGEST_FILL`]. `ranges` go from small to
/// large; ranges beyond the instrument's `limit_a` are used up to that limit only.
///
/// # Errors
/// Where no range is large enough, with the largest current that could be measured.
pub fn choose_range(ranges: &[CurrentRange], limit_a: f64, peak_a: f64) -> Result<&CurrentRange, RangeError> {
    let usable_a = |range: &CurrentRange| (LARGEST_FILL * range.limit_a).min(limit_a);
    if let Some(range) = ranges.iter().find(|range| peak_a <= usable_a(range)) {
        return Ok(range);
    }
    match ranges.last() {
        Some(largest) => Err(RangeError::TooLarge {
            peak_a,
            largest_a: usable_a(largest),
            range: largest.label.clone(),
        }),
        None => Err(RangeError::NoRange { limit_a }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges() -> Vec<CurrentRange> {
        [(21, 1e-3, "1 mA"), (24, 1e-2, "10 mA"), (27, 0.1, "100 mA")]
            .into_iter()
            .map(|(code, limit_a, label)| CurrentRange {
                code,
                limit_a,
                label: label.into(),
            })
            .collect()
    }

    fn chosen(peak_a: f64) -> String {
        choose_range(&ranges(), 0.2, peak_a).unwrap().label.clone()
    }

    #[test]
    fn the_peak_fills_at_most_seventy_per_cent_of_the_range() {
        assert_eq!(chosen(0.699e-3), "1 mA");
        assert_eq!(chosen(0.701e-3), "10 mA");
        assert_eq!(chosen(69e-3), "100 mA");
    }

    #[test]
    fn a_current_too_large_is_refused_with_the_largest_possible() {
        let error = choose_range(&ranges(), 0.2, 0.08).unwrap_err();
        assert!(
            error.to_string().contains("8.000e-2 A") && error.to_string().contains("7.000e-2 A"),
            "{error}"
        );
        assert!(
            choose_range(&ranges(), 0.05, 0.06).is_err(),
            "the instrument's own limit holds as well"
        );
        assert!(choose_range(&ranges(), 0.2, f64::NAN).is_err());
        assert!(choose_range(&[], 0.2, 1e-6).is_err());
    }

    #[test]
    fn the_peak_is_that_of_the_sine_at_the_smallest_modulus() {
        // 10 mV rms over 2 ohm: 14.14 mV peak, 7.07 mA.
        assert!((peak_current_a(0.01, 2.0, 0.0).unwrap() - 7.071e-3).abs() < 1e-6);
        assert!((peak_current_a(0.01, 2.0, -1e-3).unwrap() - 8.071e-3).abs() < 1e-6);
        assert!(peak_current_a(0.01, 0.0, 0.0).is_err());
        assert!(peak_current_a(f64::NAN, 1.0, 0.0).is_err());
    }
}
