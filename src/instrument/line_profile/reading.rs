//! What a row says: its columns in SI units, and what its values mean for the point.

use crate::profile::line::{LineProfile, Quantity, Value, Values, Verdict};
use crate::spectrum::{Point, PointStatus, Sample};

/// A row as understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    columns: Vec<(Quantity, f64)>,
    /// The worst thing that the verdicts say.
    pub status: PointStatus,
    /// The code of the row, where it has one that is a whole number from 0.
    pub code: Option<u32>,
    /// What the verdicts say in words.
    pub remarks: Vec<String>,
    /// Why the measurement is to end.
    pub stop: Option<String>,
}

impl Reading {
    /// Understands the values of a row.
    #[must_use]
    pub fn of(profile: &LineProfile, values: &Values) -> Self {
        let mut reading = Self {
            columns: Vec::new(),
            status: PointStatus::Ok,
            code: None,
            remarks: Vec::new(),
            stop: None,
        };
        for (name, value) in values {
            let Some(column) = profile.columns.get(name) else {
                continue;
            };
            if let Some(number) = value.number() {
                reading.columns.push((column.is, column.to_si(number)));
                if column.is == Quantity::Status && number >= 0.0 && number <= f64::from(u32::MAX) {
                    reading.code = Some(number as u32);
                }
            }
            reading.judge(profile, name, value);
        }
        reading
    }

    fn judge(&mut self, profile: &LineProfile, name: &str, value: &Value) {
        let on_column = |verdict: &&Verdict| verdict.column == name;
        let mut held = false;
        let verdicts = profile.verdicts.iter().filter(on_column);
        for verdict in verdicts.clone().filter(|verdict| !verdict.otherwise) {
            if holds(verdict, value) {
                held = true;
                self.take(verdict, name, value);
            }
        }
        if !held {
            for verdict in verdicts.filter(|verdict| verdict.otherwise) {
                self.take(verdict, name, value);
            }
        }
    }

    fn take(&mut self, verdict: &Verdict, name: &str, value: &Value) {
        self.status = self.status.max(verdict.status);
        let says = if verdict.says.is_empty() {
            format!("{name} = {}", value.text())
        } else {
            verdict.says.clone()
        };
        if verdict.stop {
            self.stop = Some(says);
        } else if verdict.status != PointStatus::Ok {
            self.remarks.push(says);
        }
    }

    /// The value of a quantity in SI units.
    #[must_use]
    pub fn get(&self, quantity: Quantity) -> Option<f64> {
        self.columns
            .iter()
            .find(|(is, _)| *is == quantity)
            .map(|(_, value)| *value)
    }

    /// The point; `frequency_hz` is that which was set, for rows that do not say it.
    #[must_use]
    pub fn point(&self, frequency_hz: f64) -> Point {
        let polar = || {
            let (modulus, phase) = (self.get(Quantity::ZModulus)?, self.get(Quantity::ZPhase)?);
            Some((modulus * phase.cos(), modulus * phase.sin()))
        };
        let (real, imaginary) = match (self.get(Quantity::ZReal), self.get(Quantity::ZImag)) {
            (Some(real), Some(imaginary)) => (real, imaginary),
            _ => polar().unwrap_or((f64::NAN, f64::NAN)),
        };
        let frequency_hz = self.get(Quantity::Frequency).unwrap_or(frequency_hz);
        let mut point = Point::new(frequency_hz, real, imaginary);
        let sound =
            real.is_finite() && imaginary.is_finite() && frequency_hz > 0.0 && frequency_hz.is_finite();
        point.status = if sound { self.status } else { PointStatus::Invalid };
        if !sound {
            (point.z_real_ohm, point.z_imag_ohm) = (f64::NAN, f64::NAN);
        }
        point.status_bits = self.code;
        let finite = |quantity| self.get(quantity).filter(|value: &f64| value.is_finite());
        point.potential_v = finite(Quantity::Potential);
        point.current_a = finite(Quantity::Current);
        point
    }

    /// The sample of a technique.
    #[must_use]
    pub fn sample(&self, technique: &str) -> Sample {
        let usable = self.status.is_usable();
        let finite = |quantity| {
            self.get(quantity)
                .filter(|value: &f64| usable && value.is_finite())
        };
        Sample {
            technique: technique.to_owned(),
            device_t_s: self.get(Quantity::Time).filter(|value| value.is_finite()),
            potential_v: finite(Quantity::Potential),
            current_a: finite(Quantity::Current),
            temperature_k: finite(Quantity::Temperature),
            ..Sample::default()
        }
    }
}

fn holds(verdict: &Verdict, value: &Value) -> bool {
    let number = value.number();
    let equal = |wanted: &String| {
        let wanted_number = Value::Text(wanted.clone()).number();
        match (number, wanted_number) {
            (Some(is), Some(wanted)) => is == wanted,
            _ => value.text().trim() == wanted,
        }
    };
    verdict.equals.as_ref().is_some_and(equal)
        || number.is_some_and(|number| {
            verdict.above.is_some_and(|limit| number > limit)
                || verdict.below.is_some_and(|limit| number < limit)
                || verdict.magnitude_above.is_some_and(|limit| number.abs() > limit)
        })
}

#[cfg(test)]
mod tests {
    use super::super::row;
    use super::*;

    fn profile(extra: &str) -> LineProfile {
        toml::from_str(extra).unwrap()
    }

    const POLAR: &str = r#"
        [columns]
        f = { is = "frequency", unit = "kHz" }
        z = { is = "z_modulus", unit = "mohm" }
        phase = { is = "z_phase", unit = "deg", negate = true }
        code = { is = "status" }
        v = { is = "potential", unit = "mV" }
        [[verdict]]
        column = "code"
        equals = "1"
        status = "overload"
        says = "clipped"
        [[verdict]]
        column = "code"
        equals = "0"
        status = "ok"
        [[verdict]]
        column = "code"
        otherwise = true
        status = "warning"
        [[verdict]]
        column = "v"
        magnitude_above = 1e8
        status = "invalid"
        says = "no contact"
        stop = true
        [sweep]
        mode = "listen"
        row = { columns = ["f", "z", "phase", "code", "v"] }
    "#;

    fn reading(profile: &LineProfile, line: &str) -> Reading {
        Reading::of(
            profile,
            &row::read(&profile.sweep.as_ref().unwrap().row, line).unwrap(),
        )
    }

    #[test]
    fn a_polar_row_in_odd_units_becomes_a_point_in_si_units() {
        let profile = profile(POLAR);
        let point = reading(&profile, "0.1,500,53.13010235415598,0,3700").point(f64::NAN);
        assert_eq!(point.frequency_hz, 100.0);
        assert!((point.z_real_ohm - 0.3).abs() < 1e-12 && (point.z_imag_ohm + 0.4).abs() < 1e-12);
        assert_eq!((point.status, point.potential_v), (PointStatus::Ok, Some(3.7)));
        assert_eq!(point.status_bits, Some(0));
    }

    #[test]
    fn status_codes_and_limits_become_statuses_with_their_words() {
        let profile = profile(POLAR);
        let clipped = reading(&profile, "0.1,500,0,1,0");
        assert_eq!(clipped.status, PointStatus::Overload);
        assert_eq!(clipped.remarks, ["clipped"]);
        let unknown = reading(&profile, "0.1,500,0,7,0");
        assert_eq!(
            (unknown.status, unknown.remarks),
            (PointStatus::Warning, vec!["code = 7".to_owned()])
        );
        let open = reading(&profile, "0.1,500,0,0,1E+10");
        assert_eq!(open.stop.as_deref(), Some("no contact"));
    }

    #[test]
    fn what_is_not_finite_is_invalid() {
        let profile = profile(POLAR);
        let point = reading(&profile, "0.1,nan,0,0,0").point(1.0);
        assert_eq!(point.status, PointStatus::Invalid);
        assert!(point.z_real_ohm.is_nan() && point.z_imag_ohm.is_nan());
        assert_eq!(
            reading(&profile, "0,1,0,0,0").point(1.0).status,
            PointStatus::Invalid
        );
    }
}
