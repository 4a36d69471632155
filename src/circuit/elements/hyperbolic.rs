//! Hyperbolic functions of a complex argument with a positive real part, neither overflowing nor losing digits.

use num_complex::Complex64;

/// coth(y) and 1/sinh(y).
///
/// From coth(a+jb) = (sinh a cosh a - j sin b cos b)/(sinh² a + sin² b), every sum of which has terms of one
/// sign, with numerator and denominator multiplied by 4 exp(-2a).
pub(super) fn coth_and_csch(y: Complex64) -> (Complex64, Complex64) {
    let (sin, cos) = y.im.sin_cos();
    let decay = (-y.re).exp();
    let squared = decay * decay;
    let shrink = -(-2.0 * y.re).exp_m1();
    let inverse = 1.0 / (shrink * shrink + 4.0 * squared * sin * sin);
    let coth = Complex64::new(
        -(-4.0 * y.re).exp_m1() * inverse,
        -4.0 * squared * sin * cos * inverse,
    );
    let csch = Complex64::new(shrink * cos, -(1.0 + squared) * sin) * (2.0 * decay * inverse);
    (coth, csch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_definition_and_with_their_limits() {
        for (re, im) in [(0.5, 0.3), (1.0, 1.0), (3.0, -2.0), (0.1, 0.0)] {
            let y = Complex64::new(re, im);
            let (coth, csch) = coth_and_csch(y);
            assert!((coth * y.tanh() - 1.0).norm() < 1e-14, "{y}");
            assert!((csch * y.sinh() - 1.0).norm() < 1e-14, "{y}");
        }
        // 1/y + y/3 and 1/y - y/6
        let y = Complex64::new(1e-6, 1e-6);
        let (coth, csch) = coth_and_csch(y);
        assert!((coth * y - 1.0 - y * y / 3.0).norm() < 1e-15);
        assert!((csch * y - 1.0 + y * y / 6.0).norm() < 1e-15);
        let (coth, csch) = coth_and_csch(Complex64::new(1e20, 1e20));
        assert_eq!(coth, Complex64::new(1.0, 0.0));
        assert_eq!(csch.norm(), 0.0);
    }
}
