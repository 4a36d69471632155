//! A porous electrode as a line of two rails: ions on one, electrons on the other, and everywhere between them
//! an interface R_ct || CPE(Q, n). The ionic current enters at one end and the electronic current leaves at the
//! other. All quantities are those of the whole length, R_ct and Q of the whole interface.
//!
//! With S = R_ion + R_e, z = 1/(1/R_ct + Q (jw)^n) and v = sqrt(S/z),
//!
//! Z = R_ion R_e/S (1 + 2/(v sinh v)) + (R_ion² + R_e²)/S coth(v)/v
//!
//! (J. Bisquert 2000, doi:10.1039/b001708f and doi:10.1016/S1388-2481(00)00089-8). R_e = 0 leaves the pore with
//! one rail, sqrt(R_ion z) coth sqrt(R_ion/z); an infinite R_ct blocks. Towards low frequencies Z becomes
//! z + S/3, which is written out for small v, where the formula above is a difference of large numbers.

use std::f64::consts::FRAC_PI_2;

use num_complex::Complex64;

use super::super::element::{Columns, ElementKind, Role, SymbolSpec};
use super::super::grid::Grid;
use super::hyperbolic::coth_and_csch;
use super::relaxation::direction;
use super::{EXPONENT, log};

pub(super) static ELEMENTS: &[ElementKind] = &[ElementKind {
    symbol: "TLM",
    letter: None,
    first_number: 1,
    description: "porous electrode: rails R_ion and R_e over their length, between them R_ct beside CPE(Q, n)",
    draws_arc: false,
    parameters: &[
        log("R_ion", "ohm", 1e-9, 1e15, Role::Impedance),
        SymbolSpec {
            may_be_zero: true,
            ..log("R_e", "ohm", 1e-9, 1e15, Role::Impedance)
        },
        SymbolSpec {
            may_be_infinite: true,
            ..log("R_ct", "ohm", 1e-9, 1e15, Role::Impedance)
        },
        log("Q", "S s^n", 1e-16, 1e6, Role::Admittance),
        EXPONENT,
    ],
    fill: transmission_line,
    admittance: None,
}];

/// Below this |v²| the series is used.
const SERIES_BELOW: f64 = 1.0;

fn transmission_line(p: &[f64], grid: &Grid, out: &mut Columns<'_>) {
    let (r_ion, r_e, r_ct, q, n) = (p[0], p[1], p[2], p[3], p[4]);
    let rails = Rails::new(r_ion, r_e);
    let direction = direction(n);
    for (point, &ln_omega) in grid.ln_omega.iter().enumerate() {
        let power = direction * (n * ln_omega).exp();
        let admittance = 1.0 / r_ct + q * power;
        let z = 1.0 / admittance;
        let (total, [by_ion, by_e, by_z]) = rails.impedance(z, rails.sum * admittance);
        let conducted = z / r_ct;
        let by_power = -by_z * z * (z * power);
        out.set(
            point,
            total,
            [
                by_ion,
                by_e,
                by_z * conducted * conducted,
                by_power,
                by_power * q * Complex64::new(ln_omega, FRAC_PI_2),
            ],
        );
    }
}

struct Rails {
    sum: f64,
    /// R_ion R_e/S with its derivatives by R_ion and R_e.
    across: [f64; 3],
    /// (R_ion² + R_e²)/S with its derivatives.
    along: [f64; 3],
}

impl Rails {
    fn new(r_ion: f64, r_e: f64) -> Self {
        let sum = r_ion + r_e;
        let (ion, e) = (r_ion / sum, r_e / sum);
        Self {
            sum,
            across: [r_ion * e, e * e, ion * ion],
            along: [
                r_ion * ion + r_e * e,
                ion * ion + 2.0 * ion * e - e * e,
                e * e + 2.0 * ion * e - ion * ion,
            ],
        }
    }

    /// Z with its derivatives by R_ion, R_e and z.
    fn impedance(&self, z: Complex64, v_squared: Complex64) -> (Complex64, [Complex64; 3]) {
        let line = if v_squared.norm() < SERIES_BELOW {
            Line::short(v_squared)
        } else {
            Line::long(v_squared)
        };
        let of = |part: usize| self.across[part] * (1.0 + 2.0 * line.csch) + self.along[part] * line.coth;
        let by_ln = 2.0 * self.across[0] * line.csch_by_ln + self.along[0] * line.coth_by_ln;
        let by_rails = by_ln / self.sum;
        (
            of(0) + z * line.interface,
            [of(1) + by_rails, of(2) + by_rails, line.interface - by_ln / z],
        )
    }
}

/// coth(v)/v and 1/(v sinh v) with their derivatives by ln v². Of a short line both lack 1/v², which `interface`
/// says: together that part is z itself.
struct Line {
    coth: Complex64,
    csch: Complex64,
    coth_by_ln: Complex64,
    csch_by_ln: Complex64,
    interface: f64,
}

impl Line {
    fn long(v_squared: Complex64) -> Self {
        let v = v_squared.sqrt();
        let (coth, csch) = coth_and_csch(v);
        let (coth_over_v, csch_over_v) = (coth / v, csch / v);
        Self {
            coth: coth_over_v,
            csch: csch_over_v,
            coth_by_ln: -0.5 * (csch * csch + coth_over_v),
            csch_by_ln: -0.5 * (coth * csch + csch_over_v),
            interface: 0.0,
        }
    }

    fn short(v_squared: Complex64) -> Self {
        let (coth, coth_by_ln) = series(&COTH, v_squared);
        let (csch, csch_by_ln) = series(&CSCH, v_squared);
        Self {
            coth,
            csch,
            coth_by_ln,
            csch_by_ln,
            interface: 1.0,
        }
    }
}

/// The power series and its derivative by ln u.
fn series(coefficients: &[f64], u: Complex64) -> (Complex64, Complex64) {
    let zero = Complex64::new(0.0, 0.0);
    let (value, slope) = coefficients
        .iter()
        .rev()
        .fold((zero, zero), |(value, slope), coefficient| {
            (value * u + coefficient, slope * u + value)
        });
    (value, slope * u)
}

/// coth(v)/v - 1/v² in powers of v²: 2^(2k) B_2k/(2k)!, which is -2 zeta(2k) (-1/pi²)^k.
const COTH: [f64; 17] = [
    1.0 / 3.0,
    -1.0 / 45.0,
    2.116_402_116_402_116_4e-3,
    -2.116_402_116_402_116_4e-4,
    2.137_779_915_557_693_3e-5,
    -2.164_404_280_806_397_2e-6,
    2.192_594_785_187_377_8e-7,
    -2.221_460_878_997_967_9e-8,
    2.250_784_651_680_899_3e-9,
    -2.280_515_120_459_218_3e-10,
    2.310_643_259_900_262_4e-11,
    -2.341_170_681_982_488_4e-12,
    2.372_101_740_023_365_4e-13,
    -2.403_441_533_330_770_6e-14,
    2.435_195_402_918_336_9e-15,
    -2.467_368_804_517_207_5e-16,
    2.499_967_277_122_081e-17,
];

/// 1/(v sinh v) - 1/v² in powers of v²: -2 (2^(2k-1) - 1) B_2k/(2k)!.
const CSCH: [f64; 17] = [
    -1.0 / 6.0,
    7.0 / 360.0,
    -2.050_264_550_264_550_3e-3,
    2.099_867_724_867_725e-4,
    -2.133_604_564_160_119_7e-5,
    2.163_347_442_778_659_7e-6,
    -2.192_327_134_456_764e-7,
    2.221_393_085_392_041_6e-8,
    -2.250_767_479_556_786_7e-9,
    2.280_510_770_721_821_2e-10,
    -2.310_642_158_099_696_7e-11,
    2.341_170_402_893_194_7e-12,
    -2.372_101_669_329_224_6e-13,
    2.403_441_515_425_737_6e-14,
    -2.435_195_398_382_432e-15,
    2.467_368_803_368_249_3e-16,
    -2.499_967_276_831_046_4e-17,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_and_closed_form_agree_where_one_hands_over_to_the_other() {
        for angle in [0.0, 0.3, 0.8, FRAC_PI_2] {
            let v_squared = Complex64::from_polar(SERIES_BELOW, angle);
            for (r_ion, r_e) in [(30.0, 0.0), (30.0, 3.0), (1.0, 1000.0)] {
                let rails = Rails::new(r_ion, r_e);
                let z = rails.sum / v_squared;
                let (below, above) = (
                    rails.impedance(z, v_squared * (1.0 - 1e-15)),
                    rails.impedance(z, v_squared * (1.0 + 1e-15)),
                );
                let close = |a: Complex64, b: Complex64| (a - b).norm() < 1e-13 * (a.norm() + 0.1);
                assert!(close(below.0, above.0), "{} {}", below.0, above.0);
                for (a, b) in below.1.into_iter().zip(above.1) {
                    assert!(close(a, b), "{a} {b}");
                }
            }
        }
    }
}
