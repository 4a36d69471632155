//! Data packages to points of impedance and readings of potential.

use super::package::{Package, Variable, VariableType, status};
use super::settings::DriverSettings;
use crate::spectrum::{Point, PointStatus};

/// The point that a package carries; `None` where it has no impedance.
#[must_use]
pub fn point(package: &Package, settings: &DriverSettings) -> Option<Point> {
    let real = package.get(VariableType::Z_REAL)?;
    let imag = package.get(VariableType::Z_IMAG)?;
    let frequency_hz = package
        .get(VariableType::SET_FREQUENCY)
        .map_or(f64::NAN, |variable| variable.value.as_f64());
    let (z_real_ohm, z_imag_ohm) = (real.value.as_f64(), imag.value.as_f64());
    let numbers = z_real_ohm.is_finite() && z_imag_ohm.is_finite() && frequency_hz > 0.0;
    let bits = status_bits(&[real, imag]);
    Some(Point {
        frequency_hz,
        z_real_ohm,
        z_imag_ohm,
        status: if numbers {
            worst(bits.unwrap_or(0))
        } else {
            PointStatus::Invalid
        },
        status_bits: bits.map(u32::from),
        // The metadata of Z' names the current range, that of Z'' the potential range.
        range: real.range.map(|code| settings.range_label(code)),
        noise: [real.noise, imag.noise]
            .into_iter()
            .flatten()
            .max()
            .map(u32::from),
        ..Point::default()
    })
}

/// The potential in V that a package carries and whether it can be believed.
pub(super) fn potential(package: &Package) -> Option<(f64, bool)> {
    let variable = package.get(VariableType::POTENTIAL)?;
    let potential_v = variable.value.as_f64();
    let clipped = variable.status.is_some_and(|bits| bits & status::OVERLOAD != 0);
    Some((potential_v, potential_v.is_finite() && !clipped))
}

/// What a package carries of a kind, or of another where it has none of the first.
pub(super) fn reading(package: &Package, kind: VariableType, other: VariableType) -> Option<f64> {
    let variable = package.get(kind).or_else(|| package.get(other))?;
    Some(variable.value.as_f64()).filter(|value| value.is_finite())
}

/// Whether a package is a sample of direct current.
pub(super) fn potential_or_current(package: &Package) -> bool {
    use VariableType as Kind;
    let kinds = [
        Kind::POTENTIAL,
        Kind::SET_POTENTIAL,
        Kind::CURRENT,
        Kind::SET_CURRENT,
    ];
    kinds.into_iter().any(|kind| package.get(kind).is_some())
}

/// Whether a value of a package is clipped.
pub(super) fn is_overloaded(package: &Package) -> bool {
    let clipped = |variable: &Variable| variable.status.is_some_and(|bits| bits & status::OVERLOAD != 0);
    package.variables.iter().any(clipped)
}

fn status_bits(variables: &[&Variable]) -> Option<u8> {
    variables
        .iter()
        .filter_map(|variable| variable.status)
        .reduce(|all, bits| all | bits)
}

/// The worst of what the bits say.
fn worst(bits: u8) -> PointStatus {
    [
        (status::OVERLOAD, PointStatus::Overload),
        (status::OVERLOAD_WARNING, PointStatus::Warning),
        (status::UNDERLOAD, PointStatus::Underload),
        (status::TIMING, PointStatus::Timing),
    ]
    .into_iter()
    .find(|(bit, _)| bits & bit != 0)
    .map_or(PointStatus::Ok, |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{CurrentRange, PointTiming};

    fn settings() -> DriverSettings {
        DriverSettings {
            device: "es4_hr".into(),
            timing: PointTiming {
                point_overhead_s: 0.43,
                point_periods: 2.1,
            },
            current_ranges: vec![CurrentRange {
                code: 0x18,
                limit_a: 0.01,
                label: "10 mA".into(),
            }],
            pgstat_mode: 3,
            max_bandwidth_hz: 200e3,
            channel: 0,
            line_delay_s: 0.0,
            time_scale: 1.0,
        }
    }

    fn point_of(line: &str) -> Option<Point> {
        point(&Package::parse(line).unwrap(), &settings())
    }

    #[test]
    fn a_published_point_keeps_values_sign_status_and_range() {
        let read = point_of("Pdc8030D40 ;ccAAE483Fm,14,288;cd7FD3127 ,14,288").unwrap();
        assert_eq!(
            (read.frequency_hz, read.z_real_ohm, read.z_imag_ohm),
            (200e3, 44_976.191, -184_025.0)
        );
        assert_eq!((read.status, read.status_bits), (PointStatus::Underload, Some(4)));
        assert_eq!(read.range.as_deref(), Some("range 88"));
    }

    #[test]
    fn status_is_the_worst_of_both_parts_and_bits_are_all_of_them() {
        let read = point_of("PdcDF5DFF4u;cc896D904m,11,218;cd82DB1A8u,12,206").unwrap();
        assert_eq!((read.status, read.status_bits), (PointStatus::Overload, Some(3)));
        assert_eq!(read.range.as_deref(), Some("10 mA"));
    }

    #[test]
    fn a_point_without_a_number_is_invalid_whatever_its_status() {
        let read = point_of("PdcDF5DFF4u;cc     nan,10,288;cd82DB1A8u,10,288").unwrap();
        assert_eq!(read.status, PointStatus::Invalid);
        assert!(read.z_real_ohm.is_nan());
    }

    #[test]
    fn a_package_without_impedance_is_no_point_and_an_overloaded_potential_not_believed() {
        assert_eq!(point_of("Pab8030D40m"), None);
        let read = |line| potential(&Package::parse(line).unwrap());
        assert_eq!(read("Pab8030D40m,10,206"), Some((200.0, true)));
        assert_eq!(read("Pab8030D40m,12,206"), Some((200.0, false)));
    }
}
