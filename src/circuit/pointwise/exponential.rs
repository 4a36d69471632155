//! The exponential function.

use super::cubic;

/// 1.5 * 2^52: added to a number of moderate size it leaves its nearest integer in the lowest bits.
pub(super) const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts, of which the first has so many zeros at its end that its product with an exponent is exact.
const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// (exp(r) - 1 - r)/r² for |r| <= ln(2)/2, off by less than 1.3e-17 exp(r) (Chebyshev fit).
const CORE: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_69,
    0.041_666_666_666_623_99,
    0.008_333_333_333_330_051,
    0.001_388_888_891_728_179_4,
    0.000_198_412_698_631_059_68,
    2.480_152_119_021_773e-5,
    2.755_726_837_868_419_2e-6,
    2.762_013_871_973_399_4e-7,
    2.510_042_415_700_506_7e-8,
];

/// exp(x), within one unit in the last place of the true value for every x; zero, infinity and subnormal results
/// as in std, NaN for NaN.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    // Beyond these the result is zero or infinite in any case.
    let x = if -746.0 > x { -746.0 } else { x };
    let x = if 710.0 < x { 710.0 } else { x };
    let exponent = (x * std::f64::consts::LOG2_E + ROUNDER) - ROUNDER;
    let r = (x - exponent * LN_2_HIGH) - exponent * LN_2_LOW;
    let square = r * r;
    let fourth = square * square;
    let low = cubic(r, [CORE[0], CORE[1], CORE[2], CORE[3]]);
    let middle = cubic(r, [CORE[4], CORE[5], CORE[6], CORE[7]]);
    let core = (low + fourth * middle) + (fourth * fourth) * (CORE[8] + CORE[9] * r);
    let value = 1.0 + (r + square * core);
    // In two factors, because 2^1024 and the powers below 2^-1022 are no normal numbers.
    let half = (exponent * 0.5 + ROUNDER) - ROUNDER;
    value * power_of_two(half) * power_of_two(exponent - half)
}

/// 2^x for whole numbers from -1022 to 1023.
#[inline(always)]
fn power_of_two(x: f64) -> f64 {
    f64::from_bits((x + (ROUNDER + 1023.0)).to_bits() << 52)
}
