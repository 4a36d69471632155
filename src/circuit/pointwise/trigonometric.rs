//! Sine and cosine.

use super::cubic;
use super::exponential::ROUNDER;

/// Largest argument: beyond it a quarter turn in two parts is not exact enough.
const LARGEST: f64 = 1e5;
/// pi/2 in two parts, of which the first has so many zeros at its end that its product with a small integer is
/// exact.
const QUARTER_HIGH: f64 = 1.570_796_326_734_125_6;
const QUARTER_LOW: f64 = 6.077_100_506_506_192e-11;
/// Coefficients of fdlibm (Sun Microsystems, 1993) for |x| <= pi/4: sin x = x + x³ S(x²), and
/// cos x = 1 - x²/2 + x⁴ C(x²).
const SINE: [f64; 6] = [
    -0.166_666_666_666_666_32,
    0.008_333_333_333_322_49,
    -0.000_198_412_698_298_579_5,
    2.755_731_370_707_007e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];
const COSINE: [f64; 6] = [
    0.041_666_666_666_666_6,
    -0.001_388_888_888_887_411,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];

/// Sine and cosine, each off by less than 2.3e-16. NaN where |x| is over 1e5 or NaN.
#[inline(always)]
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    let x = if x.abs() <= LARGEST { x } else { f64::NAN };
    let rounded = x * std::f64::consts::FRAC_2_PI + ROUNDER;
    let quarters = rounded - ROUNDER;
    let r = (x - quarters * QUARTER_HIGH) - quarters * QUARTER_LOW;
    let square = r * r;
    let fourth = square * square;
    let sine_core = cubic(square, [SINE[0], SINE[1], SINE[2], SINE[3]])
        + (fourth * fourth) * (SINE[4] + SINE[5] * square);
    let sine = r + r * square * sine_core;
    let half = 0.5 * square;
    let leading = 1.0 - half;
    let cosine_core = cubic(square, [COSINE[0], COSINE[1], COSINE[2], COSINE[3]])
        + (fourth * fourth) * (COSINE[4] + COSINE[5] * square);
    let cosine = leading + (((1.0 - leading) - half) + fourth * cosine_core);
    // In odd quadrants sine and cosine change places.
    let quadrant = rounded.to_bits();
    let (s, c) = (sine.to_bits(), cosine.to_bits());
    let difference = (s ^ c) & (quadrant & 1).wrapping_neg();
    (
        f64::from_bits((s ^ difference) ^ ((quadrant & 2) << 62)),
        f64::from_bits((c ^ difference) ^ ((quadrant.wrapping_add(1) & 2) << 62)),
    )
}
