//! How much roughness is forbidden: the weight of the penalty, chosen by the data.

use super::estimate::Estimate;
use super::system::System;

/// Exponents of ten that are tried, from smooth to rough.
const EXPONENTS: std::ops::RangeInclusive<i32> = 0..=9;
/// Highest weight that is tried.
const HIGHEST: f64 = 1e1;
/// What cross-validation charges for a parameter.
pub(super) const PRICE: f64 = 1.4;

/// The estimate at the weight with the least cross-validation error. `free` as for [`Estimate::at`].
pub(super) fn by_cross_validation(system: &System, free: &mut [bool]) -> Option<Estimate> {
    let score = |estimate: &Estimate| estimate.cross_validation(PRICE);
    let mut tried: Vec<Estimate> = Vec::new();
    for exponent in EXPONENTS {
        tried.extend(Estimate::at(system, HIGHEST * 10f64.powi(-exponent), free));
        // The minimum is behind once it has risen twice.
        if let [.., a, b, c] = tried.as_slice()
            && score(a) < score(b)
            && score(b) < score(c)
        {
            break;
        }
    }
    let best = tried.iter().min_by(|a, b| score(a).total_cmp(&score(b)))?.clone();
    // Half a decade to either side.
    let mut free: Vec<bool> = (0..free.len()).map(|unknown| best.solution.is_free(unknown)).collect();
    let between = [10f64.sqrt(), 10f64.sqrt().recip()]
        .into_iter()
        .filter_map(|factor| Estimate::at(system, best.lambda * factor, &mut free));
    let between: Vec<Estimate> = between.collect();
    between.into_iter().chain([best]).min_by(|a, b| score(a).total_cmp(&score(b)))
}
