//! What a residual counts.

use num_complex::Complex64;

use super::super::result::Weight;

/// Square roots of the weights: of the real parts, then of the imaginary parts.
pub(super) fn weights(impedance: &[Complex64], weight: Weight) -> Vec<f64> {
    let component = |part: fn(&Complex64) -> f64| {
        impedance.iter().map(move |z| match weight {
            Weight::Modulus => 1.0 / z.norm(),
            Weight::Proportional => 1.0 / part(z).abs().max(0.01 * z.norm()),
            Weight::Unit => 1.0,
        })
    };
    component(|z| z.re).chain(component(|z| z.im)).collect()
}
