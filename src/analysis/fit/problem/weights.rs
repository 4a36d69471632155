//! What a residual counts.

use num_complex::Complex64;

use super::super::options::FitError;
use super::super::result::Weight;
use crate::spectrum::Point;

/// Square roots of the weights: of the real parts, then of the imaginary parts. `points` are those used, each
/// with its place in the spectrum.
pub(super) fn weights(points: &[(usize, &Point)], weight: Weight) -> Result<Vec<f64>, FitError> {
    let component = |part: fn(&Complex64) -> f64| {
        points.iter().map(move |&(index, point)| {
            let z = point.impedance();
            Ok(match weight {
                Weight::Modulus => 1.0 / z.norm(),
                Weight::Proportional => 1.0 / part(&z).abs().max(0.01 * z.norm()),
                Weight::Unit => 1.0,
                Weight::Sigma => 1.0 / known_error(index, point)?,
            })
        })
    };
    component(|z| z.re).chain(component(|z| z.im)).collect()
}

fn known_error(index: usize, point: &Point) -> Result<f64, FitError> {
    let frequency_hz = point.frequency_hz;
    match point.std_error_ohm {
        None => Err(FitError::NoSigma { index, frequency_hz }),
        Some(sigma) if sigma.is_finite() && sigma > 0.0 => Ok(sigma),
        Some(sigma) => Err(FitError::ImpossibleSigma {
            index,
            frequency_hz,
            sigma,
        }),
    }
}
